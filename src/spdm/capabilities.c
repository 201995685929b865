/* GET_CAPABILITIES and CAPABILITIES: flags, sizes and times of both ends.
 *
 * The request's version is the one that the requester has chosen. Flags that contradict each other are refused in either
 * direction, and so is a peer without what the policy requires of it. There are no chunks, so a message is as large as a
 * transfer. */
#include "spdm/spdm.h"

/* ---- which flags go together (DSP0274 1.3, "Flag fields definitions") ---- */

enum { REQ = 1 << TL_SPDM_REQUESTER, RSP = 1 << TL_SPDM_RESPONDER, EITHER = REQ | RSP };
enum {
    PSK = TL_CAP_PSK | TL_CAP_PSK_WITH_CONTEXT,
    SECURE = TL_CAP_ENCRYPT | TL_CAP_MAC,
    SESSION = TL_CAP_KEY_EX | PSK,
    IDENTITY = TL_CAP_CERT | TL_CAP_PUB_KEY_ID,
    MULTI_KEY = TL_CAP_MULTI_KEY_ONLY | TL_CAP_MULTI_KEY_NEG,
    KEY_PAIRS = TL_CAP_GET_KEY_PAIR_INFO | TL_CAP_SET_KEY_PAIR_INFO,
    MEASURE = TL_CAP_MEAS_NO_SIG | TL_CAP_MEAS_SIG,
    OF_SESSIONS = SECURE | TL_CAP_HANDSHAKE_IN_CLEAR | TL_CAP_HBEAT | TL_CAP_KEY_UPD
};

/* With one of `with` there must be one of `needs`, and none of `never`. */
static const struct {
    uint8_t since, owner;
    uint32_t with, needs, never;
} together[] = {
    { TL_SPDM_12, EITHER, SESSION, SECURE, 0 },
    { TL_SPDM_12, EITHER, OF_SESSIONS, SESSION, 0 },
    { TL_SPDM_12, EITHER, TL_CAP_HANDSHAKE_IN_CLEAR, TL_CAP_KEY_EX, 0 },
    { TL_SPDM_12, EITHER, TL_CAP_CERT, 0, TL_CAP_PUB_KEY_ID },
    { TL_SPDM_12, EITHER, TL_CAP_CHAL | TL_CAP_MUT_AUTH, IDENTITY, 0 },
    { TL_SPDM_12, EITHER, TL_CAP_MUT_AUTH, TL_CAP_KEY_EX | TL_CAP_CHAL, 0 },
    { TL_SPDM_12, REQ, IDENTITY, TL_CAP_CHAL | TL_CAP_KEY_EX | TL_CAP_EP_INFO_SIG, 0 },
    { TL_SPDM_12, REQ, TL_CAP_PSK_WITH_CONTEXT, 0, TL_CAP_PSK_WITH_CONTEXT },
    { TL_SPDM_12, RSP, IDENTITY, TL_CAP_CHAL | TL_CAP_KEY_EX | TL_CAP_MEAS_SIG | TL_CAP_EP_INFO_SIG, 0 },
    { TL_SPDM_12, RSP, TL_CAP_KEY_EX | TL_CAP_MEAS_SIG, IDENTITY, 0 },
    { TL_SPDM_12, RSP, TL_CAP_MEAS_NO_SIG, 0, TL_CAP_MEAS_SIG },
    { TL_SPDM_12, RSP, TL_CAP_MEAS_FRESH, MEASURE, 0 },
    { TL_SPDM_12, RSP, TL_CAP_PSK, 0, TL_CAP_PSK_WITH_CONTEXT },
    { TL_SPDM_12, RSP, TL_CAP_ALIAS_CERT | TL_CAP_SET_CERT, TL_CAP_CERT, 0 },
    { TL_SPDM_12, RSP, TL_CAP_CSR, TL_CAP_SET_CERT, 0 },
    { TL_SPDM_12, RSP, TL_CAP_CERT_INSTALL_RESET, TL_CAP_CSR | TL_CAP_SET_CERT, 0 },
    { TL_SPDM_13, EITHER, TL_CAP_EVENT, SESSION, 0 },
    { TL_SPDM_13, EITHER, TL_CAP_EP_INFO_SIG, IDENTITY, TL_CAP_EP_INFO_NO_SIG },
    { TL_SPDM_13, EITHER, TL_CAP_MULTI_KEY_ONLY, 0, TL_CAP_MULTI_KEY_NEG },
    { TL_SPDM_13, EITHER, MULTI_KEY, TL_CAP_CERT, TL_CAP_PUB_KEY_ID },
    { TL_SPDM_13, RSP, MULTI_KEY, TL_CAP_GET_KEY_PAIR_INFO, 0 },
    { TL_SPDM_13, RSP, TL_CAP_PUB_KEY_ID, 0, KEY_PAIRS },
};

