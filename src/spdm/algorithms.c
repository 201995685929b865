/* NEGOTIATE_ALGORITHMS and ALGORITHMS: one algorithm of each class.
 *
 * The responder takes the strongest that both offer, and of classes that nothing will use, none. The requester accepts
 * exactly one of what it offered, where one is needed. Tables stand in the order of their types, each with two bytes of
 * algorithms; extended algorithms are passed over in a request and refused in an answer. */
#include <string.h>

#include "spdm/spdm.h"

enum { DHE = 2, AEAD, REQ_ASYM, KEY_SCHEDULE, TYPES };
enum {
    KEY_SCHEDULE_SPDM = 1,
    FORMAT_GENERAL = 2,
    SPECIFICATION_DMTF = 1,
    FIXED = 2,         /* bytes of algorithms in a table */
    EXTENDED = 4,      /* bytes of an extended algorithm */
    EXTENDED_MAX = 20, /* of all kinds together */
    LENGTH_MAX = 128,  /* of a request */
    TABLE = 4,         /* bytes */
    OFFSET = 4 + 28,   /* of the tables in a request */
    OFFSET_ANSWER = 4 + 32
};

typedef struct tables {
    uint32_t algorithms[TYPES]; /* by type */
    bool had[TYPES];
    unsigned extended;
} tables;

/* Reads n tables in rising order of type; tells what else is left by the reader. */
static tl_err tables_read(const tl_spdm_connection *c, tl_rd *r, unsigned n, tables *t)
{
    tl_spdm_algorithm_table row;
    uint32_t last = DHE - 1;

    memset(t, 0, sizeof *t);
    for (unsigned i = 0; i < n; i++) {
        TL_TRY(tl_decode_spdm_algorithm_table(&c->env, r, &row));
        if (row.type <= last || row.type >= TYPES || row.fixed_bytes != FIXED)
            return TL_E_WIRE_VALUE;
        (void)tl_take(r, (size_t)row.ext_count * EXTENDED);
        t->extended += row.ext_count;
        t->algorithms[row.type] = row.algorithms;
        t->had[row.type] = true;
        last = row.type;
    }
    return tl__message_end(r);
}

static tl_err tables_write(const tl_spdm_connection *c, const tables *t, tl_wr *out)
{
    for (unsigned type = DHE; type < TYPES; type++) {
        const tl_spdm_algorithm_table row = { type, 0, FIXED, t->algorithms[type] };

        if (t->had[type])
            TL_TRY(tl_encode_spdm_algorithm_table(&c->env, &row, out));
    }
    return TL_OK;
}

static unsigned tables_count(const tables *t)
{
    unsigned n = 0;

    for (unsigned type = DHE; type < TYPES; type++)
        n += t->had[type];
    return n;
}

/* What is needed at all, from the flags of both ends. */
static bool measured(const tl_spdm_connection *c)
{
    return (tl__responder_flags(c) & (TL_CAP_MEAS_SIG | TL_CAP_MEAS_NO_SIG)) != 0;
}

static bool signing(const tl_spdm_connection *c)
{
    return (tl__responder_flags(c) & (TL_CAP_CERT | TL_CAP_CHAL | TL_CAP_MEAS_SIG | TL_CAP_KEY_EX)) != 0;
}

/* The algorithms for which an endpoint has a key in one of its slots. */
static uint32_t asym_of(const tl_spdm_identity *slots, size_t n)
{
    uint32_t mask = 0;

    for (size_t i = 0; i < n; i++)
        mask |= tl__sign_bit(slots[i].alg);
    return mask;
}

static bool one_of(uint32_t chosen, uint32_t offered)
{
    return chosen != 0 && (chosen & (chosen - 1)) == 0 && (chosen & ~offered) == 0;
}

/* ---- requester ---- */

