/* GET_CERTIFICATE and CERTIFICATE: a slot's chain, in portions.
 *
 *   chain = length 2 | reserved 2 | Hash(root certificate) | certificates
 *
 * The requester asks for the next portion and takes no other: the first one says how long the whole is, and each later one
 * must fit to that. The whole is held to its digest in DIGESTS, then to the trust anchors. The responder never has the
 * chain in one piece: it is made from the slot's parts. */
#include <string.h>

#include "spdm/spdm.h"

enum {
    CHAIN_HEADER = 4,
    PORTION_HEADER = 8,
    PORTION_MAX = 0xFFFF,
    CHAIN_MAX = 0xFFFF,
    SLOT_MASK = 0x0F,
    SIZE_ASKED = 1
};

/* ---- a slot of our own ---- */

static tl_sign_alg own_alg(const tl_spdm_connection *c)
{
    return c->role == TL_SPDM_RESPONDER ? c->algs.sign : c->algs.req_sign;
}

const tl_spdm_identity *tl__slot(const tl_spdm_connection *c, const tl_spdm_identity *slots, size_t n,
                                 unsigned slot)
{
    if (slot >= n || slots[slot].alg == TL_SIGN_NONE || slots[slot].alg != own_alg(c) ||
        slots[slot].certificates.n > CHAIN_MAX - CHAIN_HEADER - TL_HASH_MAX)
        return NULL;
    return &slots[slot];
}

uint8_t tl__slot_mask(const tl_spdm_connection *c, const tl_spdm_identity *slots, size_t n)
{
    unsigned mask = 0;

    for (unsigned slot = 0; slot < n; slot++) {
        if (tl__slot(c, slots, n, slot) != NULL)
            mask |= 1u << slot;
    }
    return (uint8_t)mask;
}

/* What stands before the certificates, and how long that is. */
typedef struct head {
    uint8_t bytes[CHAIN_HEADER + TL_HASH_MAX];
    size_t n;
} head;

static tl_err head_of(const tl_spdm_connection *c, const tl_spdm_identity *own, head *h)
{
    size_t size = tl_hash_size(c->algs.hash);
    uint8_t root[TL_HASH_MAX];
    tl_wr w = tl_wr_of(h->bytes, sizeof h->bytes);

    TL_TRY(tl__digest(c, c->algs.hash, &own->root, 1, root));
    tl_put(&w, 2, TL_LITTLE, CHAIN_HEADER + size + own->certificates.n);
    tl_put_zeros(&w, 2);
    tl_put_bytes(&w, tl_span_of(root, size));
    h->n = w.n;
    return w.bad ? TL_E_CONFIGURATION : TL_OK;
}

tl_err tl__chain_digest(const tl_spdm_connection *c, const tl_spdm_identity *own, uint8_t digest[TL_HASH_MAX])
{
    head h;
    tl_span parts[2];

    if (own->alg == TL_SIGN_NONE)
        return TL_E_USAGE;
    TL_TRY(head_of(c, own, &h));
    parts[0] = tl_span_of(h.bytes, h.n);
    parts[1] = own->certificates;
    return tl__digest(c, c->algs.hash, parts, 2, digest);
}

/* ---- a chain of the peer ---- */

static tl_chain_rules rules_of(const tl_spdm_connection *c, const tl_chain_rules *trust)
{
    tl_chain_rules rules = *trust;
    bool responder = c->role == TL_SPDM_REQUESTER;

    rules.hash = c->algs.hash;
    rules.use = responder ? TL_USE_RESPONDER : TL_USE_REQUESTER;
    rules.alg = responder ? c->algs.sign : c->algs.req_sign;
    return rules;
}

/* Checks the certificates and takes the leaf's key in the place of an older one. */
static tl_err facts_take(tl_spdm_connection *c, const tl_chain_rules *trust, tl_span certificates)
{
    const tl_chain_rules rules = rules_of(c, trust);
    tl_chain_facts facts = { 0 };
    tl_err e = c->crypto->ops->chain_check(c->crypto->ctx, &rules, certificates, &facts);

    c->crypto->ops->key_drop(c->crypto->ctx, c->peer.facts.key);
    c->peer.facts = facts;
    c->peer.chain_right = c->peer.authenticated = false;
    return e;
}

tl_err tl__peer_chain_digest(const tl_spdm_connection *c, tl_span certificates, uint8_t digest[TL_HASH_MAX])
{
    size_t size = tl_hash_size(c->algs.hash);
    uint8_t start[CHAIN_HEADER];
    tl_wr w = tl_wr_of(start, sizeof start);
    const tl_span parts[3] = { { start, CHAIN_HEADER }, { c->peer.facts.root_hash, size }, certificates };

    tl_put(&w, 2, TL_LITTLE, CHAIN_HEADER + size + certificates.n);
    tl_put_zeros(&w, 2);
    return w.bad ? TL_E_WIRE_VALUE : tl__digest(c, c->algs.hash, parts, 3, digest);
}

