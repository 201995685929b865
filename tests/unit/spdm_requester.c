/* The requester alone: answers that a responder of ours would not give. The link puts them in the place of right ones, or
 * changes one field; the error names the step and the part. */
#include "spdm/spdm.h"
#include "spdm_pair.h"

#include <string.h>

static tl_spdm_pair p;

/* Where in which answer, what; and what the requester must say of it. */
typedef struct wrong {
    uint8_t answer; /* code */
    struct {
        int at; /* < 0: from the end; 0: nothing */
        uint8_t value;
    } change[3];
    int resize;
    const char *step, *where;
    tl_err e;
} wrong;

static void spoil(void *ctx, tl_spdm_crossing *m)
{
    const wrong *w = ctx;

    if (m->to_responder || m->secured || m->bytes[1] != w->answer)
        return;
    for (size_t i = 0; i < 3 && w->change[i].at != 0; i++) {
        size_t at = w->change[i].at < 0 ? m->n - (size_t)-w->change[i].at : (size_t)w->change[i].at;

        assert_true(at < m->n);
        m->bytes[at] = w->change[i].value;
    }
    for (int i = 0; i < w->resize; i++)
        m->bytes[m->n + (size_t)i] = 0;
    m->n = (size_t)((int)m->n + w->resize);
}

