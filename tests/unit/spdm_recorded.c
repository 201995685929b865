/* Messages that others exchanged: each in clear is read by its rows to the last byte and written again as it was; and the
 * signatures of CHALLENGE_AUTH and MEASUREMENTS are right over our transcripts, and wrong with a byte changed. The folder is
 * TL_VECTORS, or ../shared/vectors beside the project; without it the cases are skipped, but not in CI. */
#include "spdm/spdm.h"
#include "testing.h"

#include <trueline/openssl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 17, PACKETS = 512, PCAP_HEADER = 24, PACKET_HEADER = 16, MCTP = 4, SPDM_TYPE = 5 };

typedef struct recording {
    uint8_t bytes[FILE_MAX];
    tl_span message[PACKETS]; /* in clear */
    size_t n;
} recording;

static recording rec;

static bool record_read(const char *name)
{
    const char *folder = getenv("TL_VECTORS");
    char path[1024];
    FILE *f;
    tl_rd r;

    snprintf(path, sizeof path, "%s/spdm/%s.pcap",
             folder != NULL ? folder : TL_TEST_DATA "/../../../shared/vectors", name);
    f = fopen(path, "rb");
    if (f == NULL) {
        if (getenv("CI") != NULL)
            fail_msg("%s is missing", path);
        print_message("# skipped: %s is missing\n", path);
        return false;
    }
    r = tl_rd_of(tl_span_of(rec.bytes, fread(rec.bytes, 1, sizeof rec.bytes, f)));
    fclose(f);
    (void)tl_take(&r, PCAP_HEADER);
    rec.n = 0;
    while (r.n > 0) {
        tl_rd packet;

        (void)tl_take(&r, 8);
        packet = tl_rd_of(tl_get_bytes(&r, 8));
        packet = tl_rd_of(tl_get_bytes(&r, (size_t)tl_get(&packet, 4, TL_LITTLE)));
        assert_false(r.bad);
        (void)tl_take(&packet, MCTP);
        if (tl_get(&packet, 1, TL_LITTLE) != SPDM_TYPE)
            continue;
        assert_true(rec.n < PACKETS);
        rec.message[rec.n++] = tl_rd_rest(&packet);
    }
    return true;
}

/* ---- rows ---- */

/* Sizes of the negotiated classes, from the exchange itself. */
static void sizes_learn(tl_env *env, tl_span m)
{
    if (m.p[1] == TL_SPDM_ALGORITHMS) {
        bool small = m.p[16] == 1;

        env->len[TL_LEN_HASH] = env->len[TL_LEN_HMAC] = small ? 32 : 48;
        env->len[TL_LEN_SIG] = (m.p[12] & 0x10) ? 64 : 96;
        env->len[TL_LEN_KEX] = env->len[TL_LEN_KEXR] = env->len[TL_LEN_SIG];
    }
    if (m.p[1] == TL_SPDM_CHALLENGE)
        env->len[TL_LEN_MSH] = m.p[3] != 0 ? env->len[TL_LEN_HASH] : 0;
    if (m.p[1] == TL_SPDM_KEY_EXCHANGE)
        env->len[TL_LEN_MSH] = m.p[2] != 0 ? env->len[TL_LEN_HASH] : 0;
}

