/* The digest has a backend of its own, since one is not shared between threads. */
#include "file_digest.h"

#include "backend.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 1 << 18 }; /* stays in the processor's cache between the copy and the digest */

static tl_exit add_all(file_digest *d, const tl_crypto *crypto, tl_hash h, uint8_t *chunk, size_t *used)
{
    for (uint64_t at = 0; !d->give_up;) {
        ssize_t n = pread(d->fd, chunk, CHUNK, (off_t)at);

        if (n < 0)
            return tl_fault_errno(&d->fault, TL_EXIT_LINK, "digest");
        if (n == 0)
            return TL_EXIT_OK;
        if ((size_t)n > *used)
            *used = (size_t)n;
        if (crypto->ops->hash_add(crypto->ctx, h, tl_span_of(chunk, (size_t)n)) != TL_OK)
            return tl_fault_set(&d->fault, TL_EXIT_INTERNAL, "digest: the backend failed");
        at += (uint64_t)n;
    }
    return TL_EXIT_OK;
}

static tl_exit compute(file_digest *d, const tl_crypto *crypto)
{
    uint8_t *chunk = malloc(CHUNK);
    size_t used = 0;
    tl_hash h;
    tl_exit e;

    if (chunk == NULL || crypto->ops->hash_start(crypto->ctx, TL_HASH_SHA256, &h) != TL_OK) {
        free(chunk);
        return tl_fault_set(&d->fault, TL_EXIT_INTERNAL, "digest: no memory");
    }
    e = add_all(d, crypto, h, chunk, &used);
    tl_wipe(chunk, used); /* a recording may hold secrets */
    free(chunk);
    if (e != TL_EXIT_OK) {
        crypto->ops->hash_drop(crypto->ctx, h);
        return e;
    }
    return crypto->ops->hash_end(crypto->ctx, h, d->digest) == TL_OK
               ? TL_EXIT_OK
               : tl_fault_set(&d->fault, TL_EXIT_INTERNAL, "digest: the backend failed");
}

static void *work(void *ctx)
{
    file_digest *d = ctx;
    backend own = { 0 };

    if (backend_open(&own, BACKEND_OPENSSL, 0) != TL_OK) {
        d->result = tl_fault_set(&d->fault, TL_EXIT_INTERNAL, "digest: no backend");
        return NULL;
    }
    d->result = compute(d, own.crypto);
    backend_close(&own);
    return NULL;
}

static bool changed(const file_digest *d)
{
    struct stat now;

    return fstat(d->fd, &now) != 0 || (uint64_t)now.st_size != d->size ||
           now.st_mtim.tv_sec != d->changed_s || now.st_mtim.tv_nsec != d->changed_ns;
}

tl_exit file_digest_begin(file_digest *d, int fd, const char *name, bool wanted, tl_fault *fault)
{
    struct stat is;

    *d = (file_digest){ .fd = fd };
    if (fstat(fd, &is) != 0)
        return tl_fault_errno(fault, TL_EXIT_LINK, "%.200s", name);
    if (!S_ISREG(is.st_mode))
        return tl_fault_set(fault, TL_EXIT_LINK, "%.200s: is no file on disk, and evidence is about one",
                            name);
    d->size = (uint64_t)is.st_size;
    d->changed_s = is.st_mtim.tv_sec;
    d->changed_ns = is.st_mtim.tv_nsec;
    if (!wanted)
        return TL_EXIT_OK;
    if (pthread_create(&d->thread, NULL, work, d) != 0)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "digest: no thread");
    d->running = true;
    return TL_EXIT_OK;
}

tl_exit file_digest_end(file_digest *d, const char *name, uint8_t digest[FILE_DIGEST_SIZE], tl_fault *fault)
{
    if (d->running)
        (void)pthread_join(d->thread, NULL);
    d->running = false;
    if (d->result == TL_EXIT_OK && changed(d))
        return tl_fault_set(fault, TL_EXIT_LINK, "%.200s: it was changed while it was read", name);
    if (d->result != TL_EXIT_OK)
        *fault = d->fault;
    else
        for (unsigned i = 0; i < FILE_DIGEST_SIZE; i++)
            digest[i] = d->digest[i];
    return d->result;
}

void file_digest_abandon(file_digest *d)
{
    if (!d->running)
        return;
    d->give_up = true;
    (void)pthread_join(d->thread, NULL);
    d->running = false;
}
