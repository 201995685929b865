/* A folder in memory for the files of a fuzz target, which goes with its process however that ends. */
#ifndef TL_FUZZ_FOLDER_H
#define TL_FUZZ_FOLDER_H

#include "expect.h"

static char folder[] = "/dev/shm/trueline_fuzz_XXXXXX";
static FILE *until_the_end; /* never closed: the process's end closes it, and then the folder is removed */

static inline void name_file(char path[64], const char *file)
{
    (void)snprintf(path, 64, "%s/%s", folder, file);
}

static inline void make_folder(void)
{
    char command[128];

    expect(mkdtemp(folder) != NULL);
    (void)snprintf(command, sizeof command, "trap '' HUP INT TERM; cat >/dev/null; rm -rf '%s'", folder);
    until_the_end = popen(command, "we");
    expect(until_the_end != NULL);
}

#endif