/* What was offered is asked for again when the answer is there: it follows from the flags and the policy alone. */
static void offer(const tl_requester *rq, tables *t)
{
    const tl_spdm_policy *p = rq->config->policy;
    bool sessions = tl__both(&rq->c, TL_CAP_KEY_EX);

    memset(t, 0, sizeof *t);
    t->had[DHE] = t->had[AEAD] = t->had[KEY_SCHEDULE] = sessions;
    t->algorithms[DHE] = p->dhe;
    t->algorithms[AEAD] = p->aead;
    t->algorithms[KEY_SCHEDULE] = KEY_SCHEDULE_SPDM;
    t->had[REQ_ASYM] = sessions && tl__both(&rq->c, TL_CAP_MUT_AUTH);
    t->algorithms[REQ_ASYM] = p->req_asym & asym_of(rq->config->slots, rq->config->slots_n);
}

static tl_err build(tl_requester *rq, tl_wr *out)
{
    const tl_spdm_policy *p = rq->config->policy;
    uint8_t bytes[TABLE * TYPES];
    tl_wr w = tl_wr_of(bytes, sizeof bytes);
    tables t;
    tl_spdm_negotiate_algorithms m = { .measurement_specification = measured(&rq->c) ? SPECIFICATION_DMTF : 0,
                                       .other_params = FORMAT_GENERAL,
                                       .base_asym = p->asym,
                                       .base_hash = p->hash };

    offer(rq, &t);
    TL_TRY(tables_write(&rq->c, &t, &w));
    m.tables = tl_written(&w);
    m.length = (uint32_t)(OFFSET + w.n);
    tl__message_begin(&rq->c, TL_SPDM_NEGOTIATE_ALGORITHMS, (uint8_t)tables_count(&t), 0, out);
    return tl_encode_spdm_negotiate_algorithms(&rq->c.env, &m, out);
}

/* The tables of the answer: of types that were asked for, with one algorithm that was offered. */
static tl_err accept_tables(tl_requester *rq, const tables *t, tl_spdm_algs *algs)
{
    static const char *const names[TYPES] = { "",           "", "DHE", "AEADCipherSuite", "ReqBaseAsymAlg",
                                              "KeySchedule" };
    tables offered;

    offer(rq, &offered);
    for (unsigned type = DHE; type < TYPES; type++) {
        if (t->had[type] && !offered.had[type])
            return tl__blame(rq, TL_E_WIRE_VALUE, "a table that was not asked for", names[type]);
        if (offered.had[type] && !one_of(t->algorithms[type], offered.algorithms[type]))
            return tl__blame(rq, TL_E_POLICY, "not one algorithm of those that were offered", names[type]);
    }
    algs->group = tl__group_of(t->algorithms[DHE]);
    algs->aead = tl__suite_of(t->algorithms[AEAD]);
    algs->req_sign = tl__sign_of(t->algorithms[REQ_ASYM]);
    return TL_OK;
}

/* The fields before the tables. */
static tl_err accept_fields(tl_requester *rq, const tl_spdm_algorithms *m, tl_spdm_algs *algs)
{
    const tl_spdm_connection *c = &rq->c;
    const tl_spdm_policy *p = c->policy;
    bool measures = measured(c);

    if (m->measurement_specification != (measures ? SPECIFICATION_DMTF : 0u))
        return tl__blame(rq, TL_E_POLICY, "another measurement specification", "MeasurementSpecificationSel");
    if (measures ? !one_of(m->measurement_hash, p->measurement_hash) : m->measurement_hash != 0)
        return tl__blame(rq, TL_E_POLICY, "not one algorithm of those allowed", "MeasurementHashAlgo");
    if (!one_of(m->base_hash, p->hash))
        return tl__blame(rq, TL_E_POLICY, "not one algorithm of those that were offered", "BaseHashSel");
    if (signing(c) ? !one_of(m->base_asym, p->asym) : m->base_asym != 0)
        return tl__blame(rq, TL_E_POLICY, "not one algorithm of those that were offered", "BaseAsymSel");
    if (m->other_params != FORMAT_GENERAL && (m->other_params != 0 || tl__both(c, TL_CAP_KEY_EX)))
        return tl__blame(rq, TL_E_POLICY, "not what was offered", "OtherParamsSelection");
    if (c->env.version >= TL_SPDM_13 && m->mel_specification != 0)
        return tl__blame(rq, TL_E_WIRE_VALUE, "not what was offered", "MELspecificationSel");
    if (m->ext_asym_count != 0 || m->ext_hash_count != 0)
        return tl__blame(rq, TL_E_WIRE_VALUE, "extended algorithms were not offered", "ExtAsymSelCount");
    algs->measurement_specification = (uint8_t)m->measurement_specification;
    algs->measurement_hash = tl__measurement_hash_of(m->measurement_hash);
    algs->hash = tl__hash_of(m->base_hash);
    algs->sign = tl__sign_of(m->base_asym);
    algs->other_params = (uint8_t)m->other_params;
    return algs->hash == TL_HASH_NONE ? TL_E_CONFIGURATION : TL_OK;
}

