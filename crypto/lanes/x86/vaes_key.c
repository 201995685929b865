/* The VAES level: keys, and the table of its functions. */
#include "vaes.h"

_Static_assert(sizeof(tl__vaes_key) <= TL_LANES_KEY_STATE, "a key's state has room for it");

static unsigned spread(__m512i round[TL__ROUND_KEYS], const uint8_t *key, size_t size)
{
    __m128i narrow[TL__ROUND_KEYS];
    unsigned rounds = tl__expand_key(narrow, key, size);
    for (unsigned i = 0; i <= rounds; i++)
        round[i] = _mm512_broadcast_i32x4(narrow[i]);
    tl__forget(narrow, sizeof narrow);
    return rounds;
}

/* H = AES(K, 0), and its powers from the highest down, since the first block of a row meets the highest. */
static void make_powers(tl__vaes_key *key)
{
    __m128i h = tl__reverse(tl__aes1(key->round, key->rounds, _mm_setzero_si128()));
    __m128i power = h;
    for (size_t i = TL__POWERS; i > 0; i--) {
        tl__store(key->u.gmac.power + (i - 1) * TL__BLOCK, power);
        tl__store(key->u.gmac.turned + (i - 1) * TL__BLOCK, tl__times_x(tl__turn(tl__reverse(power))));
        tl__sums s = tl__sums_zero();
        tl__add_product(&s, _mm512_zextsi128_si512(power), _mm512_zextsi128_si512(h));
        power = tl__reduce(&s);
    }
}

static void load(void *state, tl_suite suite, const uint8_t *bytes)
{
    tl__vaes_key *key = state;
    size_t size = tl__aes_key_size(suite);
    key->rounds = spread(key->round, bytes, size);
    if (tl__is_cmac(suite))
        spread(key->u.ctr_round, bytes + size, size);
    else
        make_powers(key);
}

const tl__level tl__level_vaes = {
    .name = "vaes",
    .width = 16,
    .load = load,
    .cbc_mac = tl__vaes_cbc_mac,
    .ctr = tl__vaes_ctr,
    .gmac = tl__vaes_gmac,
    .ghash = tl__vaes_ghash,
    .gcm_seal = tl__vaes_gcm_seal,
    .gcm_open = tl__vaes_gcm_open,
    .message_seal = tl__vaes_message_seal,
    .message_open = tl__vaes_message_open,
    .gcm_tag = tl__vaes_gcm_tag,
    .crc16 = tl__vaes_crc16,
    .crc32 = tl__vaes_crc32,
};
