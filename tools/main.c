/* The program `trueline`: finds the subcommand in the table of command.h and hands it the rest of the line. Help is
 * written from the same table. */
#include "command.h"
#include "stop.h"
#include "ui.h"

#include <trueline/layout/ids.h>

#include <argp.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_SIZE = 32 };

static const char last_words[] =
    "\nFirst steps:\n" FIRST_STEPS "\n`trueline COMMAND --help` explains each, with examples.\n"
    "\nExit codes of every command:\n"
#define EXIT_CODE(code, text) "  " #code "  " text "\n"
    EXIT_CODES
#undef EXIT_CODE
    ;

/* Edit distance of two short words, insertions, deletions and changes of one letter each. */
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_SIZE + 1], n = strlen(a), m = strlen(b);

    if (n > NAME_MAX_SIZE || m > NAME_MAX_SIZE)
        return NAME_MAX_SIZE;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t corner = row[0];

        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = corner + (a[i - 1] != b[j - 1]);

            corner = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[m];
}

static int unknown_command(const char *name)
{
    const command_row *best = command_table;
    char guess[NAME_MAX_SIZE + sizeof "; did you mean ''?"] = ";";

    for (const command_row *c = command_table; c->name != NULL; c++)
        if (distance(name, c->name) < distance(name, best->name))
            best = c;
    if (2 * distance(name, best->name) <= strlen(best->name))
        (void)snprintf(guess, sizeof guess, "; did you mean '%.31s'?", best->name);
    (void)fprintf(stderr, "trueline: there is no command '%.60s'%s `trueline --help` lists them\n", name,
                  guess);
    return TL_EXIT_USAGE;
}

static void print_help(FILE *to)
{
    (void)fputs("Usage: trueline COMMAND [OPTION...]\n"
                "Cameras that prove themselves, and pictures that prove where they come from.\n\nCommands:\n",
                to);
    for (const command_row *c = command_table; c->name != NULL; c++)
        (void)fprintf(to, "  %-12s %s\n", c->name, c->summary);
    (void)fputs(last_words, to);
}

static int run_command(const command_row *command, int argc, char **argv)
{
    static char name[sizeof "trueline " + NAME_MAX_SIZE];

    /* argp takes the name that it shows from argv[0]. */
    (void)snprintf(name, sizeof name, "trueline %.31s", command->name);
    argv[0] = name;
    return command->run(argc, argv);
}

/* A descriptor of 0 to 2 that was closed would be the next socket's, and messages would go to the peer. */
static bool hold_standard_files(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
            return false;
    return true;
}

int main(int argc, char **argv)
{
    tl_fault fault;

    if (!hold_standard_files())
        return TL_EXIT_INTERNAL;
    argp_program_version = "trueline " TL_PROGRAM_VERSION " (layout " TL_LAYOUT_NAME ")";
    if (tl_stop_install(&fault) != TL_EXIT_OK)
        return ui_fail("start", &fault);
    if (argc < 2) {
        print_help(stderr);
        return TL_EXIT_USAGE;
    }
    for (const command_row *c = command_table; c->name != NULL; c++)
        if (strcmp(argv[1], c->name) == 0)
            return run_command(c, argc - 1, argv + 1);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-?") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0)
        print_help(stdout);
    else if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
        (void)puts(argp_program_version);
    else
        return unknown_command(argv[1]);
    if (ui_flush(&fault) != TL_EXIT_OK)
        return ui_fail("--help", &fault);
    return TL_EXIT_OK;
}
