/* Talking to people. Everything that is no result goes to stderr; the progress line only to a terminal, so that logs
 * stay readable. */
#include "ui.h"
#include "clock.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOW_EVERY_US = 100000, WORD_NAME_SIZE = 64 };

void ui_progress_begin(ui_progress *progress)
{
    *progress = (ui_progress){ .on = isatty(STDERR_FILENO) == 1, .started_us = tl_clock_us() };
}

double ui_progress_seconds(const ui_progress *progress)
{
    return (double)(tl_clock_us() - progress->started_us) / 1e6;
}

void ui_progress_show(ui_progress *progress, const ui_counts *counts)
{
    uint64_t frames = counts->frames_ok + counts->frames_bad;
    double seconds;

    if (!progress->on || tl_clock_us() < progress->due_us)
        return;
    progress->due_us = tl_clock_us() + SHOW_EVERY_US;
    seconds = ui_progress_seconds(progress);
    if (seconds <= 0)
        return;
    (void)fprintf(stderr, "\r%llu frames  %.1f frames/s  %.0f Mbit/s  ok %llu  bad %llu  lost %llu \033[K",
                  (unsigned long long)frames, (double)frames / seconds,
                  (double)counts->bytes * 8e-6 / seconds, (unsigned long long)counts->frames_ok,
                  (unsigned long long)counts->frames_bad, (unsigned long long)counts->frames_lost);
    (void)fflush(stderr);
    progress->shown = true;
}

void ui_progress_say(ui_progress *progress, const char *format, ...)
{
    va_list list;

    if (!progress->on)
        return;
    (void)fputc('\r', stderr);
    va_start(list, format);
    (void)vfprintf(stderr, format, list);
    va_end(list);
    (void)fputs("\033[K", stderr);
    (void)fflush(stderr);
    progress->shown = true;
}

void ui_progress_clear(ui_progress *progress)
{
    if (progress->shown)
        (void)fputs("\r\033[K", stderr);
    progress->shown = false;
}

/* What is said may quote files and peers: what a terminal would obey does not reach it. */
static void put_line(const char *command, char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p != '\0'; p++) {
        bool high = p[0] == 0xC2 && p[1] >= 0x80 && p[1] < 0xA0; /* C1 in UTF-8 */

        if ((*p < ' ' && *p != '\n' && *p != '\t') || *p == 0x7F || high)
            *p = '?';
        if (high)
            *++p = '?';
    }
    (void)fprintf(stderr, "trueline %s: %s\n", command, text);
}

int ui_fail(const char *command, const tl_fault *fault)
{
    tl_fault shown = *fault;

    put_line(command, shown.text);
    return (int)fault->code;
}

void ui_note(const char *command, const char *format, ...)
{
    char *text = NULL;
    va_list list;

    va_start(list, format);
    if (vasprintf(&text, format, list) >= 0)
        put_line(command, text);
    va_end(list);
    free(text);
}

void ui_note_lost(const char *command, uint64_t packets)
{
    ui_note(command, "%llu packet%s not recorded, as the recording says itself", (unsigned long long)packets,
            packets == 1 ? " was" : "s were");
}

uint64_t ui_number(const struct argp_state *state, const char *option, const char *text, uint64_t low,
                   uint64_t high)
{
    char *end = NULL;
    unsigned long long v;

    errno = 0;
    v = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || v < low || v > high)
        argp_error(state, "%s: '%s': give a number from %llu to %llu", option, text, (unsigned long long)low,
                   (unsigned long long)high);
    return v;
}

double ui_real(const struct argp_state *state, const char *option, const char *text, double low, double high)
{
    char *end = NULL;
    double v;

    errno = 0;
    v = strtod(text, &end);
    if (end == text || *end != '\0' || errno != 0 || !isfinite(v) || v < low || v > high)
        argp_error(state, "%s: '%s': give a number from %g to %g", option, text, low, high);
    return v;
}

uint32_t ui_one_of(const struct argp_state *state, const char *option, const char *text,
                   const uint32_t *numbers, size_t n)
{
    char list[64] = "", number[16];

    for (size_t i = 0; i < n; i++) {
        (void)snprintf(number, sizeof number, "%u", numbers[i]);
        if (strcmp(text, number) == 0)
            return numbers[i];
        (void)snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s",
                       i == 0      ? ""
                       : i + 1 < n ? ", "
                                   : " or ",
                       number);
    }
    argp_error(state, "%s: '%s': give %s", option, text, list);
    return numbers[0];
}

void ui_check_needs(const struct argp_state *state, const ui_need *needs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (needs[i].given && !needs[i].there)
            argp_error(state, "%s needs %s", needs[i].option, needs[i].needs);
}

static const ui_reader *tables_reader;

void ui_read_tables(const ui_reader *reader)
{
    tables_reader = reader;
}

/* "'x' is none of new, leaf, revoke, show" */
static void refuse_word(const ui_words *words, const char *given)
{
    (void)fprintf(stderr, "trueline %s: '%.60s' is none of ", words->command, given);
    for (const ui_word *w = words->words; w->name != NULL; w++)
        (void)fprintf(stderr, "%s%s", w == words->words ? "" : ", ", w->name);
    (void)fputc('\n', stderr);
}

int ui_run_word(const ui_words *words, int argc, char **argv)
{
    static char name[WORD_NAME_SIZE];
    tl_fault fault;

    if (tables_reader != NULL) {
        tables_reader->words(tables_reader->to, words);
        return TL_EXIT_USAGE;
    }
    for (const ui_word *w = words->words; argc >= 2 && w->name != NULL; w++) {
        if (strcmp(argv[1], w->name) != 0)
            continue;
        /* argp takes the name that it shows from argv[0]. */
        (void)snprintf(name, sizeof name, "trueline %s %s", words->command, w->name);
        argv[1] = name;
        return w->run(argc - 1, argv + 1);
    }
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(words->usage, stdout);
        return ui_flush(&fault) == TL_EXIT_OK ? TL_EXIT_OK : ui_fail(words->command, &fault);
    }
    if (argc >= 2)
        refuse_word(words, argv[1]);
    (void)fputs(words->usage, stderr);
    return TL_EXIT_USAGE;
}

int ui_parse(const struct argp *argp, int argc, char **argv, void *input)
{
    if (tables_reader != NULL) {
        tables_reader->options(tables_reader->to, argv[0], argp);
        return TL_EXIT_USAGE;
    }
    argp_err_exit_status = TL_EXIT_USAGE;
    if (argp_parse(argp, argc, argv, 0, NULL, input) != 0)
        return TL_EXIT_USAGE;
    return TL_EXIT_OK;
}

tl_exit ui_flush(tl_fault *fault)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "output: stdout: cannot write");
    return TL_EXIT_OK;
}

tl_exit ui_flush_after(tl_exit e, tl_fault *fault)
{
    tl_fault writing;

    if (ui_flush(&writing) == TL_EXIT_OK || (e != TL_EXIT_OK && e != TL_EXIT_REFUSED))
        return e;
    *fault = writing;
    return writing.code;
}

bool ui_split(const char *text, char separator, char first[UI_NUMBER_SIZE], const char **behind)
{
    const char *at = strchr(text, separator);
    const size_t n = at != NULL ? (size_t)(at - text) : strlen(text);

    *behind = at != NULL ? at + 1 : NULL;
    if (n == 0 || n >= UI_NUMBER_SIZE)
        return false;
    memcpy(first, text, n);
    first[n] = '\0';
    return true;
}