/* The pair speaks 1.3 with P-384: hash 48, signature 96. In CHALLENGE_AUTH the context lies before the signature. */
static const wrong wrongs[] = {
    { TL_SPDM_VERSION, { { 0, 0 } }, -1, "VERSION", "count", TL_E_WIRE },
    { TL_SPDM_VERSION, { { 5, 0 } }, -4, "VERSION", "count", TL_E_WIRE },
    { TL_SPDM_VERSION, { { 5, 3 } }, 0, "VERSION", "count", TL_E_WIRE },
    { TL_SPDM_VERSION, { { 5, 1 } }, 0, "VERSION", "count", TL_E_WIRE },
    { TL_SPDM_VERSION, { { 7, 0x11 }, { 9, 0x14 } }, 0, "VERSION", "entries", TL_E_POLICY },
    { TL_SPDM_CAPABILITIES, { { 5, 24 } }, 0, "CAPABILITIES", "CTExponent", TL_E_POLICY },
    { TL_SPDM_CAPABILITIES, { { 5, 255 } }, 0, "CAPABILITIES", "CTExponent", TL_E_POLICY },
    { TL_SPDM_CAPABILITIES, { { 8, 0xF5 } }, 0, "CAPABILITIES", "Flags", TL_E_WIRE_VALUE },
    { TL_SPDM_CAPABILITIES, { { 8, 0xFE } }, 0, "CAPABILITIES", "Flags", TL_E_WIRE_VALUE },
    { TL_SPDM_CAPABILITIES, { { 8, 0xF2 } }, 0, "CAPABILITIES", "Flags", TL_E_POLICY },
    { TL_SPDM_CAPABILITIES,
      { { 12, 41 }, { 13, 0 }, { 17, 0 } },
      0,
      "CAPABILITIES",
      "DataTransferSize",
      TL_E_WIRE_VALUE },
    { TL_SPDM_CAPABILITIES, { { 17, 0x01 } }, 0, "CAPABILITIES", "MaxSPDMmsgSize", TL_E_WIRE_VALUE },
    { TL_SPDM_CAPABILITIES, { { 18, 0x01 } }, 0, "CAPABILITIES", "MaxSPDMmsgSize", TL_E_WIRE_VALUE },
    { TL_SPDM_CAPABILITIES, { { 0, 0 } }, 1, "CAPABILITIES", "", TL_E_WIRE_TRAILING },
    { TL_SPDM_ALGORITHMS, { { 4, 1 } }, 0, "ALGORITHMS", "Length", TL_E_WIRE },
    { TL_SPDM_ALGORITHMS, { { 6, 0 } }, 0, "ALGORITHMS", "MeasurementSpecificationSel", TL_E_POLICY },
    { TL_SPDM_ALGORITHMS, { { 6, 2 } }, 0, "ALGORITHMS", "MeasurementSpecificationSel", TL_E_POLICY },
    { TL_SPDM_ALGORITHMS, { { 7, 0x12 } }, 0, "ALGORITHMS", "OtherParamsSelection", TL_E_POLICY },
    { TL_SPDM_ALGORITHMS, { { 7, 0 } }, 0, "ALGORITHMS", "OtherParamsSelection", TL_E_POLICY },
    { TL_SPDM_ALGORITHMS, { { 8, 1 } }, 0, "ALGORITHMS", "MeasurementHashAlgo", TL_E_POLICY },
    { TL_SPDM_ALGORITHMS, { { 8, 6 } }, 0, "ALGORITHMS", "MeasurementHashAlgo", TL_E_POLICY },
    { TL_SPDM_ALGORITHMS, { { 8, 0 } }, 0, "ALGORITHMS", "MeasurementHashAlgo", TL_E_POLICY },
    { TL_SPDM_ALGORITHMS, { { 12, 0x90 } }, 0, "ALGORITHMS", "BaseAsymSel", TL_E_POLICY },
    { TL_SPDM_ALGORITHMS, { { 12, 0 } }, 0, "ALGORITHMS", "BaseAsymSel", TL_E_POLICY },
    { TL_SPDM_ALGORITHMS, { { 12, 1 } }, 0, "ALGORITHMS", "BaseAsymSel", TL_E_POLICY },
    { TL_SPDM_ALGORITHMS, { { 16, 3 } }, 0, "ALGORITHMS", "BaseHashSel", TL_E_POLICY },
    { TL_SPDM_ALGORITHMS, { { 16, 4 } }, 0, "ALGORITHMS", "BaseHashSel", TL_E_POLICY },
    { TL_SPDM_ALGORITHMS, { { 31, 1 } }, 0, "ALGORITHMS", "MELspecificationSel", TL_E_WIRE_VALUE },
    { TL_SPDM_ALGORITHMS, { { 32, 1 } }, 0, "ALGORITHMS", "ExtAsymSelCount", TL_E_WIRE_VALUE },
    { TL_SPDM_ALGORITHMS, { { 33, 1 } }, 0, "ALGORITHMS", "ExtAsymSelCount", TL_E_WIRE_VALUE },
    { TL_SPDM_ALGORITHMS, { { 36, 3 } }, 0, "ALGORITHMS", "RespAlgStruct", TL_E_WIRE_VALUE },
    { TL_SPDM_ALGORITHMS, { { 37, 0x21 } }, 0, "ALGORITHMS", "RespAlgStruct", TL_E_WIRE_SHORT },
    { TL_SPDM_ALGORITHMS, { { 37, 0x40 } }, 0, "ALGORITHMS", "RespAlgStruct", TL_E_WIRE_VALUE },
    { TL_SPDM_ALGORITHMS, { { 4, 52 }, { 45, 0x21 } }, 4, "ALGORITHMS", "RespAlgStruct", TL_E_WIRE_VALUE },
    { TL_SPDM_ALGORITHMS, { { 44, 4 } }, 0, "ALGORITHMS", "ReqBaseAsymAlg", TL_E_WIRE_VALUE },
    { TL_SPDM_ALGORITHMS, { { 40, 4 } }, 0, "ALGORITHMS", "AEADCipherSuite", TL_E_POLICY },
    { TL_SPDM_ALGORITHMS, { { 38, 0x18 } }, 0, "ALGORITHMS", "DHE", TL_E_POLICY },
    { TL_SPDM_ALGORITHMS, { { 38, 0x01 } }, 0, "ALGORITHMS", "DHE", TL_E_POLICY },
    { TL_SPDM_ALGORITHMS, { { 42, 0 } }, 0, "ALGORITHMS", "AEADCipherSuite", TL_E_POLICY },
    { TL_SPDM_ALGORITHMS, { { 46, 0 } }, 0, "ALGORITHMS", "KeySchedule", TL_E_POLICY },
    { TL_SPDM_ALGORITHMS, { { 46, 2 } }, 0, "ALGORITHMS", "KeySchedule", TL_E_POLICY },
    { TL_SPDM_ALGORITHMS, { { 2, 2 } }, 0, "ALGORITHMS", "RespAlgStruct", TL_E_WIRE_TRAILING },
    { TL_SPDM_DIGESTS, { { 3, 3 } }, 0, "DIGESTS", "Digest", TL_E_WIRE },
    { TL_SPDM_DIGESTS, { { 3, 2 } }, 0, "DIGESTS", "Param2", TL_E_POLICY },
    { TL_SPDM_DIGESTS, { { 2, 2 } }, 0, "DIGESTS", "Param1", TL_E_WIRE_VALUE },
    { TL_SPDM_DIGESTS, { { 0, 0 } }, -1, "DIGESTS", "Digest", TL_E_WIRE },
    { TL_SPDM_DIGESTS, { { 10, 0 }, { 11, 0 } }, 0, "CERTIFICATE", "CertChain", TL_E_TAG },
    { TL_SPDM_CERTIFICATE, { { 2, 1 } }, 0, "CERTIFICATE", "Param1", TL_E_WIRE_VALUE },
    { TL_SPDM_CERTIFICATE, { { 4, 0 }, { 5, 0 } }, 0, "CERTIFICATE", "", TL_E_WIRE_TRAILING },
    { TL_SPDM_CERTIFICATE,
      { { 6, 0xFF }, { 7, 0xFF } },
      0,
      "CERTIFICATE",
      "RemainderLength",
      TL_E_WIRE_VALUE },
    { TL_SPDM_CERTIFICATE, { { 6, 0xFF }, { 7, 0x7F } }, 0, "CERTIFICATE", "RemainderLength", TL_E_POLICY },
    { TL_SPDM_CERTIFICATE, { { 8, 1 } }, 0, "CERTIFICATE", "Length", TL_E_WIRE_VALUE },
    { TL_SPDM_CERTIFICATE, { { 100, 1 }, { 101, 1 } }, 0, "CERTIFICATE", "CertChain", TL_E_TAG },
    { TL_SPDM_CHALLENGE_AUTH, { { 2, 1 } }, 0, "CHALLENGE", "Param1", TL_E_WIRE_VALUE },
    { TL_SPDM_CHALLENGE_AUTH, { { 2, 0x80 } }, 0, "CHALLENGE", "Param1", TL_E_WIRE_VALUE },
    { TL_SPDM_CHALLENGE_AUTH, { { 3, 2 } }, 0, "CHALLENGE", "Param2", TL_E_WIRE_VALUE },
    { TL_SPDM_CHALLENGE_AUTH, { { 4, 0 }, { 5, 0 } }, 0, "CHALLENGE", "CertChainHash", TL_E_TAG },
    { TL_SPDM_CHALLENGE_AUTH, { { 60, 0 }, { 61, 0 } }, 0, "CHALLENGE", "Signature", TL_E_TAG },
    { TL_SPDM_CHALLENGE_AUTH, { { -97, 9 } }, 0, "CHALLENGE", "RequesterContext", TL_E_WIRE_VALUE },
    { TL_SPDM_CHALLENGE_AUTH, { { -1, 0 }, { -2, 0 } }, 0, "CHALLENGE", "Signature", TL_E_TAG },
    { TL_SPDM_CHALLENGE_AUTH, { { 84, 1 } }, 0, "CHALLENGE", "", TL_E_WIRE_SHORT },
    { TL_SPDM_CHALLENGE_AUTH, { { 84, 1 } }, 1, "CHALLENGE", "OpaqueData", TL_E_WIRE_SHORT },
    { TL_SPDM_CHALLENGE_AUTH, { { 84, 5 }, { 86, 1 } }, 5, "CHALLENGE", "OpaqueData", TL_E_WIRE_SHORT },
    { TL_SPDM_MEASUREMENTS, { { 4, 3 } }, 0, "MEASUREMENTS", "MeasurementRecord", TL_E_WIRE },
    { TL_SPDM_MEASUREMENTS, { { 4, 5 } }, 0, "MEASUREMENTS", "MeasurementRecord", TL_E_WIRE },
    { TL_SPDM_MEASUREMENTS, { { 8, 0 } }, 0, "MEASUREMENTS", "MeasurementRecord", TL_E_WIRE },
    { TL_SPDM_MEASUREMENTS, { { 8, 3 } }, 0, "MEASUREMENTS", "MeasurementRecord", TL_E_WIRE_VALUE },
    { TL_SPDM_MEASUREMENTS, { { 9, 2 } }, 0, "MEASUREMENTS", "MeasurementRecord", TL_E_WIRE },
    { TL_SPDM_MEASUREMENTS, { { 10, 50 } }, 0, "MEASUREMENTS", "MeasurementRecord", TL_E_WIRE },
    { TL_SPDM_MEASUREMENTS, { { 13, 47 } }, 0, "MEASUREMENTS", "MeasurementRecord", TL_E_WIRE },
    { TL_SPDM_MEASUREMENTS, { { 7, 1 } }, 0, "MEASUREMENTS", "", TL_E_WIRE_SHORT },
    { TL_SPDM_MEASUREMENTS, { { 3, 0x21 } }, 0, "MEASUREMENTS", "Param2", TL_E_WIRE_VALUE },
    { TL_SPDM_MEASUREMENTS, { { -97, 9 } }, 0, "MEASUREMENTS", "RequesterContext", TL_E_WIRE_VALUE },
    { TL_SPDM_MEASUREMENTS, { { 20, 9 } }, 0, "MEASUREMENTS", "Signature", TL_E_TAG },
    { TL_SPDM_MEASUREMENTS, { { -1, 0 }, { -2, 0 } }, 0, "MEASUREMENTS", "Signature", TL_E_TAG },
    { TL_SPDM_MEASUREMENTS, { { 0, 0 } }, 1, "MEASUREMENTS", "", TL_E_WIRE_TRAILING },
    { TL_SPDM_MEASUREMENTS, { { 0, 0 } }, -1, "MEASUREMENTS", "", TL_E_WIRE_SHORT },
};

