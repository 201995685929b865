/* Exchanges of SPDM that somebody puts together who has seen one, in clear, and has no secret of it: in place of the exchanged secret
 * he puts one of his own, from which all else follows. What he cannot make are the signatures. */
#define _GNU_SOURCE
#include "testing.h"

#include "agreement.h"
#include "spdm_pair.h"
#include "verify_spdm.h"

#include <trueline/layout/ids.h>
#include <trueline/transport.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PACKETS = 64, PACKET = 8192, STREAM = 7, HASH = 48, REQUESTER = 0, RESPONDER = 1 };

typedef struct packet {
    size_t n;
    uint8_t bytes[PACKET];
} packet;

static tl_spdm_pair pair;
static packet packets[PACKETS];
static size_t packet_n;
static char folder[] = "/tmp/verify-forged-XXXXXX", trust[64], keys_path[64];
static const pcap_interface from = { .link = PCAP_LINK_SPDM_TCP };

/* ---- what he has seen ---- */

static void add(tl_carried_kind kind, tl_span body)
{
    packet *p = &packets[packet_n++];
    tl_wr w = tl_wr_of(p->bytes, sizeof p->bytes);

    assert_true(packet_n <= PACKETS);
    tl_assert_ok(tl_tcp_encode(kind, body, &w));
    p->n = w.n;
}

static void see(void *ctx, tl_spdm_crossing *m)
{
    (void)ctx;
    if (!m->secured)
        add(TL_CARRIED_CLEAR, tl_span_of(m->bytes, m->n));
}

static void write_roots(void)
{
    FILE *out = fopen(trust, "w");

    assert_non_null(out);
    for (unsigned i = 0; i < 2; i++) {
        const tl_spdm_end *end = i == 0 ? &pair.rq_end : &pair.rs_end;
        const uint8_t *der = end->chain;
        X509 *root = d2i_X509(NULL, &der, (long)end->root_n);

        assert_int_equal(PEM_write_X509(out, root), 1);
        X509_free(root);
    }
    assert_int_equal(fclose(out), 0);
}

/* Both ends connect, up to KEY_EXCHANGE_RSP; records are of no use to him. */
static void see_exchange(bool mutual)
{
    packet_n = 0;
    tl_spdm_pair_open(&pair, TL_SIGN_ECDSA_P384);
    pair.rq_policy.version_max = pair.rs_policy.version_max = TL_SPDM_13;
    pair.binding = tl_transport_tcp.binding;
    if (mutual)
        tl_spdm_pair_mutual(&pair);
    tl_spdm_pair_begin(&pair);
    pair.tamper = see;
    tl_assert_ok(tl_spdm_pair_run(&pair, &tl_flow_session, NULL));
    write_roots();
}

static const uint8_t *body_of(const packet *p)
{
    return p->bytes + TL_TCP_HEAD;
}

static packet *last_of(uint8_t code)
{
    for (size_t i = packet_n; i-- > 0;)
        if (body_of(&packets[i])[1] == code)
            return &packets[i];
    fail();
    return NULL;
}

/* ---- what he computes: by the dump's own computation, with his secret ---- */

typedef struct forger {
    tl_openssl *backend;
    dump_report report;
    dump_keys keys;
    dump_spdm spdm;
    char *lines;
    size_t lines_n;
} forger;

static size_t his_secret(void *ctx, const char *name, uint8_t *value, size_t room)
{
    (void)ctx;
    if (strcmp(name, "dhe_secret") != 0 || room < HASH)
        return 0;
    memset(value, 0x5A, HASH);
    return HASH;
}

static void compute(forger *f)
{
    static const tl_openssl_config slots = { .hash_slots = 32, .key_slots = 32 };
    static uint8_t copy[PACKET];

    memset(f, 0, sizeof *f);
    tl_assert_ok(tl_openssl_open(&slots, &f->backend));
    dump_keys_write(&f->keys, open_memstream(&f->lines, &f->lines_n), his_secret, NULL);
    dump_spdm_init(&f->spdm, dump_link_of(from.link), f->backend, &f->report, &f->keys);
    for (size_t i = 0; i < packet_n; i++) {
        const pcap_packet p = {
            .number = i + 1, .from = &from, .p = copy, .n = packets[i].n, .wire_n = packets[i].n
        };
        dump_line line = { .telling = "" };

        memcpy(copy, packets[i].bytes, packets[i].n);
        dump_spdm_packet(&f->spdm, &p, &line);
    }
    (void)fflush(f->keys.to);
}

static void computed(forger *f)
{
    dump_spdm_wipe(&f->spdm);
    tl_openssl_close(f->backend);
    (void)fclose(f->keys.to);
    free(f->lines);
}

