/* Attestation from end to end: what works, and that whatever is changed, dropped, repeated or downgraded on the link ends
 * it without an authenticated peer. */
#include "spdm_pair.h"

#include <string.h>

static const struct {
    uint8_t version;
    tl_sign_alg alg;
} kinds[] = { { TL_SPDM_12, TL_SIGN_ECDSA_P256 },
              { TL_SPDM_12, TL_SIGN_ECDSA_P384 },
              { TL_SPDM_13, TL_SIGN_ECDSA_P256 },
              { TL_SPDM_13, TL_SIGN_ECDSA_P384 } };

enum { KINDS = sizeof kinds / sizeof *kinds };

static tl_spdm_pair p;

static void open_kind(size_t kind)
{
    tl_spdm_pair_open(&p, kinds[kind].alg);
    p.rq_policy.version_max = p.rs_policy.version_max = kinds[kind].version;
    /* the responder's choice follows its key; the hash is held to the same strength */
    if (kinds[kind].alg == TL_SIGN_ECDSA_P256)
        p.rq_policy.hash = p.rq_policy.measurement_hash = 0x00000001;
    p.rq_policy.measurement_hash = p.rs_policy.measurement_hash =
        kinds[kind].alg == TL_SIGN_ECDSA_P256 ? 0x00000002 : 0x00000004;
    tl_spdm_pair_begin(&p);
}

static void assert_refused(tl_err e)
{
    assert_int_not_equal(e, TL_OK);
    assert_false(tl_requester_going(&p.rq));
    assert_false(tl_requester_peer(&p.rq)->authenticated);
    assert_false(tl_requester_peer(&p.rq)->chain_right);
    assert_int_equal(tl_requester_result(&p.rq), e);
    assert_non_null(tl_requester_why(&p.rq)->step);
    assert_non_null(tl_requester_why(&p.rq)->what);
    assert_non_null(tl_requester_why(&p.rq)->clause);
}

/* ---- what works ---- */

static void attest_in_every_kind_then_authenticates_and_measures(void **s)
{
    (void)s;
    for (size_t i = 0; i < KINDS; i++) {
        const tl_spdm_peer *peer = tl_requester_peer(&p.rq);
        const tl_spdm_measured *m = tl_requester_measured(&p.rq);
        tl_spdm_measurement block;
        tl_rd r;
        size_t n = 0;

        open_kind(i);
        tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
        assert_int_equal(tl_requester_version(&p.rq), kinds[i].version);
        assert_int_equal(tl_requester_algs(&p.rq)->sign, kinds[i].alg);
        assert_true(peer->authenticated && peer->chain_right);
        assert_string_equal(peer->facts.role, "sensor");
        assert_int_equal(tl_requester_certificates(&p.rq).n, p.rs_end.chain_n);
        assert_memory_equal(tl_requester_certificates(&p.rq).p, p.rs_end.chain, p.rs_end.chain_n);
        assert_true(m->had && m->signature);
        assert_int_equal(m->blocks, TL_PAIR_BLOCKS);
        r = tl_rd_of(tl_span_of(p.record, m->record_n));
        for (; tl_spdm_each_measurement(&r, &block); n++) {
            assert_int_equal(block.index, p.blocks[n].index);
            assert_int_equal(block.type, p.blocks[n].type);
            assert_int_equal(block.raw, p.blocks[n].raw);
            assert_memory_equal(block.value.p, p.blocks[n].value.p, block.value.n);
        }
        assert_true(tl_rd_end(&r) && n == TL_PAIR_BLOCKS);
        tl_spdm_pair_close(&p);
    }
}

static void attest_when_asked_for_summaries_then_they_are_of_the_hash_and_differ(void **s)
{
    uint8_t tcb[TL_HASH_MAX];

    (void)s;
    for (size_t i = 0; i < KINDS; i++) {
        tl_spdm_ask ask = { .summary = TL_SPDM_SUMMARY_TCB, .measurement = 1, .signed_measurements = true };

        open_kind(i);
        tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_attest, &ask));
        assert_int_equal(tl_requester_peer(&p.rq)->summary_kind, TL_SPDM_SUMMARY_TCB);
        memcpy(tcb, tl_requester_peer(&p.rq)->summary, sizeof tcb);
        ask.summary = TL_SPDM_SUMMARY_ALL;
        tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_attest, &ask));
        assert_memory_not_equal(tcb, tl_requester_peer(&p.rq)->summary, 32);
        assert_int_equal(tl_requester_measured(&p.rq)->blocks, 1);
        tl_spdm_pair_close(&p);
    }
}

