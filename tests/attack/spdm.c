/* The attacker between controller and sensor while they speak SPDM: every row of sim/attacks_spdm.def, and beside them every
 * byte of every message, on the library's own engines. What is noticed must name its step; what is not must have done nothing.
 * Then the sensor or the controller is somebody else. */
#include "attack_spdm.h"
#include "issuer.h"
#include "testing.h"

#include <trueline/openssl.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY = 86400, CHAIN_ROOM = 4096, EVERY = 16, LONG = 512 };

/* A chain with its key, made here. */
typedef struct chain {
    uint8_t der[CHAIN_ROOM], root_der[CHAIN_ROOM / 2];
    size_t n, root_n;
    tl_certified leaf;
} chain;

typedef struct authority {
    tl_certified root, below;
} authority;

static tl_openssl *openssl;
static const tl_crypto *crypto;
static authority ours, foreign;
static chain sensor, controller;
static tl_duel_world world;
static tl_duel *clean[2], *duel;
static tl_duel_result clean_result[2];

/* ---- certificates ---- */

static void make_authority(authority *a, const char *name)
{
    int64_t now = (int64_t)time(NULL);
    tl_certificate_wish wish = { .name = name, .not_before = now - DAY, .not_after = now + DAY };

    a->root = tl_certify(&wish, NULL);
    wish.name = "below";
    a->below = tl_certify(&wish, &a->root);
}

static void add_der(uint8_t *to, size_t *n, size_t room, X509 *certificate)
{
    unsigned char *der = NULL;
    int size = i2d_X509(certificate, &der);

    assert_true(size > 0 && *n + (size_t)size <= room);
    memcpy(to + *n, der, (size_t)size);
    *n += (size_t)size;
    OPENSSL_free(der);
}

typedef struct leaf_wish {
    const char *role;
    tl_chain_use use;
    int from_days, to_days;
} leaf_wish;

static void make_chain(chain *c, const authority *a, const leaf_wish *wish)
{
    int64_t now = (int64_t)time(NULL);
    const tl_certificate_wish leaf = { .name = wish->role,
                                       .role = wish->role,
                                       .use = wish->use,
                                       .not_before = now + (int64_t)wish->from_days * DAY,
                                       .not_after = now + (int64_t)wish->to_days * DAY };

    memset(c, 0, sizeof *c);
    c->leaf = tl_certify(&leaf, &a->below);
    add_der(c->root_der, &c->root_n, sizeof c->root_der, a->root.certificate);
    add_der(c->der, &c->n, sizeof c->der, a->root.certificate);
    add_der(c->der, &c->n, sizeof c->der, a->below.certificate);
    add_der(c->der, &c->n, sizeof c->der, c->leaf.certificate);
}

static tl_key load_key(EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int n = i2d_PrivateKey(key, &der);
    const tl_openssl_input in = { "key", tl_span_of(der, n > 0 ? (size_t)n : 0) };
    tl_key k;

    tl_assert_ok(tl_openssl_load_key(openssl, &in, &k, NULL));
    OPENSSL_free(der);
    return k;
}

static tl_spdm_identity identity_of(const chain *c)
{
    tl_key k = load_key(c->leaf.key);

    return (tl_spdm_identity){ tl_span_of(c->der, c->n), tl_span_of(c->root_der, c->root_n), k,
                               tl_openssl_key_alg(openssl, k) };
}

static tl_key load_trust(const authority *a)
{
    uint8_t der[CHAIN_ROOM];
    size_t n = 0;
    tl_openssl_input in = { "root", { der, 0 } };
    tl_key k;

    add_der(der, &n, sizeof der, a->root.certificate);
    in.bytes.n = n;
    tl_assert_ok(tl_openssl_load_trust(openssl, &in, &k, NULL));
    return k;
}

static void free_chain(chain *c)
{
    tl_certified_free(&c->leaf);
}

static void free_authority(authority *a)
{
    tl_certified_free(&a->root);
    tl_certified_free(&a->below);
}

/* ---- world ---- */

static tl_err measure(void *ctx, size_t i, tl_hash_alg alg, bool raw_wanted, tl_spdm_measurement *m)
{
    static const uint8_t ones[TL_HASH_MAX] = { 1, 1, 1 };

    (void)ctx, (void)raw_wanted;
    *m = (tl_spdm_measurement){ .index = (uint8_t)(i + 1), .type = (uint8_t)i, .raw = i == 1 };
    m->value = tl_span_of(ones, i == 1 ? 5 : tl_hash_size(alg));
    return TL_OK;
}

static const tl_spdm_measurement_source measurements = { NULL, 3, measure };

static const leaf_wish right_sensor = { "sensor", TL_USE_RESPONDER, -1, 1 },
                       right_controller = { "controller", TL_USE_REQUESTER, -1, 1 };

