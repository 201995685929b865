/* Tags of lines, protect and verify: CMAC at two strides, GMAC, GMAC over small messages, and AES-GCM (SV-1), against
 * OpenSSL and ipsec-mb. 64 lines that stay in the second level of the cache; ours gets them 16 at a time, as a stream
 * hands them over. Each has a header of 16 bytes in front; the others get header and payload as one piece. */
#include "bench.h"
#include "lines.h"

#include <stdio.h>
#include <string.h>

enum { BATCH = 16, ALIASED = 16384, SMALL = 64 };

typedef struct mac_row {
    const char *name;
    lines_kind kind;
    size_t payload_n, stride;
    double goal_openssl, goal_ipsec;
} mac_row;

static const mac_row mac_rows[] = {
    { "cmac_batch_packed", LINES_CMAC, BENCH_LINE, 0, 12, 0.95 },
    { "cmac_batch_aliased", LINES_CMAC, BENCH_LINE, ALIASED, 12, 0.85 },
    { "gmac", LINES_GMAC, BENCH_LINE, 0, 2.5, 0.95 },
    { "gmac_64", LINES_GMAC, SMALL, 0, 4, 0 },
    { "sv1", LINES_GCM, BENCH_LINE, 0, 2.2, 0.95 },
};

typedef struct work {
    bench *b;
    lines lines, pristine; /* what verify of encrypted lines is given anew */
    tl_key key;
    peer peer;
    bool failed;
} work;

/* ---- ours ---- */

static void own_protect(void *ctx)
{
    work *w = ctx;
    const tl_crypto *c = w->b->crypto;

    for (unsigned i = 0; i < w->lines.n; i += BATCH)
        w->failed |= c->ops->protect(c->ctx, w->key, w->lines.sealed + i, BATCH) != TL_OK;
}

static void own_verify(void *ctx)
{
    work *w = ctx;
    const tl_crypto *c = w->b->crypto;

    for (unsigned i = 0; i < w->lines.n; i += BATCH)
        w->failed |= c->ops->verify(c->ctx, w->key, w->lines.sealed + i, BATCH) != TL_OK;
}

static bool all_right(const work *w)
{
    for (unsigned i = 0; i < w->lines.n; i++)
        if (!w->lines.sealed[i].right)
            return false;
    return true;
}

/* Encrypted lines are text again when they were verified. */
static void encrypt_again(void *ctx)
{
    work *w = ctx;

    memcpy(w->lines.memory, w->pristine.memory, w->lines.memory_n);
}

static void verify_peer(void *ctx)
{
    work *w = ctx;

    w->peer.verify(&w->peer);
}

/* ---- equal results ---- */

static const char *differs(work *w)
{
    lines *l = &w->lines;

    lines_fill(l);
    w->peer.protect(&w->peer);
    memcpy(w->pristine.memory, l->memory, l->memory_n);
    lines_fill(l);
    own_protect(w);
    if (w->failed || w->peer.failed)
        return "a call failed";
    if (memcmp(w->pristine.memory, l->memory, l->memory_n) != 0)
        return "the text differs";
    for (unsigned i = 0; i < l->n; i++)
        if (memcmp(l->sealed[i].tag, w->peer.tags[i], TL_TAG_MAX) != 0)
            return "a tag differs";
    own_verify(w);
    if (w->failed || !all_right(w))
        return "a tag is not found right";
    encrypt_again(w);
    w->peer.verify(&w->peer);
    if (w->peer.failed || w->peer.right != l->n)
        return "the peer does not find its tags right";
    encrypt_again(w);
    lines_at(l, l->n / 2)[LINES_HEADER + 5] ^= 1;
    own_verify(w);
    if (w->failed || l->sealed[l->n / 2].right)
        return "a wrong tag is found right";
    encrypt_again(w);
    return NULL;
}

/* ---- rows ---- */

static void compare_both(work *w, const mac_row *row, double goal)
{
    bench *b = w->b;
    char verify[48];
    bench_row r = { .name = row->name, .peer = w->peer.name, .goal = goal, .messages = w->lines.n };
    gate_job own = { .run = own_protect, .ctx = w }, other = { .run = w->peer.protect, .ctx = &w->peer };
    const char *why = differs(w);

    if (why != NULL) {
        bench_failed(b, row->name, w->peer.name, why);
        return;
    }
    r.bytes = (double)(w->lines.n * row->payload_n);
    if (bench_wants(b, row->name))
        bench_compare(b, &r, own, other);
    (void)differs(w);
    (void)snprintf(verify, sizeof verify, "%s_verify", row->name);
    r.name = verify;
    own = (gate_job){ .run = own_verify, .ctx = w };
    other = (gate_job){ .run = w->peer.verify, .ctx = &w->peer };
    if (row->kind == LINES_GCM) {
        own.prepare = encrypt_again;
        other = (gate_job){ .prepare = encrypt_again, .run = verify_peer, .ctx = w };
    }
    if (bench_wants(b, verify))
        bench_compare(b, &r, own, other);
    if (w->failed || w->peer.failed || !all_right(w) || w->peer.right != w->lines.n)
        bench_failed(b, verify, w->peer.name, "a tag is not found right");
}

static bool open_work(work *w, bench *b, const mac_row *row)
{
    const tl_crypto *c = b->crypto;
    tl_suite suite = lines_suite(row->kind);

    *w = (work){ .b = b };
    if (!lines_open(&w->lines, row->kind, row->payload_n, row->stride) ||
        !lines_open(&w->pristine, row->kind, row->payload_n, row->stride))
        return false;
    return c->ops->key_load(c->ctx, suite, tl_span_of(lines_key, tl_suite_key_size(suite)), &w->key) == TL_OK;
}

static void close_work(work *w)
{
    w->b->crypto->ops->key_drop(w->b->crypto->ctx, w->key);
    lines_close(&w->lines);
    lines_close(&w->pristine);
}

static bool any_wanted(const bench *b, const char *name)
{
    char verify[48];

    (void)snprintf(verify, sizeof verify, "%s_verify", name);
    return bench_wants(b, name) || bench_wants(b, verify);
}

static void against_ipsec(work *w, const mac_row *row)
{
#ifdef TL_BENCH_IPSEC
    if (w->b->asked == BACKEND_SOFT)
        return;
    if (!peer_ipsec_open(&w->peer, &w->lines, w->b->asked == BACKEND_AESNI)) {
        bench_failed(w->b, row->name, "ipsec-mb", "the peer fails");
        return;
    }
    compare_both(w, row, row->goal_ipsec);
    w->peer.close(&w->peer);
#else
    bench_absent(w->b, row->name, "ipsec-mb");
#endif
}

void rows_macs(bench *b)
{
    static work w;

    for (size_t i = 0; i < sizeof mac_rows / sizeof *mac_rows; i++) {
        const mac_row *row = &mac_rows[i];

        if (!any_wanted(b, row->name))
            continue;
        if (!open_work(&w, b, row) || !peer_openssl_open(&w.peer, &w.lines)) {
            bench_failed(b, row->name, "openssl", "no memory, or the backend has no such suite");
        } else {
            compare_both(&w, row, row->goal_openssl);
            w.peer.close(&w.peer);
            against_ipsec(&w, row);
        }
        close_work(&w);
    }
}