tl_err tl__chain_trust(tl_spdm_connection *c, const tl_chain_rules *trust, tl_span certificates)
{
    TL_TRY(facts_take(c, trust, certificates));
    TL_TRY(tl__peer_chain_digest(c, certificates, c->peer.chain_digest));
    c->peer.chain_right = true;
    return TL_OK;
}

/* ---- requester ---- */

static tl_err build(tl_requester *rq, tl_wr *out)
{
    size_t most = rq->config->policy->data_transfer_size - PORTION_HEADER;
    tl_spdm_get_certificate m;

    if (!rq->chain_more) {
        rq->chain_n = rq->chain_left = 0;
        rq->c.peer.slot = rq->ask.slot;
        rq->c.peer.chain_n = 0;
        rq->c.peer.chain_right = rq->c.peer.authenticated = false;
    }
    if (most > PORTION_MAX)
        most = PORTION_MAX;
    m.offset = (uint32_t)rq->chain_n;
    m.length = (uint32_t)(rq->chain_more && rq->chain_left < most ? rq->chain_left : most);
    tl__message_begin(&rq->c, TL_SPDM_GET_CERTIFICATE, rq->ask.slot, 0, out);
    return tl_encode_spdm_get_certificate(&rq->c.env, &m, out);
}

/* The portion that was asked for: not empty, not longer, and fitting to what the first one said of the whole. */
static tl_err portion_check(tl_requester *rq, const tl__message *a, const tl_spdm_certificate *m)
{
    tl_spdm_get_certificate asked;
    tl_rd r = tl_rd_of(tl__sent(rq));

    (void)tl_take(&r, TL__HEADER);
    TL_TRY(tl_decode_spdm_get_certificate(&rq->c.env, &r, &asked));
    if ((a->param1 & SLOT_MASK) != rq->ask.slot)
        return tl__blame(rq, TL_E_WIRE_VALUE, "the chain of another slot", "Param1");
    if (m->portion_length == 0 || m->portion_length > asked.length)
        return tl__blame(rq, TL_E_WIRE_VALUE, "not the portion that was asked for", "PortionLength");
    if (rq->chain_more && m->portion_length + m->remainder_length != rq->chain_left)
        return tl__blame(rq, TL_E_WIRE_VALUE, "portion and remainder do not make the chain",
                         "RemainderLength");
    if (rq->chain_n + m->portion_length + m->remainder_length > CHAIN_MAX)
        return tl__blame(rq, TL_E_WIRE_VALUE, "the chain is longer than its length can say",
                         "RemainderLength");
    if (rq->chain_n + m->portion_length + m->remainder_length > rq->config->chain_n)
        return tl__blame(rq, TL_E_POLICY, "the chain is longer than the buffer for it", "RemainderLength");
    return TL_OK;
}

static tl_err chain_check(tl_requester *rq, size_t n)
{
    tl_spdm_connection *c = &rq->c;
    tl_spdm_peer *p = &c->peer;
    const tl_span whole = tl_span_of(rq->config->chain, n);
    size_t size = tl_hash_size(c->algs.hash);
    tl_rd r = tl_rd_of(whole);
    tl_spdm_certificate_chain chain;
    tl_err e;

    TL_TRY(tl_decode_spdm_certificate_chain(&c->env, &r, &chain));
    if (chain.length != n)
        return tl__blame(rq, TL_E_WIRE_VALUE, "the chain's length is not that of its portions", "Length");
    TL_TRY(tl__digest(c, c->algs.hash, &whole, 1, p->chain_digest));
    if (!tl_equal(tl_span_of(p->chain_digest, size), tl_span_of(p->digests[rq->ask.slot], size)))
        return tl__blame(rq, TL_E_TAG, "the chain is not the one of DIGESTS", "CertChain");
    e = facts_take(c, rq->config->trust, chain.certificates);
    if (e != TL_OK) {
        rq->why.certificate = p->facts.failed;
        return tl__blame(rq, e, p->facts.why != NULL ? p->facts.why : tl_err_text(e), "Certificates");
    }
    if (!tl_equal(chain.root_hash, tl_span_of(p->facts.root_hash, size)))
        return tl__blame(rq, TL_E_CHAIN, "the root hash is not that of the chain's root", "RootHash");
    p->chain_n = n;
    p->chain_right = true;
    return TL_OK;
}

