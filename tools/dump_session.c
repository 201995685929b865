/* Sessions of a recording: the key schedule from the exchanged secret, the finished messages, and the
 * records.
 *
 *   TH = VCA || [DIGESTS] || Ct || KEY_EXCHANGE || KEY_EXCHANGE_RSP
 *            || [[DIGESTS] || Cm] || FINISH || FINISH_RSP
 *
 * Ct and Cm are digests of chains. A signature and a verify data cover what stands before them; TH1 ends
 * before KEY_EXCHANGE_RSP's verify data, TH2 after FINISH_RSP. DIGESTS stands before a chain whose owner
 * has several keys. */
#include "dump_check.h"

#include <stdlib.h>
#include <string.h>

enum { SECRET_MAX = 1024 };

void dump_session_drop(dump_check *c, dump_session *s)
{
    dump_hash_drop(c, &s->th);
    dump_hash_drop(c, &s->l);
    for (unsigned i = 0; i < 2; i++)
        tl_record_key_drop(&s->keys[i], c->crypto);
    tl_wipe(s, sizeof *s);
}

dump_session *dump_session_of(dump_check *c, uint32_t id)
{
    for (size_t i = 0; i < DUMP_SESSIONS; i++)
        if (c->sessions[i].used && c->sessions[i].id == id)
            return &c->sessions[i];
    return NULL;
}

dump_session *dump_session_in_clear(dump_check *c)
{
    for (size_t i = 0; i < DUMP_SESSIONS; i++)
        if (c->sessions[i].used && c->sessions[i].handshake && c->sessions[i].clear)
            return &c->sessions[i];
    return NULL;
}

/* A place for a new session; an older one of the same id is over. */
static dump_session *place(dump_check *c, uint32_t id)
{
    dump_session *s = dump_session_of(c, id);

    for (size_t i = 0; i < DUMP_SESSIONS && s == NULL; i++)
        if (!c->sessions[i].used)
            s = &c->sessions[i];
    if (s == NULL) {
        dump_report_failed(c->report, "not checked: more than %d sessions at once", (int)DUMP_SESSIONS);
        return NULL;
    }
    dump_session_drop(c, s);
    s->used = s->handshake = true;
    s->id = id;
    return s;
}

static void expect_secret(dump_check *c, const char *name, const tl_secret *secret)
{
    dump_keys_expect(c->keys, name, dump_digest_span(c, secret->bytes));
}

/* Key and IV of a direction; its records are read with them from now on. */
static bool take_key(dump_check *c, dump_session *s, unsigned direction, const tl_secret *secret)
{
    uint8_t key[32] = { 0 }, iv[TL_NONCE_SIZE] = { 0 };
    tl_err e;

    tl_record_key_drop(&s->keys[direction], c->crypto);
    e = tl_record_key_bytes(&s->schedule, secret, key, iv);
    if (e == TL_OK)
        e = tl_record_key_derive(&s->schedule, secret, &s->keys[direction]);
    if (e != TL_OK) {
        dump_failed_call(c, "record key", e);
        return false;
    }
    dump_keys_expect(c->keys, "key", tl_span_of(key, tl_suite_key_size(s->schedule.aead)));
    dump_keys_expect(c->keys, "iv", tl_span_of(iv, sizeof iv));
    tl_wipe(key, sizeof key);
    return true;
}

/* Compares a verify data with the one of the message and of the file. */
static void check_verify_data(dump_check *c, const dump_session *s, const tl_secret *direction,
                              const uint8_t transcript[TL_HASH_MAX], tl_span sent)
{
    uint8_t mac[TL_HASH_MAX] = { 0 };
    tl_err e = tl_schedule_verify_data(&s->schedule, direction, dump_digest_span(c, transcript), mac);

    if (e != TL_OK) {
        dump_failed_call(c, "verify data", e);
        return;
    }
    dump_keys_expect(c->keys, "th_curr_hmac", dump_digest_span(c, mac));
    if (!tl_equal(dump_digest_span(c, mac), sent))
        dump_report_failed(c->report, "verify data: the message has another one");
}

/* ---- KEY_EXCHANGE_RSP ---- */