static void measure_in_a_row_when_the_last_is_signed_then_it_covers_all(void **s)
{
    tl_spdm_ask ask = { 0 };

    (void)s;
    open_kind(2);
    p.rq_policy.must_sign_measurements = false;
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
    ask.measurement = TL_SPDM_MEASUREMENT_COUNT;
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_measure, &ask));
    assert_int_equal(tl_requester_measured(&p.rq)->blocks, TL_PAIR_BLOCKS);
    assert_false(tl_requester_measured(&p.rq)->signature);
    ask.measurement = 16;
    ask.raw_measurements = true;
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_measure, &ask));
    ask.measurement = 0xFD;
    ask.signed_measurements = true;
    ask.context = tl_span_of("context", 8);
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_measure, &ask));
    assert_int_equal(tl_requester_measured(&p.rq)->blocks, 1);
    tl_spdm_pair_close(&p);
}

static void measure_in_a_session_when_signed_then_works_beside_a_row_in_clear(void **s)
{
    tl_spdm_ask ask = { .measurement = TL_SPDM_MEASUREMENT_ALL };

    (void)s;
    for (size_t i = 0; i < KINDS; i++) {
        open_kind(i);
        ask.signed_measurements = false;
        tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_session, NULL));
        tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_measure, &ask));
        ask.signed_measurements = true;
        tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_measure, &ask));
        assert_int_equal(p.codes[p.crossed - 1], 0);
        tl_spdm_pair_close(&p);
    }
}

static void attest_with_small_transfers_then_the_chain_comes_in_portions(void **s)
{
    (void)s;
    for (size_t i = 0; i < KINDS; i++) {
        tl_spdm_pair_open(&p, kinds[i].alg);
        p.rq_policy.data_transfer_size = 512;
        p.rs_policy.data_transfer_size = 256;
        p.rs_policy.version_max = kinds[i].version;
        tl_spdm_pair_begin(&p);
        tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
        assert_true(p.crossed >= 14 + 2);
        tl_spdm_pair_close(&p);
    }
}

static void attest_when_the_responder_is_busy_then_the_answer_is_fetched_later(void **s)
{
    (void)s;
    for (size_t i = 0; i < KINDS; i++) {
        open_kind(i);
        p.busy = 3;
        tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
        assert_true(tl_requester_peer(&p.rq)->authenticated);
        assert_int_equal(p.crossed, 14 + 2 * 3);
        tl_spdm_pair_close(&p);
    }
}

static void attest_when_the_responder_stays_busy_then_the_requester_gives_up(void **s)
{
    (void)s;
    open_kind(0);
    p.busy = 4;
    tl_assert_err(TL_E_PEER_RESPONSE_NOT_READY, tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
    assert_refused(TL_E_PEER_RESPONSE_NOT_READY);
    tl_spdm_pair_close(&p);
}

static void get_version_again_when_a_session_stands_then_begins_anew(void **s)
{
    (void)s;
    open_kind(3);
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_session, NULL));
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
    assert_null(tl_requester_session(&p.rq));
    tl_assert_err(TL_E_STATE, tl_spdm_pair_run(&p, &tl_flow_heartbeat, NULL));
    tl_spdm_pair_close(&p);
}

/* ---- the link, hostile ---- */

typedef struct attack {
    unsigned message; /* which one */
    size_t byte;      /* of it */
    uint8_t change;   /* exclusive or */
    int resize;       /* bytes more or less at the end */
    bool drop, again; /* again: what came before it in this direction, instead */
    size_t n;         /* bytes of the message, noted */
    bool done;
    tl_spdm_crossing last[2];
} attack;

static void attacker(void *ctx, tl_spdm_crossing *m)
{
    attack *a = ctx;
    tl_spdm_crossing now = *m;

    if (m->number == a->message) {
        a->n = m->n;
        a->done = true;
        if (a->byte < m->n)
            m->bytes[a->byte] ^= a->change;
        if (a->resize > 0)
            m->bytes[m->n] = 0;
        m->n = (size_t)((int)m->n + a->resize);
        if (a->drop)
            m->n = 0;
        if (a->again)
            *m = a->last[m->to_responder];
    }
    a->last[now.to_responder] = now;
}

/* One attack on one message of an attestation; the pair is open. */
static tl_err attacked(attack *a)
{
    tl_err e;

    tl_requester_wipe(&p.rq);
    tl_responder_wipe(&p.rs);
    tl_spdm_pair_begin(&p);
    p.crossed = 0;
    p.tamper = attacker;
    p.tamper_ctx = a;
    e = tl_spdm_pair_run(&p, &tl_flow_attest, NULL);
    if (e != TL_OK)
        assert_refused(e);
    return e;
}

