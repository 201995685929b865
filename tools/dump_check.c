/* Recomputing a connection, message by message. What a message adds to a transcript is added when it was
 * answered, since a request that is answered by ERROR belongs to none.
 *
 *   VCA     GET_VERSION, VERSION, GET_CAPABILITIES, CAPABILITIES, NEGOTIATE_ALGORITHMS, ALGORITHMS
 *   M1, M2  VCA || GET_DIGESTS, DIGESTS, GET_CERTIFICATE, CERTIFICATE ... || CHALLENGE, CHALLENGE_AUTH
 *   L1, L2  VCA || GET_MEASUREMENTS, MEASUREMENTS ...; one in clear, one for each session; before 1.2
 *           without VCA */
#include "dump_check.h"
#include "agreement.h"

#include <string.h>

enum { HEADER = 4, NOT_READY = TL_SPDM_RESPONSE_NOT_READY, UPDATE_KEY = 1, UPDATE_ALL = 2, SLOT_MASK = 0x0F };

/* ---- the message's own line ---- */

static void expect_line(dump_check *c, keys_message *line, const dump_session *s)
{
    line->session = s != NULL ? s->id : 0;
    dump_keys_message(c->keys, line);
}

static void expect_message(dump_check *c, const dump_message *m, const dump_session *s)
{
    keys_message line = { .request = m->request, .code = m->code, .size = (uint32_t)m->given };
    const char *name = tl_spdm_code_text(m->code);

    (void)snprintf(line.name, sizeof line.name, name != NULL ? "SPDM_%s" : "<unknown>", name);
    expect_line(c, &line, s);
}

void dump_check_application(dump_check *c, tl_span data, bool request, const dump_session *s)
{
    keys_message line = { .name = "<unknown>", .request = request, .size = (uint32_t)data.n };

    line.code = data.n > 1 ? data.p[1] : 0;
    expect_line(c, &line, s);
}

/* ---- starting again ---- */

/* In place of what was kept. */
static void keep_only(dump_bytes *kept, tl_span s)
{
    kept->n = 0;
    kept->cut = false;
    dump_keep(kept, s);
}

static void forget_connection(dump_check *c)
{
    dump_hash_drop(c, &c->m);
    dump_hash_drop(c, &c->l);
    for (size_t i = 0; i < DUMP_CHAINS; i++)
        dump_chain_drop(c, &c->chains[i]);
    keep_only(&c->vca, tl_span_of(NULL, 0));
    keep_only(&c->digests, tl_span_of(NULL, 0));
    keep_only(&c->inner_digests, tl_span_of(NULL, 0));
    c->algs = (tl_spdm_algs){ 0 };
}

void dump_check_wipe(dump_check *c)
{
    forget_connection(c);
    for (size_t i = 0; i < DUMP_SESSIONS; i++)
        dump_session_drop(c, &c->sessions[i]);
}

/* ---- VCA ---- */

static void add_vca(dump_check *c, const dump_message *m)
{
    dump_keep(&c->vca, dump_kept(&c->asked));
    dump_keep(&c->vca, m->whole);
    if (m->code != TL_SPDM_ALGORITHMS)
        return;
    c->algs = dump_known(&c->context->chosen);
    if (c->algs.hash == TL_HASH_NONE)
        dump_report_failed(c->report, "not checked: the hash %s is not known",
                           dump_alg_name(DUMP_HASH, c->context->chosen.hash));
}

/* ---- M1, M2 ---- */

static void add_m(dump_check *c, tl_span response)
{
    if (c->m.slot == 0 && !dump_hash_begin(c, &c->m))
        return;
    if (!dump_hash_add(c, c->m, dump_kept(&c->asked)) || !dump_hash_add(c, c->m, response))
        dump_hash_drop(c, &c->m);
}

/* DIGESTS and the chains that were read must agree. */
static void compare_digests(dump_check *c)
{
    size_t size = tl_hash_size(c->algs.hash);
    tl_rd r = tl_rd_of(dump_kept(&c->digests));
    const uint8_t *header = tl_take(&r, HEADER);

    for (unsigned slot = 0; header != NULL && size != 0 && slot < TL_SPDM_SLOTS; slot++) {
        const dump_chain *chain = &c->chains[slot];
        tl_span told;

        if ((header[3] >> slot & 1) == 0)
            continue;
        told = tl_get_bytes(&r, size);
        if (chain->whole && !tl_equal(told, dump_digest_span(c, chain->digest)))
            dump_report_failed(c->report, "digest of slot %u: DIGESTS has another one than the chain", slot);
    }
}

