/* Sessions between requester and responder as they should go: both versions, both curves, with and without mutual
 * authentication, two bindings, everything inside, two at once; and what ends them. */
#include "session.h"

#include "loop.h"

#include <string.h>

static tl_spdm_pair p;

static const tl_spdm_ask both = { .update_both = true }, one = { .update_both = false };
static const uint8_t vendor_id[2] = { 0x98, 0x7F };
static const tl_spdm_ask vendor = { .vendor_standard = 4,
                                    .vendor_id = { vendor_id, 2 },
                                    .vendor_payload = { (const uint8_t *)"payload", 7 } };

static void assert_run(const tl_spdm_flow *flow, const tl_spdm_ask *ask)
{
    const tl_spdm_why *why = tl_requester_why(&p.rq);
    tl_err e = tl_spdm_pair_run(&p, flow, ask);
    if (e != TL_OK)
        fail_msg("%s: %s: %s (%s): %s; the responder: %s", why->flow, why->step, why->what, why->where,
                 tl_err_text(e), tl_err_text(p.rs_result));
}

static void everything_inside(void)
{
    for (unsigned round = 0; round < 3; round++) {
        assert_run(&tl_flow_heartbeat, NULL);
        assert_run(&tl_flow_key_update, round == 1 ? &one : &both);
        assert_run(&tl_flow_vendor, &vendor);
        assert_int_equal(tl_requester_vendor(&p.rq).n, 7);
        assert_memory_equal(tl_requester_vendor(&p.rq).p, "daolyap", 7);
        assert_run(&tl_flow_measure, NULL);
        assert_true(tl_requester_measured(&p.rq)->signature);
    }
}

/* ---- what works ---- */

static void session_when_of_any_kind_then_everything_works_and_the_end_is_clean(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < KINDS; kind++) {
        session_ends(&p, kind);
        session_begin(&p);
        assert_true(session_stands(&p));
        assert_int_equal(tl_requester_version(&p.rq), kind & KIND_13 ? TL_SPDM_13 : TL_SPDM_12);
        assert_int_equal(tl_responder_peer(&p.rs)->authenticated, (kind & KIND_MUTUAL) != 0);
        everything_inside();
        assert_true(session_stands(&p));
        assert_run(&tl_flow_end_session, NULL);
        tl_assert_all(p.rq_sessions, 0, sizeof p.rq_sessions);
        tl_assert_all(p.rs_sessions, 0, sizeof p.rs_sessions);
        assert_null(tl_requester_session(&p.rq));
        tl_spdm_pair_close(&p);
    }
}

static void sessions_when_two_at_once_then_neither_disturbs_the_other(void **state)
{
    const tl_spdm_session *first, *second;
    tl_secret a, b;
    tl_hash_alg hash;
    (void)state;
    session_ends(&p, KIND_MUTUAL | KIND_MCTP);
    session_begin(&p);
    first = tl_requester_session(&p.rq);
    assert_run(&tl_flow_another, NULL);
    second = tl_requester_session(&p.rq);
    assert_ptr_not_equal(first, second);
    assert_int_equal(session_count(p.rs_sessions), 2);
    tl_assert_ok(tl_session_export_secret(first, &a, &hash));
    tl_assert_ok(tl_session_export_secret(second, &b, &hash));
    assert_memory_not_equal(&a, &b, sizeof a);
    assert_true((first->id & 0xFFFF) != (second->id & 0xFFFF) && first->id >> 16 != second->id >> 16);
    for (unsigned round = 0; round < 4; round++) {
        tl_assert_ok(tl_requester_use(&p.rq, round % 2 ? second : first));
        everything_inside();
    }
    tl_assert_ok(tl_requester_use(&p.rq, first));
    assert_run(&tl_flow_end_session, NULL);
    tl_assert_err(TL_E_STATE, tl_requester_use(&p.rq, first));
    tl_assert_ok(tl_requester_use(&p.rq, second));
    everything_inside();
    tl_spdm_pair_close(&p);
}