/* What keeps the session from being computed; NULL: nothing. */
static const char *unknown(const dump_check *c)
{
    if (c->context->version < 0x11 || c->context->version > 0x14)
        return "this version of SPDM is not known";
    if (c->algs.hash == TL_HASH_NONE)
        return "the hash is not known";
    if (c->algs.aead == TL_SUITE_NONE)
        return "the cipher is not known";
    if (!dump_both(c->context, TL_CAP_ENCRYPT | TL_CAP_MAC))
        return "its records are not encrypted";
    if (c->asked.cut || c->vca.cut || c->digests.cut)
        return "a message of its transcript is too long";
    return NULL;
}

/* TH up to the signature of KEY_EXCHANGE_RSP. */
static bool begin_transcript(dump_check *c, dump_session *s, const dump_chain *chain, tl_span signed_part)
{
    bool multi_key = dump_multi_key(c->context, TL_SPDM_RESPONDER);

    return dump_hash_begin(c, &s->th) && (!multi_key || dump_hash_add(c, s->th, dump_kept(&c->digests))) &&
           dump_hash_add(c, s->th, dump_digest_span(c, chain->digest)) &&
           dump_hash_add(c, s->th, dump_kept(&c->asked)) && dump_hash_add(c, s->th, signed_part);
}

static bool check_exchange(dump_check *c, dump_session *s, const tl_spdm_key_exchange_rsp *b,
                           dump_chain *chain)
{
    uint8_t th[TL_HASH_MAX];

    dump_keys_expect(c->keys, "responder_random", b->random);
    if (b->measurement_hash.n > 0)
        dump_keys_expect(c->keys, "measurement_summary_hash", b->measurement_hash);
    if (!dump_hash_so_far(c, s->th, th))
        return false;
    dump_keys_expect(c->keys, "th_curr_hash", dump_digest_span(c, th));
    dump_keys_expect(c->keys, "signature", b->signature);
    dump_check_signature(c, chain, c->algs.sign, "responder-key_exchange_rsp signing", th, b->signature);
    memcpy(s->proven[0], chain->digest, TL_HASH_MAX);
    return dump_hash_add(c, s->th, b->signature);
}

/* From TH1 to the keys of the handshake. */
static bool derive_handshake(dump_check *c, dump_session *s, uint8_t th1[TL_HASH_MAX])
{
    uint8_t secret[SECRET_MAX];
    size_t n;
    tl_secret finished[2];
    tl_err e;

    if (!dump_hash_so_far(c, s->th, th1))
        return false;
    dump_keys_expect(c->keys, "th1", dump_digest_span(c, th1));
    if (!dump_keys_input(c->keys, "dhe_secret", secret, sizeof secret, &n))
        return false;
    e = tl_schedule_handshake(&s->schedule, tl_span_of(secret, n), dump_digest_span(c, th1), &s->secrets);
    tl_wipe(secret, sizeof secret);
    if (e == TL_OK)
        e = tl_schedule_finished_key(&s->schedule, &s->secrets.request, &finished[0]);
    if (e == TL_OK)
        e = tl_schedule_finished_key(&s->schedule, &s->secrets.response, &finished[1]);
    if (e != TL_OK) {
        dump_failed_call(c, "key schedule", e);
        return false;
    }
    expect_secret(c, "handshake_secret", &s->secrets.handshake);
    expect_secret(c, "request_handshake_secret", &s->secrets.request);
    expect_secret(c, "response_handshake_secret", &s->secrets.response);
    expect_secret(c, "finished_key", &finished[0]);
    expect_secret(c, "finished_key", &finished[1]);
    tl_wipe(finished, sizeof finished);
    return take_key(c, s, 0, &s->secrets.request) && take_key(c, s, 1, &s->secrets.response);
}

