/* The default policy: everything that this version has and that authenticates or encrypts; nothing that weakens it. */
#include "spdm/spdm.h"

enum {
    SESSIONS = TL_CAP_ENCRYPT | TL_CAP_MAC | TL_CAP_KEY_EX | TL_CAP_HBEAT | TL_CAP_KEY_UPD,
    IDENTITY = TL_CAP_CERT | TL_CAP_MUT_AUTH,
    RESPONDER = TL_CAP_CERT | TL_CAP_CHAL | TL_CAP_MEAS_SIG | TL_CAP_MEAS_FRESH,
    CT_EXPONENT = 17,     /* 131 ms: a signature on a small core */
    CT_EXPONENT_MAX = 23, /* 8.4 s */
    TRANSFER_SIZE = 4608
};

tl_spdm_policy tl_spdm_policy_default(tl_spdm_role role)
{
    tl_spdm_policy p = {
        .version_min = TL_SPDM_12,
        .version_max = TL_SPDM_13,
        .flags = SESSIONS | IDENTITY,
        .hash = tl__hash_all(),
        .asym = tl__asym_all(),
        .measurement_hash = tl__measurement_hash_all(),
        .dhe = (uint16_t)tl__dhe_all(),
        .aead = (uint16_t)tl__aead_all(),
        .req_asym = (uint16_t)tl__asym_all(),
        .ct_exponent_max = CT_EXPONENT_MAX,
        .data_transfer_size = TRANSFER_SIZE,
        .must_sign_measurements = true,
    };

    if (role == TL_SPDM_RESPONDER) {
        p.flags |= RESPONDER;
        p.ct_exponent = CT_EXPONENT;
    } else {
        p.peer_flags =
            TL_CAP_CERT | TL_CAP_CHAL | TL_CAP_MEAS_SIG | TL_CAP_ENCRYPT | TL_CAP_MAC | TL_CAP_KEY_EX;
    }
    return p;
}

bool tl__policy_right(const tl_spdm_policy *p)
{
    return p != NULL && p->version_min >= TL_SPDM_12 && p->version_min <= p->version_max &&
           p->version_max <= TL_SPDM_13 && p->ct_exponent_max < 32 && p->ct_exponent <= p->ct_exponent_max &&
           p->data_transfer_size >= TL_SPDM_TRANSFER_MIN;
}