/* All of what can be told before the connection is known to have sessions: so the session's classes are asked for. */
static const tl_spdm_flow *flow_for(uint8_t answer)
{
    return answer == TL_SPDM_ALGORITHMS ? &tl_flow_session : &tl_flow_attest;
}

static void answer_with_each_field_wrong_then_refused_by_name(void **s)
{
    (void)s;
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P384);
    p.tamper = spoil;
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        const tl_spdm_why *why = tl_requester_why(&p.rq);
        tl_err e;

        tl_requester_wipe(&p.rq);
        tl_responder_wipe(&p.rs);
        tl_spdm_pair_begin(&p);
        p.tamper_ctx = (void *)(uintptr_t)&wrongs[i];
        e = tl_spdm_pair_run(&p, flow_for(wrongs[i].answer), NULL);
        if (e != wrongs[i].e || strcmp(why->step, wrongs[i].step) != 0 ||
            strcmp(why->where, wrongs[i].where) != 0)
            fail_msg("row %zu: %d at %s %s (%s)", i, (int)e, why->step, why->where, why->what);
        assert_false(tl_requester_peer(&p.rq)->authenticated);
    }
    tl_spdm_pair_close(&p);
}

/* ---- the wrong kind of answer ---- */

typedef struct instead {
    unsigned number;
    uint8_t bytes[16];
    size_t n;
    bool secured;
} instead;

