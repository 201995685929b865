/* What the core knows of its algorithms: the rows of algs.def and sign_algs.def, looked up by id. */
#include <trueline/crypto.h>

typedef struct row {
    int id;
    size_t size;
    const char *name;
} row;

#define SUITE(name, id, key_size, text)
static const row hashes[] = {
#define HASH(name, id, size, block, text) { TL_HASH_##name, size, text },
#include <trueline/algs.def>
#undef HASH
};
#define HASH(name, id, size, block, text) _Static_assert((size) <= TL_HASH_MAX, "TL_HASH_MAX is too small");
#include <trueline/algs.def>
#undef HASH
#undef SUITE

#define HASH(name, id, size, block, text)
static const row suites[] = {
#define SUITE(name, id, key_size, text) { TL_SUITE_##name, key_size, text },
#include <trueline/algs.def>
#undef SUITE
};
#undef HASH

#define GROUP(name, id, size, text)
static const row signatures[] = {
#define SIGN(name, id, size, text) { TL_SIGN_##name, size, text },
#include <trueline/sign_algs.def>
#undef SIGN
};
#undef GROUP

#define SIGN(name, id, size, text)
static const row groups[] = {
#define GROUP(name, id, size, text) { TL_GROUP_##name, size, text },
#include <trueline/sign_algs.def>
#undef GROUP
};
#undef SIGN

#define SIGN(name, id, size, text)                                                                           \
    _Static_assert((size) <= TL_SIGNATURE_MAX, "TL_SIGNATURE_MAX is too small");
#define GROUP(name, id, size, text)                                                                          \
    _Static_assert(2 * (size) <= TL_POINT_MAX && (size) <= TL_SECRET_MAX, "TL_POINT_MAX is too small");
#include <trueline/sign_algs.def>
#undef SIGN
#undef GROUP

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

/* The row of an id; one of nothing if there is none. */
static const row *find(const row *rows, size_t n, int id)
{
    static const row none = { 0, 0, NULL };

    for (size_t i = 0; i < n; i++)
        if (rows[i].id == id)
            return &rows[i];
    return &none;
}

size_t tl_hash_size(tl_hash_alg alg)
{
    return find(hashes, COUNT(hashes), (int)alg)->size;
}

const char *tl_hash_name(tl_hash_alg alg)
{
    return find(hashes, COUNT(hashes), (int)alg)->name;
}

size_t tl_suite_key_size(tl_suite suite)
{
    return find(suites, COUNT(suites), (int)suite)->size;
}

const char *tl_suite_name(tl_suite suite)
{
    return find(suites, COUNT(suites), (int)suite)->name;
}

size_t tl_sign_size(tl_sign_alg alg)
{
    return find(signatures, COUNT(signatures), (int)alg)->size;
}

const char *tl_sign_name(tl_sign_alg alg)
{
    return find(signatures, COUNT(signatures), (int)alg)->name;
}

size_t tl_group_size(tl_group group)
{
    return find(groups, COUNT(groups), (int)group)->size;
}

const char *tl_group_name(tl_group group)
{
    return find(groups, COUNT(groups), (int)group)->name;
}
