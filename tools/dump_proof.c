/* Transcripts, certificate chains and signatures of a recording.
 *
 * A signature is over the digest of a prefix and of the transcript's digest (DSP0274 1.2 and later,
 * "Signature generation"):
 *
 *   "dmtf-spdm-v1.x.*" four times | zeros | context, 100 bytes together | digest of the transcript
 *
 * Before 1.2 it is over the transcript's digest alone. */
#include "dump_check.h"
#include "dump_fields.h"

#include <stdlib.h>
#include <string.h>

enum { PREFIX = 100, REPEATED = 16, REPEATS = 4, CHAIN_MAX = 65536 };

void dump_failed_call(dump_check *c, const char *what, tl_err e)
{
    dump_report_failed(c->report, "not checked: %s: %s", what, tl_err_text(e));
}

void dump_keep(dump_bytes *kept, tl_span s)
{
    if (s.n > sizeof kept->bytes - kept->n) {
        kept->cut = true;
        return;
    }
    if (s.n > 0)
        memcpy(kept->bytes + kept->n, s.p, s.n);
    kept->n += s.n;
}

tl_span dump_kept(const dump_bytes *kept)
{
    return tl_span_of(kept->bytes, kept->n);
}

/* ---- transcripts ---- */

void dump_hash_drop(dump_check *c, tl_hash *h)
{
    c->crypto->ops->hash_drop(c->crypto->ctx, *h);
    *h = (tl_hash){ 0 };
}

bool dump_hash_add(dump_check *c, tl_hash h, tl_span s)
{
    tl_err e = c->crypto->ops->hash_add(c->crypto->ctx, h, s);

    if (e != TL_OK)
        dump_failed_call(c, "transcript", e);
    return e == TL_OK;
}

bool dump_hash_begin(dump_check *c, tl_hash *h)
{
    tl_err e = TL_E_STATE;

    dump_hash_drop(c, h);
    if (c->algs.hash != TL_HASH_NONE && !c->vca.cut)
        e = c->crypto->ops->hash_start(c->crypto->ctx, c->algs.hash, h);
    if (e != TL_OK) {
        *h = (tl_hash){ 0 };
        dump_report_failed(c->report, "not checked: transcript: the hash %s",
                           c->algs.hash == TL_HASH_NONE ? "is not known" : "cannot be begun");
        return false;
    }
    return dump_hash_add(c, *h, dump_kept(&c->vca));
}

bool dump_hash_so_far(dump_check *c, tl_hash h, uint8_t digest[TL_HASH_MAX])
{
    tl_hash copy = { 0 };
    tl_err e = c->crypto->ops->hash_clone(c->crypto->ctx, h, &copy);

    memset(digest, 0, TL_HASH_MAX);
    if (e == TL_OK) {
        e = c->crypto->ops->hash_end(c->crypto->ctx, copy, digest);
        if (e != TL_OK)
            c->crypto->ops->hash_drop(c->crypto->ctx, copy);
    }
    if (e != TL_OK)
        dump_failed_call(c, "transcript", e);
    return e == TL_OK;
}

tl_span dump_digest_span(const dump_check *c, const uint8_t digest[TL_HASH_MAX])
{
    return tl_span_of(digest, tl_hash_size(c->algs.hash));
}

/* Digest of one or two pieces. */
static tl_err digest_of(dump_check *c, tl_span a, tl_span b, uint8_t digest[TL_HASH_MAX])
{
    tl_hash h = { 0 };
    tl_err e = c->crypto->ops->hash_start(c->crypto->ctx, c->algs.hash, &h);

    if (e != TL_OK)
        return e;
    e = c->crypto->ops->hash_add(c->crypto->ctx, h, a);
    if (e == TL_OK)
        e = c->crypto->ops->hash_add(c->crypto->ctx, h, b);
    if (e == TL_OK)
        e = c->crypto->ops->hash_end(c->crypto->ctx, h, digest);
    if (e != TL_OK)
        c->crypto->ops->hash_drop(c->crypto->ctx, h);
    return e;
}

/* ---- chains ---- */

void dump_chain_drop(dump_check *c, dump_chain *chain)
{
    free(chain->bytes);
    c->crypto->ops->key_drop(c->crypto->ctx, chain->key);
    *chain = (dump_chain){ 0 };
}

/* The last portion came: digest, and the leaf's key if the library has its algorithm. */
static void chain_whole(dump_check *c, unsigned slot, dump_chain *chain)
{
    tl_err e;

    chain->whole = true;
    if (c->algs.hash == TL_HASH_NONE)
        return;
    e = digest_of(c, tl_span_of(chain->bytes, chain->n), tl_span_of(NULL, 0), chain->digest);
    if (e != TL_OK)
        dump_failed_call(c, "digest of a chain", e);
    if (chain->n < 2 || (size_t)(chain->bytes[0] | chain->bytes[1] << 8) != chain->n)
        dump_report_failed(c->report, "chain of slot %u: its length field is not its length, %zu", slot,
                           chain->n);
}