static int set_up(void **state)
{
    tl_openssl_config config = { .hash_slots = 32, .key_slots = 64 };

    (void)state;
    tl_assert_ok(tl_openssl_open(&config, &openssl));
    crypto = tl_openssl_crypto(openssl);
    make_authority(&ours, "ours");
    make_authority(&foreign, "foreign");
    make_chain(&sensor, &ours, &right_sensor);
    make_chain(&controller, &ours, &right_controller);
    world = (tl_duel_world){ .crypto = crypto, .measurements = &measurements };
    world.sensor = identity_of(&sensor);
    world.controller = identity_of(&controller);
    world.controller_trusts =
        (tl_chain_rules){ .trust = load_trust(&ours), .now = (uint64_t)time(NULL), .role = "sensor" };
    world.sensor_trusts = world.controller_trusts;
    world.sensor_trusts.role = "controller";
    duel = calloc(1, sizeof *duel);
    for (int i = 0; i < 2; i++) {
        clean[i] = calloc(1, sizeof **clean);
        assert_non_null(clean[i]);
        tl_assert_ok(tl_duel_run(clean[i], &world, (tl_duel_script)i, (tl_duel_hand){ 0 }, &clean_result[i]));
    }
    return duel != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free_chain(&sensor);
    free_chain(&controller);
    free_authority(&ours);
    free_authority(&foreign);
    free(clean[0]);
    free(clean[1]);
    free(duel);
    tl_openssl_close(openssl);
    return 0;
}

static const tl_duel *const *clean_logs(void)
{
    static const tl_duel *logs[2];

    logs[0] = clean[0];
    logs[1] = clean[1];
    return logs;
}

/* ---- cases ---- */

static void scripts_when_nobody_attacks_then_both_ends_agree(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        if (!clean_result[i].whole)
            print_message("# %s: %s\n", clean_result[i].step, clean_result[i].what);
        assert_true(clean_result[i].whole);
        assert_true(clean_result[i].agreed);
        assert_int_equal(clean_result[i].env.version, TL_SPDM_13);
        assert_true(clean_result[i].record_n > 0);
    }
}

static void targets_when_listed_then_all_are_in_the_clean_runs(void **state)
{
    (void)state;
    for (int i = 0; i < TL_SPDM_TARGETS; i++) {
        const tl_spdm_target *t = &tl_spdm_targets[i];

        if (tl_spdm_find(clean[t->script], t) == NULL)
            fail_msg("%s is not in its run", t->name);
    }
}

typedef struct sum {
    size_t rows, harmless, bad;
} sum;

static bool run_row(void *ctx, const tl_spdm_attack *attack)
{
    sum *s = ctx;
    tl_duel_result r;
    bool as_expected;

    tl_assert_ok(tl_spdm_attack_run(duel, &world, clean_logs(), attack, &r, &as_expected));
    s->rows++;
    s->harmless += attack->harmless;
    if (!as_expected) {
        s->bad++;
        print_message("# %s: %s, at %s: %s\n", attack->name, r.whole ? "not noticed" : "noticed",
                      r.whole ? "-" : r.step, r.whole ? "-" : r.what);
    }
    return true;
}

static void rows_when_attacked_then_each_ends_as_it_says(void **state)
{
    sum s = { 0 };
    const tl_spdm_rows rows = { { clean[0], clean[1] }, clean_result[0].env, &s, run_row };
    size_t n = tl_spdm_attacks_each(&rows);

    (void)state;
    print_message("# %zu rows, %zu of them harmless\n", n, s.harmless);
    assert_int_equal(n, s.rows);
    assert_true(n > 150);
    assert_int_equal(s.bad, 0);
}

/* ---- every byte ---- */

/* A change of any byte is noticed, or leaves everything as it was. Long messages are sampled. */
static void messages_when_any_byte_is_changed_then_noticed_or_nothing_is_different(void **state)
{
    size_t runs = 0, harmless = 0;

    (void)state;
    for (int i = 0; i < TL_SPDM_TARGETS; i++) {
        const tl_spdm_target *t = &tl_spdm_targets[i];
        const tl_duel_message *m = tl_spdm_find(clean[t->script], t);

        for (size_t at = 0; at<m->n; at += m->n> LONG ? EVERY : 1) {
            tl_spdm_attack attack = { .act = TL_SPDM_CHANGE,
                                      .script = t->script,
                                      .target = (tl_spdm_target_id)i,
                                      .at = at,
                                      .mask = (uint8_t)(1u << at % 8) };
            tl_duel_result r;
            bool noticed, unharmed;

            tl_assert_ok(tl_spdm_attack_run(duel, &world, clean_logs(), &attack, &r, &noticed));
            unharmed =
                r.whole && r.agreed && r.record_n == clean_result[t->script].record_n &&
                memcmp(r.chain_digest, clean_result[t->script].chain_digest, sizeof r.chain_digest) == 0 &&
                memcmp(r.record, clean_result[t->script].record, r.record_n) == 0;
            if (!noticed && !unharmed)
                fail_msg("%s byte %zu: neither noticed nor harmless", t->name, at);
            runs++;
            harmless += !noticed;
        }
    }
    print_message("# %zu changes, %zu of them without effect\n", runs, harmless);
    assert_true(harmless < runs / 20);
}