enum { MESSAGES = 14 };

static void attest_when_any_byte_of_any_message_changed_then_refused(void **s)
{
    static attack a;
    tl_rng rng = tl_random_start("attest_when_any_byte_of_any_message_changed_then_refused");
    size_t tried = 0;

    (void)s;
    for (size_t kind = 0; kind < KINDS; kind += 3) {
        open_kind(kind);
        for (a.message = 0; a.message < MESSAGES; a.message++) {
            a.n = 1;
            for (a.byte = 0; a.byte < a.n; a.byte += a.byte < 96 ? 1 : 1 + tl_random_below(&rng, 96)) {
                a.change = (uint8_t)(1u << tl_random_below(&rng, 8));
                a.done = false;
                if (attacked(&a) == TL_OK)
                    fail_msg("kind %zu: byte %zu of message %u changed by %02x is not noticed", kind, a.byte,
                             a.message, a.change);
                assert_true(a.done);
                tried++;
            }
        }
        tl_spdm_pair_close(&p);
    }
    print_message("# %zu changes\n", tried);
}

static void attest_when_any_message_shorter_or_longer_then_refused(void **s)
{
    static attack a;

    (void)s;
    for (size_t kind = 0; kind < KINDS; kind++) {
        open_kind(kind);
        for (a.message = 0; a.message < MESSAGES; a.message++) {
            a.byte = 0;
            a.change = 0;
            a.resize = -1;
            assert_int_not_equal(attacked(&a), TL_OK);
            a.resize = 1;
            assert_int_not_equal(attacked(&a), TL_OK);
        }
        tl_spdm_pair_close(&p);
    }
}

static void attest_when_any_message_lost_then_times_out(void **s)
{
    static attack a = { .drop = true };

    (void)s;
    open_kind(1);
    for (a.message = 0; a.message < MESSAGES; a.message++)
        tl_assert_err(TL_E_TIMEOUT, attacked(&a));
    tl_spdm_pair_close(&p);
}

static void attest_when_any_message_replaced_by_the_one_before_then_refused(void **s)
{
    static attack a = { .again = true };

    (void)s;
    for (size_t kind = 0; kind < KINDS; kind++) {
        open_kind(kind);
        for (a.message = 2; a.message < MESSAGES; a.message++)
            assert_int_not_equal(attacked(&a), TL_OK);
        tl_spdm_pair_close(&p);
    }
}

/* Answers of an earlier run, put in the place of today's. */
typedef struct replay {
    tl_spdm_crossing kept[MESSAGES];
    bool playing;
    unsigned first;
} replay;

static void replayer(void *ctx, tl_spdm_crossing *m)
{
    replay *r = ctx;
    unsigned place = m->number % MESSAGES;

    if (m->to_responder)
        return;
    if (!r->playing)
        r->kept[place] = *m;
    else if (place >= r->first)
        *m = r->kept[place];
}

static void attest_when_answers_are_of_an_earlier_run_then_refused(void **s)
{
    static replay r;

    (void)s;
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (r.first = 1; r.first < MESSAGES; r.first += 2) {
            open_kind(kind);
            r.playing = false;
            p.tamper = replayer;
            p.tamper_ctx = &r;
            tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
            r.playing = true;
            assert_refused(tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
            tl_spdm_pair_close(&p);
        }
    }
}

/* ---- downgrade ---- */

static void without_13(void *ctx, tl_spdm_crossing *m)
{
    (void)ctx;
    if (m->number == 1) { /* VERSION: one entry, 1.2 */
        m->bytes[5] = 1;
        m->n -= 2;
    }
}

static void attest_when_a_version_is_taken_off_the_list_then_the_signature_shows_it(void **s)
{
    (void)s;
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P384);
    tl_spdm_pair_begin(&p);
    p.tamper = without_13;
    tl_assert_err(TL_E_TAG, tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
    assert_string_equal(tl_requester_why(&p.rq)->step, "CHALLENGE");
    assert_refused(TL_E_TAG);
    tl_spdm_pair_close(&p);
}

/* What each field of the policies refuses, and at which step. */
static void change_version(void)
{
    p.rq_policy.version_min = TL_SPDM_13;
    p.rs_policy.version_max = TL_SPDM_12;
}

static void change_hash(void)
{
    p.rq_policy.hash = 2;
    p.rs_policy.hash = 1;
}

static void change_asym(void)
{
    p.rq_policy.asym = 0x10;
}

static void change_measurement_hash(void)
{
    p.rq_policy.measurement_hash = 4;
    p.rs_policy.measurement_hash = 2;
}