/* The last value of that name, "th_curr_hmac: ". */
static void last_value(const char *name, uint8_t to[HASH])
{
    const char *at = NULL;
    forger f;

    compute(&f);
    for (const char *p = f.lines; (p = strstr(p, name)) != NULL; p++)
        at = p + strlen(name);
    assert_non_null(at);
    for (size_t i = 0; i < HASH; i++) {
        unsigned byte;

        assert_int_equal(sscanf(at + 2 * i, "%2x", &byte), 1);
        to[i] = (uint8_t)byte;
    }
    computed(&f);
}

/* The verify data that the last message should have had. */
static void verify_data(uint8_t to[HASH])
{
    last_value("th_curr_hmac: ", to);
}

/* A record of the newest session. */
static void seal(unsigned direction, tl_span message)
{
    uint8_t inside[PACKET], record[PACKET];
    tl_wr in = tl_wr_of(inside, sizeof inside), out = tl_wr_of(record, sizeof record);
    dump_session *s;
    forger f;

    compute(&f);
    s = &f.spdm.check.sessions[0];
    tl_assert_ok(tl_transport_tcp.binding.wrap(message, &in));
    tl_assert_ok(tl_record_seal(&s->schedule, &s->keys[direction], &dump_link_of(from.link)->record, s->id,
                                tl_span_of(inside, in.n), &out));
    add(TL_CARRIED_SECURED, tl_span_of(record, out.n));
    computed(&f);
}

static void say(uint8_t code, bool secured)
{
    const uint8_t message[4 + HASH] = { TL_SPDM_13, code };
    const tl_span m = tl_span_of(message, code == TL_SPDM_FINISH ? sizeof message : 4);

    if (secured)
        seal((code & 0x80) != 0 ? REQUESTER : RESPONDER, m);
    else
        add(TL_CARRIED_CLEAR, m);
}

static void forge_key_exchange(void)
{
    packet *p = last_of(TL_SPDM_KEY_EXCHANGE_RSP);

    verify_data(p->bytes + p->n - HASH);
}

/* A FINISH that nobody signed, with the right verify data. */
static void forge_finish(void)
{
    uint8_t message[4 + HASH] = { TL_SPDM_13, TL_SPDM_FINISH };
    const tl_span m = tl_span_of(message, sizeof message);

    seal(REQUESTER, m);
    verify_data(message + 4);
    packet_n--;
    seal(REQUESTER, m);
}

/* What a controller's key signs in place of a transcript's digest. */
static void to_sign(const uint8_t transcript[HASH], uint8_t digest[HASH])
{
    static const char what[] = "requester-finish signing";
    const tl_crypto *c = pair.rq_end.crypto;
    uint8_t prefix[100] = { 0 };
    tl_hash h;

    for (size_t i = 0; i < 4; i++)
        memcpy(prefix + 16 * i, "dmtf-spdm-v1.3.*", 16);
    memcpy(prefix + sizeof prefix - (sizeof what - 1), what, sizeof what - 1);
    tl_assert_ok(c->ops->hash_start(c->ctx, TL_HASH_SHA384, &h));
    tl_assert_ok(c->ops->hash_add(c->ctx, h, tl_span_of(prefix, sizeof prefix)));
    tl_assert_ok(c->ops->hash_add(c->ctx, h, tl_span_of(transcript, HASH)));
    tl_assert_ok(c->ops->hash_end(c->ctx, h, digest));
}

/* The controller itself would make it like this. */
static void sign_finish(void)
{
    uint8_t message[4 + 96 + HASH] = { TL_SPDM_13, TL_SPDM_FINISH, 1 }, th[HASH], digest[HASH];
    const tl_span m = tl_span_of(message, sizeof message);
    const tl_crypto *c = pair.rq_end.crypto;

    seal(REQUESTER, m);
    last_value("th_curr_hash: ", th);
    to_sign(th, digest);
    tl_assert_ok(c->ops->sign(c->ctx, pair.rq_end.key, TL_SIGN_ECDSA_P384,
                              (tl_digest){ TL_HASH_SHA384, tl_span_of(digest, HASH) }, message + 4));
    packet_n--;
    seal(REQUESTER, m);
    verify_data(message + 4 + 96);
    packet_n--;
    seal(REQUESTER, m);
}

static size_t vendor(uint8_t code, const agreement *a, uint8_t *message)
{
    static uint8_t payload[PACKET];
    tl_wr w = tl_wr_of(message, PACKET), p = tl_wr_of(payload, sizeof payload);

    tl_assert_ok(agreement_write(a, &p));
    tl_put(&w, 1, TL_LITTLE, TL_SPDM_13);
    tl_put(&w, 1, TL_LITTLE, code);
    tl_put_zeros(&w, 2);
    tl_put(&w, 2, TL_LITTLE, TL_VENDOR_STANDARD);
    tl_put(&w, 1, TL_LITTLE, AGREEMENT_VENDOR_SIZE);
    tl_put_bytes(&w, tl_span_of(agreement_vendor_id, AGREEMENT_VENDOR_SIZE));
    tl_put(&w, 2, TL_LITTLE, p.n);
    tl_put_bytes(&w, tl_span_of(payload, p.n));
    assert_false(w.bad);
    return w.n;
}

