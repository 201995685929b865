/* GET_MEASUREMENTS and MEASUREMENTS: how many blocks there are, one of them, or all; signed or not; in clear or in a session.
 *
 *   L1 = L2 = VCA | each GET_MEASUREMENTS and MEASUREMENTS in a row, the last without its signature
 *
 * A signature closes the row. So does any other request, and an ERROR. */
#include <string.h>

#include "spdm/spdm.h"

enum { SIGN = 1, RAW = 2, SLOT_MASK = 0x0F, CHANGED_SHIFT = 4, CHANGED_MASK = 3 };
enum { SPECIFICATION_DMTF = 1, BLOCK_HEADER = 4, VALUE_HEADER = 3, UNCHANGED = 2 };

/* Nonce and slot are there only with a signature, which is there only then, too. */
static tl_env env_of(const tl_spdm_connection *c, bool sign)
{
    tl_env env = c->env;

    env.len[TL_LEN_NONCE] = sign ? TL_SPDM_NONCE : 0;
    env.len[TL_LEN_SLOT] = sign ? 1 : 0;
    env.len[TL_LEN_SIG] = sign ? env.len[TL_LEN_SIG] : 0;
    return env;
}

/* ---- blocks ---- */

static tl_err block_write(const tl_spdm_connection *c, const tl_spdm_measurement *m, tl_wr *out)
{
    const tl_spdm_dmtf_measurement inner = { m->type, m->raw, m->value };
    const tl_spdm_measurement_block head = { .index = m->index, .specification = SPECIFICATION_DMTF };
    size_t length;

    tl_put(out, 1, TL_LITTLE, head.index);
    tl_put(out, 1, TL_LITTLE, head.specification);
    length = tl_mark(out, 2);
    TL_TRY(tl_encode_spdm_dmtf_measurement(&c->env, &inner, out));
    tl_fill(out, length, 2, TL_LITTLE);
    return out->bad ? TL_E_ROOM : TL_OK;
}

bool tl_spdm_each_measurement(tl_rd *record, tl_spdm_measurement *m)
{
    const tl_env env = { .version = TL_SPDM_12 };
    tl_spdm_measurement_block block;
    tl_spdm_dmtf_measurement inner;
    tl_rd r;

    *m = (tl_spdm_measurement){ 0 };
    if (!tl_each_spdm_measurement_block(record, &env, &block))
        return false;
    r = tl_rd_of(block.measurement);
    if (block.index == 0 || block.index == TL_SPDM_MEASUREMENT_ALL ||
        block.specification != SPECIFICATION_DMTF ||
        tl_decode_spdm_dmtf_measurement(&env, &r, &inner) != TL_OK || !tl_rd_end(&r)) {
        record->bad = true;
        return false;
    }
    m->index = (uint8_t)block.index;
    m->type = (uint8_t)inner.type;
    m->raw = inner.raw != 0;
    m->value = inner.value;
    return true;
}

/* The i-th block of our own: in order, and a digest of the right length where it is one. */
static tl_err source_get(const tl_responder *r, size_t i, bool raw_wanted, uint8_t above,
                         tl_spdm_measurement *m)
{
    const tl_spdm_measurement_source *s = r->config->measurements;
    tl_hash_alg alg = r->c.algs.measurement_hash;

    *m = (tl_spdm_measurement){ 0 };
    TL_TRY(s->get(s->ctx, i, alg, raw_wanted, m));
    if (m->index <= above || m->index == TL_SPDM_MEASUREMENT_ALL || m->type > 0x7F ||
        m->value.n > 0xFFFF - VALUE_HEADER || (!m->raw && m->value.n != tl_hash_size(alg)))
        return TL_E_CONFIGURATION;
    return TL_OK;
}

/* ---- summary: Hash(blocks), of all or of the trusted computing base (DSP0274 1.3, CHALLENGE_AUTH response message) ---- */

tl_err tl__summary_size(const tl_spdm_connection *c, uint8_t kind, tl_env *env)
{
    bool can = (tl__responder_flags(c) & (TL_CAP_MEAS_SIG | TL_CAP_MEAS_NO_SIG)) &&
               c->algs.measurement_specification != 0;

    env->len[TL_LEN_MSH] = 0;
    if (kind == TL_SPDM_SUMMARY_NONE)
        return TL_OK;
    if ((kind != TL_SPDM_SUMMARY_TCB && kind != TL_SPDM_SUMMARY_ALL) || !can)
        return TL_E_WIRE_VALUE;
    env->len[TL_LEN_MSH] = env->len[TL_LEN_HASH];
    return TL_OK;
}

