/* What the core knows of its algorithms: the rows of algs.def and sign_algs.def, looked up by id. */
#include <trueline/crypto.h>

static const struct {
    tl_hash_alg alg;
    size_t size;
    const char *name;
} hashes[] = {
#define HASH(name, id, size, block, text) { TL_HASH_##name, size, text },
#define SUITE(name, id, key_size, text)
#include <trueline/algs.def>
#undef HASH
#undef SUITE
};

static const struct {
    tl_suite suite;
    size_t key_size;
    const char *name;
} suites[] = {
#define HASH(name, id, size, block, text)
#define SUITE(name, id, key_size, text) { TL_SUITE_##name, key_size, text },
#include <trueline/algs.def>
#undef HASH
#undef SUITE
};

#define HASH(name, id, size, block, text) _Static_assert((size) <= TL_HASH_MAX, "TL_HASH_MAX is too small");
#define SUITE(name, id, key_size, text)
#include <trueline/algs.def>
#undef HASH
#undef SUITE

size_t tl_hash_size(tl_hash_alg alg)
{
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        if (hashes[i].alg == alg)
            return hashes[i].size;
    }
    return 0;
}

const char *tl_hash_name(tl_hash_alg alg)
{
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        if (hashes[i].alg == alg)
            return hashes[i].name;
    }
    return NULL;
}

size_t tl_suite_key_size(tl_suite suite)
{
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        if (suites[i].suite == suite)
            return suites[i].key_size;
    }
    return 0;
}

const char *tl_suite_name(tl_suite suite)
{
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        if (suites[i].suite == suite)
            return suites[i].name;
    }
    return NULL;
}

static const struct {
    tl_sign_alg alg;
    size_t size;
    const char *name;
} signatures[] = {
#define SIGN(name, id, size, text) { TL_SIGN_##name, size, text },
#define GROUP(name, id, size, text)
#include <trueline/sign_algs.def>
#undef SIGN
#undef GROUP
};

static const struct {
    tl_group group;
    size_t size;
    const char *name;
} groups[] = {
#define SIGN(name, id, size, text)
#define GROUP(name, id, size, text) { TL_GROUP_##name, size, text },
#include <trueline/sign_algs.def>
#undef SIGN
#undef GROUP
};

#define SIGN(name, id, size, text)                                                                           \
    _Static_assert((size) <= TL_SIGNATURE_MAX, "TL_SIGNATURE_MAX is too small");
#define GROUP(name, id, size, text)                                                                          \
    _Static_assert(2 * (size) <= TL_POINT_MAX && (size) <= TL_SECRET_MAX, "TL_POINT_MAX is too small");
#include <trueline/sign_algs.def>
#undef SIGN
#undef GROUP

size_t tl_sign_size(tl_sign_alg alg)
{
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        if (signatures[i].alg == alg)
            return signatures[i].size;
    }
    return 0;
}

const char *tl_sign_name(tl_sign_alg alg)
{
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        if (signatures[i].alg == alg)
            return signatures[i].name;
    }
    return NULL;
}

size_t tl_group_size(tl_group group)
{
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (groups[i].group == group)
            return groups[i].size;
    }
    return 0;
}

const char *tl_group_name(tl_group group)
{
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (groups[i].group == group)
            return groups[i].name;
    }
    return NULL;
}