static void change_dhe(void)
{
    p.rq_policy.dhe = 0x10;
    p.rs_policy.dhe = 0x08;
}

static void change_aead(void)
{
    p.rq_policy.aead = 2;
    p.rs_policy.aead = 1;
}

static void change_req_asym(void)
{
    tl_spdm_pair_mutual(&p);
    p.rs_policy.req_asym = 0x10;
}

static void change_flags(void)
{
    p.rs_policy.flags &= ~(uint32_t)TL_CAP_CHAL;
}

static void change_peer_flags(void)
{
    p.rs_policy.peer_flags = TL_CAP_CHUNK;
}

static void change_exponent(void)
{
    p.rq_policy.ct_exponent_max = 16;
}

static void change_role(void)
{
    p.rq_end.rules.role = "bridge";
}

static void change_time(void)
{
    p.rq_end.rules.now += (uint64_t)2 * 86400;
}

static void change_root(void)
{
    tl_spdm_end_trust(&p.rq_end, &p.rq_end);
}

static void change_use(void)
{
    tl_spdm_end_issue(&p.rs_end, TL_SIGN_ECDSA_P384, TL_USE_REQUESTER, "trueline-sensor");
    tl_spdm_end_trust(&p.rq_end, &p.rs_end);
}

static const struct {
    const char *what;
    void (*change)(void);
    const tl_spdm_flow *flow;
    const char *step;
    tl_err e;
} downgrades[] = {
    { "version", change_version, &tl_flow_attest, "VERSION", TL_E_POLICY },
    { "flags", change_flags, &tl_flow_attest, "CAPABILITIES", TL_E_POLICY },
    { "peer flags", change_peer_flags, &tl_flow_attest, "CAPABILITIES", TL_E_PEER_INVALID_REQUEST },
    { "exponent", change_exponent, &tl_flow_attest, "CAPABILITIES", TL_E_POLICY },
    { "hash", change_hash, &tl_flow_attest, "ALGORITHMS", TL_E_PEER_INVALID_REQUEST },
    { "asym", change_asym, &tl_flow_attest, "ALGORITHMS", TL_E_PEER_INVALID_REQUEST },
    { "measurement hash", change_measurement_hash, &tl_flow_attest, "ALGORITHMS", TL_E_POLICY },
    { "dhe", change_dhe, &tl_flow_session, "ALGORITHMS", TL_E_PEER_INVALID_REQUEST },
    { "aead", change_aead, &tl_flow_session, "ALGORITHMS", TL_E_PEER_INVALID_REQUEST },
    { "req asym", change_req_asym, &tl_flow_session, "ALGORITHMS", TL_E_POLICY },
    { "role", change_role, &tl_flow_attest, "CERTIFICATE", TL_E_CHAIN },
    { "time", change_time, &tl_flow_attest, "CERTIFICATE", TL_E_CHAIN },
    { "root", change_root, &tl_flow_attest, "CERTIFICATE", TL_E_CHAIN },
    { "use", change_use, &tl_flow_attest, "CERTIFICATE", TL_E_CHAIN },
};

static void attest_when_the_peer_is_below_the_policy_then_refused_at_its_step(void **s)
{
    (void)s;
    for (size_t i = 0; i < sizeof downgrades / sizeof *downgrades; i++) {
        tl_err e;

        tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P384);
        downgrades[i].change();
        tl_spdm_pair_begin(&p);
        e = tl_spdm_pair_run(&p, downgrades[i].flow, NULL);
        if (e != downgrades[i].e || strcmp(tl_requester_why(&p.rq)->step, downgrades[i].step) != 0)
            fail_msg("%s: %s at %s (%s)", downgrades[i].what, tl_err_text(e), tl_requester_why(&p.rq)->step,
                     tl_requester_why(&p.rq)->what);
        assert_refused(e);
        tl_spdm_pair_close(&p);
    }
}

static void attest_when_the_key_is_not_the_chains_then_the_signature_is_wrong(void **s)
{
    (void)s;
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P256);
    tl_spdm_end_other_key(&p.rs_end);
    tl_spdm_pair_begin(&p);
    tl_assert_err(TL_E_TAG, tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
    assert_string_equal(tl_requester_why(&p.rq)->step, "CHALLENGE");
    assert_refused(TL_E_TAG);
    tl_spdm_pair_close(&p);
}

static void measure_when_unsigned_and_the_policy_demands_it_then_refused_before_it_is_sent(void **s)
{
    const tl_spdm_ask ask = { .measurement = 1 };
    unsigned before;

    (void)s;
    open_kind(1);
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
    before = p.crossed;
    tl_assert_err(TL_E_POLICY, tl_spdm_pair_run(&p, &tl_flow_measure, &ask));
    assert_int_equal(p.crossed, before);
    tl_spdm_pair_close(&p);
}

