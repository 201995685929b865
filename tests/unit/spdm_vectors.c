/* The transcripts of a session, on exchanges that others recorded: what session.c makes of the messages in NAME.pcap must
 * be what NAME.keys says. The folder is TL_VECTORS, or ../shared/vectors beside the project; without it the cases are
 * skipped, but not in CI. */
#include "spdm/session.h"
#include "one_backend.h"
#include "testing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PACKETS = 64, FILE_MAX = 32768, LINES = 128 };

/* ---- files ---- */

typedef struct recording {
    uint8_t pcap[FILE_MAX];
    char keys[FILE_MAX];
    tl_span packet[PACKETS]; /* with their MCTP type byte */
    size_t n;
    const char *name[LINES], *value[LINES];
    size_t lines;
} recording;

static bool read_file(const char *name, const char *extension, void *out, size_t *n)
{
    const char *folder = getenv("TL_VECTORS");
    char path[1024];
    FILE *f;
    snprintf(path, sizeof path, "%s/spdm/%s.%s",
             folder != NULL ? folder : TL_TEST_DATA "/../../../shared/vectors", name, extension);
    f = fopen(path, "rb");
    if (f == NULL) {
        if (getenv("CI") != NULL)
            fail_msg("%s: %s", path, strerror(errno));
        print_message("# skipped: %s: %s\n", path, strerror(errno));
        return false;
    }
    *n = fread(out, 1, FILE_MAX - 1, f);
    fclose(f);
    return true;
}

