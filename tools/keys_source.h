/* Secrets, wherever they are: a file of them, or the decryption secrets of a capture. */
#ifndef TL_TOOLS_KEYS_SOURCE_H
#define TL_TOOLS_KEYS_SOURCE_H

#include "guarded.h"
#include "keys_file.h"

typedef struct keys_source {
    FILE *file; /* to read lines from; NULL: not open */
    /* private */
    char buffer[KEYS_BUFFER];
    guarded inside; /* those of a capture */
    bool full;
} keys_source;

/* It stays where it is as long as it is open. TL_EXIT_USAGE: there is no such file, or the capture has no secrets of ours or is broken; TL_EXIT_INTERNAL. */
tl_exit keys_source_open(keys_source *s, const char *path, tl_fault *fault)
    __attribute__((warn_unused_result));
/* The secrets that a recording holds itself; file is NULL where it has none, or breaks off before them. TL_EXIT_LINK: there is no such
 * file; TL_EXIT_INTERNAL. */
tl_exit keys_source_inside(keys_source *s, const char *recording, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Secrets that were met one by one, at least one of them: *s is zero before the first. False: no memory. */
bool keys_source_add(keys_source *s, tl_span secrets) __attribute__((warn_unused_result));
tl_exit keys_source_open_added(keys_source *s, const char *name, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Closes it and wipes what was in memory. Nothing to do where nothing is open. */
void keys_source_close(keys_source *s);

#endif
