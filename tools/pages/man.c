/* Manual pages, in the mdoc language: trueline(1), and one for each command. The text of --help becomes paragraphs;
 * its indented lines stay as they are. */
#include "page.h"

#include "command.h"
#include "file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_WIDTH = 76 };

static const struct {
    int code;
    const char *text;
} exit_codes[] = {
#define EXIT_CODE(code, text) { code, text },
    EXIT_CODES
#undef EXIT_CODE
};

typedef struct man_writer {
    FILE *to;
    size_t column;
    bool literal, open; /* in a block of literal lines; something stands in this section */
} man_writer;

/* A word of running text, or a line of literal text. */
static void put_escaped(FILE *to, const char *p, size_t n, bool keep_dashes)
{
    if (n > 0 && (*p == '.' || *p == '\''))
        (void)fputs("\\&", to);
    for (size_t i = 0; i < n; i++)
        switch (p[i]) {
        case '\\': (void)fputs("\\e", to); break;
        case '`': (void)fputs("\\(ga", to); break;
        case '\'': (void)fputs("\\(aq", to); break;
        case '-': (void)fputs(keep_dashes ? "\\-" : "-", to); break;
        default: (void)fputc(p[i], to);
        }
}

/* A page's source has short lines, and a new one for each sentence. */
static void put_word(man_writer *m, const char *p, size_t n)
{
    if (m->column > 0 && m->column + 1 + n > TEXT_WIDTH) {
        (void)fputc('\n', m->to);
        m->column = 0;
    }
    if (m->column > 0)
        (void)fputc(' ', m->to);
    put_escaped(m->to, p, n, p[0] == '-' || (n > 2 && memcmp(p, "`--", 3) == 0));
    m->column += n + (m->column > 0);
    if (strchr(".?!", p[n - 1]) != NULL || (n > 1 && p[n - 1] == ')' && p[n - 2] == '.')) {
        (void)fputc('\n', m->to);
        m->column = 0;
    }
}

static void end_line(man_writer *m)
{
    if (m->column > 0)
        (void)fputc('\n', m->to);
    m->column = 0;
}

static void put_running(man_writer *m, const char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t word = 0;

        while (i < n && p[i] == ' ')
            i++;
        while (i + word < n && p[i + word] != ' ')
            word++;
        if (word > 0)
            put_word(m, p + i, word);
        i += word;
    }
}

static void set_literal(man_writer *m, bool on)
{
    if (on == m->literal)
        return;
    end_line(m);
    (void)fputs(on ? ".Bd -literal -offset indent\n" : ".Ed\n", m->to);
    m->literal = on;
}

/* Text of --help: paragraphs, and indented lines. */
static void put_text(man_writer *m, const char *p, size_t n)
{
    bool gap = false;

    for (size_t line; n > 0; p += line, n -= line) {
        const char *newline = memchr(p, '\n', n);
        size_t length = newline != NULL ? (size_t)(newline - p) : n;

        line = length + (newline != NULL);
        if (length == 0) {
            gap = true;
            continue;
        }
        set_literal(m, *p == ' ');
        if (gap && m->open) {
            end_line(m);
            (void)fputs(m->literal ? "\n" : ".Pp\n", m->to);
        }
        gap = false;
        m->open = true;
        if (m->literal) {
            size_t skip = length > 2 && p[1] == ' ' ? 2 : 1;

            put_escaped(m->to, p + skip, length - skip, true);
            (void)fputc('\n', m->to);
        } else {
            put_running(m, p, length);
        }
    }
    end_line(m);
    set_literal(m, false);
}

/* The help text that argp has behind its options: the examples, and what stands before and behind them. */
typedef struct help_text {
    const char *intro, *before, *examples, *behind;
    size_t intro_n, before_n, examples_n, behind_n;
} help_text;

static help_text split(const char *doc, char behind)
{
    static const char mark[] = "Examples:\n";
    help_text h = { .intro = doc, .intro_n = strlen(doc) };
    const char *rest = behind != '\0' ? strchr(doc, behind) : doc, *found, *end;

    if (rest == NULL)
        return h;
    h.intro_n = (size_t)(rest - doc);
    h.before = rest + (behind != '\0');
    found = strstr(h.before, mark);
    h.before_n = found != NULL ? (size_t)(found - h.before) : strlen(h.before);
    if (found == NULL)
        return h;
    h.examples = found + sizeof mark - 1;
    end = strstr(h.examples, "\n\n");
    h.examples_n = end != NULL ? (size_t)(end - h.examples) + 1 : strlen(h.examples);
    h.behind = end != NULL ? end + 1 : "";
    h.behind_n = strlen(h.behind);
    return h;
}

/* ---- parts of a page ---- */