/* ---- somebody else ---- */

/* Runs the session with `who` in the sensor's or the controller's place; expects a refusal in that step. */
static void expect_refused(const tl_duel_world *w, const char *step, tl_err err)
{
    tl_duel_result r;

    tl_assert_ok(tl_duel_run(duel, w, TL_DUEL_SESSION, (tl_duel_hand){ 0 }, &r));
    assert_false(r.whole);
    assert_false(r.agreed);
    assert_string_equal(r.step, step);
    assert_int_equal(r.err, err);
}

static void refuse_sensor(const authority *a, const leaf_wish *wish, const char *step)
{
    tl_duel_world w = world;
    chain other;

    make_chain(&other, a, wish);
    w.sensor = identity_of(&other);
    expect_refused(&w, step, TL_E_CHAIN);
    crypto->ops->key_drop(crypto->ctx, w.sensor.key);
    free_chain(&other);
}

static void refuse_controller(const authority *a, const leaf_wish *wish)
{
    tl_duel_world w = world;
    chain other;

    make_chain(&other, a, wish);
    w.controller = identity_of(&other);
    expect_refused(&w, "KEY_EXCHANGE", TL_E_PEER_UNSPECIFIED);
    crypto->ops->key_drop(crypto->ctx, w.controller.key);
    free_chain(&other);
}

static void sensor_when_it_is_somebody_else_then_refused_at_its_certificates(void **state)
{
    static const leaf_wish wishes[] = { { "bridge", TL_USE_RESPONDER, -1, 1 },
                                        { "debugger", TL_USE_REQUESTER, -1, 1 },
                                        { "sensor", TL_USE_REQUESTER, -1, 1 },
                                        { "sensor", TL_USE_RESPONDER, -3, -1 },
                                        { "sensor", TL_USE_RESPONDER, 1, 3 } };

    (void)state;
    refuse_sensor(&foreign, &right_sensor, "CERTIFICATE");
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++)
        refuse_sensor(&ours, &wishes[i], "CERTIFICATE");
}

static void controller_when_it_is_somebody_else_then_refused_at_key_exchange(void **state)
{
    static const leaf_wish wishes[] = { { "sensor", TL_USE_RESPONDER, -1, 1 },
                                        { "debugger", TL_USE_REQUESTER, -1, 1 },
                                        { "controller", TL_USE_RESPONDER, -1, 1 },
                                        { "controller", TL_USE_REQUESTER, -3, -1 } };

    (void)state;
    refuse_controller(&foreign, &right_controller);
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++)
        refuse_controller(&ours, &wishes[i]);
}

static void key_when_it_is_another_ones_for_the_right_certificate_then_refused(void **state)
{
    tl_duel_world w = world;
    chain other;

    (void)state;
    make_chain(&other, &ours, &right_sensor);
    w.sensor.key = load_key(other.leaf.key);
    expect_refused(&w, "KEY_EXCHANGE", TL_E_TAG);
    crypto->ops->key_drop(crypto->ctx, w.sensor.key);
    w = world;
    w.controller.key = load_key(other.leaf.key);
    expect_refused(&w, "FINISH", TL_E_PEER_DECRYPT_ERROR);
    crypto->ops->key_drop(crypto->ctx, w.controller.key);
    free_chain(&other);
}

/* Without a certificate there is a session, for measurements; what is agreed in one is not for everybody. */
static void controller_when_it_has_no_certificate_then_nothing_is_agreed(void **state)
{
    tl_duel_world w = world;

    (void)state;
    w.controller.alg = TL_SIGN_NONE;
    expect_refused(&w, "VENDOR_DEFINED", TL_E_PEER_UNEXPECTED_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_when_nobody_attacks_then_both_ends_agree),
        cmocka_unit_test(targets_when_listed_then_all_are_in_the_clean_runs),
        cmocka_unit_test(rows_when_attacked_then_each_ends_as_it_says),
        cmocka_unit_test(messages_when_any_byte_is_changed_then_noticed_or_nothing_is_different),
        cmocka_unit_test(sensor_when_it_is_somebody_else_then_refused_at_its_certificates),
        cmocka_unit_test(controller_when_it_is_somebody_else_then_refused_at_key_exchange),
        cmocka_unit_test(key_when_it_is_another_ones_for_the_right_certificate_then_refused),
        cmocka_unit_test(controller_when_it_has_no_certificate_then_nothing_is_agreed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