/* While an answer is awaited it belongs to the session that asked. */
static void use_when_an_answer_is_awaited_then_state_and_the_same_session(void **state)
{
    uint8_t bytes[TL_PAIR_OUT];
    tl_spdm_out out = { .w = tl_wr_of(bytes, sizeof bytes) };
    const tl_spdm_session *first, *second;
    (void)state;
    session_ends(&p, 0);
    session_begin(&p);
    first = tl_requester_session(&p.rq);
    assert_run(&tl_flow_another, NULL);
    second = tl_requester_session(&p.rq);
    tl_assert_ok(tl_requester_start(&p.rq, &tl_flow_heartbeat, NULL, p.now_ms, &out));
    assert_true(tl_requester_going(&p.rq));
    tl_assert_err(TL_E_STATE, tl_requester_use(&p.rq, first));
    assert_ptr_equal(tl_requester_session(&p.rq), second);
    assert_int_equal(out.w.p[0] | out.w.p[1] << 8, second->id & 0xFFFF);
    tl_spdm_pair_close(&p);
}

static void session_when_all_places_are_taken_then_limit_and_the_others_go_on(void **state)
{
    (void)state;
    session_prepare(&p, 0);
    p.rs_config.sessions_n = 1;
    tl_spdm_pair_begin(&p);
    session_begin(&p);
    const tl_spdm_session *first = tl_requester_session(&p.rq);
    tl_assert_err(TL_E_PEER_SESSION_LIMIT_EXCEEDED, tl_spdm_pair_run(&p, &tl_flow_another, NULL));
    assert_int_equal(session_count(p.rq_sessions), 1);
    assert_ptr_equal(tl_requester_session(&p.rq), first);
    everything_inside();
    tl_spdm_pair_close(&p);
}

static void session_when_the_requester_has_no_memory_for_it_then_state(void **state)
{
    (void)state;
    session_prepare(&p, 0);
    p.rq_config.sessions_n = 1;
    tl_spdm_pair_begin(&p);
    session_begin(&p);
    tl_assert_err(TL_E_STATE, tl_spdm_pair_run(&p, &tl_flow_another, NULL));
    tl_spdm_pair_close(&p);
    session_prepare(&p, 0);
    p.rq_config.sessions_n = 0;
    tl_spdm_pair_begin(&p);
    tl_assert_err(TL_E_CONFIGURATION, tl_spdm_pair_run(&p, &tl_flow_session, NULL));
    tl_spdm_pair_close(&p);
}

static void key_exchange_when_put_off_then_the_session_comes_later(void **state)
{
    (void)state;
    session_ends(&p, KIND_MUTUAL);
    p.busy = 2;
    session_begin(&p);
    assert_int_equal(p.busy, 0);
    assert_true(session_stands(&p));
    tl_spdm_pair_close(&p);
}

/* ---- what ends a session ---- */

/* A sender and a receiver with keys of the session, each from its own end. */
static void take_stream_keys(tl_loop *l)
{
    const tl_spdm_session *ends[] = { &p.rs_sessions[0], tl_requester_session(&p.rq) };
    tl_key_source *sources[] = { &l->tx_source, &l->rx_source };

    tl_loop_init(l, p.rq_end.crypto);
    tl_assert_ok(tl_loop_open(l, 0));
    tl_stream_tx_wipe(&l->tx);
    tl_stream_rx_wipe(&l->rx);
    for (size_t i = 0; i < 2; i++) {
        tl_secret secret;
        tl_hash_alg hash;
        tl_assert_ok(tl_session_export_secret(ends[i], &secret, &hash));
        tl_assert_ok(tl_key_source_exported(sources[i], l->crypto,
                                            (tl_digest){ hash, { secret.bytes, tl_hash_size(hash) } },
                                            l->config.stream, TL_SENSOR_TO_CONTROLLER));
    }
    tl_assert_ok(tl_stream_tx_init(&l->tx, &l->config, &l->tx_source, 0));
    tl_assert_ok(tl_stream_rx_init(&l->rx, &l->rx_config, &l->rx_source, 0,
                                   (tl_buffer){ l->memory, tl_stream_frame_bytes(&l->rx_config) },
                                   tl_events_sink(&l->events)));
}

