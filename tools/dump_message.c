/* Taking SPDM messages apart. The rows do it; what stands here is which rows belong to a code, and the
 * sizes that a message takes from what was negotiated and from the request that it answers. */
#include "dump_message.h"

#include <string.h>

enum { HEADER = 4, SIGNATURE_ASKED = 1, DIGEST_KEY_INFO = 4, MULTI_KEY = 0x10 };

const tl_message *dump_rows(const char *name)
{
    for (const tl_message *m = tl_messages; m->name != NULL; m++)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}

/* The rows of a code; vendor-defined requests and responses share theirs. */
static const tl_message *rows_of(uint8_t code)
{
    static const struct {
        uint8_t code;
        const char *name;
    } rows[] = {
#define MSG(name, number) { number, #name },
#define END(name)
#include <trueline/def/quiet.h>
#include <trueline/def/spdm.def>
#include <trueline/def/none.h>
    };

    if (code == TL_SPDM_VENDOR_DEFINED_RESPONSE)
        code = TL_SPDM_VENDOR_DEFINED_REQUEST;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (code != 0 && rows[i].code == code)
            return dump_rows(rows[i].name);
    return NULL;
}

bool dump_is_bare(uint8_t code)
{
    static const uint8_t bare[] = { TL_SPDM_GET_VERSION,      TL_SPDM_GET_DIGESTS,
                                    TL_SPDM_HEARTBEAT,        TL_SPDM_HEARTBEAT_ACK,
                                    TL_SPDM_KEY_UPDATE,       TL_SPDM_KEY_UPDATE_ACK,
                                    TL_SPDM_END_SESSION,      TL_SPDM_END_SESSION_ACK,
                                    TL_SPDM_RESPOND_IF_READY, TL_SPDM_GET_ENCAPSULATED_REQUEST };

    return memchr(bare, code, sizeof bare) != NULL;
}

bool dump_both(const dump_context *c, uint32_t flags)
{
    return (c->requester_flags & c->responder_flags & flags) == flags;
}

/* DSP0274 1.3, "MULTI_KEY_CAP": always, or as the peer asks for it. */
bool dump_multi_key(const dump_context *c, tl_spdm_role role)
{
    bool responder = role == TL_SPDM_RESPONDER;
    uint32_t flags = responder ? c->responder_flags : c->requester_flags;
    unsigned asked = responder ? c->chosen.offered_params : c->chosen.other_params;

    if (c->version < TL_SPDM_13)
        return false;
    return (flags & TL_CAP_MULTI_KEY_ONLY) != 0 ||
           ((flags & TL_CAP_MULTI_KEY_NEG) != 0 && (asked & MULTI_KEY) != 0);
}

/* ---- sizes ---- */

/* A measurement summary hash stands where it was asked for. */
static uint16_t summary_size(const dump_context *c)
{
    return c->asked.param1 != TL_SPDM_SUMMARY_NONE ? c->env.len[TL_LEN_HASH] : 0;
}

static tl_env env_of(const dump_context *c, const dump_message *m)
{
    tl_env env = c->env;
    bool clear = dump_both(c, TL_CAP_HANDSHAKE_IN_CLEAR), asked = (c->asked.param1 & SIGNATURE_ASKED) != 0;

    env.version = m->version;
    switch (m->code) {
    case TL_SPDM_CHALLENGE_AUTH: /* the summary is asked for in Param2 */
        env.len[TL_LEN_MSH] = c->asked.param2 != TL_SPDM_SUMMARY_NONE ? env.len[TL_LEN_HASH] : 0;
        break;
    case TL_SPDM_GET_MEASUREMENTS:
        env.len[TL_LEN_NONCE] = (m->param1 & SIGNATURE_ASKED) != 0 ? TL_SPDM_NONCE : 0;
        env.len[TL_LEN_SLOT] = (m->param1 & SIGNATURE_ASKED) != 0 ? 1 : 0;
        break;
    case TL_SPDM_MEASUREMENTS: env.len[TL_LEN_SIG] = asked ? env.len[TL_LEN_SIG] : 0; break;
    case TL_SPDM_KEY_EXCHANGE_RSP:
        env.len[TL_LEN_MSH] = summary_size(c);
        env.len[TL_LEN_HMAC] = clear ? 0 : env.len[TL_LEN_HASH];
        break;
    case TL_SPDM_FINISH:
        env.len[TL_LEN_SIG] = (m->param1 & SIGNATURE_ASKED) != 0 ? c->requester_signature : 0;
        env.len[TL_LEN_HMAC] = env.len[TL_LEN_HASH];
        break;
    case TL_SPDM_FINISH_RSP: env.len[TL_LEN_HMAC] = clear ? env.len[TL_LEN_HASH] : 0; break;
    default: break;
    }
    return env;
}

