/* Policies are masks of one bit each where a kind is asked for. OpenSSL's random method is replaced by a generator; that it is
 * deprecated does not matter to a test. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "two_ends.h"

#include <openssl/rand.h>

#include <stdio.h>
#include <string.h>

enum { PATIENCE_MS = 40 };

tl_ends_kind tl_ends_kind_of(unsigned i)
{
    return (tl_ends_kind){
        .version = (i & 1) != 0 ? TL_SPDM_12 : TL_SPDM_13,
        .sign = (i & 2) != 0 ? TL_SIGN_ECDSA_P384 : TL_SIGN_ECDSA_P256,
        .hash = (i & 4) != 0 ? TL_HASH_SHA384 : TL_HASH_SHA256,
        .group = (i & 8) != 0 ? TL_GROUP_P384 : TL_GROUP_P256,
        .aead = (i & 16) != 0 ? TL_SUITE_AES256_GMAC : TL_SUITE_AES128_GMAC,
    };
}

void tl_ends_kind_text(const tl_ends_kind *k, char *text, size_t room)
{
    (void)snprintf(text, room, "%s %s %s %s %s", k->version == TL_SPDM_12 ? "1.2" : "1.3",
                   k->sign == TL_SIGN_ECDSA_P384 ? "ecdsa-p384" : "ecdsa-p256",
                   k->hash == TL_HASH_SHA384 ? "sha384" : "sha256",
                   k->group == TL_GROUP_P384 ? "p384" : "p256",
                   k->aead == TL_SUITE_AES256_GMAC ? "aes256-gcm" : "aes128-gcm");
}

/* The bits of the rows that a kind names. */
static void hold_to(tl_spdm_policy *p, const tl_ends_kind *k)
{
    p->version_min = p->version_max = k->version;
#define SPDM_HASH(name, bit, measurement, alg)                                                               \
    if (k->hash == TL_HASH_##alg) {                                                                          \
        p->hash = (bit);                                                                                     \
        p->measurement_hash = (measurement);                                                                 \
    }
#define SPDM_ASYM(name, bit, alg)                                                                            \
    if (k->sign == TL_SIGN_##alg)                                                                            \
        p->asym = p->req_asym = (bit);
#define SPDM_DHE(name, bit, alg)                                                                             \
    if (k->group == TL_GROUP_##alg)                                                                          \
        p->dhe = (bit);
#define SPDM_AEAD(name, bit, alg)                                                                            \
    if (k->aead == TL_SUITE_##alg)                                                                           \
        p->aead = (bit);
#include <trueline/spdm_algs.def>
#undef SPDM_HASH
#undef SPDM_ASYM
#undef SPDM_DHE
#undef SPDM_AEAD
}

void tl_two_ends_open(tl_two_ends *e, const tl_ends_kind *kind)
{
    memset(e, 0, sizeof *e);
    tl_spdm_pair_open(&e->pair, kind != NULL ? kind->sign : TL_SIGN_ECDSA_P384);
    e->controller = tl_spdm_policy_default(TL_SPDM_REQUESTER);
    e->sensor = tl_spdm_policy_default(TL_SPDM_RESPONDER);
    if (kind != NULL) {
        hold_to(&e->controller, kind);
        hold_to(&e->sensor, kind);
    }
    e->controller.data_transfer_size = e->sensor.data_transfer_size = TL_DUEL_MESSAGE;
    e->who = (tl_duel_world){
        .crypto = e->pair.rq_end.crypto,
        .sensor_crypto = e->pair.rs_end.crypto,
        .controller_policy = &e->controller,
        .sensor_policy = &e->sensor,
        .patience_ms = PATIENCE_MS,
        .sensor = e->pair.rs_end.slot,
        .controller = e->pair.rq_end.slot,
        .sensor_trusts = e->pair.rs_end.rules,
        .controller_trusts = e->pair.rq_end.rules,
        .measurements = &e->pair.source,
    };
}

void tl_two_ends_close(tl_two_ends *e)
{
    tl_spdm_pair_close(&e->pair);
}

/* ---- determined random bytes ---- */

static tl_rng determined;

static int fill(unsigned char *out, int n)
{
    tl_random_fill(&determined, out, n > 0 ? (size_t)n : 0);
    return 1;
}

static int ready(void)
{
    return 1;
}

void tl_random_determined(uint64_t seed)
{
    static const RAND_METHOD method = { NULL, fill, NULL, NULL, fill, ready };

    determined = (tl_rng){ seed };
    if (RAND_set_rand_method(&method) != 1)
        fail_msg("OpenSSL does not take a random method");
}