/* Request and answer. */
static void agree(bool secured, const agreement *a)
{
    static const agreement done = { .kind = TL_AGREEMENT_DONE };
    static uint8_t message[PACKET];

    for (unsigned i = 0; i < 2; i++) {
        const tl_span m =
            tl_span_of(message, i == 0 ? vendor(TL_SPDM_VENDOR_DEFINED_REQUEST, a, message)
                                       : vendor(TL_SPDM_VENDOR_DEFINED_RESPONSE, &done, message));

        if (secured)
            seal(i == 0 ? REQUESTER : RESPONDER, m);
        else
            add(TL_CARRIED_CLEAR, m);
    }
}

static void agree_on_stream(void)
{
    agreement a = { .kind = TL_AGREEMENT_REKEY };

    a.body.stream.stream = STREAM;
    agree(true, &a);
}

/* A chain that everybody has seen. */
static void tell_controller(const tl_spdm_end *controller)
{
    agreement a = { .kind = TL_AGREEMENT_CHAIN };

    a.body.chain.certificates = tl_span_of(controller->chain, controller->chain_n);
    agree(false, &a);
}

/* The controller's certificates before the exchange: no transcript covers the message. */
static void tell_controller_before(void)
{
    static packet exchange[2];

    memcpy(exchange, &packets[packet_n - 2], sizeof exchange);
    packet_n -= 2;
    tell_controller(&pair.rq_end);
    memcpy(&packets[packet_n], exchange, sizeof exchange);
    packet_n += 2;
}

/* ---- what is made of it ---- */

static verify_spdm judged;

/* The secret of the stream's epoch 0 that follows from the session, or from no secret at all. */
static void add_stream(stream_keys *keys, const forger *f)
{
    const dump_session *s = &f->spdm.check.sessions[0];
    const tl_digest export = { TL_HASH_SHA384, tl_span_of(s->application.export_master.bytes, HASH) };
    const replay_border opened = { .set = true, .packet = { .number = 1 } };
    uint8_t secret[TL_HASH_MAX];
    char line[64 + 2 * TL_HASH_MAX];
    tl_key_source source;
    tl_fault fault;
    size_t n, at;

    tl_assert_ok(tl_key_source_exported(&source, tl_openssl_crypto(f->backend), export, STREAM,
                                        TL_SENSOR_TO_CONTROLLER));
    tl_assert_ok(tl_key_source_secret(&source, 0, secret, &n));
    at = (size_t)snprintf(line, sizeof line, "stream %d epoch 0 secret ", STREAM);
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(line + at, 3, "%02x", secret[i]);
    line[at++] = '\n';
    assert_int_equal(stream_keys_take(keys, tl_span_of((const uint8_t *)line, at), "test", &fault),
                     TL_EXIT_OK);
    verify_ties_opened(&judged.ties, &opened);
}

/* With both ends' roots trusted: how many epochs are refused, and why; what failed of SPDM is named first. */
static size_t judge(tl_fault *fault)
{
    stream_keys keys = { 0 };
    size_t refused;
    tl_exit code;
    FILE *out = fopen(keys_path, "w");
    forger f;

    compute(&f);
    assert_int_equal(fwrite(f.lines, 1, f.lines_n, out), f.lines_n);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(verify_spdm_open(&judged, keys_path, fault), TL_EXIT_OK);
    assert_int_equal(verify_spdm_trust(&judged, trust, fault), TL_EXIT_OK);
    for (size_t i = 0; i < packet_n; i++) {
        static uint8_t copy[PACKET];
        const pcap_packet p = { .number = i + 1,
                                .from = &from,
                                .p = copy,
                                .n = packets[i].n,
                                .wire_n = packets[i].n,
                                .time_ns = (uint64_t)TL_PAIR_NOW * 1000000000u };

        memcpy(copy, packets[i].bytes, packets[i].n);
        assert_int_equal(verify_spdm_packet(&judged, &p, fault), TL_EXIT_OK);
    }
    assert_int_equal(verify_spdm_end(&judged, fault), TL_EXIT_OK);
    add_stream(&keys, &f);
    code = verify_spdm_settle(&judged, &keys, STREAM, &refused, fault);
    assert_int_equal(code, refused > 0 ? TL_EXIT_REFUSED : TL_EXIT_OK);
    if (judged.report.failed > 0)
        *fault = judged.first;
    stream_keys_close(&keys);
    computed(&f);
    return refused;
}