static void assert_frame(tl_loop *l, uint32_t frame)
{
    tl_packets packets = { 0 };
    tl_events_clear(&l->events);
    tl_assert_ok(tl_loop_send(l, &packets));
    tl_assert_ok(tl_loop_receive(l, &packets));
    assert_true(
        tl_loop_is_frame(l, tl_events_first(&l->events, TL_EVENT_FRAME), l->config.first_frame + frame));
    tl_packets_free(&packets);
}

static void session_when_get_version_comes_then_over_but_its_streams_go_on(void **state)
{
    tl_loop l;
    uint32_t id;
    (void)state;
    session_ends(&p, KIND_P384);
    session_begin(&p);
    id = tl_requester_session(&p.rq)->id;
    take_stream_keys(&l);
    assert_frame(&l, 0);
    session_begin(&p); /* a new connection: VERSION and so on */
    assert_int_equal(session_count(p.rq_sessions), 1);
    assert_int_equal(session_count(p.rs_sessions), 1);
    assert_int_not_equal(tl_requester_session(&p.rq)->id, id);
    assert_frame(&l, 1);
    tl_assert_ok(tl_stream_tx_rekey(&l.tx, &l.tx_source, 1));
    tl_assert_ok(tl_stream_rx_rekey(&l.rx, &l.rx_source, 1));
    assert_frame(&l, 2);
    tl_loop_close(&l);
    tl_spdm_pair_close(&p);
}

static void session_when_not_heard_of_for_two_periods_then_over(void **state)
{
    tl_spdm_out none = { .w = { 0 } };
    (void)state;
    session_ends(&p, 0);
    session_begin(&p);
    uint64_t heard = p.rs_sessions[0].heard_at;
    tl_assert_ok(tl_responder_step(&p.rs, heard + 40000, (tl_spdm_in){ 0 }, &none));
    assert_int_equal(session_count(p.rs_sessions), 1);
    p.now_ms = heard + 39000;
    assert_run(&tl_flow_heartbeat, NULL);
    tl_assert_ok(tl_responder_step(&p.rs, heard + 60000, (tl_spdm_in){ 0 }, &none));
    assert_int_equal(session_count(p.rs_sessions), 1);
    tl_assert_ok(tl_responder_step(&p.rs, p.now_ms + 40001, (tl_spdm_in){ 0 }, &none));
    tl_assert_all(p.rs_sessions, 0, sizeof p.rs_sessions);
    tl_assert_err(TL_E_TIMEOUT, tl_spdm_pair_run(&p, &tl_flow_heartbeat, NULL));
    tl_assert_all(p.rq_sessions, 0, sizeof p.rq_sessions);
    tl_spdm_pair_close(&p);
}

static void session_when_there_are_no_heartbeats_then_it_never_ends_by_itself(void **state)
{
    tl_spdm_out none = { .w = { 0 } };
    (void)state;
    session_prepare(&p, 0);
    p.rs_config.heartbeat_period = 0;
    tl_spdm_pair_begin(&p);
    session_begin(&p);
    tl_assert_ok(tl_responder_step(&p.rs, p.now_ms + 1000000000, (tl_spdm_in){ 0 }, &none));
    assert_int_equal(session_count(p.rs_sessions), 1);
    tl_spdm_pair_close(&p);
}

static void lose_finish(void *ctx, tl_spdm_crossing *m)
{
    (void)ctx;
    if (m->secured)
        m->n = 0;
}

