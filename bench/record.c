#include "record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the line of progress ---- */

static void clear_progress(void)
{
    if (isatty(STDERR_FILENO))
        (void)fputs("\r\033[K", stderr);
}

static void show_progress(const bench *b, const bench_row *row)
{
    if (isatty(STDERR_FILENO))
        (void)fprintf(stderr, "\r\033[K%s, %s: %s against %s; %u rows done", b->level, b->group, row->name,
                      row->peer, b->done);
}

void record_note(const char *format, ...)
{
    va_list args;

    clear_progress();
    (void)fputs("trueline-bench: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

void bench_failed(bench *b, const char *name, const char *peer, const char *why)
{
    b->failed++;
    record_note("%s, %s against %s: %s", b->level != NULL ? b->level : "?", name, peer, why);
}

void bench_absent(bench *b, const char *name, const char *peer)
{
    record_note("%s, %s: no %s here (scripts/deps --bench)", b->level, name, peer);
}

bool bench_wants(const bench *b, const char *name)
{
    return b->only == NULL || strncmp(name, b->only, strlen(b->only)) == 0;
}

/* ---- rows ---- */

static void add(bench *b, const bench_row *row, const gate_result *g)
{
    double work = row->bytes > 0 ? row->bytes : 0;
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:i, s:i}", "name", row->name,
                          "asked", backend_level_name(b->asked), "level", b->level, "peer", row->peer,
                          "ratio", g->ratio, "low", g->low, "high", g->high, "own_us", g->own_us, "peer_us",
                          g->peer_us, "rounds", (int)g->rounds, "dirty", (int)g->dirty);

    if (work > 0) {
        (void)json_object_set_new(o, "own_gbs", json_real(work / g->own_us / 1e3));
        (void)json_object_set_new(o, "peer_gbs", json_real(work / g->peer_us / 1e3));
    }
    if (row->messages > 0) {
        (void)json_object_set_new(o, "messages", json_real(row->messages));
        (void)json_object_set_new(o, "own_ns", json_real(g->own_us * 1e3 / row->messages));
        (void)json_object_set_new(o, "peer_ns", json_real(g->peer_us * 1e3 / row->messages));
    }
    if (row->goal > 0 && b->asked == BACKEND_BEST)
        (void)json_object_set_new(o, "goal", json_real(row->goal));
    if (row->note != NULL)
        (void)json_object_set_new(o, "note", json_string(row->note));
    (void)json_array_append_new(b->rows, o);
}

static void print(const bench *b, const bench_row *row, const gate_result *g)
{
    clear_progress();
    printf("bench %s %.2f x %s\n", row->name, g->ratio, row->peer);
    printf("      %s; quartiles %.2f to %.2f; ", b->level, g->low, g->high);
    if (row->bytes > 0)
        printf("%.2f and %.2f GB/s, ", row->bytes / g->own_us / 1e3, row->bytes / g->peer_us / 1e3);
    if (row->messages > 0)
        printf("%.0f and %.0f ns a message, ", g->own_us * 1e3 / row->messages,
               g->peer_us * 1e3 / row->messages);
    if (row->goal > 0 && b->asked == BACKEND_BEST)
        printf("goal %.2f%s, ", row->goal, g->ratio < row->goal ? " (missed)" : "");
    printf("%u of %u slices unclean%s%s\n", g->dirty, 2 * g->rounds, row->note != NULL ? "; " : "",
           row->note != NULL ? row->note : "");
    (void)fflush(stdout);
}

void bench_compare(bench *b, const bench_row *row, gate_job own, gate_job peer)
{
    gate_result g;

    show_progress(b, row);
    gate_fit(&own, b->slice_us);
    gate_fit(&peer, b->slice_us);
    g = gate_compare(&own, &peer, b->rounds);
    b->done++;
    print(b, row, &g);
    add(b, row, &g);
}

/* ---- the file ---- */

void record_join(bench *b, const char *file)
{
    json_t *other = json_load_file(file, 0, NULL), *rows = json_object_get(other, "rows");

    b->done += (unsigned)json_array_size(rows);
    if (rows != NULL)
        (void)json_array_extend(b->rows, rows);
    json_decref(other);
}

/* The first line of a file that begins with `key`, what stands behind its colon; or the first line at all. */
static json_t *fact(const char *file, const char *key)
{
    FILE *f = fopen(file, "re");
    char line[256];
    json_t *value = NULL;

    while (f != NULL && value == NULL && fgets(line, sizeof line, f) != NULL) {
        char *text = key == NULL ? line : strstr(line, ": ");

        if (key != NULL && strncmp(line, key, strlen(key)) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        value = text != NULL ? json_string(text + (key != NULL ? 2 : 0)) : NULL;
    }
    if (f != NULL)
        (void)fclose(f);
    return value != NULL ? value : json_string("unknown");
}

static json_t *machine(void)
{
    return json_pack("{s:o, s:i, s:i, s:i, s:i, s:o}", "cpu", fact("/proc/cpuinfo", "model name"), "cores",
                     (int)sysconf(_SC_NPROCESSORS_ONLN), "l1d", (int)sysconf(_SC_LEVEL1_DCACHE_SIZE), "l2",
                     (int)sysconf(_SC_LEVEL2_CACHE_SIZE), "l3", (int)sysconf(_SC_LEVEL3_CACHE_SIZE), "memory",
                     fact("/proc/meminfo", "MemTotal"));
}

bool record_write(const bench *b, const char *file, tl_fault *fault)
{
    json_t *all =
        json_pack("{s:o, s:i, s:O}", "machine", machine(), "rounds", (int)b->rounds, "rows", b->rows);
    bool good = json_dump_file(all, file, JSON_INDENT(2) | JSON_REAL_PRECISION(5)) == 0;

    json_decref(all);
    if (!good)
        *fault = (tl_fault){ 0 };
    return good || tl_fault_errno(fault, TL_EXIT_INTERNAL, "%s", file) == TL_EXIT_OK;
}