static unsigned bits(unsigned mask)
{
    unsigned n = 0;

    for (; mask != 0; mask &= mask - 1)
        n++;
    return n;
}

/* How long a message says that it is, where its last row takes all that is left; 0: it does not say. */
static size_t told_size(const dump_context *c, const dump_message *m)
{
    size_t each = c->env.len[TL_LEN_HASH];

    switch (m->code) {
    case TL_SPDM_VERSION: return HEADER + 2 + 2 * (size_t)m->body.spdm_version.count;
    case TL_SPDM_NEGOTIATE_ALGORITHMS: return m->body.spdm_negotiate_algorithms.length;
    case TL_SPDM_ALGORITHMS: return m->body.spdm_algorithms.length;
    case TL_SPDM_DIGESTS:
        if (dump_multi_key(c, TL_SPDM_RESPONDER))
            each += DIGEST_KEY_INFO;
        return HEADER + each * bits(m->param2);
    default: return 0;
    }
}

/* ---- reading ---- */

static bool zeros(tl_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != 0)
            return false;
    return true;
}

/* Cuts a message to its size, if nothing but padding follows. */
static tl_err trim(dump_message *m, size_t size, size_t pad_max)
{
    if (size > m->whole.n)
        return TL_E_WIRE_SHORT;
    if (m->whole.n - size > pad_max || !zeros(tl_span_of(m->whole.p + size, m->whole.n - size)))
        return TL_E_WIRE_TRAILING;
    m->whole.n = size;
    return TL_OK;
}

static tl_err read_body(const dump_context *c, size_t pad_max, dump_message *m)
{
    tl_rd r = tl_rd_of(tl_span_of(m->whole.p + HEADER, m->whole.n - HEADER)), again;
    size_t told;

    m->env = env_of(c, m);
    m->rows = rows_of(m->code);
    if (m->rows == NULL)
        return dump_is_bare(m->code) ? trim(m, HEADER, pad_max) : TL_OK;
    if (m->rows->size > sizeof m->body)
        return TL_E_USAGE;
    again = r;
    TL_TRY(tl_decode(m->rows->rows(), &m->env, &r, &m->body));
    told = told_size(c, m);
    if (told == 0)
        return trim(m, m->whole.n - r.n, pad_max);
    if (told < HEADER)
        return TL_E_WIRE_VALUE;
    TL_TRY(trim(m, told, pad_max));
    again.n = told - HEADER;
    return tl_decode(m->rows->rows(), &m->env, &again, &m->body);
}

void dump_message_read(dump_context *c, tl_span bytes, size_t pad_max, dump_message *m)
{
    tl_rd r = tl_rd_of(bytes);

    memset(m, 0, sizeof *m);
    m->whole = bytes;
    m->given = bytes.n;
    m->version = (uint8_t)tl_get(&r, 1, TL_LITTLE);
    m->code = (uint8_t)tl_get(&r, 1, TL_LITTLE);
    m->param1 = (uint8_t)tl_get(&r, 1, TL_LITTLE);
    m->param2 = (uint8_t)tl_get(&r, 1, TL_LITTLE);
    m->request = (m->code & 0x80) != 0;
    m->error = r.bad ? TL_E_WIRE_SHORT : read_body(c, pad_max, m);
}

