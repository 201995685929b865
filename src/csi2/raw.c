/* Packing of RAW8, RAW10, RAW12 and RAW14 lines. A group of samples P1, P2, ... becomes the samples' upper eight
 * bits, one byte each, and then their lower bits together, P1's in the lowest place:
 *     RAW10   4 samples, 5 bytes      P4[1:0] P3[1:0] P2[1:0] P1[1:0]
 *     RAW12   2 samples, 3 bytes      P2[3:0] P1[3:0]
 *     RAW14   4 samples, 7 bytes      P4[5:0] P3[5:0] P2[5:0] P1[5:0], as 24 bits, low byte first
 * (Linux, Documentation/userspace-api/media/v4l/pixfmt-srggb10p, 12p and 14p.) The loops are plain and written
 * out, which is what the compiler does best with. */
#include <trueline/csi2.h>

typedef struct group {
    unsigned samples, bytes;
} group;

static group group_of(unsigned bits)
{
    switch (bits) {
    case 8: return (group){ 1, 1 };
    case 10: return (group){ 4, 5 };
    case 12: return (group){ 2, 3 };
    case 14: return (group){ 4, 7 };
    default: return (group){ 0, 0 };
    }
}

size_t tl_raw_line_bytes(unsigned bits, size_t pixels)
{
    const group g = group_of(bits);
    if (g.samples == 0 || pixels % g.samples != 0 || pixels / g.samples > SIZE_MAX / g.bytes)
        return 0;
    return pixels / g.samples * g.bytes;
}

static void pack_8(const uint16_t *restrict s, size_t pixels, uint8_t *restrict out)
{
    for (size_t i = 0; i < pixels; i++)
        out[i] = (uint8_t)s[i];
}

static void pack_10(const uint16_t *restrict s, size_t pixels, uint8_t *restrict out)
{
    for (size_t i = 0; i < pixels; i += 4, s += 4, out += 5) {
        out[0] = (uint8_t)(s[0] >> 2);
        out[1] = (uint8_t)(s[1] >> 2);
        out[2] = (uint8_t)(s[2] >> 2);
        out[3] = (uint8_t)(s[3] >> 2);
        out[4] = (uint8_t)((s[3] & 3) << 6 | (s[2] & 3) << 4 | (s[1] & 3) << 2 | (s[0] & 3));
    }
}

static void pack_12(const uint16_t *restrict s, size_t pixels, uint8_t *restrict out)
{
    for (size_t i = 0; i < pixels; i += 2, s += 2, out += 3) {
        out[0] = (uint8_t)(s[0] >> 4);
        out[1] = (uint8_t)(s[1] >> 4);
        out[2] = (uint8_t)((s[1] & 15) << 4 | (s[0] & 15));
    }
}

static void pack_14(const uint16_t *restrict s, size_t pixels, uint8_t *restrict out)
{
    for (size_t i = 0; i < pixels; i += 4, s += 4, out += 7) {
        const uint32_t low = (s[3] & 63u) << 18 | (s[2] & 63u) << 12 | (s[1] & 63u) << 6 | (s[0] & 63u);
        out[0] = (uint8_t)(s[0] >> 6);
        out[1] = (uint8_t)(s[1] >> 6);
        out[2] = (uint8_t)(s[2] >> 6);
        out[3] = (uint8_t)(s[3] >> 6);
        out[4] = (uint8_t)low;
        out[5] = (uint8_t)(low >> 8);
        out[6] = (uint8_t)(low >> 16);
    }
}

tl_err tl_raw_pack(unsigned bits, const uint16_t *samples, size_t pixels, uint8_t *out)
{
    if (tl_raw_line_bytes(bits, pixels) == 0)
        return TL_E_USAGE;
    switch (bits) {
    case 8: pack_8(samples, pixels, out); break;
    case 10: pack_10(samples, pixels, out); break;
    case 12: pack_12(samples, pixels, out); break;
    default: pack_14(samples, pixels, out); break;
    }
    return TL_OK;
}

static void unpack_8(const uint8_t *restrict in, size_t pixels, uint16_t *restrict s)
{
    for (size_t i = 0; i < pixels; i++)
        s[i] = in[i];
}

static void unpack_10(const uint8_t *restrict in, size_t pixels, uint16_t *restrict s)
{
    for (size_t i = 0; i < pixels; i += 4, in += 5, s += 4) {
        s[0] = (uint16_t)(in[0] << 2 | (in[4] & 3));
        s[1] = (uint16_t)(in[1] << 2 | (in[4] >> 2 & 3));
        s[2] = (uint16_t)(in[2] << 2 | (in[4] >> 4 & 3));
        s[3] = (uint16_t)(in[3] << 2 | in[4] >> 6);
    }
}

static void unpack_12(const uint8_t *restrict in, size_t pixels, uint16_t *restrict s)
{
    for (size_t i = 0; i < pixels; i += 2, in += 3, s += 2) {
        s[0] = (uint16_t)(in[0] << 4 | (in[2] & 15));
        s[1] = (uint16_t)(in[1] << 4 | in[2] >> 4);
    }
}

static void unpack_14(const uint8_t *restrict in, size_t pixels, uint16_t *restrict s)
{
    for (size_t i = 0; i < pixels; i += 4, in += 7, s += 4) {
        const uint32_t low = (uint32_t)in[6] << 16 | (uint32_t)in[5] << 8 | in[4];
        s[0] = (uint16_t)((uint32_t)in[0] << 6 | (low & 63));
        s[1] = (uint16_t)((uint32_t)in[1] << 6 | (low >> 6 & 63));
        s[2] = (uint16_t)((uint32_t)in[2] << 6 | (low >> 12 & 63));
        s[3] = (uint16_t)((uint32_t)in[3] << 6 | low >> 18);
    }
}

tl_err tl_raw_unpack(unsigned bits, tl_span line, uint16_t *samples, size_t pixels)
{
    const size_t bytes = tl_raw_line_bytes(bits, pixels);
    if (bytes == 0 || line.n != bytes)
        return TL_E_USAGE;
    switch (bits) {
    case 8: unpack_8(line.p, pixels, samples); break;
    case 10: unpack_10(line.p, pixels, samples); break;
    case 12: unpack_12(line.p, pixels, samples); break;
    default: unpack_14(line.p, pixels, samples); break;
    }
    return TL_OK;
}