static void replace(void *ctx, tl_spdm_crossing *m)
{
    const instead *i = ctx;

    if (m->number != i->number)
        return;
    memcpy(m->bytes, i->bytes, sizeof i->bytes);
    m->n = i->n;
    m->secured = i->secured;
}

static const struct {
    instead i;
    const char *step;
    tl_err e;
} kinds[] = {
    { { 1, { 0x10, 0x81, 0, 0 }, 4, false }, "VERSION", TL_E_STATE },
    { { 1, { 0x13, 0x04, 0, 0, 0, 1, 0, 0x13 }, 8, false }, "VERSION", TL_E_WIRE_VALUE },
    { { 1, { 0x10, 0x04, 0 }, 3, false }, "VERSION", TL_E_WIRE_SHORT },
    { { 1, { 0 }, 16, true }, "VERSION", TL_E_STATE },
    { { 1, { 0x10, 0x7F, 1, 0 }, 4, false }, "VERSION", TL_E_PEER_INVALID_REQUEST },
    { { 3, { 0x12, 0x61 }, 4, false }, "CAPABILITIES", TL_E_WIRE_VALUE },
    { { 3, { 0x10, 0x7F, 0x41, 0 }, 4, false }, "CAPABILITIES", TL_E_PEER_VERSION_MISMATCH },
    { { 5, { 0x13, 0x7F, 4, 0 }, 4, false }, "ALGORITHMS", TL_E_PEER_UNEXPECTED_REQUEST },
    { { 5, { 0x13, 0x7F, 0x42, 0, 5, 0xE3, 1, 2 }, 8, false }, "ALGORITHMS", TL_E_PEER_RESPONSE_NOT_READY },
    { { 7, { 0x13, 0x7F, 7, 0x81 }, 4, false }, "DIGESTS", TL_E_PEER_UNSUPPORTED_REQUEST },
    { { 7, { 0x13, 0x7F, 0xFF, 0 }, 4, false }, "DIGESTS", TL_E_PEER },
    { { 9, { 0x13, 0x7F, 0x43, 0 }, 4, false }, "CERTIFICATE", TL_E_PEER_REQUEST_RESYNCH },
    { { 11, { 0x13, 0x7F, 0x42, 0, 24, 0x83, 1, 2 }, 8, false }, "CHALLENGE", TL_E_POLICY },
    { { 11, { 0x13, 0x7F, 0x42, 0, 255, 0x83, 1, 2 }, 8, false }, "CHALLENGE", TL_E_POLICY },
    { { 11, { 0x13, 0x7F, 0x42, 0, 5, 0xE0, 1, 2 }, 8, false }, "CHALLENGE", TL_E_WIRE_VALUE },
    { { 11, { 0x13, 0x7F, 0x42, 0, 5, 0x83, 1 }, 7, false }, "CHALLENGE", TL_E_WIRE },
    { { 11, { 0x13, 0x7F, 0x42, 0, 5, 0x83, 1, 2, 0 }, 9, false }, "CHALLENGE", TL_E_WIRE },
    { { 11, { 0x12, 0x7F, 0x42, 0, 5, 0x83, 1, 2 }, 8, false }, "CHALLENGE", TL_E_PEER_RESPONSE_NOT_READY },
};

