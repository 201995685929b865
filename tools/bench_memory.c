#include "bench_memory.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HUGE = 2 << 20 };

static size_t whole(size_t n)
{
    return (n + HUGE - 1) / HUGE * HUGE;
}

/* A mapping is aligned to 4 KiB; for huge pages it must be to 2 MiB, so what stands before is given back. */
uint8_t *bench_pages(size_t n, bool huge)
{
    size_t size = whole(n) + HUGE, before;
    uint8_t *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (map == MAP_FAILED)
        return NULL;
    before = (HUGE - (uintptr_t)map % HUGE) % HUGE;
    if (before > 0)
        (void)munmap(map, before);
    (void)munmap(map + before + whole(n), size - before - whole(n));
    map += before;
    (void)madvise(map, whole(n), huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    memset(map, 0, whole(n));
    return map;
}

void bench_pages_free(uint8_t *pages, size_t n)
{
    if (pages != NULL)
        (void)munmap(pages, whole(n));
}

double bench_pages_huge(const uint8_t *pages, size_t n)
{
    FILE *f = fopen("/proc/self/smaps", "re");
    char line[256];
    unsigned long start = 0, end = 0, kib;
    double sum = 0;

    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
            continue;
        if (sscanf(line, "AnonHugePages: %lu kB", &kib) == 1 && start < (uintptr_t)pages + n &&
            end > (uintptr_t)pages)
            sum += (double)kib * 1024;
    }
    if (f != NULL)
        (void)fclose(f);
    return sum / (double)whole(n);
}

void bench_fill(uint8_t *bytes, size_t n, uint64_t seed)
{
    uint64_t x = seed * 0x9E3779B97F4A7C15U + 1;

    for (size_t i = 0; i < n; i++) {
        x = x * 6364136223846793005U + 1442695040888963407U;
        bytes[i] = (uint8_t)(x >> 56);
    }
}
