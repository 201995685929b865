/* A folder in memory for the files of a fuzz target, which goes with its process. */
#ifndef TL_FUZZ_FOLDER_H
#define TL_FUZZ_FOLDER_H

#include "expect.h"

#include <stdio.h>

static char folder[] = "/dev/shm/trueline_fuzz_XXXXXX";

static inline void name_file(char path[64], const char *file)
{
    (void)snprintf(path, 64, "%s/%s", folder, file);
}

static inline void remove_folder(void)
{
    char command[128];

    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    (void)!system(command);
}

static inline void make_folder(void)
{
    expect(mkdtemp(folder) != NULL);
    (void)atexit(remove_folder);
}

#endif
