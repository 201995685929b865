/* Memory whose pages are known, for what is timed. */
#ifndef TL_TOOLS_BENCH_MEMORY_H
#define TL_TOOLS_BENCH_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* n bytes on a page boundary, pages of 4 KiB, or 2 MiB where the system gives them; all of them touched. NULL: no
 * memory. Freed by bench_pages_free. */
uint8_t *bench_pages(size_t n, bool huge);
void bench_pages_free(uint8_t *pages, size_t n);
/* Of these n bytes the part that stands on huge pages, 0 to 1, as the system says. */
double bench_pages_huge(const uint8_t *pages, size_t n);
/* Bytes that are different everywhere. */
void bench_fill(uint8_t *bytes, size_t n, uint64_t seed);

#endif