static void answer_of_another_kind_then_refused(void **s)
{
    (void)s;
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P384);
    p.tamper = replace;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        tl_err e;

        tl_requester_wipe(&p.rq);
        tl_responder_wipe(&p.rs);
        tl_spdm_pair_begin(&p);
        p.crossed = 0;
        p.tamper_ctx = (void *)(uintptr_t)&kinds[i].i;
        e = tl_spdm_pair_run(&p, &tl_flow_attest, NULL);
        if (e != kinds[i].e || strcmp(tl_requester_why(&p.rq)->step, kinds[i].step) != 0)
            fail_msg("row %zu: %d at %s (%s)", i, (int)e, tl_requester_why(&p.rq)->step,
                     tl_requester_why(&p.rq)->what);
    }
    tl_spdm_pair_close(&p);
}

/* A responder that is busy has not looked at the request: it gets one that it does not know, and its answer is replaced. */
static void make_busy(void *ctx, tl_spdm_crossing *m)
{
    static const uint8_t unknown[] = { 0x13, 0xEE, 0, 0 }, busy[] = { 0x13, 0x7F, 3, 0 };
    const unsigned *number = ctx;

    if (m->number != *number && m->number != *number + 1)
        return;
    memcpy(m->bytes, m->to_responder ? unknown : busy, sizeof busy);
    m->n = sizeof busy;
}

