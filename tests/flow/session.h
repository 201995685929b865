/* What the tests of sessions share: both ends of each kind, prepared. */
#ifndef TL_TESTS_FLOW_SESSION_H
#define TL_TESTS_FLOW_SESSION_H

#include "spdm_pair.h"

/* Kinds of sessions: bits. */
enum { KIND_13 = 1, KIND_P384 = 2, KIND_MUTUAL = 4, KIND_MCTP = 8, KINDS = 16 };

/* What MCTP and TCP put around a message, or something like it. */
static inline tl_err session_wrap(tl_span message, tl_wr *out)
{
    tl_put(out, 1, TL_LITTLE, 5);
    tl_put_bytes(out, message);
    return out->bad ? TL_E_ROOM : TL_OK;
}

static inline tl_err session_unwrap(tl_span application, tl_span *message)
{
    tl_rd r = tl_rd_of(application);

    if (tl_get(&r, 1, TL_LITTLE) != 5)
        return TL_E_WIRE_VALUE;
    *message = tl_rd_rest(&r);
    return TL_OK;
}

/* The payload turned round. */
static inline tl_err session_vendor(void *ctx, const tl_spdm_vendor *request, tl_wr *payload)
{
    (void)ctx;
    for (size_t i = request->payload.n; i > 0; i--)
        tl_put(payload, 1, TL_LITTLE, request->payload.p[i - 1]);
    return TL_OK;
}

/* Both ends of a kind, before tl_spdm_pair_begin. */
static inline void session_prepare(tl_spdm_pair *p, unsigned kind)
{
    static const tl_spdm_binding mctp = { { 2, 32 }, 1, session_wrap, session_unwrap };

    tl_spdm_pair_open(p, kind & KIND_P384 ? TL_SIGN_ECDSA_P384 : TL_SIGN_ECDSA_P256);
    p->rq_policy.version_max = p->rs_policy.version_max = kind & KIND_13 ? TL_SPDM_13 : TL_SPDM_12;
    if (!(kind & KIND_P384)) {
        p->rq_policy.hash = p->rs_policy.hash = 1;
        p->rq_policy.dhe = p->rs_policy.dhe = 8;
        p->rq_policy.aead = p->rs_policy.aead = 1;
    }
    if (kind & KIND_MUTUAL)
        tl_spdm_pair_mutual(p);
    if (kind & KIND_MCTP)
        p->binding = mctp;
    p->rs_config.heartbeat_period = 20;
    p->rs_config.vendor = session_vendor;
}

static inline void session_ends(tl_spdm_pair *p, unsigned kind)
{
    session_prepare(p, kind);
    tl_spdm_pair_begin(p);
}

/* Runs the session flow and fails the test with its reason if it ends in an error. */
static inline void session_begin(tl_spdm_pair *p)
{
    const tl_spdm_why *why = tl_requester_why(&p->rq);

    if (tl_spdm_pair_run(p, &tl_flow_session, NULL) != TL_OK)
        fail_msg("%s: %s (%s): %s; the responder: %s", why->step, why->what, why->where,
                 tl_err_text(why->err), tl_err_text(p->rs_result));
}

/* True if both ends have the same established session. */
static inline bool session_stands(const tl_spdm_pair *p)
{
    tl_secret a, b;
    tl_hash_alg hash;

    if (tl_session_export_secret(tl_requester_session(&p->rq), &a, &hash) != TL_OK)
        return false;
    for (size_t i = 0; i < TL_PAIR_SESSIONS; i++)
        if (tl_session_export_secret(&p->rs_sessions[i], &b, &hash) == TL_OK &&
            tl_equal(tl_span_of(a.bytes, sizeof a.bytes), tl_span_of(b.bytes, sizeof b.bytes)))
            return true;
    return false;
}

static inline size_t session_count(const tl_spdm_session *sessions)
{
    size_t n = 0;

    for (size_t i = 0; i < TL_PAIR_SESSIONS; i++)
        n += sessions[i].state != TL_SESSION_NONE;
    return n;
}

#endif