static tl_err accept(tl_requester *rq, const tl__message *a)
{
    tl_spdm_connection *c = &rq->c;
    tl_rd r = tl_rd_of(a->body);
    tl_spdm_algorithms m;
    tl_spdm_algs algs = { 0 };
    tables t;
    tl_err e;

    TL_TRY(tl_decode_spdm_algorithms(&c->env, &r, &m));
    if (m.length != a->whole.n)
        return tl__blame(rq, TL_E_WIRE, "the length is not the message's", "Length");
    TL_TRY(accept_fields(rq, &m, &algs));
    r = tl_rd_of(m.tables);
    e = tables_read(c, &r, a->param1, &t);
    if (e == TL_OK && t.extended != 0)
        e = TL_E_WIRE_VALUE;
    if (e != TL_OK)
        return tl__blame(rq, e, "the tables are not in order", "RespAlgStruct");
    TL_TRY(accept_tables(rq, &t, &algs));
    TL_TRY(tl__vca_add(c, tl__sent(rq), a->whole));
    c->algs = algs;
    tl__sizes_set(c);
    c->state = TL_SPDM_NEGOTIATED;
    return TL_OK;
}

const tl__step tl__algorithms_step = {
    .name = "ALGORITHMS",
    .clause = "DSP0274 1.3, ALGORITHMS response message",
    .request = TL_SPDM_NEGOTIATE_ALGORITHMS,
    .response = TL_SPDM_ALGORITHMS,
    .where = TL__IN_CLEAR,
    .build = build,
    .accept = accept,
};

/* ---- responder ---- */

static tl_err request_read(const tl_spdm_connection *c, const tl__message *q, tl_spdm_negotiate_algorithms *m,
                           tables *t)
{
    tl_rd r = tl_rd_of(q->body);
    size_t extended;

    TL_TRY(tl_decode_spdm_negotiate_algorithms(&c->env, &r, m));
    if (m->length != q->whole.n || m->length > LENGTH_MAX)
        return TL_E_WIRE_VALUE;
    extended = (size_t)m->ext_asym_count + m->ext_hash_count;
    r = tl_rd_of(m->tables);
    (void)tl_take(&r, extended * EXTENDED);
    TL_TRY(tables_read(c, &r, q->param1, t));
    return t->extended + extended > EXTENDED_MAX ? TL_E_WIRE_VALUE : TL_OK;
}