static tl_err accept(tl_requester *rq, const tl__message *a)
{
    tl_spdm_connection *c = &rq->c;
    tl_rd r = tl_rd_of(a->body);
    tl_spdm_certificate m;
    tl_hash next;

    TL_TRY(tl_decode_spdm_certificate(&c->env, &r, &m));
    TL_TRY(tl__message_end(&r));
    TL_TRY(portion_check(rq, a, &m));
    memcpy(rq->config->chain + rq->chain_n, m.portion.p, m.portion.n);
    if (m.remainder_length == 0)
        TL_TRY(chain_check(rq, rq->chain_n + m.portion.n));
    TL_TRY(tl__transcript_fork(c, c->m, tl__sent(rq), a->whole, &next));
    tl__transcript_move(c, &c->m, next);
    rq->chain_n += m.portion.n;
    rq->chain_left = m.remainder_length;
    rq->chain_more = rq->chain_left > 0;
    return TL_OK;
}

static bool again(const tl_requester *rq)
{
    return rq->chain_more;
}

tl_span tl_requester_certificates(const tl_requester *rq)
{
    size_t before = CHAIN_HEADER + tl_hash_size(rq->c.algs.hash);

    if (!rq->c.peer.chain_right || rq->c.peer.chain_n < before)
        return tl_span_of(NULL, 0);
    return tl_span_of(rq->config->chain + before, rq->c.peer.chain_n - before);
}

const tl__step tl__certificate_step = {
    .name = "CERTIFICATE",
    .clause = "DSP0274 1.3, CERTIFICATE response message",
    .request = TL_SPDM_GET_CERTIFICATE,
    .response = TL_SPDM_CERTIFICATE,
    .where = TL__IN_CLEAR,
    .again = again,
    .build = build,
    .accept = accept,
};

/* ---- responder ---- */

/* Bytes from offset on of head and certificates, as many as fit. */
static void portion_put(const head *h, tl_span certificates, size_t offset, size_t n, tl_wr *out)
{
    size_t from_head = 0;

    if (offset < h->n) {
        from_head = n < h->n - offset ? n : h->n - offset;
        tl_put_bytes(out, tl_span_of(h->bytes + offset, from_head));
    }
    if (n > from_head)
        tl_put_bytes(out, tl_span_of(certificates.p + (offset + from_head - h->n), n - from_head));
}

/* How much of the chain this answer has, and how much is left after it. */
static tl_err portion_of(const tl__message *q, const tl_spdm_get_certificate *m, size_t whole,
                         const tl_wr *out, tl_spdm_certificate *answer)
{
    size_t room = out->cap - out->n < PORTION_HEADER ? 0 : out->cap - out->n - PORTION_HEADER;
    size_t n = m->length < room ? m->length : room;

    if (q->version >= TL_SPDM_13 && (q->param2 & SIZE_ASKED)) {
        answer->remainder_length = (uint32_t)whole;
        return TL_OK;
    }
    if (m->offset >= whole || m->length == 0)
        return TL_E_REPLY_INVALID_REQUEST;
    if (n > whole - m->offset)
        n = whole - m->offset;
    answer->portion_length = (uint32_t)n;
    answer->remainder_length = (uint32_t)(whole - m->offset - n);
    return n == 0 ? TL_E_ROOM : TL_OK;
}

tl_err tl__on_get_certificate(tl_responder *r, const tl__message *q, tl_wr *out)
{
    tl_spdm_connection *c = &r->c;
    tl_rd body = tl_rd_of(q->body);
    unsigned slot = q->param1 & SLOT_MASK;
    const tl_spdm_identity *own = tl__slot(c, r->config->slots, r->config->slots_n, slot);
    tl_spdm_get_certificate m;
    tl_spdm_certificate answer = { 0 };
    size_t start = out->n;
    tl_hash next;
    head h;

    if (own == NULL)
        return TL_E_REPLY_INVALID_REQUEST;
    TL_TRY(tl_decode_spdm_get_certificate(&c->env, &body, &m));
    TL_TRY(tl__message_end(&body));
    TL_TRY(head_of(c, own, &h));
    TL_TRY(portion_of(q, &m, h.n + own->certificates.n, out, &answer));
    tl__message_begin(c, TL_SPDM_CERTIFICATE, (uint8_t)slot, 0, out);
    tl_put(out, 2, TL_LITTLE, answer.portion_length);
    tl_put(out, 2, TL_LITTLE, answer.remainder_length);
    portion_put(&h, own->certificates, m.offset, answer.portion_length, out);
    if (out->bad)
        return TL_E_ROOM;
    if (q->secured)
        return TL_OK;
    TL_TRY(tl__transcript_fork(c, c->m, q->whole, tl_since(out, start), &next));
    tl__transcript_move(c, &c->m, next);
    return TL_OK;
}