static void on_digests(dump_check *c, const dump_message *m, bool clear)
{
    keep_only(&c->digests, m->whole);
    compare_digests(c);
    if (!clear)
        return;
    dump_hash_drop(c, &c->m);
    add_m(c, m->whole);
}

static void on_certificate(dump_check *c, const dump_message *m, bool clear)
{
    unsigned slot = m->param1 & SLOT_MASK;

    if (clear)
        add_m(c, m->whole);
    if (slot != (c->context->asked.param1 & SLOT_MASK) || slot >= TL_SPDM_SLOTS) {
        dump_report_failed(c->report, "chain: a portion of slot %u answers a request for slot %u", slot,
                           c->context->asked.param1 & SLOT_MASK);
        return;
    }
    dump_chain_portion(c, slot, c->asked_offset, &m->body.spdm_certificate);
    compare_digests(c);
}

static void on_challenge_auth(dump_check *c, const dump_message *m)
{
    const tl_spdm_challenge_auth *b = &m->body.spdm_challenge_auth;
    uint8_t m1[TL_HASH_MAX];
    unsigned slot = m->param1 & SLOT_MASK;
    dump_chain *chain = dump_chain_of(c, slot);

    if (b->measurement_hash.n > 0)
        dump_keys_expect(c->keys, "measurement_summary_hash", b->measurement_hash);
    if (slot != c->context->asked.param1)
        dump_report_failed(c->report, "slot %u answers a request for slot %u", slot,
                           c->context->asked.param1);
    if (chain != NULL && !tl_equal(b->chain_hash, dump_digest_span(c, chain->digest)))
        dump_report_failed(c->report, "digest of slot %u: CHALLENGE_AUTH has another one than the chain",
                           slot);
    add_m(c, tl_span_of(m->whole.p, m->whole.n - b->signature.n));
    if (chain != NULL && c->m.slot != 0 && dump_hash_so_far(c, c->m, m1))
        dump_check_signature(c, chain, c->algs.sign, "responder-challenge_auth signing", m1, b->signature);
    dump_hash_drop(c, &c->m);
}

/* ---- L1, L2 ---- */

static bool begin_l(dump_check *c, tl_hash *l)
{
    dump_bytes *vca = &c->vca;
    size_t n = vca->n;
    bool right;

    if (l->slot != 0)
        return true;
    if (c->context->version < TL_SPDM_12)
        vca->n = 0;
    right = dump_hash_begin(c, l);
    vca->n = n;
    return right;
}

static void on_measurements(dump_check *c, const dump_message *m, tl_hash *l)
{
    tl_span signature = m->body.spdm_measurements.signature;
    tl_rd r = tl_rd_of(dump_kept(&c->asked));
    uint8_t l1[TL_HASH_MAX];
    dump_chain *chain;

    if (!begin_l(c, l) || !dump_hash_add(c, *l, dump_kept(&c->asked)) ||
        !dump_hash_add(c, *l, tl_span_of(m->whole.p, m->whole.n - signature.n)))
        return;
    if (signature.n == 0)
        return;
    (void)tl_take(&r, HEADER + TL_SPDM_NONCE);
    chain = dump_chain_of(c, m->version > TL_SPDM_10 ? tl_get(&r, 1, TL_LITTLE) & SLOT_MASK : 0);
    if (chain != NULL && dump_hash_so_far(c, *l, l1))
        dump_check_signature(c, chain, c->algs.sign, "responder-measurements signing", l1, signature);
    dump_hash_drop(c, l);
}

/* ---- encapsulated messages: the requester's chain ---- */

/* The message inside; empty if there is none. */
static tl_span encapsulated(const dump_message *m)
{
    tl_rd r = tl_rd_of(m->whole);
    bool acknowledges = m->code == TL_SPDM_ENCAPSULATED_RESPONSE_ACK;

    (void)tl_take(&r, HEADER);
    if (acknowledges && m->version >= TL_SPDM_12)
        (void)tl_take(&r, 4);
    if (acknowledges && m->param2 != 1)
        return tl_span_of(NULL, 0);
    return tl_rd_rest(&r);
}

