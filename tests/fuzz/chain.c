/* Certificate chains: arbitrary bytes as a chain, and as every kind of file that the backend loads. The corpus has a chain
 * that is right under this root; whatever is accepted must say what that one says, and leave no handle behind. */
#include "expect.h"

#include <stdlib.h>
#include <string.h>

#include <trueline/openssl.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1800000000, SLOTS = 4 };

static const char root[] = "-----BEGIN CERTIFICATE-----\n"
                           "MIIBuDCCAV+gAwIBAgIQVY82RWp0k4+noAAYgbMUojAKBggqhkjOPQQDAjArMREw\n"
                           "DwYDVQQKDAhUcnVlbGluZTEWMBQGA1UEAwwNVHJ1ZWxpbmUgcm9vdDAgFw0yNjEx\n"
                           "MjMxNjAzMjBaGA8yMTI2MTAzMDE3MDMyMFowKzERMA8GA1UECgwIVHJ1ZWxpbmUx\n"
                           "FjAUBgNVBAMMDVRydWVsaW5lIHJvb3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\n"
                           "AAQtDRlXj+t5qJk7XY5HpxDKY6kCAHc1U69utGavAOJ+0oJOwa6kC/65e5/vapg8\n"
                           "bSQknXvBH5OWtocTTjJDTGTko2MwYTAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB\n"
                           "/wQEAwIBBjAdBgNVHQ4EFgQUc/jDY0k29NVAyn4bkWzArEVcqPYwHwYDVR0jBBgw\n"
                           "FoAUc/jDY0k29NVAyn4bkWzArEVcqPYwCgYIKoZIzj0EAwIDRwAwRAIgGuII/FXl\n"
                           "lkgBhPqj217RwWjERyOZHo/WKRUvLSm5jgMCIAKpY+k2gQ1QOrf6/JQW4QDNaof/\n"
                           "Y8AtEU1EatUaxYJi\n"
                           "-----END CERTIFICATE-----\n";

static struct {
    tl_openssl *backend;
    const tl_crypto *crypto;
    tl_key trust;
} world;

static void set_up(void)
{
    const tl_openssl_config config = { .key_slots = SLOTS };
    const tl_openssl_input in = { "root", { (const uint8_t *)root, sizeof root - 1 } };

    expect(tl_openssl_open(&config, &world.backend) == TL_OK);
    world.crypto = tl_openssl_crypto(world.backend);
    expect(tl_openssl_load_trust(world.backend, &in, &world.trust, NULL) == TL_OK);
}

static void drop(tl_key k)
{
    world.crypto->ops->key_drop(world.crypto->ctx, k);
}

/* Few slots: a handle left behind shows after a few runs. */
static void check(tl_span chain, tl_chain_profile profile)
{
    const tl_chain_rules rules = {
        .trust = world.trust,
        .now = NOW,
        .role = "sensor",
        .hash = TL_HASH_SHA256,
        .use = TL_USE_RESPONDER,
        .profile = profile,
    };
    tl_chain_facts facts;
    tl_err e = world.crypto->ops->chain_check(world.crypto->ctx, &rules, chain, &facts);

    expect(e == TL_OK || e == TL_E_CHAIN || e == TL_E_USAGE);
    if (e == TL_E_CHAIN)
        expect(facts.why != NULL && facts.key.slot == 0);
    if (e != TL_OK)
        return;
    expect(strcmp(facts.role, "sensor") == 0 && facts.alg == TL_SIGN_ECDSA_P256 && facts.why == NULL);
    drop(facts.key);
}

static void load(tl_span bytes)
{
    const tl_openssl_input in = { "input", bytes };
    uint8_t chain[TL_CHAIN_SIZE];
    size_t n = 0;
    tl_key k;

    if (tl_openssl_load_chain(&in, chain, sizeof chain, &n, NULL) == TL_OK) {
        expect(n > 0 && n <= sizeof chain);
        check(tl_span_of(chain, n), TL_PROFILE_STRICT);
    }
    if (tl_openssl_load_trust(world.backend, &in, &k, NULL) == TL_OK)
        drop(k);
    if (tl_openssl_load_revoked(world.backend, &in, &k, NULL) == TL_OK)
        drop(k);
    if (tl_openssl_load_leaf(world.backend, &in, &k, NULL) == TL_OK)
        drop(k);
    if (tl_openssl_load_key(world.backend, &in, &k, NULL) == TL_OK)
        drop(k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (world.backend == NULL)
        set_up();
    check(tl_span_of(data, size), TL_PROFILE_STRICT);
    check(tl_span_of(data, size), TL_PROFILE_DSP0274);
    load(tl_span_of(data, size));
    return 0;
}