void dump_session_begin(dump_check *c, const dump_message *m)
{
    const tl_spdm_key_exchange_rsp *b = &m->body.spdm_key_exchange_rsp;
    tl_rd r = tl_rd_of(dump_kept(&c->asked));
    uint8_t th1[TL_HASH_MAX];
    const char *why = unknown(c);
    dump_session *s;
    dump_chain *chain;

    (void)tl_take(&r, 4);
    c->report->sessions++;
    s = place(c, (uint32_t)tl_get(&r, 2, TL_LITTLE) | b->session_id << 16);
    if (s == NULL)
        return;
    if (why != NULL) {
        dump_report_failed(c->report, "not checked: session %08x: %s", s->id, why);
        return;
    }
    chain = dump_chain_of(c, c->context->asked.param2);
    if (chain == NULL)
        return;
    s->schedule = (tl_schedule){ c->crypto, c->context->version, c->algs.hash, c->algs.aead };
    s->slot = c->context->asked.param2;
    s->clear = dump_both(c->context, TL_CAP_HANDSHAKE_IN_CLEAR);
    s->mutual = b->mut_auth_requested != 0;
    if (!begin_transcript(c, s, chain,
                          tl_span_of(m->whole.p, m->whole.n - b->signature.n - b->verify_data.n)) ||
        !check_exchange(c, s, b, chain) || !derive_handshake(c, s, th1))
        return;
    s->known = true;
    if (s->clear)
        return;
    check_verify_data(c, s, &s->secrets.response, th1, b->verify_data);
    s->known = dump_hash_add(c, s->th, b->verify_data);
}

/* ---- FINISH ---- */

/* The requester's signature, and what is before it in TH. */
static bool check_mutual(dump_check *c, dump_session *s, const tl_spdm_finish *b)
{
    uint8_t th[TL_HASH_MAX];

    if (!dump_hash_so_far(c, s->th, th))
        return false;
    dump_keys_expect(c->keys, "th_curr_hash", dump_digest_span(c, th));
    dump_keys_expect(c->keys, "signature", b->signature);
    dump_check_signature(c, &c->chains[DUMP_REQUESTER_CHAIN], c->algs.req_sign, "requester-finish signing",
                         th, b->signature);
    memcpy(s->proven[1], c->chains[DUMP_REQUESTER_CHAIN].digest, TL_HASH_MAX);
    return dump_hash_add(c, s->th, b->signature);
}

/* Where the requester was asked who it is, a FINISH that nobody signed is none. */
static bool check_signed(dump_check *c, dump_session *s, const dump_chain *chain, const tl_spdm_finish *b)
{
    if (b->signature.n > 0)
        return chain != NULL && check_mutual(c, s, b);
    if (s->mutual)
        dump_report_failed(c->report,
                           "requester-finish signing: there is no signature, and one was asked for");
    return !s->mutual;
}

void dump_session_finish(dump_check *c, dump_session *s, const dump_message *m)
{
    const tl_spdm_finish *b = &m->body.spdm_finish;
    uint8_t th[TL_HASH_MAX];
    const dump_chain *chain = NULL;
    bool right = true;

    if (!s->known || !s->handshake)
        return;
    if (s->mutual) {
        chain = dump_chain_of(c, DUMP_REQUESTER_CHAIN);
        if (dump_multi_key(c->context, TL_SPDM_REQUESTER))
            right = dump_hash_add(c, s->th, dump_kept(&c->inner_digests));
        right = right && chain != NULL && dump_hash_add(c, s->th, dump_digest_span(c, chain->digest));
    }
    right = right &&
            dump_hash_add(c, s->th, tl_span_of(m->whole.p, m->whole.n - b->signature.n - b->verify_data.n));
    right = right && check_signed(c, s, chain, b);
    if (right && dump_hash_so_far(c, s->th, th)) {
        check_verify_data(c, s, &s->secrets.request, th, b->verify_data);
        right = dump_hash_add(c, s->th, b->verify_data);
    }
    s->known = s->finished = right;
}

static bool derive_application(dump_check *c, dump_session *s)
{
    uint8_t th2[TL_HASH_MAX];
    tl_application_secrets *a = &s->application;
    tl_err e;

    if (!dump_hash_so_far(c, s->th, th2))
        return false;
    dump_keys_expect(c->keys, "th2", dump_digest_span(c, th2));
    e = tl_schedule_application(&s->schedule, &s->secrets.handshake, dump_digest_span(c, th2), a);
    if (e != TL_OK) {
        dump_failed_call(c, "key schedule", e);
        return false;
    }
    expect_secret(c, "master_secret", &a->master);
    expect_secret(c, "request_data_secret", &a->request);
    expect_secret(c, "response_data_secret", &a->response);
    expect_secret(c, "export_master_secret", &a->export_master);
    return take_key(c, s, 0, &a->request) && take_key(c, s, 1, &a->response);
}