static void on_encapsulated(dump_check *c, const dump_message *m)
{
    tl_span inner = encapsulated(m);
    dump_context context = *c->context;
    dump_message i;

    if (inner.n == 0)
        return;
    dump_message_read(&context, inner, 0, &i);
    if (i.error == TL_OK && i.code == TL_SPDM_GET_CERTIFICATE)
        c->inner_offset = i.body.spdm_get_certificate.offset;
    else if (i.error == TL_OK && i.code == TL_SPDM_CERTIFICATE)
        dump_chain_portion(c, DUMP_REQUESTER_CHAIN, c->inner_offset, &i.body.spdm_certificate);
    else if (i.code == TL_SPDM_DIGESTS)
        keep_only(&c->inner_digests, inner);
    else if (i.code != TL_SPDM_GET_DIGESTS)
        dump_report_failed(c->report, "not checked: encapsulated message 0x%02x", i.code);
}

/* ---- requests ---- */

/* What the requester computed before it sent this. */
static void before(dump_check *c, const dump_message *m, dump_session *s)
{
    switch (m->code) {
    case TL_SPDM_KEY_EXCHANGE:
        dump_keys_expect(c->keys, "requester_random", m->body.spdm_key_exchange.random);
        break;
    case TL_SPDM_FINISH:
        if (s != NULL)
            dump_session_finish(c, s, m);
        break;
    case TL_SPDM_KEY_UPDATE:
        if (s != NULL && m->param1 == UPDATE_ALL)
            dump_session_update(c, s, 1);
        break;
    default: break;
    }
}

/* A request ends the transcripts that it does not belong to. */
static void end_transcripts(dump_check *c, const dump_message *m, dump_session *s)
{
    switch (m->code) {
    case TL_SPDM_GET_VERSION: forget_connection(c); break;
    case TL_SPDM_GET_DIGESTS:
    case TL_SPDM_GET_CERTIFICATE:
    case TL_SPDM_CHALLENGE: break;
    default: dump_hash_drop(c, &c->m); break;
    }
    if (m->code != TL_SPDM_GET_MEASUREMENTS)
        dump_hash_drop(c, s != NULL ? &s->l : &c->l);
}

/* Our own controllers tell their chain before a session, in a message of their vendor's, and what streams need inside. */
static void on_vendor(dump_check *c, const tl_spdm_vendor_defined *v, const dump_session *s)
{
    agreement a;

    if (!agreement_is_ours(v->standard, v->vendor_id) || agreement_read(v->payload, &a) != TL_OK)
        return;
    if (s == NULL && a.kind == TL_AGREEMENT_CHAIN)
        dump_chain_told(c, a.body.chain.certificates);
    if (s != NULL && !s->handshake && c->listener != NULL)
        c->listener->agreed(c->listener->ctx, s, &a);
}

static void on_request(dump_check *c, const dump_message *m, dump_session *s)
{
    if (m->code == TL_SPDM_RESPOND_IF_READY)
        return;
    end_transcripts(c, m, s);
    keep_only(&c->asked, m->whole);
    if (m->code == TL_SPDM_GET_CERTIFICATE)
        c->asked_offset = m->body.spdm_get_certificate.offset;
    if (m->code == TL_SPDM_DELIVER_ENCAPSULATED_RESPONSE)
        on_encapsulated(c, m);
    if (m->code == TL_SPDM_VENDOR_DEFINED_REQUEST)
        on_vendor(c, &m->body.spdm_vendor_defined, s);
}

/* ---- responses ---- */

static void on_update(dump_check *c, const dump_message *m, dump_session *s)
{
    if (m->param1 != c->context->asked.param1 || m->param2 != c->context->asked.param2)
        dump_report_failed(c->report, "key update: the answer repeats another operation or tag");
    if (m->param1 == UPDATE_KEY || m->param1 == UPDATE_ALL)
        dump_session_update(c, s, 0);
}

static void on_session_response(dump_check *c, const dump_message *m, dump_session *s)
{
    switch (m->code) {
    case TL_SPDM_FINISH_RSP: dump_session_finished(c, s, m); break;
    case TL_SPDM_KEY_UPDATE_ACK: on_update(c, m, s); break;
    case TL_SPDM_VENDOR_DEFINED_RESPONSE: on_vendor(c, &m->body.spdm_vendor_defined, s); break;
    case TL_SPDM_END_SESSION_ACK: dump_session_drop(c, s); break;
    default: break;
    }
}