/* One algorithm for each table that was asked for, or none where nothing will use it. */
static tl_err pick_tables(const tl_spdm_connection *c, const tables *asked, tables *t, tl_spdm_algs *algs)
{
    const tl_spdm_policy *p = c->policy;
    bool sessions = tl__both(c, TL_CAP_KEY_EX);

    memset(t, 0, sizeof *t);
    memcpy(t->had, asked->had, sizeof t->had);
    if (sessions) {
        t->algorithms[DHE] = tl__dhe_pick(asked->algorithms[DHE] & p->dhe);
        t->algorithms[AEAD] = tl__aead_pick(asked->algorithms[AEAD] & p->aead);
        t->algorithms[KEY_SCHEDULE] = asked->algorithms[KEY_SCHEDULE] & KEY_SCHEDULE_SPDM;
    }
    if (sessions && tl__both(c, TL_CAP_MUT_AUTH))
        t->algorithms[REQ_ASYM] = tl__asym_pick(asked->algorithms[REQ_ASYM] & p->req_asym);
    if (sessions && (t->algorithms[DHE] == 0 || t->algorithms[AEAD] == 0 || t->algorithms[KEY_SCHEDULE] == 0))
        return TL_E_POLICY;
    algs->group = tl__group_of(t->algorithms[DHE]);
    algs->aead = tl__suite_of(t->algorithms[AEAD]);
    algs->req_sign = tl__sign_of(t->algorithms[REQ_ASYM]);
    return TL_OK;
}

static tl_err pick_fields(const tl_responder *r, const tl_spdm_negotiate_algorithms *m,
                          tl_spdm_algorithms *answer, tl_spdm_algs *algs)
{
    const tl_spdm_connection *c = &r->c;
    const tl_spdm_policy *p = c->policy;
    uint32_t asym = asym_of(r->config->slots, r->config->slots_n);

    answer->base_hash = tl__hash_pick(m->base_hash & p->hash);
    if (answer->base_hash == 0)
        return TL_E_POLICY;
    if (signing(c)) {
        answer->base_asym = tl__asym_pick(m->base_asym & p->asym & asym);
        if (answer->base_asym == 0)
            return TL_E_POLICY;
    }
    answer->other_params = m->other_params & FORMAT_GENERAL;
    if (answer->other_params == 0 && tl__both(c, TL_CAP_KEY_EX))
        return TL_E_POLICY;
    if (measured(c) && (m->measurement_specification & SPECIFICATION_DMTF)) {
        answer->measurement_specification = SPECIFICATION_DMTF;
        answer->measurement_hash = tl__measurement_hash_pick(p->measurement_hash);
    }
    algs->hash = tl__hash_of(answer->base_hash);
    algs->sign = tl__sign_of(answer->base_asym);
    algs->measurement_specification = (uint8_t)answer->measurement_specification;
    algs->measurement_hash = tl__measurement_hash_of(answer->measurement_hash);
    algs->other_params = (uint8_t)answer->other_params;
    return TL_OK;
}

tl_err tl__on_negotiate_algorithms(tl_responder *r, const tl__message *q, tl_wr *out)
{
    tl_spdm_connection *c = &r->c;
    uint8_t bytes[TABLE * TYPES];
    tl_wr w = tl_wr_of(bytes, sizeof bytes);
    tl_spdm_negotiate_algorithms m;
    tl_spdm_algorithms answer = { 0 };
    tl_spdm_algs algs = { 0 };
    tables asked, t;
    size_t start = out->n;

    if (c->state != TL_SPDM_AFTER_CAPABILITIES)
        return tl__vca_again(c, q->whole, out);
    TL_TRY(request_read(c, q, &m, &asked));
    TL_TRY(pick_fields(r, &m, &answer, &algs));
    TL_TRY(pick_tables(c, &asked, &t, &algs));
    TL_TRY(tables_write(c, &t, &w));
    answer.tables = tl_written(&w);
    answer.length = (uint32_t)(OFFSET_ANSWER + w.n);
    tl__message_begin(c, TL_SPDM_ALGORITHMS, (uint8_t)tables_count(&t), 0, out);
    TL_TRY(tl_encode_spdm_algorithms(&c->env, &answer, out));
    TL_TRY(tl__vca_add(c, q->whole, tl_since(out, start)));
    c->algs = algs;
    tl__sizes_set(c);
    c->state = TL_SPDM_NEGOTIATED;
    return TL_OK;
}
