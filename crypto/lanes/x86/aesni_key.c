/* The AES-NI level: keys, and the table of its functions. */
#include "aesni.h"

_Static_assert(sizeof(tl__aesni_key) <= TL_LANES_KEY_STATE, "a key's state has room for it");

/* H = AES(K, 0), and its powers from the highest down, since the first block of a row meets the highest. */
static void make_powers(tl__aesni_key *key)
{
    __m128i h = tl__times_x(tl__turn(tl__aes_block(key->round, key->rounds, _mm_setzero_si128())));
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
    size_t size = tl__aes_key_size(suite);
    key->rounds = tl__expand_key(key->round, bytes, size);
    if (tl__is_cmac(suite))
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
