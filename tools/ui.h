/* What commands say to people: faults, notes, a progress line; and options as numbers. */
#ifndef TL_TOOLS_UI_H
#define TL_TOOLS_UI_H

#include "fault.h"

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line on stderr that is written over again and again; nothing at all if stderr is no terminal. */
typedef struct ui_progress {
    /* private */
    bool on, shown;
    uint64_t started_us, due_us;
} ui_progress;

/* What the line shows. */
typedef struct ui_counts {
    uint64_t frames_ok, frames_bad, frames_lost;
    uint64_t bytes; /* on the wire */
} ui_counts;

void ui_progress_begin(ui_progress *progress);
/* Shows the counts, at most ten times a second. */
void ui_progress_show(ui_progress *progress, const ui_counts *counts);
/* Shows a text in the counts' place, at once. */
void ui_progress_say(ui_progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Takes the line away, so that other text can be written. */
void ui_progress_clear(ui_progress *progress);
/* Seconds since ui_progress_begin. */
double ui_progress_seconds(const ui_progress *progress);

/* Writes "trueline COMMAND: text" to stderr and gives the exit code. */
int ui_fail(const char *command, const tl_fault *fault);
/* Writes "trueline COMMAND: text" to stderr. */
void ui_note(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A note of packets that a recording says it lacks. */
void ui_note_lost(const char *command, uint64_t packets);

/* The value of a number option, in low..high; else ends the program by argp_error, exit code 2. */
uint64_t ui_number(const struct argp_state *state, const char *option, const char *text, uint64_t low,
                   uint64_t high);
/* The same for numbers with a fraction. */
double ui_real(const struct argp_state *state, const char *option, const char *text, double low, double high);

enum { UI_NUMBER_SIZE = 16 };

/* Two numbers in one word, such as 2/4: what is in front of the separator goes to `first`, and what is behind it is given back;
 * NULL: there is no separator, and all of it is in front. False: there is nothing in front, or too much. */
bool ui_split(const char *text, char separator, char first[UI_NUMBER_SIZE], const char **behind);

/* One of a few numbers, which a refusal lists. */
uint32_t ui_one_of(const struct argp_state *state, const char *option, const char *text,
                   const uint32_t *numbers, size_t n);

/* An option that counts only beside another one. */
typedef struct ui_need {
    const char *option;
    bool given;
    const char *needs;
    bool there;
} ui_need;

/* Ends the program by argp_error at the first option that is given without what it needs: it would be ignored. */
void ui_check_needs(const struct argp_state *state, const ui_need *needs, size_t n);

/* A command of several words, such as `trueline pki new`: what each word runs, the last row without a name; and the text
 * of `trueline pki --help`. */
typedef struct ui_word {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is "trueline pki new" */
} ui_word;

typedef struct ui_words {
    const char *command, *usage;
    const ui_word *words;
} ui_words;

/* Finds the word in argv[1], and hands it the rest of the line. */
int ui_run_word(const ui_words *words, int argc, char **argv);

/* Whoever writes manual pages and completions: the tables that command lines are parsed with. */
typedef struct ui_reader {
    void (*options)(void *to, const char *name, const struct argp *argp);
    void (*words)(void *to, const ui_words *words);
    void *to;
} ui_reader;

/* From now on a command that is called tells its tables, and ends with TL_EXIT_USAGE instead of running. */
void ui_read_tables(const ui_reader *reader);

/* Runs argp with the settings that all commands share. */
int ui_parse(const struct argp *argp, int argc, char **argv, void *input);

/* Flushes stdout: a full disk or a closed pipe is a fault of class internal. */
tl_exit ui_flush(tl_fault *fault) __attribute__((warn_unused_result));
/* The same behind what ended with e: a fault of writing outweighs success and refusals, and nothing else. */
tl_exit ui_flush_after(tl_exit e, tl_fault *fault) __attribute__((warn_unused_result));

#endif