static void handshake_when_never_finished_then_over_in_time_and_its_place_is_free(void **state)
{
    tl_spdm_out none = { .w = { 0 } };
    (void)state;
    session_ends(&p, 0);
    p.tamper = lose_finish;
    tl_assert_err(TL_E_TIMEOUT, tl_spdm_pair_run(&p, &tl_flow_session, NULL));
    assert_string_equal(tl_requester_why(&p.rq)->step, "FINISH");
    tl_assert_all(p.rq_sessions, 0, sizeof p.rq_sessions);
    assert_int_equal(session_count(p.rs_sessions), 1);
    assert_int_equal(p.rs_sessions[0].state, TL_SESSION_HANDSHAKE);
    uint64_t heard = p.rs_sessions[0].heard_at;
    tl_assert_ok(tl_responder_step(&p.rs, heard + TL_SPDM_HANDSHAKE_MS, (tl_spdm_in){ 0 }, &none));
    assert_int_equal(session_count(p.rs_sessions), 1);
    tl_assert_ok(tl_responder_step(&p.rs, heard + TL_SPDM_HANDSHAKE_MS + 1, (tl_spdm_in){ 0 }, &none));
    tl_assert_all(p.rs_sessions, 0, sizeof p.rs_sessions);
    tl_spdm_pair_close(&p);
}

static void vendor_when_in_clear_then_only_where_the_owner_says_so(void **state)
{
    (void)state;
    session_ends(&p, 0);
    session_begin(&p);
    assert_run(&tl_flow_end_session, NULL);
    tl_assert_err(TL_E_PEER_SESSION_REQUIRED, tl_spdm_pair_run(&p, &tl_flow_vendor, &vendor));
    tl_spdm_pair_close(&p);
    session_prepare(&p, 0);
    p.rs_config.vendor_in_clear = true;
    tl_spdm_pair_begin(&p);
    session_begin(&p);
    assert_run(&tl_flow_end_session, NULL);
    assert_run(&tl_flow_vendor, &vendor);
    tl_spdm_pair_close(&p);
    session_prepare(&p, 0);
    p.rs_config.vendor = NULL;
    tl_spdm_pair_begin(&p);
    session_begin(&p);
    tl_assert_err(TL_E_PEER_UNSUPPORTED_REQUEST, tl_spdm_pair_run(&p, &tl_flow_vendor, &vendor));
    assert_true(session_stands(&p));
    assert_run(&tl_flow_heartbeat, NULL);
    tl_spdm_pair_close(&p);
}

static void export_when_there_is_no_session_then_state_and_zeros(void **state)
{
    tl_spdm_session s = { .state = TL_SESSION_HANDSHAKE };
    tl_secret secret;
    tl_hash_alg hash;
    (void)state;
    memset(&secret, 0xAA, sizeof secret);
    tl_assert_err(TL_E_STATE, tl_session_export_secret(&s, &secret, &hash));
    tl_assert_all(&secret, 0, sizeof secret);
    tl_assert_err(TL_E_STATE, tl_session_export_secret(NULL, &secret, &hash));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(export_when_there_is_no_session_then_state_and_zeros),
        cmocka_unit_test(session_when_all_places_are_taken_then_limit_and_the_others_go_on),
        cmocka_unit_test(session_when_the_requester_has_no_memory_for_it_then_state),
        cmocka_unit_test(session_when_get_version_comes_then_over_but_its_streams_go_on),
        cmocka_unit_test(session_when_not_heard_of_for_two_periods_then_over),
        cmocka_unit_test(session_when_there_are_no_heartbeats_then_it_never_ends_by_itself),
        cmocka_unit_test(handshake_when_never_finished_then_over_in_time_and_its_place_is_free),
        cmocka_unit_test(vendor_when_in_clear_then_only_where_the_owner_says_so),
        cmocka_unit_test(key_exchange_when_put_off_then_the_session_comes_later),
        cmocka_unit_test(sessions_when_two_at_once_then_neither_disturbs_the_other),
        cmocka_unit_test(use_when_an_answer_is_awaited_then_state_and_the_same_session),
        cmocka_unit_test(session_when_of_any_kind_then_everything_works_and_the_end_is_clean),
    };
    return cmocka_run_group_tests_name("session_works", tests, NULL, NULL);
}