static void answer_busy_then_the_request_is_repeated(void **s)
{
    unsigned number;

    (void)s;
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P384);
    p.tamper = make_busy;
    p.tamper_ctx = &number;
    for (number = 4; number < 14; number += 2) {
        tl_requester_wipe(&p.rq);
        tl_responder_wipe(&p.rs);
        tl_spdm_pair_begin(&p);
        p.crossed = 0;
        tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
        assert_int_equal(p.crossed, 16);
    }
    tl_spdm_pair_close(&p);
}

static void answer_busy_for_ever_then_gives_up(void **s)
{
    instead i = { 1, { 0x10, 0x7F, 3, 0 }, 4, false };

    (void)s;
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P384);
    p.tamper = replace;
    p.tamper_ctx = &i;
    p.rq_config.busy_retries = 0;
    tl_spdm_pair_begin(&p);
    tl_assert_err(TL_E_PEER_BUSY, tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
    assert_int_equal(p.crossed, 2);
    tl_spdm_pair_close(&p);
}

/* ---- portions (DSP0274 1.3, CERTIFICATE response message) ---- */

/* The second one; where the message grows, the last one, which is not as long as a transfer. */
static void portion(void *ctx, tl_spdm_crossing *m)
{
    const wrong *w = ctx;
    static unsigned seen;

    if (m->number == 0)
        seen = 0;
    if (m->to_responder || m->bytes[1] != TL_SPDM_CERTIFICATE)
        return;
    seen++;
    if (w->resize > 0 && m->bytes[6] == 0 && m->bytes[7] == 0) {
        m->bytes[4]++;
        m->n++;
    } else if (w->resize <= 0 && seen == 2) {
        spoil(ctx, m);
    }
}

static void later_portion_that_does_not_fit_then_refused(void **s)
{
    static const wrong rows[] = {
        { TL_SPDM_CERTIFICATE, { { 6, 0 }, { 7, 0 } }, 0, "CERTIFICATE", "RemainderLength", TL_E_WIRE_VALUE },
        { TL_SPDM_CERTIFICATE, { { 6, 0xFF } }, 0, "CERTIFICATE", "RemainderLength", TL_E_WIRE_VALUE },
        { TL_SPDM_CERTIFICATE,
          { { 4, 0 }, { 5, 0 } },
          -248,
          "CERTIFICATE",
          "PortionLength",
          TL_E_WIRE_VALUE },
        { TL_SPDM_CERTIFICATE, { { 4, 247 } }, -1, "CERTIFICATE", "RemainderLength", TL_E_WIRE_VALUE },
        { TL_SPDM_CERTIFICATE, { { 0, 0 } }, 1, "CERTIFICATE", "PortionLength", TL_E_WIRE_VALUE },
        { TL_SPDM_CERTIFICATE, { { 2, 1 } }, 0, "CERTIFICATE", "Param1", TL_E_WIRE_VALUE },
        { TL_SPDM_CERTIFICATE, { { 30, 1 }, { 31, 2 } }, 0, "CERTIFICATE", "CertChain", TL_E_TAG },
    };

    (void)s;
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P384);
    p.rq_policy.data_transfer_size = 256; /* portions of 248 */
    p.tamper = portion;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const tl_spdm_why *why = tl_requester_why(&p.rq);
        tl_err e;

        tl_requester_wipe(&p.rq);
        tl_responder_wipe(&p.rs);
        tl_spdm_pair_begin(&p);
        p.crossed = 0;
        p.tamper_ctx = (void *)(uintptr_t)&rows[i];
        e = tl_spdm_pair_run(&p, &tl_flow_attest, NULL);
        if (e != rows[i].e || strcmp(why->where, rows[i].where) != 0)
            fail_msg("row %zu: %d at %s %s (%s)", i, (int)e, why->step, why->where, why->what);
    }
    tl_spdm_pair_close(&p);
}