static void expect_refused(const char *why)
{
    tl_fault fault;

    assert_int_equal(judge(&fault), 1);
    if (strstr(fault.text, why) == NULL)
        fail_msg("\"%s\" and not \"%s\"", fault.text, why);
    verify_spdm_close(&judged);
    tl_spdm_pair_close(&pair);
}

static void finish_when_nobody_signed_it_then_refused(void **state)
{
    (void)state;
    see_exchange(true);
    tell_controller_before();
    forge_key_exchange();
    forge_finish();
    say(TL_SPDM_FINISH_RSP, true);
    agree_on_stream();
    expect_refused("there is no signature, and one was asked for");
}

static void finish_when_it_stands_outside_of_the_session_then_refused(void **state)
{
    (void)state;
    see_exchange(true);
    tell_controller_before();
    forge_key_exchange();
    say(TL_SPDM_FINISH, false);
    say(TL_SPDM_FINISH_RSP, true);
    agree_on_stream();
    expect_refused("FINISH is answered that was not asked");
}

static void secret_when_no_signature_covers_the_session_then_refused(void **state)
{
    (void)state;
    see_exchange(false);
    forge_key_exchange();
    forge_finish();
    say(TL_SPDM_FINISH_RSP, true);
    agree_on_stream();
    expect_refused("follows from no session");
}

/* The first message of that code. */
static void take_out(uint8_t code)
{
    for (size_t i = 0; i < packet_n; i++)
        if (body_of(&packets[i])[1] == code) {
            memmove(&packets[i], &packets[i + 1], (packet_n - i - 1) * sizeof *packets);
            packet_n--;
            return;
        }
    fail();
}

static void session_when_both_ends_signed_then_its_streams_are_tied(void **state)
{
    tl_fault fault;

    (void)state;
    see_exchange(true);
    tell_controller_before();
    forge_key_exchange();
    sign_finish();
    say(TL_SPDM_FINISH_RSP, true);
    agree_on_stream();
    assert_int_equal(judge(&fault), 0);
    assert_int_equal(judged.report.failed, 0);
    verify_spdm_close(&judged);
    tl_spdm_pair_close(&pair);
}

static void chain_when_another_is_told_after_the_signature_then_refused(void **state)
{
    packet *certificate;

    (void)state;
    see_exchange(false);
    take_out(TL_SPDM_GET_DIGESTS);
    take_out(TL_SPDM_DIGESTS);
    forge_key_exchange();
    packets[packet_n++] = *last_of(TL_SPDM_GET_CERTIFICATE);
    certificate = last_of(TL_SPDM_CERTIFICATE);
    packets[packet_n++] = *certificate;
    packets[packet_n - 1].bytes[certificate->n - 1] ^= 1;
    forge_finish();
    say(TL_SPDM_FINISH_RSP, true);
    agree_on_stream();
    expect_refused("the responder's chain is another by now than the one that signed");
}

static void chain_when_another_controllers_is_told_after_the_signature_then_refused(void **state)
{
    (void)state;
    see_exchange(true);
    tell_controller_before();
    forge_key_exchange();
    sign_finish();
    tell_controller(&pair.rs_end);
    say(TL_SPDM_FINISH, false);
    say(TL_SPDM_FINISH_RSP, true);
    agree_on_stream();
    expect_refused("the requester's chain is another by now than the one that signed");
}

static void agreement_when_before_finish_then_of_no_earlier_session_of_that_id(void **state)
{
    size_t n;

    (void)state;
    see_exchange(true);
    tell_controller_before();
    forge_key_exchange();
    n = packet_n;
    sign_finish();
    say(TL_SPDM_FINISH_RSP, true);
    memcpy(&packets[packet_n], packets, n * sizeof *packets);
    packet_n += n;
    agree_on_stream();
    expect_refused("follows from no session");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(session_when_both_ends_signed_then_its_streams_are_tied),
    cmocka_unit_test(chain_when_another_is_told_after_the_signature_then_refused),
    cmocka_unit_test(chain_when_another_controllers_is_told_after_the_signature_then_refused),
    cmocka_unit_test(agreement_when_before_finish_then_of_no_earlier_session_of_that_id),
    cmocka_unit_test(finish_when_nobody_signed_it_then_refused),
    cmocka_unit_test(finish_when_it_stands_outside_of_the_session_then_refused),
    cmocka_unit_test(secret_when_no_signature_covers_the_session_then_refused),
};

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(trust, sizeof trust, "%s/roots.pem", folder);
    (void)snprintf(keys_path, sizeof keys_path, "%s/keys", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(trust);
    (void)unlink(keys_path);
    (void)rmdir(folder);
    return 0;
}

int main(void)
{
    return cmocka_run_group_tests_name("verify_forged", tests, set_up, tear_down);
}
