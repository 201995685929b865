/* What manual pages and completions are made of: the tables that command lines are parsed with, as the commands tell them. */
#ifndef TL_PAGES_PAGE_H
#define TL_PAGES_PAGE_H

#include "fault.h"
#include "file.h"
#include "ui.h"

#include <stdio.h>

enum { BOOK_MAX = 64, ROWS_MAX = 96, LINE_NAME_SIZE = 64 };

/* A command line: "trueline demo", or "trueline pki new". */
typedef struct command_line {
    char name[LINE_NAME_SIZE];
    const struct argp *argp;
} command_line;

/* A command: its page's name without "trueline-", its summary, and its command lines: one, or one for each word. */
typedef struct chapter {
    const char *name, *summary;
    const char *usage; /* of a command of several words */
    const command_line *lines;
    size_t n;
    bool apart; /* a program of its own: "trueline-input" */
} chapter;

typedef struct book {
    const char *version, *date; /* YYYY-MM-DD */
    chapter chapters[BOOK_MAX];
    command_line lines[BOOK_MAX];
    size_t chapter_n, line_n;
} book;

/* An option in the order of --help, or a heading: then `option` is NULL. */
typedef struct option_row {
    const struct argp_option *option;
    const char *heading;
    int group; /* of argp: 0 1 2 ... -2 -1 */
} option_row;

/* The rows of an argp and its children, without hidden ones. How many; ROWS_MAX at most. */
size_t page_rows(const struct argp *argp, option_row rows[ROWS_MAX]);

/* What may stand behind an option, or as a command's operand. */
typedef enum value_kind { VALUE_TEXT = 0, VALUE_FILE, VALUE_FOLDER } value_kind;
value_kind page_kind(const char *placeholder);
/* The i-th word that an option takes, from its placeholder ("sep|fsed") or from the program's own tables; NULL behind the last. */
const char *page_value(const struct argp_option *option, size_t i, char room[LINE_NAME_SIZE]);

/* A page's file below the folder, "man1/trueline-verify.1": that of trueline, where the name is NULL. */
tl_exit page_begin(tl_file *file, const char *folder, const char *name, int section, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Title and NAME of a page: of trueline, where the name is NULL, or of "trueline-NAME". */
void page_put_head(FILE *to, const book *b, const char *name, int section);
tl_exit page_write_formats(const book *b, const char *folder, tl_fault *fault)
    __attribute__((warn_unused_result));
tl_exit page_write_man(const book *b, const char *folder, tl_fault *fault)
    __attribute__((warn_unused_result));
tl_exit page_write_bash(const book *b, const char *folder, tl_fault *fault)
    __attribute__((warn_unused_result));
tl_exit page_write_zsh(const book *b, const char *folder, tl_fault *fault)
    __attribute__((warn_unused_result));

#endif
