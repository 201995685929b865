/* Measurements, taken once at the start. The set-up is the list of register writes that give the geometry: addresses of 16
 * bits, high byte first, each with its value; the addresses are those of the embedded data lines. */
#include "measure.h"

#include <trueline/layout/ids.h>

#include <stdio.h>
#include <string.h>

/* DMTFSpecMeasurementValueType (DSP0274 1.3, "DMTFSpecMeasurementValueType values"). */
enum { TYPE_FIRMWARE = 1, TYPE_HARDWARE_SETUP = 2, TYPE_MANIFEST = 4 };

static const uint8_t types[MEASURE_BLOCKS] = { TYPE_HARDWARE_SETUP, TYPE_MANIFEST, TYPE_FIRMWARE };

/* Both hashes of one input, side by side. */
typedef struct digests {
    const tl_crypto *crypto;
    tl_hash sha256, sha384;
} digests;

static tl_err digests_start(digests *d, const tl_crypto *crypto)
{
    tl_err e;

    *d = (digests){ .crypto = crypto };
    e = crypto->ops->hash_start(crypto->ctx, TL_HASH_SHA256, &d->sha256);
    return e == TL_OK ? crypto->ops->hash_start(crypto->ctx, TL_HASH_SHA384, &d->sha384) : e;
}

static tl_err digests_add(const digests *d, tl_span bytes)
{
    tl_err e = d->crypto->ops->hash_add(d->crypto->ctx, d->sha256, bytes);

    return e == TL_OK ? d->crypto->ops->hash_add(d->crypto->ctx, d->sha384, bytes) : e;
}

static tl_err digests_end(digests *d, reference_block *b)
{
    tl_err e = d->crypto->ops->hash_end(d->crypto->ctx, d->sha256, b->sha256);

    if (e == TL_OK)
        d->sha256 = (tl_hash){ 0 };
    if (e == TL_OK)
        e = d->crypto->ops->hash_end(d->crypto->ctx, d->sha384, b->sha384);
    if (e == TL_OK)
        d->sha384 = (tl_hash){ 0 };
    return e;
}

static void digests_drop(digests *d)
{
    d->crypto->ops->hash_drop(d->crypto->ctx, d->sha256);
    d->crypto->ops->hash_drop(d->crypto->ctx, d->sha384);
}

/* ---- the three inputs ---- */

static tl_err add_register(const digests *d, uint16_t address, uint32_t value)
{
    const uint8_t bytes[] = { (uint8_t)(address >> 8), (uint8_t)address, (uint8_t)value };

    return digests_add(d, tl_span_of(bytes, sizeof bytes));
}

static tl_err add_setup(const digests *d, const stream_file *g)
{
    const struct {
        uint16_t address;
        uint32_t value;
    } table[] = {
        { 0x0010, g->width >> 8 },   { 0x0011, g->width & 0xFF },
        { 0x0012, g->height >> 8 },  { 0x0013, g->height & 0xFF },
        { 0x0014, g->bits },         { 0x0015, stream_file_pixel_type(g) },
        { 0x0016, g->embedded_top }, { 0x0017, g->embedded_bottom },
    };
    tl_err e = TL_OK;

    for (size_t i = 0; i < sizeof table / sizeof *table && e == TL_OK; i++)
        e = add_register(d, table[i].address, table[i].value);
    return e;
}

static tl_exit add_program(const digests *d, tl_fault *fault)
{
    static uint8_t chunk[65536];
    FILE *f = fopen("/proc/self/exe", "rbe");
    tl_err e = TL_OK;
    size_t n;

    if (f == NULL)
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "measurement: /proc/self/exe");
    while (e == TL_OK && (n = fread(chunk, 1, sizeof chunk, f)) > 0)
        e = digests_add(d, tl_span_of(chunk, n));
    n = (size_t)ferror(f);
    (void)fclose(f);
    if (n != 0)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "measurement: /proc/self/exe cannot be read");
    return e == TL_OK ? TL_EXIT_OK : tl_fault_set(fault, TL_EXIT_INTERNAL, "measurement: %s", tl_err_text(e));
}

/* ---- blocks ---- */

static tl_exit take_digests(reference_block *b, const stream_file *setup, const tl_crypto *crypto,
                            tl_fault *fault)
{
    digests d;
    tl_err e = digests_start(&d, crypto);
    tl_exit x = TL_EXIT_OK;

    if (e == TL_OK && setup != NULL)
        e = add_setup(&d, setup);
    else if (e == TL_OK)
        x = add_program(&d, fault);
    if (e == TL_OK && x == TL_EXIT_OK)
        e = digests_end(&d, b);
    digests_drop(&d);
    if (e != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "measurement: %s", tl_err_text(e));
    return x;
}

tl_exit measure_take(measure *m, const stream_file *geometry, const char *version, const tl_crypto *crypto,
                     tl_fault *fault)
{
    static const char *const names[MEASURE_BLOCKS] = { "set-up", "manifest", "program" };
    reference_block *b = m->blocks.blocks;
    tl_exit e;

    memset(m, 0, sizeof *m);
    m->blocks.n = MEASURE_BLOCKS;
    for (unsigned i = 0; i < MEASURE_BLOCKS; i++) {
        b[i].index = (uint8_t)(MEASURE_SETUP + i);
        (void)snprintf(b[i].name, sizeof b[i].name, "%s", names[i]);
    }
    b[1].raw = true;
    b[1].n = (size_t)snprintf((char *)b[1].value, sizeof b[1].value, "trueline-sensor %.100s " TL_LAYOUT_NAME,
                              version);
    e = take_digests(&b[0], geometry, crypto, fault);
    return e == TL_EXIT_OK ? take_digests(&b[2], NULL, crypto, fault) : e;
}

/* raw_wanted is a wish: what is measured by its digest has no other form here. */
static tl_err get(void *ctx, size_t i, tl_hash_alg alg, bool raw_wanted, tl_spdm_measurement *out)
{
    const measure *m = ctx;
    const reference_block *b = &m->blocks.blocks[i];

    (void)raw_wanted;
    if (i >= m->blocks.n)
        return TL_E_USAGE;
    *out = (tl_spdm_measurement){ .index = b->index,
                                  .type = types[i],
                                  .raw = b->raw,
                                  .tcb = i != 1,
                                  .value = b->raw ? tl_span_of(b->value, b->n) : reference_digest(b, alg) };
    return out->value.n > 0 ? TL_OK : TL_E_USAGE;
}

tl_spdm_measurement_source measure_source(measure *m)
{
    return (tl_spdm_measurement_source){ .ctx = m, .n = m->blocks.n, .get = get };
}