static void attest_after_a_flow_that_ended_between_portions_then_begins_at_the_first(void **s)
{
    static const wrong row = {
        TL_SPDM_CERTIFICATE, { { 2, 1 } }, 0, "CERTIFICATE", "Param1", TL_E_WIRE_VALUE
    };
    const tl_spdm_ask one = { .measurement = 1, .signed_measurements = true }; /* all of them are too long */

    (void)s;
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P384);
    p.rq_policy.data_transfer_size = 256;
    p.tamper = portion;
    p.tamper_ctx = (void *)(uintptr_t)&row;
    tl_spdm_pair_begin(&p);
    tl_assert_err(TL_E_WIRE_VALUE, tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
    p.tamper = NULL;
    memset(p.peer_chain, 0, sizeof p.peer_chain);
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_attest, &one));
    tl_spdm_pair_close(&p);
}

static void chain_longer_than_its_buffer_then_refused(void **s)
{
    (void)s;
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P384);
    p.rq_config.chain_n = 200;
    tl_spdm_pair_begin(&p);
    tl_assert_err(TL_E_POLICY, tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
    assert_string_equal(tl_requester_why(&p.rq)->where, "RemainderLength");
    tl_spdm_pair_close(&p);
}

static void chain_refused_then_the_certificate_is_named(void **s)
{
    (void)s;
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P256);
    p.rq_end.rules.role = "bridge";
    tl_spdm_pair_begin(&p);
    tl_assert_err(TL_E_CHAIN, tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
    assert_int_equal(tl_requester_why(&p.rq)->certificate, 2);
    assert_string_equal(tl_requester_why(&p.rq)->what, "wrong role");
    assert_string_equal(tl_requester_peer(&p.rq)->facts.role, "sensor");
    tl_spdm_pair_close(&p);
}

/* ---- time ---- */

static void answer_late_then_timed_out_and_never_taken(void **s)
{
    uint8_t bytes[TL_PAIR_OUT], late[] = { 0x10, 0x04, 0, 0, 0, 1, 0, 0x13 };
    tl_spdm_out out = { .w = tl_wr_of(bytes, sizeof bytes) };
    uint64_t wake;

    (void)s;
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P256);
    tl_spdm_pair_begin(&p);
    tl_assert_ok(tl_requester_start(&p.rq, &tl_flow_attest, NULL, 500, &out));
    wake = tl_requester_wake(&p.rq);
    assert_int_equal(wake, 500 + 10 + 100);
    out = (tl_spdm_out){ .w = tl_wr_of(bytes, sizeof bytes) };
    tl_assert_ok(tl_requester_step(&p.rq, wake - 1, (tl_spdm_in){ 0 }, &out));
    assert_true(tl_requester_going(&p.rq));
    tl_assert_err(TL_E_TIMEOUT, tl_requester_step(&p.rq, wake, (tl_spdm_in){ 0 }, &out));
    assert_false(tl_requester_going(&p.rq));
    tl_assert_err(TL_E_STATE, tl_requester_step(&p.rq, wake, (tl_spdm_in){ late, sizeof late, false }, &out));
    assert_int_equal(out.w.n, 0);
    tl_spdm_pair_close(&p);
}

/* The peer was busy and is asked again later: until then nothing it says is an answer. */
static void answer_when_none_is_awaited_then_state_and_the_flow_is_over(void **s)
{
    uint8_t bytes[TL_PAIR_OUT], busy[] = { 0x10, 0x7F, TL_SPDM_BUSY, 0 },
                                right[] = { 0x10, 0x04, 0, 0, 0, 1, 0, 0x13 };
    tl_spdm_out out = { .w = tl_wr_of(bytes, sizeof bytes) };

    (void)s;
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P256);
    tl_spdm_pair_begin(&p);
    tl_assert_ok(tl_requester_start(&p.rq, &tl_flow_attest, NULL, 500, &out));
    out = (tl_spdm_out){ .w = tl_wr_of(bytes, sizeof bytes) };
    tl_assert_ok(tl_requester_step(&p.rq, 501, (tl_spdm_in){ busy, sizeof busy, false }, &out));
    assert_true(tl_requester_going(&p.rq) && tl_requester_wake(&p.rq) > 502);
    tl_assert_err(TL_E_STATE,
                  tl_requester_step(&p.rq, 502, (tl_spdm_in){ right, sizeof right, false }, &out));
    assert_false(tl_requester_going(&p.rq));
    assert_string_equal(tl_requester_why(&p.rq)->step, "VERSION");
    assert_string_equal(tl_requester_why(&p.rq)->what, "an answer that nobody asked for");
    assert_int_equal(out.w.n, 0);
    tl_spdm_pair_close(&p);
}