static void begin_section(man_writer *m, const char *macro, const char *name)
{
    (void)fprintf(m->to, ".%s %s\n", macro, name);
    m->open = false;
}

static void put_option(man_writer *m, const struct argp_option *o)
{
    bool letter = isprint(o->key) != 0;

    (void)fputs(".It", m->to);
    if (letter)
        (void)fprintf(m->to, " Fl %c", o->key);
    if (letter && o->name != NULL)
        (void)fputs(" ,", m->to);
    if (o->name != NULL)
        (void)fprintf(m->to, " Fl -%s", o->name);
    if (o->arg != NULL)
        (void)fprintf(m->to, " Ar %s", o->arg);
    (void)fputc('\n', m->to);
    if (o->doc != NULL)
        put_running(m, o->doc, strlen(o->doc));
    end_line(m);
}

static void put_options(man_writer *m, const struct argp *argp)
{
    option_row rows[ROWS_MAX];
    size_t n = page_rows(argp, rows);
    bool list = false;

    for (size_t i = 0; i < n; i++) {
        if (rows[i].option == NULL) {
            (void)fputs(list ? ".El\n.Pp\n" : m->open ? ".Pp\n" : "", m->to);
            put_running(m, rows[i].heading, strlen(rows[i].heading));
            end_line(m);
            list = false;
            m->open = true;
            continue;
        }
        if (!list)
            (void)fputs(".Bl -tag -width Ds\n", m->to);
        list = m->open = true;
        put_option(m, rows[i].option);
    }
    if (list)
        (void)fputs(".El\n", m->to);
}

/* A command may be called in several ways: argp has a line for each. */
static void put_synopsis(man_writer *m, const command_line *line)
{
    const char *way = line->argp->args_doc != NULL ? line->argp->args_doc : "";

    for (;;) {
        size_t n = strcspn(way, "\n");

        (void)fprintf(m->to, ".Nm %s\n.Op Ar OPTION...\n", line->name);
        if (n > 0)
            (void)fprintf(m->to, ".Ar %.*s\n", (int)n, way);
        if (way[n] == '\0')
            return;
        way += n + 1;
    }
}