static tl_err block_hash(const tl_spdm_connection *c, tl_hash h, const tl_spdm_measurement *m)
{
    uint8_t head[BLOCK_HEADER + VALUE_HEADER];
    tl_wr w = tl_wr_of(head, sizeof head);

    tl_put(&w, 1, TL_LITTLE, m->index);
    tl_put(&w, 1, TL_LITTLE, SPECIFICATION_DMTF);
    tl_put(&w, 2, TL_LITTLE, VALUE_HEADER + m->value.n);
    tl_put(&w, 1, TL_LITTLE, m->type | (m->raw ? 0x80u : 0u));
    tl_put(&w, 2, TL_LITTLE, m->value.n);
    TL_TRY(tl__transcript_add(c, h, tl_written(&w)));
    return tl__transcript_add(c, h, m->value);
}

/* Adds the blocks of a kind to h, and counts them. */
static tl_err summary_add(const tl_responder *r, uint8_t kind, tl_hash h, size_t *count)
{
    tl_spdm_measurement m = { 0 };
    uint8_t last = 0;

    *count = 0;
    for (size_t i = 0; i < r->config->measurements->n; i++) {
        TL_TRY(source_get(r, i, false, last, &m));
        last = m.index;
        if (kind == TL_SPDM_SUMMARY_TCB && !m.tcb)
            continue;
        TL_TRY(block_hash(&r->c, h, &m));
        ++*count;
    }
    return TL_OK;
}

tl_err tl__summary(const tl_responder *r, uint8_t kind, uint8_t digest[TL_HASH_MAX])
{
    const tl_crypto *k = r->c.crypto;
    tl_hash h = { 0 };
    size_t count;
    tl_err e;

    memset(digest, 0, TL_HASH_MAX);
    TL_TRY(k->ops->hash_start(k->ctx, r->c.algs.hash, &h));
    e = summary_add(r, kind, h, &count);
    if (e == TL_OK && count > 0)
        e = k->ops->hash_end(k->ctx, h, digest);
    if (e != TL_OK || count == 0)
        k->ops->hash_drop(k->ctx, h);
    return e;
}

/* ---- requester ---- */

static bool wanted(const tl_requester *rq)
{
    return rq->config->measurements != NULL && (rq->c.peer.flags & (TL_CAP_MEAS_SIG | TL_CAP_MEAS_NO_SIG));
}

static tl_span context_of(const tl_requester *rq)
{
    static const uint8_t zeros[TL_SPDM_CONTEXT];

    return rq->ask.context.n == 0 ? tl_span_of(zeros, sizeof zeros) : rq->ask.context;
}

static bool in_session(const tl_requester *rq)
{
    return rq->c.session != NULL && rq->c.session->state == TL_SESSION_ESTABLISHED;
}

static tl_err build(tl_requester *rq, tl_wr *out)
{
    tl_spdm_connection *c = &rq->c;
    bool sign = rq->ask.signed_measurements;
    tl_env env = env_of(c, sign);
    tl_spdm_get_measurements m = { .context = context_of(rq) };
    uint8_t slot = c->peer.slot, attributes = 0;

    if (!sign && c->policy->must_sign_measurements && !in_session(rq))
        return tl__blame(rq, TL_E_POLICY, "the policy demands signed measurements", "");
    if (sign && (!(c->peer.flags & TL_CAP_MEAS_SIG) || !c->peer.chain_right))
        return tl__blame(rq, TL_E_POLICY, "the peer cannot sign measurements", "");
    if (sign) {
        TL_TRY(tl__spdm_random(c, rq->nonce, sizeof rq->nonce));
        m.nonce = tl_span_of(rq->nonce, sizeof rq->nonce);
        m.slot = tl_span_of(&slot, 1);
        attributes = SIGN;
    }
    if (rq->ask.raw_measurements)
        attributes |= RAW;
    tl__message_begin(c, TL_SPDM_GET_MEASUREMENTS, attributes, rq->ask.measurement, out);
    return tl_encode_spdm_get_measurements(&env, &m, out);
}

/* Every block well-formed, no index twice, digests of the negotiated length. */
static tl_err record_check(const tl_spdm_connection *c, tl_span record, uint32_t count, uint8_t only)
{
    uint8_t seen[32] = { 0 };
    tl_rd r = tl_rd_of(record);
    tl_spdm_measurement m;
    uint32_t n = 0;

    while (tl_spdm_each_measurement(&r, &m)) {
        uint8_t bit = (uint8_t)(1u << m.index % 8);

        if ((seen[m.index / 8] & bit) || (only != TL_SPDM_MEASUREMENT_ALL && m.index != only) ||
            (!m.raw && m.value.n != tl_hash_size(c->algs.measurement_hash)))
            return TL_E_WIRE_VALUE;
        seen[m.index / 8] |= bit;
        n++;
    }
    return tl_rd_end(&r) && n == count ? TL_OK : TL_E_WIRE;
}

