/* Opaque data, as far as every message that has some agrees: its bound and its format (DSP0274 1.3, "General opaque data
 * format"). What the elements say is for whom it concerns; unknown ones are passed over. */
#include "spdm/spdm.h"

enum { OPAQUE_MAX = 1024, FORMAT_GENERAL = 2 };

/* One element, and the zeros that fill it up to a multiple of four. */
static bool element_read(const tl_spdm_connection *c, tl_rd *r)
{
    size_t before = r->n;
    tl_spdm_opaque_element element;

    if (tl_decode_spdm_opaque_element(&c->env, r, &element) != TL_OK)
        return false;
    (void)tl_take(r, (4 - (before - r->n) % 4) % 4);
    return !r->bad;
}

tl_err tl__opaque_check(const tl_spdm_connection *c, tl_span opaque)
{
    tl_rd r = tl_rd_of(opaque);
    tl_spdm_opaque list;

    if (opaque.n == 0)
        return TL_OK;
    if (opaque.n > OPAQUE_MAX || c->algs.other_params != FORMAT_GENERAL)
        return TL_E_WIRE_VALUE;
    TL_TRY(tl_decode_spdm_opaque(&c->env, &r, &list));
    r = tl_rd_of(list.elements);
    for (uint32_t i = 0; i < list.count; i++) {
        if (!element_read(c, &r))
            return TL_E_WIRE_SHORT;
    }
    return tl__message_end(&r);
}
