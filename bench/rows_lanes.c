/* The price of delay: CMAC over lines in batches of 1 to 16, packed, against OpenSSL's, which is the same for all. A
 * batch that is not full leaves lanes empty. */
#include "bench.h"
#include "lines.h"

#include <stdio.h>
#include <string.h>

typedef struct work {
    const bench *b;
    lines lines;
    tl_key key;
    peer peer;
    unsigned batch;
    bool failed;
} work;

static void own_protect(void *ctx)
{
    work *w = ctx;
    const tl_crypto *c = w->b->crypto;

    for (unsigned i = 0; i < w->lines.n; i += w->batch)
        w->failed |= c->ops->protect(c->ctx, w->key, w->lines.sealed + i, w->batch) != TL_OK;
}

static bool same_tags(work *w)
{
    own_protect(w);
    w->peer.protect(&w->peer);
    for (unsigned i = 0; i < w->lines.n; i++)
        if (memcmp(w->lines.sealed[i].tag, w->peer.tags[i], TL_TAG_MAX) != 0)
            return false;
    return !w->failed && !w->peer.failed;
}

static void run_batch(bench *b, work *w, const char *name)
{
    bench_row row = { .name = name, .peer = w->peer.name, .messages = w->lines.n };

    row.bytes = (double)w->lines.n * BENCH_LINE;
    if (!same_tags(w))
        bench_failed(b, name, w->peer.name, "a tag differs");
    else
        bench_compare(b, &row, (gate_job){ .run = own_protect, .ctx = w },
                      (gate_job){ .run = w->peer.protect, .ctx = &w->peer });
}

void rows_lanes(bench *b)
{
    static work w;
    const tl_crypto *c = b->crypto;
    char name[32];
    bool open;

    w = (work){ .b = b };
    open =
        lines_open(&w.lines, LINES_CMAC, BENCH_LINE, 0) &&
        c->ops->key_load(c->ctx, TL_SUITE_AES128_CMAC,
                         tl_span_of(lines_key, tl_suite_key_size(TL_SUITE_AES128_CMAC)), &w.key) == TL_OK &&
        peer_openssl_open(&w.peer, &w.lines);
    for (w.batch = 1; w.batch <= 16; w.batch *= 2) {
        (void)snprintf(name, sizeof name, "cmac_lanes_%u", w.batch);
        if (open && bench_wants(b, name))
            run_batch(b, &w, name);
        else if (bench_wants(b, name))
            bench_failed(b, name, "openssl", "no memory, or the backend has no such suite");
    }
    c->ops->key_drop(c->ctx, w.key);
    if (w.peer.close != NULL)
        w.peer.close(&w.peer);
    lines_close(&w.lines);
}