static const struct {
    uint8_t code;
    const tl_field *(*rows)(void);
    size_t size;
} layouts[] = {
#define LAYOUT(code, name)                                                                                   \
    {                                                                                                        \
        code, tl_rows_##name, sizeof(tl_##name)                                                              \
    }
    LAYOUT(TL_SPDM_VERSION, spdm_version),
    LAYOUT(TL_SPDM_GET_CAPABILITIES, spdm_get_capabilities),
    LAYOUT(TL_SPDM_CAPABILITIES, spdm_capabilities),
    LAYOUT(TL_SPDM_NEGOTIATE_ALGORITHMS, spdm_negotiate_algorithms),
    LAYOUT(TL_SPDM_ALGORITHMS, spdm_algorithms),
    LAYOUT(TL_SPDM_DIGESTS, spdm_digests),
    LAYOUT(TL_SPDM_GET_CERTIFICATE, spdm_get_certificate),
    LAYOUT(TL_SPDM_CERTIFICATE, spdm_certificate),
    LAYOUT(TL_SPDM_CHALLENGE, spdm_challenge),
    LAYOUT(TL_SPDM_CHALLENGE_AUTH, spdm_challenge_auth),
    LAYOUT(TL_SPDM_GET_MEASUREMENTS, spdm_get_measurements),
    LAYOUT(TL_SPDM_MEASUREMENTS, spdm_measurements),
    LAYOUT(TL_SPDM_KEY_EXCHANGE, spdm_key_exchange),
    LAYOUT(TL_SPDM_KEY_EXCHANGE_RSP, spdm_key_exchange_rsp),
#undef LAYOUT
};

static void read_and_write(tl_env *env, tl_span m, bool sign)
{
    union {
        tl_spdm_algorithms a;
        tl_spdm_key_exchange_rsp k;
        uint8_t room[512];
    } body;
    uint8_t again[4096];

    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        tl_rd r = tl_rd_of(tl_span_of(m.p + 4, m.n - 4));
        tl_wr w = tl_wr_of(again, sizeof again);
        tl_env e = *env;

        if (layouts[i].code != m.p[1])
            continue;
        assert_true(layouts[i].size <= sizeof body);
        e.version = m.p[0];
        e.len[TL_LEN_NONCE] = sign ? 32 : 0;
        e.len[TL_LEN_SLOT] = sign ? 1 : 0;
        if (m.p[1] == TL_SPDM_MEASUREMENTS && !sign)
            e.len[TL_LEN_SIG] = 0;
        tl_assert_ok(tl_decode(layouts[i].rows(), &e, &r, &body));
        if (!tl_rd_end(&r))
            fail_msg("%zu bytes left of message %02x", r.n, m.p[1]);
        tl_assert_ok(tl_encode(layouts[i].rows(), &e, &body, &w));
        assert_int_equal(w.n, m.n - 4);
        assert_memory_equal(again, m.p + 4, w.n);
        return;
    }
    assert_int_equal(m.n, 4); /* GET_VERSION, GET_DIGESTS */
}

static void recorded_message_in_clear_then_read_whole_and_written_as_it_was(void **s)
{
    static const char *const names[] = { "hs_p256_1.2", "hs_p384_1.3", "basic_p256_1.2", "basic_p384_1.3" };

    (void)s;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        tl_env env = { .version = TL_SPDM_12 };
        bool sign = false;

        if (!record_read(names[k]))
            continue;
        assert_true(rec.n > 10);
        for (size_t i = 0; i < rec.n; i++) {
            if (rec.message[i].p[1] == TL_SPDM_GET_MEASUREMENTS)
                sign = (rec.message[i].p[2] & 1) != 0;
            sizes_learn(&env, rec.message[i]);
            read_and_write(&env, rec.message[i], sign);
        }
    }
}

/* ---- signatures ---- */

static tl_openssl *backend;
static tl_spdm_policy policy;

/* A connection as it is after ALGORITHMS of the recording. */
static void connection_of(tl_spdm_connection *c, const char *name)
{
    bool small = strstr(name, "p256") != NULL;

    *c = (tl_spdm_connection){ .crypto = tl_openssl_crypto(backend),
                               .policy = &policy,
                               .role = TL_SPDM_REQUESTER };
    for (size_t i = 0; i < 6; i += 2)
        tl_assert_ok(tl__vca_add(c, rec.message[i], rec.message[i + 1]));
    c->env.version = rec.message[3].p[0];
    c->algs = (tl_spdm_algs){ .hash = small ? TL_HASH_SHA256 : TL_HASH_SHA384,
                              .sign = small ? TL_SIGN_ECDSA_P256 : TL_SIGN_ECDSA_P384 };
    tl__sizes_set(c);
}