void dump_chain_portion(dump_check *c, unsigned slot, size_t offset, const tl_spdm_certificate *p)
{
    dump_chain *chain = &c->chains[slot];
    uint8_t *grown;

    if (offset == 0)
        dump_chain_drop(c, chain);
    if (offset != chain->n || chain->whole || offset + p->portion.n > CHAIN_MAX) {
        dump_report_failed(c->report, "chain of slot %u: a portion of %zu bytes at %zu does not follow %zu",
                           slot, p->portion.n, offset, chain->n);
        return;
    }
    grown = realloc(chain->bytes, chain->n + p->portion.n + 1);
    if (grown == NULL) {
        dump_failed_call(c, "chain", TL_E_ROOM);
        return;
    }
    if (p->portion.n > 0)
        memcpy(grown + chain->n, p->portion.p, p->portion.n);
    chain->bytes = grown;
    chain->n += p->portion.n;
    if (p->remainder_length == 0)
        chain_whole(c, slot, chain);
}

void dump_chain_told(dump_check *c, tl_span certificates)
{
    dump_chain *chain = &c->chains[DUMP_REQUESTER_CHAIN];
    size_t hash = tl_hash_size(c->algs.hash), n = 4 + hash + certificates.n;
    tl_wr w;
    tl_err e;

    dump_chain_drop(c, chain);
    if (hash == 0 || n > CHAIN_MAX)
        return;
    chain->bytes = calloc(1, n);
    if (chain->bytes == NULL) {
        dump_failed_call(c, "chain", TL_E_ROOM);
        return;
    }
    e = digest_of(c, tl_span_of(certificates.p, dump_der_size(certificates)), tl_span_of(NULL, 0),
                  chain->bytes + 4);
    if (e != TL_OK)
        dump_failed_call(c, "digest of a root", e);
    w = tl_wr_of(chain->bytes, 4);
    tl_put(&w, 2, TL_LITTLE, n & 0xFFFF);
    memcpy(chain->bytes + 4 + hash, certificates.p, certificates.n);
    chain->n = n;
    chain_whole(c, DUMP_REQUESTER_CHAIN, chain);
}

dump_chain *dump_chain_of(dump_check *c, unsigned slot)
{
    if (slot < DUMP_CHAINS && c->chains[slot].whole)
        return &c->chains[slot];
    if (slot == DUMP_REQUESTER_CHAIN)
        dump_report_failed(c->report, "not checked: the requester's chain is not in the recording");
    else
        dump_report_failed(c->report, "not checked: the chain of slot %u is not in the recording", slot);
    return NULL;
}

/* ---- signatures ---- */

static bool load_key(dump_check *c, dump_chain *chain)
{
    size_t header = 4 + tl_hash_size(c->algs.hash);
    tl_openssl_input in = { .name = "chain" };
    tl_openssl_why why = { { 0 } };

    if (chain->key.slot != 0)
        return true;
    if (chain->n > header) {
        in.bytes = tl_span_of(chain->bytes + header, chain->n - header);
        if (tl_openssl_load_leaf(c->backend, &in, &chain->key, &why) == TL_OK)
            return true;
    }
    chain->key = (tl_key){ 0 };
    dump_report_failed(c->report, "signature: the leaf has no usable key: %.300s", why.text);
    return false;
}

/* What is signed in place of the transcript's digest. */
static tl_err to_sign(dump_check *c, const char *what, const uint8_t transcript[TL_HASH_MAX],
                      uint8_t digest[TL_HASH_MAX])
{
    uint8_t prefix[PREFIX] = { 0 };
    char repeated[REPEATED + 1] = "dmtf-spdm-v1.x.*";
    size_t n = strlen(what);

    if (c->context->version < TL_SPDM_12) {
        memcpy(digest, transcript, TL_HASH_MAX);
        return TL_OK;
    }
    repeated[13] = (char)('0' + (c->context->version & 15));
    for (size_t i = 0; i < REPEATS; i++)
        memcpy(prefix + i * REPEATED, repeated, REPEATED);
    memcpy(prefix + PREFIX - n, what, n);
    return digest_of(c, tl_span_of(prefix, sizeof prefix), dump_digest_span(c, transcript), digest);
}

void dump_check_signature(dump_check *c, dump_chain *chain, tl_sign_alg alg, const char *what,
                          const uint8_t transcript[TL_HASH_MAX], tl_span signature)
{
    uint8_t digest[TL_HASH_MAX] = { 0 };
    tl_digest d = { c->algs.hash, dump_digest_span(c, digest) };
    bool right = false;
    tl_err e;

    if (alg == TL_SIGN_NONE) {
        dump_report_failed(c->report, "not checked: %s: the algorithm is not known", what);
        return;
    }
    if (!load_key(c, chain))
        return;
    e = to_sign(c, what, transcript, digest);
    if (e == TL_OK)
        e = c->crypto->ops->check_signature(c->crypto->ctx, chain->key, alg, d, signature, &right);
    if (e != TL_OK)
        dump_failed_call(c, what, e);
    else if (!right)
        dump_report_failed(c->report, "%s: the signature is wrong", what);
    else
        c->report->signatures++;
}
