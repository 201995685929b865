/* Opaque data of KEY_EXCHANGE and its answer: which version of secured messages is spoken.
 *
 *   opaque = count 1 | reserved 3 | elements                       DSP0274 1.3, "General opaque data format"
 *   element = standard 1 (0: DMTF) | vendor id length 1 (0) | data length 2 | data | zeros up to 4 bytes
 *   data = 1 | 1 | count | versions, or 1 | 0 | version            DSP0277 1.1, "Secured Messages opaque data"
 *
 * Elements of others are stepped over; the one we look for must be there once. */
#include "spdm/session.h"

enum { DMTF = 0, ELEMENT_VERSION = 1, SELECTION = 0, SUPPORTED = 1, ALIGN = 4 };

/* Alike in the record: DSP0277 1.2 adds events, which we have none of. */
static const uint16_t spoken[] = { 0x1100, 0x1200 };

static const tl_env plain = { .version = TL_SPDM_12 };

static bool speaks(uint64_t version)
{
    for (size_t i = 0; i < sizeof spoken / sizeof spoken[0]; i++)
        if ((version & 0xFF00) == spoken[i])
            return true;
    return false;
}

static void element_begin(tl_wr *out, size_t n)
{
    tl_put(out, 4, TL_LITTLE, 1);
    tl_put(out, 1, TL_LITTLE, DMTF);
    tl_put(out, 1, TL_LITTLE, 0);
    tl_put(out, 2, TL_LITTLE, n);
    tl_put(out, 1, TL_LITTLE, ELEMENT_VERSION);
}

void tl__secured_versions_write(tl_wr *out)
{
    const size_t count = sizeof spoken / sizeof spoken[0], n = 3 + 2 * count;

    element_begin(out, n);
    tl_put(out, 1, TL_LITTLE, SUPPORTED);
    tl_put(out, 1, TL_LITTLE, count);
    for (size_t i = 0; i < count; i++)
        tl_put(out, 2, TL_LITTLE, spoken[i]);
    tl_put_zeros(out, (ALIGN - n % ALIGN) % ALIGN);
}

void tl__secured_selection_write(uint16_t version, tl_wr *out)
{
    element_begin(out, 4);
    tl_put(out, 1, TL_LITTLE, SELECTION);
    tl_put(out, 2, TL_LITTLE, version);
}

/* The data of the one element of this kind. */
static tl_err find(tl_span opaque, uint8_t kind, tl_span *data)
{
    tl_rd r = tl_rd_of(opaque);
    tl_spdm_opaque o;
    tl_spdm_opaque_element element;
    uint32_t seen = 0;

    *data = tl_span_of(NULL, 0);
    TL_TRY(tl_decode_spdm_opaque(&plain, &r, &o));
    r = tl_rd_of(o.elements);
    for (; seen < o.count; seen++) {
        TL_TRY(tl_decode_spdm_opaque_element(&plain, &r, &element));
        (void)tl_take(&r, (ALIGN - (4 + element.vendor_id.n + element.data.n) % ALIGN) % ALIGN);
        if (element.standard != DMTF || element.vendor_id.n != 0 || element.data.n < 2 ||
            element.data.p[0] != ELEMENT_VERSION || element.data.p[1] != kind)
            continue;
        if (data->n != 0)
            return TL_E_WIRE_VALUE;
        *data = element.data;
    }
    if (r.bad)
        return TL_E_WIRE_SHORT;
    if (r.n != 0)
        return TL_E_WIRE_TRAILING;
    return data->n != 0 ? TL_OK : TL_E_WIRE_VALUE;
}

tl_err tl__secured_version_pick(tl_span opaque, uint16_t *version)
{
    tl_span data;
    tl_spdm_secured_supported_versions list;
    tl_rd r;

    *version = 0;
    TL_TRY(find(opaque, SUPPORTED, &data));
    r = tl_rd_of(data);
    TL_TRY(tl_decode_spdm_secured_supported_versions(&plain, &r, &list));
    if (list.versions.n != 2 * list.count)
        return TL_E_WIRE_VALUE;
    r = tl_rd_of(list.versions);
    while (r.n != 0) {
        uint16_t offered = (uint16_t)tl_get(&r, 2, TL_LITTLE);

        if (speaks(offered) && offered > *version)
            *version = offered;
    }
    return *version != 0 ? TL_OK : TL_E_POLICY;
}

tl_err tl__secured_selection_check(tl_span opaque)
{
    tl_span data;
    tl_spdm_secured_selected_version selected;
    tl_rd r;

    TL_TRY(find(opaque, SELECTION, &data));
    r = tl_rd_of(data);
    TL_TRY(tl_decode_spdm_secured_selected_version(&plain, &r, &selected));
    TL_TRY(tl__message_end(&r));
    return speaks(selected.version) ? TL_OK : TL_E_POLICY;
}