/* Steps that are for what one end has not: left out, and the flow is right without them. */
static void step_when_it_is_not_for_both_ends_then_left_out_and_nothing_is_sent_for_it(void **s)
{
    unsigned crossed;

    (void)s;
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P256);
    p.rq_config.measurements = NULL;
    p.rq_policy.flags &= ~(uint32_t)(TL_CAP_HBEAT | TL_CAP_KEY_UPD);
    tl_spdm_pair_begin(&p);
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_attest, NULL));
    assert_int_equal(p.codes[p.crossed - 1], TL_SPDM_CHALLENGE_AUTH);
    assert_true(tl_requester_peer(&p.rq)->authenticated && !tl_requester_measured(&p.rq)->had);
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_session, NULL));
    crossed = p.crossed;
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_heartbeat, NULL));
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_key_update, NULL));
    tl_assert_ok(tl_spdm_pair_run(&p, &tl_flow_measure, NULL));
    assert_int_equal(p.crossed, crossed);
    assert_true(tl_session_established(tl_requester_session(&p.rq)));
    tl_spdm_pair_close(&p);
}

static void init_when_the_config_contradicts_itself_then_refused(void **s)
{
    tl_requester_config right;

    (void)s;
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P256);
    tl_spdm_pair_begin(&p);
    right = p.rq_config;
    p.rq_config.trust = NULL;
    tl_assert_err(TL_E_CONFIGURATION, tl_requester_init(&p.rq, &p.rq_config));
    p.rq_config = right;
    p.rq_config.message_n = 255;
    tl_assert_err(TL_E_CONFIGURATION, tl_requester_init(&p.rq, &p.rq_config));
    p.rq_config = right;
    p.rq_policy.version_min = 0x11;
    tl_assert_err(TL_E_CONFIGURATION, tl_requester_init(&p.rq, &p.rq_config));
    p.rq_policy.version_min = TL_SPDM_13;
    p.rq_policy.version_max = TL_SPDM_12;
    tl_assert_err(TL_E_CONFIGURATION, tl_requester_init(&p.rq, &p.rq_config));
    p.rq_policy.version_max = TL_SPDM_13;
    p.rq_policy.ct_exponent_max = 32;
    tl_assert_err(TL_E_CONFIGURATION, tl_requester_init(&p.rq, &p.rq_config));
    tl_spdm_pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer_with_each_field_wrong_then_refused_by_name),
        cmocka_unit_test(answer_of_another_kind_then_refused),
        cmocka_unit_test(answer_busy_then_the_request_is_repeated),
        cmocka_unit_test(answer_busy_for_ever_then_gives_up),
        cmocka_unit_test(later_portion_that_does_not_fit_then_refused),
        cmocka_unit_test(attest_after_a_flow_that_ended_between_portions_then_begins_at_the_first),
        cmocka_unit_test(chain_longer_than_its_buffer_then_refused),
        cmocka_unit_test(chain_refused_then_the_certificate_is_named),
        cmocka_unit_test(answer_late_then_timed_out_and_never_taken),
        cmocka_unit_test(answer_when_none_is_awaited_then_state_and_the_flow_is_over),
        cmocka_unit_test(step_when_it_is_not_for_both_ends_then_left_out_and_nothing_is_sent_for_it),
        cmocka_unit_test(init_when_the_config_contradicts_itself_then_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
