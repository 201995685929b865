/* The AES-NI level: keys, and the table of its functions. */
#include "aesni.h"

_Static_assert(sizeof(tl__aesni_key) <= TL_LANES_KEY_STATE, "a key's state has room for it");

/* x * a modulo the polynomial, reflected: a shift, and what falls out comes back as 0xC2...01. No branch on it. */
static __m128i times_x(__m128i a)
{
    __m128i carries = _mm_slli_si128(_mm_srli_epi64(a, 63), 8);
    __m128i fell_out = _mm_srai_epi32(_mm_shuffle_epi32(a, 0xFF), 31);
    __m128i poly = _mm_set_epi64x((long long)0xC200000000000000ULL, 1);
    return _mm_xor_si128(_mm_or_si128(_mm_slli_epi64(a, 1), carries), _mm_and_si128(fell_out, poly));
}

/* H = AES(K, 0), and its powers from the highest down, since the first block of a row meets the highest. */
static void make_powers(tl__aesni_key *key)
{
    __m128i h = times_x(tl__turn(tl__aes_block(key->round, key->rounds, _mm_setzero_si128())));
    __m128i power = h;
    for (size_t i = TL__WIDE; i > 0; i--) {
        key->u.power[i - 1] = power;
        tl__sum s = tl__sum_zero();
        tl__sum_add(&s, power, h);
        power = tl__sum_reduce(&s);
    }
}

static void load(void *state, tl_suite suite, const uint8_t *bytes)
{
    tl__aesni_key *key = state;
    bool cmac = suite == TL_SUITE_AES128_CMAC || suite == TL_SUITE_AES256_CMAC;
    size_t size = suite == TL_SUITE_AES128_GMAC || suite == TL_SUITE_AES128_CMAC ? 16 : 32;
    key->rounds = tl__expand_key(key->round, bytes, size);
    if (cmac)
        tl__expand_key(key->u.ctr_round, bytes + size, size);
    else
        make_powers(key);
}

const tl__level tl__level_aesni = {
    .name = "aesni",
    .width = 8,
    .load = load,
    .cbc_mac = tl__aesni_cbc_mac,
    .ctr = tl__aesni_ctr,
    .gmac = tl__aesni_gmac,
    .ghash = tl__aesni_ghash,
    .gcm_seal = tl__aesni_gcm_seal,
    .gcm_open = tl__aesni_gcm_open,
    .gcm_tag = tl__aesni_gcm_tag,
    .crc16 = tl__aesni_crc16,
    .crc32 = tl__aesni_crc32,
};