/* What an endpoint cannot have in a version is reserved there, and ignored. */
static uint32_t known_flags(uint8_t version, tl_spdm_role owner)
{
    const uint32_t since_13 =
        TL_CAP_EP_INFO_NO_SIG | TL_CAP_EP_INFO_SIG | TL_CAP_MEL | TL_CAP_EVENT | MULTI_KEY | KEY_PAIRS;
    const uint32_t responder = TL_CAP_CACHE | MEASURE | TL_CAP_MEAS_FRESH | TL_CAP_ALIAS_CERT |
                               TL_CAP_SET_CERT | TL_CAP_CSR | TL_CAP_CERT_INSTALL_RESET | TL_CAP_MEL |
                               KEY_PAIRS;
    uint32_t known = 0x3FFFFFFF;

    if (version < TL_SPDM_13)
        known &= ~since_13;
    return owner == TL_SPDM_RESPONDER ? known : known & ~responder;
}

bool tl__flags_right(uint8_t version, tl_spdm_role owner, uint32_t flags)
{
    flags &= known_flags(version, owner);
    for (size_t i = 0; i < sizeof together / sizeof *together; i++) {
        if (version < together[i].since || !(together[i].owner >> owner & 1) || !(flags & together[i].with))
            continue;
        if ((together[i].needs != 0 && !(flags & together[i].needs)) || (flags & together[i].never))
            return false;
    }
    return true;
}

/* ---- what the peer says; both messages have the same fields ---- */

typedef struct said {
    uint32_t ct_exponent, flags, transfer, largest;
} said;

static tl_err check(const tl_spdm_connection *c, uint8_t version, const said *s, const char **field)
{
    tl_spdm_role peer = c->role == TL_SPDM_REQUESTER ? TL_SPDM_RESPONDER : TL_SPDM_REQUESTER;

    *field = "CTExponent";
    if (s->ct_exponent > c->policy->ct_exponent_max)
        return TL_E_POLICY;
    *field = "Flags";
    if (!tl__flags_right(version, peer, s->flags))
        return TL_E_WIRE_VALUE;
    if ((s->flags & c->policy->peer_flags) != c->policy->peer_flags)
        return TL_E_POLICY;
    *field = "DataTransferSize";
    if (s->transfer < TL_SPDM_TRANSFER_MIN)
        return TL_E_WIRE_VALUE;
    *field = "MaxSPDMmsgSize";
    if (s->largest < s->transfer || (!(s->flags & TL_CAP_CHUNK) && s->largest != s->transfer))
        return TL_E_WIRE_VALUE;
    return TL_OK;
}

static void take(tl_spdm_connection *c, uint8_t version, const said *s)
{
    tl_spdm_role peer = c->role == TL_SPDM_REQUESTER ? TL_SPDM_RESPONDER : TL_SPDM_REQUESTER;

    c->peer.flags = s->flags & known_flags(version, peer);
    c->peer.ct_exponent = (uint8_t)s->ct_exponent;
    c->peer.data_transfer_size = s->transfer;
    c->peer.max_message_size = s->largest;
    c->env.version = version;
    c->state = TL_SPDM_AFTER_CAPABILITIES;
}

/* ---- requester ---- */

/* What the policy offers and what there is to serve it with. A requester is never challenged: it has no such flow. */
static uint32_t own_flags(const tl_requester *rq)
{
    uint32_t flags = rq->config->policy->flags & ~(uint32_t)TL_CAP_CHAL;

    if (rq->config->slots_n == 0)
        flags &= ~(uint32_t)(TL_CAP_CERT | TL_CAP_MUT_AUTH);
    if (rq->c.session_ops == NULL || rq->config->sessions_n == 0)
        flags &= ~(uint32_t)(OF_SESSIONS | TL_CAP_KEY_EX | TL_CAP_CERT | TL_CAP_MUT_AUTH);
    return flags;
}