static void on_response(dump_check *c, const dump_message *m, dump_session *s)
{
    switch (m->code) {
    case TL_SPDM_VERSION:
    case TL_SPDM_CAPABILITIES:
    case TL_SPDM_ALGORITHMS: add_vca(c, m); break;
    case TL_SPDM_DIGESTS: on_digests(c, m, s == NULL); break;
    case TL_SPDM_CERTIFICATE: on_certificate(c, m, s == NULL); break;
    case TL_SPDM_CHALLENGE_AUTH: on_challenge_auth(c, m); break;
    case TL_SPDM_MEASUREMENTS: on_measurements(c, m, s != NULL ? &s->l : &c->l); break;
    case TL_SPDM_KEY_EXCHANGE_RSP: dump_session_begin(c, m); break;
    case TL_SPDM_ENCAPSULATED_REQUEST:
    case TL_SPDM_ENCAPSULATED_RESPONSE_ACK: on_encapsulated(c, m); break;
    case TL_SPDM_PSK_EXCHANGE_RSP: c->report->sessions++; break;
    default:
        if (s != NULL)
            on_session_response(c, m, s);
        break;
    }
}

/* Does this answer what was asked? */
static bool answers(dump_check *c, const dump_message *m)
{
    const dump_asked *asked = &c->context->asked;

    if (m->code == TL_SPDM_ERROR && m->param1 == NOT_READY)
        return false;
    if (m->code != TL_SPDM_ERROR && (c->asked.n == 0 || m->code != (asked->code & 0x7F))) {
        dump_report_failed(c->report, "it answers no request that is in the recording");
        return false;
    }
    return m->code != TL_SPDM_ERROR;
}

/* Messages that nothing here looks into. */
static bool is_foreign(const dump_message *m)
{
    switch (m->code) {
    case TL_SPDM_DELIVER_ENCAPSULATED_RESPONSE:
    case TL_SPDM_ENCAPSULATED_REQUEST:
    case TL_SPDM_ENCAPSULATED_RESPONSE_ACK: return false;
    default: return m->rows == NULL && m->whole.n > HEADER;
    }
}

static void check_header(dump_check *c, const dump_message *m)
{
    unsigned version = c->context->version, sent = m->version;
    const char *name = tl_spdm_code_text(m->code);

    if (m->error != TL_OK)
        dump_report_failed(c->report, "malformed: %s", tl_err_text(m->error));
    else if (is_foreign(m))
        dump_report_failed(c->report, "not checked: %s is not known", name != NULL ? name : "this message");
    if (version != 0 && m->code != TL_SPDM_GET_VERSION && sent != version)
        dump_report_failed(c->report, "version %u.%u in a connection of %u.%u", m->version >> 4,
                           m->version & 15, version >> 4, version & 15);
}

void dump_check_message(dump_check *c, const dump_message *m, dump_session *s)
{
    dump_session *in_clear = dump_session_in_clear(c);
    bool finish = m->code == TL_SPDM_FINISH || m->code == TL_SPDM_FINISH_RSP;

    check_header(c, m);
    if (m->error == TL_OK && m->request)
        before(c, m, s == NULL && finish ? in_clear : s);
    expect_message(c, m, s);
    if (m->error != TL_OK)
        return;
    if (m->request) {
        on_request(c, m, s);
    } else if (answers(c, m)) {
        on_response(c, m, s == NULL && finish ? in_clear : s);
        c->asked.n = 0;
    }
}

void dump_check_chain(dump_check *c, const dump_message *m)
{
    const tl_spdm_certificate *b = &m->body.spdm_certificate;
    unsigned slot = m->param1 & SLOT_MASK;

    if (m->error != TL_OK)
        return;
    if (m->code == TL_SPDM_ALGORITHMS)
        c->algs = dump_known(&c->context->chosen);
    if (m->code == TL_SPDM_GET_CERTIFICATE)
        c->asked_offset = m->body.spdm_get_certificate.offset;
    if (m->code == TL_SPDM_CERTIFICATE && slot < TL_SPDM_SLOTS)
        dump_chain_portion(c, slot, c->asked_offset, b);
}