/* ---- time and states ---- */

static void start_when_a_flow_is_under_way_then_refused(void **s)
{
    uint8_t bytes[TL_PAIR_OUT];
    tl_spdm_out out = { .w = tl_wr_of(bytes, sizeof bytes) };

    (void)s;
    open_kind(0);
    tl_assert_ok(tl_requester_start(&p.rq, &tl_flow_attest, NULL, 0, &out));
    tl_assert_err(TL_E_STATE, tl_requester_start(&p.rq, &tl_flow_attest, NULL, 0, &out));
    tl_spdm_pair_close(&p);
}

static void step_when_no_flow_is_under_way_then_refused(void **s)
{
    uint8_t bytes[TL_PAIR_OUT];
    tl_spdm_out out = { .w = tl_wr_of(bytes, sizeof bytes) };

    (void)s;
    open_kind(0);
    tl_assert_err(TL_E_STATE, tl_requester_step(&p.rq, 0, (tl_spdm_in){ 0 }, &out));
    tl_assert_err(TL_E_STATE, tl_spdm_pair_run(&p, &tl_flow_measure, NULL));
    assert_int_equal(tl_requester_wake(&p.rq), UINT64_MAX);
    tl_spdm_pair_close(&p);
}

static void start_when_there_is_too_little_room_then_nothing_has_changed(void **s)
{
    uint8_t bytes[TL_PAIR_OUT];
    tl_spdm_out out = { .w = tl_wr_of(bytes, TL_PAIR_MESSAGE - 1) };

    (void)s;
    open_kind(0);
    tl_assert_err(TL_E_ROOM, tl_requester_start(&p.rq, &tl_flow_attest, NULL, 0, &out));
    assert_false(tl_requester_going(&p.rq));
    assert_int_equal(out.w.n, 0);
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
    tl_spdm_pair_close(&p);
}

static void wipe_after_a_session_then_the_contexts_are_zero(void **s)
{
    (void)s;
    for (size_t i = 0; i < KINDS; i++) {
        open_kind(i);
        tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_session, NULL));
        tl_requester_wipe(&p.rq);
        tl_responder_wipe(&p.rs);
        tl_assert_all(&p.rq, 0, sizeof p.rq);
        tl_assert_all(&p.rs, 0, sizeof p.rs);
        tl_assert_all(p.rq_sessions, 0, sizeof p.rq_sessions);
        tl_assert_all(p.rs_sessions, 0, sizeof p.rs_sessions);
        tl_spdm_pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attest_in_every_kind_then_authenticates_and_measures),
        cmocka_unit_test(attest_when_asked_for_summaries_then_they_are_of_the_hash_and_differ),
        cmocka_unit_test(measure_in_a_row_when_the_last_is_signed_then_it_covers_all),
        cmocka_unit_test(measure_in_a_session_when_signed_then_works_beside_a_row_in_clear),
        cmocka_unit_test(attest_with_small_transfers_then_the_chain_comes_in_portions),
        cmocka_unit_test(attest_when_the_responder_is_busy_then_the_answer_is_fetched_later),
        cmocka_unit_test(attest_when_the_responder_stays_busy_then_the_requester_gives_up),
        cmocka_unit_test(get_version_again_when_a_session_stands_then_begins_anew),
        cmocka_unit_test(attest_when_any_byte_of_any_message_changed_then_refused),
        cmocka_unit_test(attest_when_any_message_shorter_or_longer_then_refused),
        cmocka_unit_test(attest_when_any_message_lost_then_times_out),
        cmocka_unit_test(attest_when_any_message_replaced_by_the_one_before_then_refused),
        cmocka_unit_test(attest_when_answers_are_of_an_earlier_run_then_refused),
        cmocka_unit_test(attest_when_a_version_is_taken_off_the_list_then_the_signature_shows_it),
        cmocka_unit_test(attest_when_the_peer_is_below_the_policy_then_refused_at_its_step),
        cmocka_unit_test(attest_when_the_key_is_not_the_chains_then_the_signature_is_wrong),
        cmocka_unit_test(measure_when_unsigned_and_the_policy_demands_it_then_refused_before_it_is_sent),
        cmocka_unit_test(start_when_a_flow_is_under_way_then_refused),
        cmocka_unit_test(step_when_no_flow_is_under_way_then_refused),
        cmocka_unit_test(start_when_there_is_too_little_room_then_nothing_has_changed),
        cmocka_unit_test(wipe_after_a_session_then_the_contexts_are_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
