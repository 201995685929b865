/* Algorithms of SPDM by their bits (DSP0274 1.4, "ALGORITHMS response"). The rows of spdm_algs.def say
 * which of them the library has; the table here is longer, since sizes are needed to take any recording
 * apart. */
#include "dump_algs.h"

static const dump_alg algs[] = {
    { DUMP_HASH, 0x01, "SHA_256", 32, 0 },
    { DUMP_HASH, 0x02, "SHA_384", 48, 0 },
    { DUMP_HASH, 0x04, "SHA_512", 64, 0 },
    { DUMP_HASH, 0x08, "SHA3_256", 32, 0 },
    { DUMP_HASH, 0x10, "SHA3_384", 48, 0 },
    { DUMP_HASH, 0x20, "SHA3_512", 64, 0 },
    { DUMP_HASH, 0x40, "SM3_256", 32, 0 },
    { DUMP_MEASUREMENT_HASH, 0x01, "RAW_BIT_STREAM", 0, 0 },
    { DUMP_MEASUREMENT_HASH, 0x02, "SHA_256", 32, 0 },
    { DUMP_MEASUREMENT_HASH, 0x04, "SHA_384", 48, 0 },
    { DUMP_MEASUREMENT_HASH, 0x08, "SHA_512", 64, 0 },
    { DUMP_MEASUREMENT_HASH, 0x10, "SHA3_256", 32, 0 },
    { DUMP_MEASUREMENT_HASH, 0x20, "SHA3_384", 48, 0 },
    { DUMP_MEASUREMENT_HASH, 0x40, "SHA3_512", 64, 0 },
    { DUMP_MEASUREMENT_HASH, 0x80, "SM3_256", 32, 0 },
    { DUMP_ASYM, 0x001, "RSASSA_2048", 256, 0 },
    { DUMP_ASYM, 0x002, "RSAPSS_2048", 256, 0 },
    { DUMP_ASYM, 0x004, "RSASSA_3072", 384, 0 },
    { DUMP_ASYM, 0x008, "RSAPSS_3072", 384, 0 },
    { DUMP_ASYM, 0x010, "ECDSA_P256", 64, 0 },
    { DUMP_ASYM, 0x020, "RSASSA_4096", 512, 0 },
    { DUMP_ASYM, 0x040, "RSAPSS_4096", 512, 0 },
    { DUMP_ASYM, 0x080, "ECDSA_P384", 96, 0 },
    { DUMP_ASYM, 0x100, "ECDSA_P521", 132, 0 },
    { DUMP_ASYM, 0x200, "SM2_P256", 64, 0 },
    { DUMP_ASYM, 0x400, "ED25519", 64, 0 },
    { DUMP_ASYM, 0x800, "ED448", 114, 0 },
    { DUMP_DHE, 0x01, "FFDHE_2048", 256, 256 },
    { DUMP_DHE, 0x02, "FFDHE_3072", 384, 384 },
    { DUMP_DHE, 0x04, "FFDHE_4096", 512, 512 },
    { DUMP_DHE, 0x08, "SECP_256_R1", 64, 64 },
    { DUMP_DHE, 0x10, "SECP_384_R1", 96, 96 },
    { DUMP_DHE, 0x20, "SECP_521_R1", 132, 132 },
    { DUMP_DHE, 0x40, "SM2_P256", 64, 64 },
    { DUMP_AEAD, 0x01, "AES_128_GCM", 0, 0 },
    { DUMP_AEAD, 0x02, "AES_256_GCM", 0, 0 },
    { DUMP_AEAD, 0x04, "CHACHA20_POLY1305", 0, 0 },
    { DUMP_AEAD, 0x08, "SM4_128_GCM", 0, 0 },
    { DUMP_KEY_SCHEDULE, 0x01, "SPDM", 0, 0 },
    { DUMP_PQC_ASYM, 0x01, "ML_DSA_44", 2420, 0 },
    { DUMP_PQC_ASYM, 0x02, "ML_DSA_65", 3309, 0 },
    { DUMP_PQC_ASYM, 0x04, "ML_DSA_87", 4627, 0 },
    { DUMP_KEM, 0x01, "ML_KEM_512", 800, 768 },
    { DUMP_KEM, 0x02, "ML_KEM_768", 1184, 1088 },
    { DUMP_KEM, 0x04, "ML_KEM_1024", 1568, 1568 },
};

const dump_alg *dump_alg_of(dump_alg_kind kind, uint32_t mask)
{
    for (size_t i = 0; i < sizeof algs / sizeof *algs; i++)
        if (algs[i].kind == kind && algs[i].bit == mask)
            return &algs[i];
    return NULL;
}

const char *dump_alg_name(dump_alg_kind kind, uint32_t mask)
{
    const dump_alg *alg = dump_alg_of(kind, mask);

    if (alg != NULL)
        return alg->name;
    return mask == 0 ? "none" : "unknown";
}

/* The value of the row with this bit, or 0. */
typedef struct pair {
    uint32_t bit;
    int value;
} pair;

static int find(const pair *rows, size_t n, uint32_t bit)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].bit == bit)
            return rows[i].value;
    return 0;
}

static const pair hashes[] = {
#define SPDM_HASH(name, bit, measurement, alg) { bit, TL_HASH_##alg },
#define SPDM_ASYM(name, bit, alg)
#define SPDM_DHE(name, bit, alg)
#define SPDM_AEAD(name, bit, alg)
#include <trueline/spdm_algs.def>
#undef SPDM_HASH
}, measurement_hashes[] = {
#define SPDM_HASH(name, bit, measurement, alg) { measurement, TL_HASH_##alg },
#include <trueline/spdm_algs.def>
#undef SPDM_HASH
#undef SPDM_ASYM
}, signatures[] = {
#define SPDM_HASH(name, bit, measurement, alg)
#define SPDM_ASYM(name, bit, alg) { bit, TL_SIGN_##alg },
#include <trueline/spdm_algs.def>
#undef SPDM_ASYM
#undef SPDM_DHE
}, groups[] = {
#define SPDM_ASYM(name, bit, alg)
#define SPDM_DHE(name, bit, alg) { bit, TL_GROUP_##alg },
#include <trueline/spdm_algs.def>
#undef SPDM_DHE
#undef SPDM_AEAD
}, suites[] = {
#define SPDM_DHE(name, bit, alg)
#define SPDM_AEAD(name, bit, alg) { bit, TL_SUITE_##alg },
#include <trueline/spdm_algs.def>
};

#define FIND(table, bit) find(table, sizeof table / sizeof *table, bit)

tl_spdm_algs dump_known(const dump_chosen *c)
{
    return (tl_spdm_algs){
        .hash = (tl_hash_alg)FIND(hashes, c->hash),
        .measurement_hash = (tl_hash_alg)FIND(measurement_hashes, c->measurement_hash),
        .sign = (tl_sign_alg)FIND(signatures, c->asym),
        .req_sign = (tl_sign_alg)FIND(signatures, c->req_asym),
        .group = (tl_group)FIND(groups, c->dhe),
        .aead = (tl_suite)FIND(suites, c->aead),
        .other_params = c->other_params,
    };
}
