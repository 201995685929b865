/* The rows of spdm_algs.def: what the bits of NEGOTIATE_ALGORITHMS mean, and which of several is taken.
 *
 * The rows stand strongest first, so the first row that a mask names is the one to take. */
#include "spdm/spdm.h"

typedef struct row {
    uint32_t bit;
    int id;
} row;

static const row hashes[] = {
#define SPDM_HASH(name, bit, measurement, alg) { bit, TL_HASH_##alg },
#define SPDM_ASYM(name, bit, alg)
#define SPDM_DHE(name, bit, group)
#define SPDM_AEAD(name, bit, suite)
#include <trueline/spdm_algs.def>
#undef SPDM_HASH
#undef SPDM_ASYM
#undef SPDM_DHE
#undef SPDM_AEAD
};

static const row measurement_hashes[] = {
#define SPDM_HASH(name, bit, measurement, alg) { measurement, TL_HASH_##alg },
#define SPDM_ASYM(name, bit, alg)
#define SPDM_DHE(name, bit, group)
#define SPDM_AEAD(name, bit, suite)
#include <trueline/spdm_algs.def>
#undef SPDM_HASH
#undef SPDM_ASYM
#undef SPDM_DHE
#undef SPDM_AEAD
};

static const row signatures[] = {
#define SPDM_HASH(name, bit, measurement, alg)
#define SPDM_ASYM(name, bit, alg) { bit, TL_SIGN_##alg },
#define SPDM_DHE(name, bit, group)
#define SPDM_AEAD(name, bit, suite)
#include <trueline/spdm_algs.def>
#undef SPDM_HASH
#undef SPDM_ASYM
#undef SPDM_DHE
#undef SPDM_AEAD
};

static const row groups[] = {
#define SPDM_HASH(name, bit, measurement, alg)
#define SPDM_ASYM(name, bit, alg)
#define SPDM_DHE(name, bit, group) { bit, TL_GROUP_##group },
#define SPDM_AEAD(name, bit, suite)
#include <trueline/spdm_algs.def>
#undef SPDM_HASH
#undef SPDM_ASYM
#undef SPDM_DHE
#undef SPDM_AEAD
};

static const row suites[] = {
#define SPDM_HASH(name, bit, measurement, alg)
#define SPDM_ASYM(name, bit, alg)
#define SPDM_DHE(name, bit, group)
#define SPDM_AEAD(name, bit, suite) { bit, TL_SUITE_##suite },
#include <trueline/spdm_algs.def>
#undef SPDM_HASH
#undef SPDM_ASYM
#undef SPDM_DHE
#undef SPDM_AEAD
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

static int id_of(const row *rows, size_t n, uint32_t bit)
{
    for (size_t i = 0; i < n; i++) {
        if (rows[i].bit == bit)
            return rows[i].id;
    }
    return 0;
}

static uint32_t bit_of(const row *rows, size_t n, int id)
{
    for (size_t i = 0; i < n; i++) {
        if (rows[i].id == id)
            return rows[i].bit;
    }
    return 0;
}

static uint32_t pick(const row *rows, size_t n, uint32_t mask)
{
    for (size_t i = 0; i < n; i++) {
        if (rows[i].bit & mask)
            return rows[i].bit;
    }
    return 0;
}

static uint32_t all(const row *rows, size_t n)
{
    uint32_t mask = 0;

    for (size_t i = 0; i < n; i++)
        mask |= rows[i].bit;
    return mask;
}

tl_hash_alg tl__hash_of(uint32_t bit)
{
    return (tl_hash_alg)id_of(hashes, COUNT(hashes), bit);
}

tl_hash_alg tl__measurement_hash_of(uint32_t bit)
{
    return (tl_hash_alg)id_of(measurement_hashes, COUNT(measurement_hashes), bit);
}

tl_sign_alg tl__sign_of(uint32_t bit)
{
    return (tl_sign_alg)id_of(signatures, COUNT(signatures), bit);
}

tl_group tl__group_of(uint32_t bit)
{
    return (tl_group)id_of(groups, COUNT(groups), bit);
}

tl_suite tl__suite_of(uint32_t bit)
{
    return (tl_suite)id_of(suites, COUNT(suites), bit);
}

uint32_t tl__sign_bit(tl_sign_alg alg)
{
    return bit_of(signatures, COUNT(signatures), (int)alg);
}

uint32_t tl__hash_pick(uint32_t mask)
{
    return pick(hashes, COUNT(hashes), mask);
}

uint32_t tl__measurement_hash_pick(uint32_t mask)
{
    return pick(measurement_hashes, COUNT(measurement_hashes), mask);
}

uint32_t tl__asym_pick(uint32_t mask)
{
    return pick(signatures, COUNT(signatures), mask);
}

uint32_t tl__dhe_pick(uint32_t mask)
{
    return pick(groups, COUNT(groups), mask);
}

uint32_t tl__aead_pick(uint32_t mask)
{
    return pick(suites, COUNT(suites), mask);
}

uint32_t tl__hash_all(void)
{
    return all(hashes, COUNT(hashes));
}

uint32_t tl__measurement_hash_all(void)
{
    return all(measurement_hashes, COUNT(measurement_hashes));
}

uint32_t tl__asym_all(void)
{
    return all(signatures, COUNT(signatures));
}

uint32_t tl__dhe_all(void)
{
    return all(groups, COUNT(groups));
}

uint32_t tl__aead_all(void)
{
    return all(suites, COUNT(suites));
}

void tl__sizes_set(tl_spdm_connection *c)
{
    const tl_spdm_algs *a = &c->algs;
    uint16_t *len = c->env.len;

    len[TL_LEN_HASH] = (uint16_t)tl_hash_size(a->hash);
    len[TL_LEN_HMAC] = len[TL_LEN_HASH];
    len[TL_LEN_SIG] = (uint16_t)tl_sign_size(a->sign);
    len[TL_LEN_KEX] = (uint16_t)(2 * tl_group_size(a->group));
    len[TL_LEN_KEXR] = len[TL_LEN_KEX];
}