static tl_err fields_check(tl_requester *rq, const tl__message *a, const tl_spdm_measurements *m)
{
    const tl_spdm_connection *c = &rq->c;
    uint8_t what = rq->ask.measurement;

    if (what == TL_SPDM_MEASUREMENT_COUNT && (m->blocks != 0 || m->record_length != 0))
        return tl__blame(rq, TL_E_WIRE_VALUE, "blocks where their number was asked for", "NumberOfBlocks");
    if (what != TL_SPDM_MEASUREMENT_COUNT && what != TL_SPDM_MEASUREMENT_ALL && m->blocks != 1)
        return tl__blame(rq, TL_E_WIRE_VALUE, "not the one block that was asked for", "NumberOfBlocks");
    if (what != TL_SPDM_MEASUREMENT_COUNT)
        TL_TRY(tl__blame(rq, record_check(c, m->record, m->blocks, what), "the blocks are malformed",
                         "MeasurementRecord"));
    if (m->record.n > rq->config->measurements_n)
        return tl__blame(rq, TL_E_POLICY, "the record is longer than the buffer for it",
                         "MeasurementRecordLength");
    if (rq->ask.signed_measurements && (a->param2 & SLOT_MASK) != c->peer.slot)
        return tl__blame(rq, TL_E_WIRE_VALUE, "signed by another slot", "Param2");
    TL_TRY(tl__blame(rq, tl__opaque_check(c, m->opaque), "opaque data is malformed", "OpaqueData"));
    if (c->env.version >= TL_SPDM_13 && !tl_equal(m->context, context_of(rq)))
        return tl__blame(rq, TL_E_WIRE_VALUE, "not the context that was sent", "RequesterContext");
    return TL_OK;
}

/* L2 goes on with this exchange; a signature is checked over it, and closes it. */
static tl_err transcript_accept(tl_requester *rq, const tl__message *a, tl_span signature)
{
    tl_spdm_connection *c = &rq->c;
    tl_hash *l = tl__l(c, a->secured), l2;
    tl_err e;

    /* L2 = VCA | ... | GET_MEASUREMENTS | MEASUREMENTS without its signature */
    TL_TRY(tl__transcript_fork(c, *l, tl__sent(rq), tl_span_of(a->whole.p, a->whole.n - signature.n), &l2));
    if (!rq->ask.signed_measurements) {
        tl__transcript_move(c, l, l2);
        return TL_OK;
    }
    e = tl__spdm_check(c, TL__SIGN_MEASUREMENTS, l2, signature);
    tl__transcript_drop(c, &l2);
    TL_TRY(tl__blame(rq, e, "the signature is wrong", "Signature"));
    tl__transcript_drop(c, l);
    c->peer.authenticated = true;
    return TL_OK;
}

static tl_err accept(tl_requester *rq, const tl__message *a)
{
    tl_env env = env_of(&rq->c, rq->ask.signed_measurements);
    tl_rd r = tl_rd_of(a->body);
    tl_spdm_measurements m;

    TL_TRY(tl_decode_spdm_measurements(&env, &r, &m));
    TL_TRY(tl__message_end(&r));
    TL_TRY(fields_check(rq, a, &m));
    TL_TRY(transcript_accept(rq, a, m.signature));
    if (m.record.n != 0)
        memcpy(rq->config->measurements, m.record.p, m.record.n);
    rq->measured = (tl_spdm_measured){
        .had = true,
        .signature = rq->ask.signed_measurements,
        .blocks = rq->ask.measurement == TL_SPDM_MEASUREMENT_COUNT ? a->param1 : (uint8_t)m.blocks,
        .changed = rq->ask.signed_measurements ? a->param2 >> CHANGED_SHIFT & CHANGED_MASK : 0,
        .record_n = m.record.n,
    };
    return TL_OK;
}

const tl__step tl__measurements_step = {
    .name = "MEASUREMENTS",
    .clause = "DSP0274 1.3, MEASUREMENTS response message",
    .request = TL_SPDM_GET_MEASUREMENTS,
    .response = TL_SPDM_MEASUREMENTS,
    .where = 0,
    .slow = true,
    .guard = wanted,
    .build = build,
    .accept = accept,
};

/* ---- responder ---- */

