/* SHA-256 of a whole file, computed beside whatever else reads it, by a thread; and whether the file stays as it is. */
#ifndef TL_TOOLS_FILE_DIGEST_H
#define TL_TOOLS_FILE_DIGEST_H

#include "fault.h"

#include <trueline/base.h>

#include <pthread.h>

enum { FILE_DIGEST_SIZE = 32 };

typedef struct file_digest {
    uint64_t size; /* of the file, when it was begun */
    /* private */
    pthread_t thread;
    bool running;
    int fd;
    volatile bool give_up;
    int64_t changed_s, changed_ns;
    tl_exit result;
    tl_fault fault;
    uint8_t digest[FILE_DIGEST_SIZE];
} file_digest;

/* wanted = false: only that it stays is looked after, and the digest is zeros. fd is the caller's, of a regular file, and stays open until the end; its position is not moved. `name` is for faults.
 * TL_EXIT_LINK: no regular file. TL_EXIT_INTERNAL. */
tl_exit file_digest_begin(file_digest *d, int fd, const char *name, bool wanted, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Waits for it. TL_EXIT_LINK: cannot be read, or it was changed since the beginning. */
tl_exit file_digest_end(file_digest *d, const char *name, uint8_t digest[FILE_DIGEST_SIZE], tl_fault *fault)
    __attribute__((warn_unused_result));
/* Stops it, if it still runs. */
void file_digest_abandon(file_digest *d);

#endif