static void put_exit_codes(man_writer *m, const chapter *c)
{
    begin_section(m, "Sh", "EXIT STATUS");
    if (c != NULL && c->apart) {
        (void)fputs("0 if all went well, and else as\n.Xr trueline 1\nsays.\n", m->to);
        return;
    }
    (void)fputs(".Bl -tag -width Ds\n", m->to);
    for (size_t i = 0; i < sizeof exit_codes / sizeof *exit_codes; i++)
        (void)fprintf(m->to, ".It %d\n%s\n", exit_codes[i].code, exit_codes[i].text);
    (void)fputs(".El\n", m->to);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_see_also(man_writer *m, const book *b, const chapter *self)
{
    const char *names[BOOK_MAX] = { NULL };
    size_t n = 0;

    for (size_t i = 0; i < b->chapter_n; i++)
        if (&b->chapters[i] != self)
            names[n++] = b->chapters[i].name;
    qsort(names, n, sizeof *names, by_name);
    begin_section(m, "Sh", "SEE ALSO");
    if (self != NULL)
        (void)fputs(".Xr trueline 1 ,\n", m->to);
    for (size_t i = 0; i < n; i++)
        (void)fprintf(m->to, ".Xr trueline-%s 1%s\n", names[i], i + 1 < n ? " ," : "");
}

void page_put_head(FILE *to, const book *b, const char *name, int section)
{
    static const char *const months[] = { "January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December" };
    unsigned year = 0, month = 0, day = 0;

    (void)sscanf(b->date, "%4u-%2u-%2u", &year, &month, &day);
    (void)fprintf(to, ".Dd %s %u, %u\n", months[month >= 1 && month <= 12 ? month - 1 : 0], day, year);
    (void)fputs(name != NULL ? ".Dt TRUELINE-" : ".Dt TRUELINE", to);
    for (; name != NULL && *name != '\0'; name++)
        (void)fputc(toupper((unsigned char)*name), to);
    (void)fprintf(to, " %d\n.Os Trueline %s\n.Sh NAME\n", section, b->version);
}

static void put_head(man_writer *m, const book *b, const chapter *c)
{
    page_put_head(m->to, b, c != NULL ? c->name : NULL, 1);
    (void)fprintf(m->to, ".Nm trueline%s%s\n.Nd %s\n.Sh SYNOPSIS\n", c != NULL ? "-" : "",
                  c != NULL ? c->name : "",
                  c != NULL ? c->summary : "cameras that prove themselves, and protected image streams");
}

/* ---- pages ---- */

/* One command line: its text, its options, its examples. */
static void put_single(man_writer *m, const chapter *c)
{
    const help_text h = split(c->lines[0].argp->doc, '\v');

    begin_section(m, "Sh", "DESCRIPTION");
    put_text(m, h.intro, h.intro_n);
    if (h.before_n > 0) {
        (void)fputs(".Pp\n", m->to);
        put_text(m, h.before, h.before_n);
    }
    if (h.behind_n > 0)
        put_text(m, h.behind, h.behind_n);
    begin_section(m, "Sh", "OPTIONS");
    put_options(m, c->lines[0].argp);
    put_exit_codes(m, c);
    if (h.examples_n > 0) {
        begin_section(m, "Sh", "EXAMPLES");
        put_text(m, h.examples, h.examples_n);
    }
}

/* Several: each has a part of its own. */
static void put_several(man_writer *m, const chapter *c)
{
    const char *text = c->usage;
    help_text h;

    while (strncmp(text, "Usage:", 6) == 0 || strncmp(text, "  or:", 5) == 0)
        text = strchr(text, '\n') + 1;
    h = split(text, '\0');
    begin_section(m, "Sh", "DESCRIPTION");
    put_text(m, h.before, h.before_n);
    for (size_t i = 0; i < c->n; i++) {
        const help_text part = split(c->lines[i].argp->doc, '\v');

        begin_section(m, "Ss", c->lines[i].name);
        put_text(m, part.intro, part.intro_n);
        if (part.before_n > 0)
            put_text(m, part.before, part.before_n);
        put_options(m, c->lines[i].argp);
        if (part.examples_n > 0) {
            (void)fputs(".Pp\nExamples:\n", m->to);
            put_text(m, part.examples, part.examples_n);
        }
    }
    put_exit_codes(m, c);
    begin_section(m, "Sh", "EXAMPLES");
    put_text(m, h.examples, h.examples_n);
}

static void put_chapter(FILE *to, const book *b, const chapter *c)
{
    man_writer m = { .to = to };

    put_head(&m, b, c);
    for (size_t i = 0; i < c->n; i++)
        put_synopsis(&m, &c->lines[i]);
    if (c->usage != NULL)
        put_several(&m, c);
    else
        put_single(&m, c);
    put_see_also(&m, b, c);
}

static void put_first(FILE *to, const book *b)
{
    static const char steps[] = FIRST_STEPS;
    man_writer m = { .to = to };

    put_head(&m, b, NULL);
    (void)fputs(".Nm\n.Ar COMMAND\n.Op Ar OPTION...\n", to);
    begin_section(&m, "Sh", "DESCRIPTION");
    (void)fputs("Sensors prove who they are, and every line of every frame is authenticated, if asked "
                "encrypted,\nand verified before a pixel is used.\n.Bl -tag -width Ds\n",
                to);
    for (size_t i = 0; i < b->chapter_n; i++) {
        (void)fprintf(to, ".It Xr trueline-%s 1\n", b->chapters[i].name);
        put_running(&m, b->chapters[i].summary, strlen(b->chapters[i].summary));
        end_line(&m);
    }
    (void)fputs(".El\n", to);
    put_exit_codes(&m, NULL);
    begin_section(&m, "Sh", "EXAMPLES");
    put_text(&m, steps, sizeof steps - 1);
    put_see_also(&m, b, NULL);
}

tl_exit page_begin(tl_file *file, const char *folder, const char *name, int section, tl_fault *fault)
{
    char path[1024];
    tl_exit e;

    (void)snprintf(path, sizeof path, "%s/man%d", folder, section);
    e = tl_file_folder(path, fault);
    if (e != TL_EXIT_OK)
        return e;
    (void)snprintf(path, sizeof path, "%s/man%d/trueline%s%s.%d", folder, section, name != NULL ? "-" : "",
                   name != NULL ? name : "", section);
    return tl_file_begin(file, path, 0644, fault);
}

static tl_exit write_page(const book *b, const chapter *c, const char *folder, tl_fault *fault)
{
    tl_file file;
    tl_exit e = page_begin(&file, folder, c != NULL ? c->name : NULL, 1, fault);

    if (e != TL_EXIT_OK)
        return e;
    if (c != NULL)
        put_chapter(file.stream, b, c);
    else
        put_first(file.stream, b);
    return tl_file_commit(&file, TL_FILE_REPLACE, fault);
}

tl_exit page_write_man(const book *b, const char *folder, tl_fault *fault)
{
    tl_exit e = write_page(b, NULL, folder, fault);

    for (size_t i = 0; i < b->chapter_n && e == TL_EXIT_OK; i++)
        e = write_page(b, &b->chapters[i], folder, fault);
    return e;
}