static tl_err build(tl_requester *rq, tl_wr *out)
{
    const tl_spdm_policy *p = rq->config->policy;
    uint32_t transfer = p->data_transfer_size;
    tl_spdm_get_capabilities m = { .ct_exponent = p->ct_exponent };

    rq->c.flags = own_flags(rq);
    if (!tl__flags_right(rq->c.env.version, TL_SPDM_REQUESTER, rq->c.flags))
        return tl__blame(rq, TL_E_CONFIGURATION, "our own flags contradict each other", "policy.flags");
    m.flags = rq->c.flags;
    m.data_transfer_size = m.max_message_size = transfer;
    tl__message_begin(&rq->c, TL_SPDM_GET_CAPABILITIES, 0, 0, out);
    return tl_encode_spdm_get_capabilities(&rq->c.env, &m, out);
}

static tl_err accept(tl_requester *rq, const tl__message *a)
{
    tl_spdm_connection *c = &rq->c;
    tl_rd r = tl_rd_of(a->body);
    tl_spdm_capabilities m;
    const char *field;
    said s;
    tl_err e;

    TL_TRY(tl_decode_spdm_capabilities(&c->env, &r, &m));
    TL_TRY(tl__message_end(&r));
    s = (said){ m.ct_exponent, m.flags, m.data_transfer_size, m.max_message_size };
    e = check(c, c->env.version, &s, &field);
    if (e != TL_OK)
        return tl__blame(rq, e, "the peer's capabilities are refused", field);
    TL_TRY(tl__vca_add(c, tl__sent(rq), a->whole));
    take(c, c->env.version, &s);
    return TL_OK;
}

const tl__step tl__capabilities_step = {
    .name = "CAPABILITIES",
    .clause = "DSP0274 1.3, CAPABILITIES response message",
    .request = TL_SPDM_GET_CAPABILITIES,
    .response = TL_SPDM_CAPABILITIES,
    .where = TL__IN_CLEAR,
    .build = build,
    .accept = accept,
};

/* ---- responder ---- */

/* Param1 asks for the supported algorithms, which come in chunks only (1.3). */
static bool wants_algorithms(const tl__message *q, uint32_t flags)
{
    return q->version >= TL_SPDM_13 && (q->param1 & 1) && !(flags & TL_CAP_CHUNK);
}

tl_err tl__on_get_capabilities(tl_responder *r, const tl__message *q, tl_wr *out)
{
    tl_spdm_connection *c = &r->c;
    const tl_spdm_policy *p = c->policy;
    tl_rd body = tl_rd_of(q->body);
    tl_spdm_get_capabilities m;
    tl_spdm_capabilities answer = { .ct_exponent = p->ct_exponent, .flags = c->flags };
    const char *field;
    size_t start = out->n;
    said s;

    if (c->state != TL_SPDM_AFTER_VERSION)
        return c->state == TL_SPDM_AFTER_CAPABILITIES ? tl__vca_again(c, q->whole, out)
                                                      : TL_E_REPLY_UNEXPECTED_REQUEST;
    if (q->version < p->version_min || q->version > p->version_max)
        return TL_E_REPLY_VERSION_MISMATCH;
    c->env.version = q->version; /* an ERROR is in the version that was asked in, too */
    TL_TRY(tl_decode_spdm_get_capabilities(&c->env, &body, &m));
    TL_TRY(tl__message_end(&body));
    s = (said){ m.ct_exponent, m.flags, m.data_transfer_size, m.max_message_size };
    TL_TRY(check(c, q->version, &s, &field));
    if (wants_algorithms(q, m.flags))
        return TL_E_WIRE_VALUE;
    answer.data_transfer_size = answer.max_message_size = p->data_transfer_size;
    tl__message_begin(c, TL_SPDM_CAPABILITIES, 0, 0, out);
    TL_TRY(tl_encode_spdm_capabilities(&c->env, &answer, out));
    TL_TRY(tl__vca_add(c, q->whole, tl_since(out, start)));
    take(c, q->version, &s);
    return TL_OK;
}