/* Writes the blocks that were asked for; TL_E_REPLY_INVALID_REQUEST if there is no such block. */
static tl_err record_write(const tl_responder *r, const tl__message *q, tl_wr *out, uint32_t *blocks)
{
    bool raw = (q->param1 & RAW) != 0;
    tl_spdm_measurement m = { 0 };
    uint8_t last = 0;

    *blocks = 0;
    if (q->param2 == TL_SPDM_MEASUREMENT_COUNT)
        return TL_OK;
    for (size_t i = 0; i < r->config->measurements->n; i++) {
        TL_TRY(source_get(r, i, raw, last, &m));
        last = m.index;
        if (q->param2 != TL_SPDM_MEASUREMENT_ALL && q->param2 != m.index)
            continue;
        TL_TRY(block_write(&r->c, &m, out));
        ++*blocks;
    }
    return *blocks == 0 && q->param2 != TL_SPDM_MEASUREMENT_ALL ? TL_E_REPLY_INVALID_REQUEST : TL_OK;
}

/* The whole answer, with zeros for its signature. The record goes straight to its place. */
static tl_err answer_write(const tl_responder *r, const tl__message *q, const tl_spdm_get_measurements *m,
                           tl_wr *out)
{
    const tl_spdm_connection *c = &r->c;
    uint8_t nonce[TL_SPDM_NONCE];
    bool count = q->param2 == TL_SPDM_MEASUREMENT_COUNT;
    uint8_t slot = m->slot.n == 0 ? 0 : m->slot.p[0] & SLOT_MASK;
    uint8_t changed = m->slot.n == 0 ? 0 : UNCHANGED << CHANGED_SHIFT;
    size_t length, blocks_at;
    uint32_t blocks;

    TL_TRY(tl__spdm_random(c, nonce, sizeof nonce));
    tl__message_begin(c, TL_SPDM_MEASUREMENTS, count ? (uint8_t)r->config->measurements->n : 0,
                      (uint8_t)(slot | changed), out);
    blocks_at = tl_mark(out, 1);
    length = tl_mark(out, 3);
    TL_TRY(record_write(r, q, out, &blocks));
    tl_fill(out, length, 3, TL_LITTLE);
    tl_put_bytes(out, tl_span_of(nonce, sizeof nonce));
    tl_put(out, 2, TL_LITTLE, 0);
    tl_put_bytes(out, m->context);
    tl_put_zeros(out, m->slot.n == 0 ? 0 : c->env.len[TL_LEN_SIG]);
    if (out->bad)
        return TL_E_ROOM;
    out->p[blocks_at] = (uint8_t)blocks;
    return TL_OK;
}

static tl_err request_read(const tl_responder *r, const tl__message *q, tl_spdm_get_measurements *m,
                           const tl_spdm_identity **own)
{
    const tl_spdm_connection *c = &r->c;
    bool sign = (q->param1 & SIGN) != 0;
    tl_env env = env_of(c, sign);
    tl_rd body = tl_rd_of(q->body);

    if (c->algs.measurement_specification == 0)
        return TL_E_REPLY_UNEXPECTED_REQUEST;
    if (sign && !(c->flags & TL_CAP_MEAS_SIG))
        return TL_E_REPLY_INVALID_REQUEST;
    TL_TRY(tl_decode_spdm_get_measurements(&env, &body, m));
    TL_TRY(tl__message_end(&body));
    *own = sign ? tl__slot(c, r->config->slots, r->config->slots_n, m->slot.p[0] & SLOT_MASK) : NULL;
    return sign && *own == NULL ? TL_E_REPLY_INVALID_REQUEST : TL_OK;
}

tl_err tl__on_get_measurements(tl_responder *r, const tl__message *q, tl_wr *out)
{
    tl_spdm_connection *c = &r->c;
    const tl_spdm_identity *own;
    tl_spdm_get_measurements m;
    tl_hash *l = tl__l(c, q->secured), l1;
    size_t start = out->n, sig_n;
    tl_span said;
    tl_err e;

    TL_TRY(request_read(r, q, &m, &own));
    TL_TRY(answer_write(r, q, &m, out));
    sig_n = own == NULL ? 0 : c->env.len[TL_LEN_SIG];
    said = tl_since(out, start);
    /* L1 = VCA | ... | GET_MEASUREMENTS | MEASUREMENTS without its signature */
    TL_TRY(tl__transcript_fork(c, *l, q->whole, tl_span_of(said.p, said.n - sig_n), &l1));
    if (own == NULL) {
        tl__transcript_move(c, l, l1);
        return TL_OK;
    }
    e = tl__spdm_sign(c, own, TL__SIGN_MEASUREMENTS, l1, out->p + out->n - sig_n);
    tl__transcript_drop(c, &l1);
    TL_TRY(e);
    tl__transcript_drop(c, l);
    return TL_OK;
}