/* ---- learning ---- */

static void learn_table(dump_chosen *chosen, const tl_spdm_algorithm_table *t)
{
    switch (t->type) {
    case 2: chosen->dhe = t->algorithms; break;
    case 3: chosen->aead = t->algorithms; break;
    case 4: chosen->req_asym = t->algorithms; break;
    case 5: chosen->schedule = t->algorithms; break;
    case 6: chosen->req_pqc_asym = t->algorithms; break;
    case 7: chosen->kem = t->algorithms; break;
    default: break;
    }
}

static uint16_t size_of(dump_alg_kind kind, uint32_t mask)
{
    const dump_alg *alg = dump_alg_of(kind, mask);

    return alg != NULL ? alg->size : 0;
}

static uint16_t signature_size(uint32_t asym, uint32_t pqc)
{
    return asym != 0 ? size_of(DUMP_ASYM, asym) : size_of(DUMP_PQC_ASYM, pqc);
}

static void learn_algorithms(dump_context *c, const dump_message *m)
{
    const tl_spdm_algorithms *a = &m->body.spdm_algorithms;
    dump_chosen *chosen = &c->chosen;
    const dump_alg *kem;
    tl_rd r = tl_rd_of(a->tables);
    tl_spdm_algorithm_table t;
    uint8_t offered = chosen->offered_params;

    *chosen = (dump_chosen){ .hash = a->base_hash,
                             .measurement_hash = a->measurement_hash,
                             .asym = a->base_asym,
                             .pqc_asym = m->version >= 0x14 ? a->pqc_asym : 0,
                             .offered_params = offered,
                             .other_params = (uint8_t)a->other_params };
    (void)tl_take(&r, 4 * ((size_t)a->ext_asym_count + a->ext_hash_count));
    while (tl_each_spdm_algorithm_table(&r, &m->env, &t)) {
        learn_table(chosen, &t);
        (void)tl_take(&r, 4 * (size_t)t.ext_count);
    }
    c->env.len[TL_LEN_HASH] = size_of(DUMP_HASH, chosen->hash);
    c->env.len[TL_LEN_SIG] = signature_size(chosen->asym, chosen->pqc_asym);
    c->requester_signature = signature_size(chosen->req_asym, chosen->req_pqc_asym);
    c->env.len[TL_LEN_KEX] = size_of(DUMP_DHE, chosen->dhe);
    c->env.len[TL_LEN_KEXR] = c->env.len[TL_LEN_KEX];
    kem = dump_alg_of(DUMP_KEM, chosen->kem);
    if (chosen->dhe == 0 && kem != NULL) {
        c->env.len[TL_LEN_KEX] = kem->size;
        c->env.len[TL_LEN_KEXR] = kem->response;
    }
    c->negotiated = true;
}

void dump_context_learn(dump_context *c, const dump_message *m)
{
    if (m->error != TL_OK)
        return;
    if (m->code == TL_SPDM_GET_VERSION)
        *c = (dump_context){ 0 };
    if (m->request && m->code != TL_SPDM_RESPOND_IF_READY)
        c->asked = (dump_asked){ m->code, m->param1, m->param2 };
    switch (m->code) {
    case TL_SPDM_GET_CAPABILITIES: c->requester_flags = m->body.spdm_get_capabilities.flags; break;
    case TL_SPDM_CAPABILITIES:
        c->responder_flags = m->body.spdm_capabilities.flags;
        c->version = c->env.version = m->version;
        break;
    case TL_SPDM_NEGOTIATE_ALGORITHMS:
        c->chosen.offered_params = (uint8_t)m->body.spdm_negotiate_algorithms.other_params;
        break;
    case TL_SPDM_ALGORITHMS: learn_algorithms(c, m); break;
    default: break;
    }
}