/* The leaf's key of the slot 0 chain in the recording. */
static void leaf_of(tl_spdm_connection *c, tl_span certificate)
{
    size_t head = 8 + 4 + tl_hash_size(c->algs.hash);
    tl_openssl_input in = { "chain", { certificate.p + head, certificate.n - head } };

    if (c->peer.chain_right)
        return;
    tl_assert_ok(tl_openssl_load_leaf(backend, &in, &c->peer.facts.key, NULL));
    c->peer.facts.alg = c->algs.sign;
    c->peer.chain_right = true;
}

static tl_err signed_over(tl_spdm_connection *c, tl__signing what, tl_hash *before, tl_span request,
                          tl_span answer)
{
    size_t n = tl_sign_size(c->algs.sign);
    tl_hash h;
    tl_err e;

    tl_assert_ok(tl__transcript_fork(c, *before, request, tl_span_of(answer.p, answer.n - n), &h));
    e = tl__spdm_check(c, what, h, tl_span_of(answer.p + answer.n - n, n));
    tl__transcript_drop(c, &h);
    return e;
}

/* Walks the recording as a requester would, and counts right signatures. */
static unsigned signatures_right(const char *name)
{
    tl_spdm_connection c;
    unsigned right = 0;

    connection_of(&c, name);
    for (size_t i = 6; i + 1 < rec.n; i += 2) {
        tl_span q = rec.message[i], a = rec.message[i + 1];
        tl_hash next = { 0 };

        tl__transcript_request(&c, q.p[1], false);
        if (q.p[1] == TL_SPDM_GET_CERTIFICATE && q.p[2] == 0)
            leaf_of(&c, a);
        if (q.p[1] == TL_SPDM_GET_DIGESTS || q.p[1] == TL_SPDM_GET_CERTIFICATE) {
            tl_assert_ok(tl__transcript_fork(&c, c.m, q, a, &next));
            tl__transcript_move(&c, &c.m, next);
        }
        if (q.p[1] == TL_SPDM_CHALLENGE) {
            right += signed_over(&c, TL__SIGN_CHALLENGE_AUTH, &c.m, q, a) == TL_OK;
            tl__transcript_drop(&c, &c.m);
        }
        if (q.p[1] == TL_SPDM_GET_MEASUREMENTS)
            right += signed_over(&c, TL__SIGN_MEASUREMENTS, &c.l, q, a) == TL_OK;
    }
    tl__connection_drop(&c);
    return right;
}

static void recorded_signature_then_right_over_our_transcript_and_wrong_with_a_byte_changed(void **s)
{
    static const char *const names[] = { "basic_p256_1.2", "basic_p384_1.3" };
    static const uint8_t covered[] = { TL_SPDM_VERSION,     TL_SPDM_CAPABILITIES, TL_SPDM_ALGORITHMS,
                                       TL_SPDM_CHALLENGE,   TL_SPDM_DIGESTS,      TL_SPDM_CHALLENGE_AUTH,
                                       TL_SPDM_MEASUREMENTS };

    (void)s;
    tl_assert_ok(tl_openssl_open(NULL, &backend));
    policy = tl_spdm_policy_default(TL_SPDM_REQUESTER);
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        if (!record_read(names[k]))
            continue;
        assert_int_equal(signatures_right(names[k]), 2);
        for (size_t i = 0; i < sizeof covered; i++) {
            size_t m = 0;

            while (rec.message[m].p[1] != covered[i])
                m++;
            rec.bytes[rec.message[m].p + 2 - rec.bytes] ^= 1;
            assert_true(signatures_right(names[k]) < 2);
            rec.bytes[rec.message[m].p + 2 - rec.bytes] ^= 1;
        }
    }
    tl_openssl_close(backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_message_in_clear_then_read_whole_and_written_as_it_was),
        cmocka_unit_test(recorded_signature_then_right_over_our_transcript_and_wrong_with_a_byte_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
