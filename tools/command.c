/* The table of subcommands. */
#include "command.h"

#include <stddef.h>

const command_row command_table[] = {
#define COMMAND(name, function, summary) { name, function, summary },
    COMMANDS
#undef COMMAND
    { NULL, NULL, NULL }
};