static bool load(recording *r, const char *name)
{
    enum { PCAP_HEADER = 24, MCTP_HEADER = 4 };
    size_t n, keys_n;
    tl_rd rd;
    memset(r, 0, sizeof *r);
    if (!read_file(name, "pcap", r->pcap, &n) || !read_file(name, "keys", r->keys, &keys_n))
        return false;
    rd = tl_rd_of(tl_span_of(r->pcap + PCAP_HEADER, n - PCAP_HEADER));
    while (rd.n != 0 && r->n < PACKETS) {
        (void)tl_take(&rd, 8);
        size_t length = (size_t)tl_get(&rd, 4, TL_LITTLE);
        (void)tl_take(&rd, 4 + MCTP_HEADER);
        r->packet[r->n++] = tl_get_bytes(&rd, length - MCTP_HEADER);
    }
    assert_true(tl_rd_end(&rd));
    for (char *line = strtok(r->keys, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *colon = strstr(line, ": ");
        if (line[0] == '#')
            continue;
        assert_true(colon != NULL && r->lines < LINES);
        *colon = '\0';
        r->name[r->lines] = line;
        r->value[r->lines++] = colon + 2;
    }
    return true;
}

/* The i-th value of that name, from 0. */
static size_t key_of(const recording *r, const char *name, size_t i, uint8_t out[TL_HASH_MAX + 32])
{
    for (size_t line = 0; line < r->lines; line++)
        if (strcmp(r->name[line], name) == 0 && i-- == 0)
            return tl_hex(r->value[line], out, TL_HASH_MAX + 32);
    fail_msg("there is no %s", name);
    return 0;
}

static void assert_key(const recording *r, const char *name, size_t i, const uint8_t *got)
{
    uint8_t expected[TL_HASH_MAX + 32];
    assert_memory_equal(got, expected, key_of(r, name, i, expected));
}

/* ---- a connection from the recorded messages ---- */

static tl_span message(const recording *r, size_t i)
{
    assert_true(i < r->n);
    return tl_span_of(r->packet[i].p + 1, r->packet[i].n - 1);
}

/* The i-th clear message with this code; its place. */
static size_t place_of(const recording *r, uint8_t code, size_t i)
{
    for (size_t at = 0; at < r->n; at++)
        if (r->packet[at].p[0] == 5 && r->packet[at].p[2] == code && i-- == 0)
            return at;
    fail_msg("there is no message %02X", code);
    return 0;
}

static void chain_digest(const tl_spdm_connection *c, const recording *r, uint8_t slot,
                         uint8_t digest[TL_HASH_MAX])
{
    enum { PORTION = 8 };
    size_t i = 0, at = place_of(r, TL_SPDM_CERTIFICATE, i);
    tl_span chain;
    while (message(r, at).p[2] != slot)
        at = place_of(r, TL_SPDM_CERTIFICATE, ++i);
    chain = message(r, at);
    chain = tl_span_of(chain.p + PORTION, chain.n - PORTION);
    tl_assert_ok(tl__digest(c, c->algs.hash, &chain, 1, digest));
}

static void connect(tl_spdm_connection *c, const recording *r, bool p384)
{
    *c = (tl_spdm_connection){ .crypto = crypto, .role = TL_SPDM_REQUESTER };
    c->env.version = message(r, 2).p[0];
    c->algs = (tl_spdm_algs){ .hash = p384 ? TL_HASH_SHA384 : TL_HASH_SHA256,
                              .aead = p384 ? TL_SUITE_AES256_GMAC : TL_SUITE_AES128_GMAC };
    for (size_t i = 0; i < 6; i += 2)
        tl_assert_ok(tl__vca_add(c, message(r, i), message(r, i + 1)));
}

static tl_err digest_now(const tl_spdm_connection *c, const tl_spdm_session *s, uint8_t digest[TL_HASH_MAX])
{
    return tl__transcript_digest(c, s->th, digest);
}

/* The message inside a record, without its MCTP type. */
static tl_span open_record(tl_spdm_session *s, tl_record_key *key, tl_span record, uint8_t room[256])
{
    static const tl_record_binding mctp = { 2, 32 };
    tl_span application;
    memcpy(room, record.p, record.n);
    tl_assert_ok(
        tl_record_open(&s->schedule, key, &mctp, 0xFFFFFFFF, (tl_buffer){ room, record.n }, &application));
    return tl_span_of(application.p + 1, application.n - 1);
}

static void check_session(const recording *r, bool p384, size_t number)
{
    size_t at = place_of(r, TL_SPDM_KEY_EXCHANGE, number), hash = p384 ? 48 : 32, sig = p384 ? 96 : 64;
    tl_span request = message(r, at), answer = message(r, at + 1), finish, finish_rsp;
    size_t before = answer.n - sig - hash;
    uint8_t digest[TL_HASH_MAX], secret[TL_HASH_MAX + 32], mac[TL_HASH_MAX], room[2][256];
    tl_spdm_session s = { 0 };
    tl_spdm_connection c;
    connect(&c, r, p384);
    chain_digest(&c, r, request.p[3], digest);
    tl_assert_ok(tl__session_th(&c, &s, digest, request, tl_span_of(answer.p, before)));
    tl_assert_ok(digest_now(&c, &s, digest));
    assert_key(r, "th_curr_hash", number, digest);
    tl_assert_ok(tl__transcript_add(&c, s.th, tl_span_of(answer.p + before, sig)));
    tl_assert_ok(digest_now(&c, &s, digest));
    assert_key(r, "th1", number, digest);
    tl_assert_ok(tl__session_handshake(&c, &s, tl_span_of(secret, key_of(r, "dhe_secret", number, secret))));
    assert_key(r, "request_handshake_secret", number, s.handshake.request.bytes);
    tl_assert_ok(tl__session_verify_data(&c, &s, &s.handshake.response, s.th, mac));
    assert_memory_equal(mac, answer.p + before + sig, hash);
    tl_assert_ok(tl__transcript_add(&c, s.th, tl_span_of(mac, hash)));
    /* FINISH and FINISH_RSP, in their records */
    finish = open_record(&s, &s.request_key, message(r, at + 2), room[0]);
    finish_rsp = open_record(&s, &s.response_key, message(r, at + 3), room[1]);
    assert_int_equal(finish.n, 4 + hash);
    tl_assert_ok(tl__transcript_add(&c, s.th, tl_span_of(finish.p, 4)));
    tl_assert_ok(tl__session_verify_data(&c, &s, &s.handshake.request, s.th, mac));
    assert_memory_equal(mac, finish.p + 4, hash);
    tl_assert_ok(tl__transcript_add(&c, s.th, tl_span_of(finish.p + 4, hash)));
    tl_assert_ok(tl__session_application(&c, &s, s.th, finish_rsp));
    assert_key(r, "export_master_secret", number, s.application.export_master.bytes);
    assert_key(r, "request_data_secret", number, s.application.request.bytes);
    tl__session_establish(&c, &s);
    finish = open_record(&s, &s.request_key, message(r, at + 4), room[0]);
    assert_int_equal(finish.p[1], TL_SPDM_END_SESSION);
    tl__session_end(&c, &s);
}

static void check(const char *name, bool p384)
{
    static recording r;
    if (!load(&r, name))
        skip();
    for (size_t number = 0; number < 2; number++)
        check_session(&r, p384, number);
}

static void session_when_recorded_with_1_2_and_p256_then_the_recorded_transcripts(void **state)
{
    (void)state;
    check("hs_p256_1.2", false);
}

static void session_when_recorded_with_1_3_and_p384_then_the_recorded_transcripts(void **state)
{
    (void)state;
    check("hs_p384_1.3", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_when_recorded_with_1_2_and_p256_then_the_recorded_transcripts),
        cmocka_unit_test(session_when_recorded_with_1_3_and_p384_then_the_recorded_transcripts),
    };
    return cmocka_run_group_tests_name("spdm_vectors", tests, open_backend, close_backend);
}