/* Chains may be told again at any time: that of a session is the one that signed in it. */
static bool is_proven(const dump_session *s, unsigned end, const dump_chain *chain)
{
    return chain->whole && memcmp(s->proven[end], chain->digest, TL_HASH_MAX) == 0;
}

/* What else has to be true of a session whose FINISH is answered. */
static bool check_finished(dump_check *c, const dump_session *s)
{
    const char *why = NULL;

    if (!s->finished)
        why = "FINISH is answered that was not asked";
    else if (!is_proven(s, 0, &c->chains[s->slot]))
        why = "the responder's chain is another by now than the one that signed";
    else if (s->mutual && !is_proven(s, 1, &c->chains[DUMP_REQUESTER_CHAIN]))
        why = "the requester's chain is another by now than the one that signed";
    if (why != NULL)
        dump_report_failed(c->report, "session %08x: %s", s->id, why);
    return why == NULL;
}

void dump_session_finished(dump_check *c, dump_session *s, const dump_message *m)
{
    const tl_spdm_finish_rsp *b = &m->body.spdm_finish_rsp;
    uint8_t th[TL_HASH_MAX];
    bool right;

    if (!s->known || !s->handshake)
        return;
    right = check_finished(c, s) &&
            dump_hash_add(c, s->th, tl_span_of(m->whole.p, m->whole.n - b->verify_data.n));
    if (right && s->clear) {
        right = dump_hash_so_far(c, s->th, th);
        if (right)
            check_verify_data(c, s, &s->secrets.response, th, b->verify_data);
        right = right && dump_hash_add(c, s->th, b->verify_data);
    }
    s->handshake = false;
    s->known = right && derive_application(c, s);
    if (s->known && c->listener != NULL)
        c->listener->stands(c->listener->ctx, c, s);
}

void dump_session_update(dump_check *c, dump_session *s, unsigned direction)
{
    tl_secret *secret = direction == 0 ? &s->application.request : &s->application.response;
    tl_err e;

    if (!s->known || s->handshake)
        return;
    e = tl_schedule_update(&s->schedule, secret);
    if (e != TL_OK)
        dump_failed_call(c, "key update", e);
    else
        expect_secret(c, direction == 0 ? "request_data_secret_update" : "response_data_secret_update",
                      secret);
    s->known = e == TL_OK && take_key(c, s, direction, secret);
}

/* ---- records ---- */

static tl_err open_as(dump_check *c, dump_session *s, unsigned direction, const dump_unit *unit,
                      tl_span *application)
{
    return tl_record_open(&s->schedule, &s->keys[direction], &c->link->record, s->id,
                          (tl_buffer){ unit->p, unit->n }, application);
}

bool dump_session_open(dump_check *c, dump_session *s, dump_unit *unit, bool *request, tl_span *application)
{
    unsigned direction = *request ? 0 : 1;
    uint8_t *copy;
    tl_err e, other;

    if (s == NULL || !s->known) {
        dump_report_failed(c->report, "not checked: the record's keys are not known");
        return false;
    }
    copy = malloc(unit->n + 1);
    if (copy == NULL) {
        dump_failed_call(c, "record", TL_E_ROOM);
        return false;
    }
    memcpy(copy, unit->p, unit->n);
    e = open_as(c, s, direction, unit, application);
    if (e != TL_OK) { /* a failed attempt leaves nothing of the record */
        memcpy(unit->p, copy, unit->n);
        other = open_as(c, s, 1 - direction, unit, application);
        *request = other == TL_OK ? !*request : *request;
        e = other == TL_OK ? TL_OK : e;
    }
    free(copy);
    if (e != TL_OK)
        dump_report_failed(c->report, "record of session %08x: %s", s->id, tl_err_text(e));
    else
        c->report->records++;
    return e == TL_OK;
}
