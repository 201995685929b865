/* The curves of the rows of sign_algs.def, with OpenSSL's names for them. A key over a curve that is given by
 * its parameters and not by its name is over none of these. */
#include "backend.h"

#include <string.h>

static const tl__curve curves[] = {
    { TL_SIGN_ECDSA_P256, TL_GROUP_P256, 32, "prime256v1" },
    { TL_SIGN_ECDSA_P384, TL_GROUP_P384, 48, "secp384r1" },
};

enum { CURVES = sizeof curves / sizeof *curves };

const tl__curve *tl__curve_of_alg(tl_sign_alg alg)
{
    for (size_t i = 0; i < CURVES; i++) {
        if (curves[i].alg == alg)
            return &curves[i];
    }
    return NULL;
}

const tl__curve *tl__curve_of_group(tl_group group)
{
    for (size_t i = 0; i < CURVES; i++) {
        if (curves[i].group == group)
            return &curves[i];
    }
    return NULL;
}

const tl__curve *tl__curve_of_key(const EVP_PKEY *pair)
{
    char name[32];
    size_t n;
    if (pair == NULL || EVP_PKEY_is_a(pair, "EC") != 1 ||
        EVP_PKEY_get_group_name(pair, name, sizeof name, &n) != 1)
        return NULL;
    for (size_t i = 0; i < CURVES; i++) {
        if (strcmp(curves[i].name, name) == 0)
            return &curves[i];
    }
    return NULL;
}
