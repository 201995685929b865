/* Whole files: read with a bound, written so that they are there complete or not at all. */
#ifndef TL_POSIX_FILE_H
#define TL_POSIX_FILE_H

#include "fault.h"

#include <trueline/base.h>

#include <stdio.h>
#include <sys/types.h>

typedef enum tl_file_kind {
    TL_FILE_PUBLIC = 0,
    TL_FILE_SECRET_JSON, /* refused if anybody but its owner may read it, */
    TL_FILE_SECRET_PEM   /* likewise */
} tl_file_kind;

/* Reads a file of at most `room` bytes. TL_EXIT_USAGE with what and why. */
tl_exit tl_file_read(const char *path, tl_file_kind kind, uint8_t *p, size_t room, size_t *n, tl_fault *fault)
    __attribute__((warn_unused_result));

typedef enum tl_file_clash {
    TL_FILE_REFUSE = 0, /* a file of that name stays as it is: TL_EXIT_USAGE */
    TL_FILE_REPLACE
} tl_file_clash;

enum { TL_FILE_PATH = 1024 };

/* Where a path that is to be written leads: a symbolic link is followed, to a file that need not be there. in_place:
 * it is a device, a pipe, or open already (/dev/stdout), and no file may take its place. Folders and sockets are
 * refused, TL_EXIT_USAGE. */
tl_exit tl_file_target(const char *path, char target[TL_FILE_PATH], bool *in_place, tl_fault *fault)
    __attribute__((warn_unused_result));

/* A file being written under a temporary name in the same folder; a device or a pipe as it is. */
typedef struct tl_file {
    FILE *stream;  /* to write to */
    bool unsynced; /* set it to let the commit not wait for the disk */
    /* private */
    char path[TL_FILE_PATH], temporary[TL_FILE_PATH + 16]; /* temporary: "" if written in place */
} tl_file;

/* Begins a file. mode is exact, whatever the umask; a device keeps its own. Waits for somebody to read a pipe.
 * TL_EXIT_INTERNAL. */
tl_exit tl_file_begin(tl_file *file, const char *path, mode_t mode, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Flushes, syncs (unless `unsynced`) and gives the file its name. On a fault nothing is left behind. */
tl_exit tl_file_commit(tl_file *file, tl_file_clash clash, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Leaves nothing behind. After a commit: nothing to do. */
void tl_file_abandon(tl_file *file);
/* Begin, write and commit. */
tl_exit tl_file_write(const char *path, tl_span bytes, mode_t mode, tl_file_clash clash, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Makes a folder; one that is there already is right too. TL_EXIT_INTERNAL. */
tl_exit tl_file_folder(const char *path, tl_fault *fault) __attribute__((warn_unused_result));

#endif
