/* Writes the manual pages and the shells' completions, when the project is built: trueline-pages DIR VERSION DATE. It calls each
 * command as the program does, and takes the tables that the command would have parsed its line with. A command without
 * tables fails the build. */
#include "command.h"
#include "page.h"

#include "file.h"
#include "input/arguments.h"

#include <string.h>

/* What a command tells when it is called. */
typedef struct listener {
    book *book;
    bool full;
} listener;

static void take_options(void *to, const char *name, const struct argp *argp)
{
    listener *l = to;
    command_line *line = &l->book->lines[l->book->line_n];

    if (l->book->line_n == BOOK_MAX || strlen(name) >= sizeof line->name) {
        l->full = true;
        return;
    }
    (void)snprintf(line->name, sizeof line->name, "%s", name);
    line->argp = argp;
    l->book->line_n++;
}

static void call(command_function *run, const char *command, const char *word)
{
    char name[LINE_NAME_SIZE];
    char *argv[] = { name, NULL };

    (void)snprintf(name, sizeof name, "trueline %s%s%s", command, word != NULL ? " " : "",
                   word != NULL ? word : "");
    (void)run(1, argv);
}

/* The words live in the frame of the command that tells them, so they are called before it returns. */
static void call_words(void *to, const ui_words *words)
{
    listener *l = to;

    l->book->chapters[l->book->chapter_n].usage = words->usage;
    for (const ui_word *w = words->words; w->name != NULL; w++)
        call(w->run, words->command, w->name);
}

static tl_exit add_command(listener *l, const command_row *command, tl_fault *fault)
{
    book *b = l->book;
    chapter *c = &b->chapters[b->chapter_n];

    if (b->chapter_n == BOOK_MAX)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "pages: too many commands");
    *c = (chapter){ .name = command->name, .summary = command->summary, .lines = &b->lines[b->line_n] };
    call(command->run, command->name, NULL);
    c->n = (size_t)(&b->lines[b->line_n] - c->lines);
    if (c->n == 0 || l->full)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "pages: %s: %s", command->name,
                            l->full ? "too many command lines" : "tells no options");
    b->chapter_n++;
    return TL_EXIT_OK;
}

static tl_exit read_tables(book *b, tl_fault *fault)
{
    listener l = { .book = b };
    const ui_reader reader = { .options = take_options, .words = call_words, .to = &l };
    tl_exit e = TL_EXIT_OK;

    ui_read_tables(&reader);
    for (const command_row *c = command_table; c->name != NULL && e == TL_EXIT_OK; c++)
        e = add_command(&l, c, fault);
    ui_read_tables(NULL);
    if (e != TL_EXIT_OK)
        return e;
    if (b->chapter_n == BOOK_MAX || b->line_n == BOOK_MAX)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "pages: too many commands");
    b->lines[b->line_n] = (command_line){ .name = "trueline-input", .argp = &input_argp };
    b->chapters[b->chapter_n++] = (chapter){ .name = "input",
                                             .summary = "pictures, videos and cameras as raw Bayer frames",
                                             .lines = &b->lines[b->line_n++],
                                             .n = 1,
                                             .apart = true };
    return TL_EXIT_OK;
}

int main(int argc, char **argv)
{
    static book b;
    tl_fault fault;
    tl_exit e;

    if (argc != 4) {
        (void)fputs("usage: trueline-pages DIR VERSION YYYY-MM-DD\n", stderr);
        return TL_EXIT_USAGE;
    }
    b.version = argv[2];
    b.date = argv[3];
    e = read_tables(&b, &fault);
    if (e == TL_EXIT_OK)
        e = tl_file_folder(argv[1], &fault);
    if (e == TL_EXIT_OK)
        e = page_write_man(&b, argv[1], &fault);
    if (e == TL_EXIT_OK)
        e = page_write_formats(&b, argv[1], &fault);
    if (e == TL_EXIT_OK)
        e = page_write_bash(&b, argv[1], &fault);
    if (e == TL_EXIT_OK)
        e = page_write_zsh(&b, argv[1], &fault);
    return e == TL_EXIT_OK ? TL_EXIT_OK : ui_fail("pages", &fault);
}
