/* NIST's vectors through the kernels of every level that is here, in every lane, with neighbours under other
 * keys; and the levels against the portable one at all sizes that matter. Each file must give as many vectors
 * as it is known to hold. */
#include "vectors.h"

#include "inner.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = TL__BLOCK, TEXT_MAX = 8192 };

/* A slot as the backend has it. */
typedef struct TL_LANES_ALIGNED slot {
    uint8_t state[TL_LANES_KEY_STATE];
} slot;

typedef void (*test_of_level)(const tl__level *l);

static void with_every_level(test_of_level test)
{
    size_t n = 0;
    for (int id = TL_LANES_BEST + 1; id < TL_LANES_LEVELS; id++) {
        const tl__level *l = tl__level_of((tl_lanes_level)id);
        if (l == NULL)
            continue;
        print_message("# level %s\n", l->name);
        test(l);
        n++;
    }
    assert_true(n > 0);
}

/* ---- keys ---- */

/* A CMAC suite's state for a tag key; the encryption key is another one. */
static void load_tag_key(const tl__level *l, slot *s, const uint8_t *key, size_t key_n)
{
    uint8_t both[64];
    memcpy(both, key, key_n);
    memset(both + key_n, 0xA5, key_n);
    l->load(s->state, key_n == 16 ? TL_SUITE_AES128_CMAC : TL_SUITE_AES256_CMAC, both);
}

static void load_encryption_key(const tl__level *l, slot *s, const uint8_t *key, size_t key_n)
{
    uint8_t both[64];
    memset(both, 0xA5, key_n);
    memcpy(both + key_n, key, key_n);
    l->load(s->state, key_n == 16 ? TL_SUITE_AES128_CMAC : TL_SUITE_AES256_CMAC, both);
}

static void load_gmac_key(const tl__level *l, slot *s, const uint8_t *key, size_t key_n)
{
    l->load(s->state, key_n == 16 ? TL_SUITE_AES128_GMAC : TL_SUITE_AES256_GMAC, key);
}

/* ---- AES by blocks: CBC-MAC of a single block on a chain of zeros ---- */

static void aes_block(const tl__level *l, const slot *key, const uint8_t in[BLOCK], uint8_t out[BLOCK])
{
    const tl__lane lane = { key->state, in, out };
    memset(out, 0, BLOCK);
    l->cbc_mac(&lane, 1, 1);
}

typedef struct record {
    slot key;
    uint8_t plain[64], cipher[64], counter[BLOCK];
} record;

/* Both records of a file: a key of 128 bits and one of 256, four blocks each. */
static void read_records(const tl__level *l, const char *file, record r[2])
{
    tl_vectors v;
    tl_vector fields;
    size_t n = 0;
    tl_vectors_open(&v, TL_TEST_DATA, file);
    for (; tl_vectors_next(&v, &fields); n++) {
        uint8_t key[32];
        assert_true(n < 2);
        load_tag_key(l, &r[n].key, key, tl_vector_hex(&fields, "key", key, sizeof key));
        assert_int_equal(tl_vector_hex(&fields, "plain", r[n].plain, 64), 64);
        assert_int_equal(tl_vector_hex(&fields, "cipher", r[n].cipher, 64), 64);
        if (tl_vector_text(&fields, "counter") != NULL)
            assert_int_equal(tl_vector_hex(&fields, "counter", r[n].counter, BLOCK), BLOCK);
    }
    tl_vectors_close(&v);
    assert_int_equal(n, 2);
}

/* n lanes, all with the record's key, or every other one with another key of its length. */
static void check_blocks(const tl__level *l, const record *r, const slot *other, size_t n)
{
    tl__lane lane[TL_LANES_WIDTH] = { { NULL, NULL, NULL } };
    uint8_t chain[TL_LANES_WIDTH][BLOCK] = { { 0 } }, alone[BLOCK];
    for (size_t i = 0; i < n; i++) {
        const slot *key = other != NULL && i % 2 == 1 ? other : &r->key;
        lane[i] = (tl__lane){ key->state, r->plain + i % 4 * BLOCK, chain[i] };
    }
    l->cbc_mac(lane, n, 1);
    for (size_t i = 0; i < n; i++) {
        if (lane[i].state == r->key.state) {
            assert_memory_equal(chain[i], r->cipher + i % 4 * BLOCK, BLOCK);
            continue;
        }
        aes_block(l, other, lane[i].p, alone);
        assert_memory_equal(chain[i], alone, BLOCK);
        assert_memory_not_equal(chain[i], r->cipher + i % 4 * BLOCK, BLOCK);
    }
}

static void ecb(const tl__level *l)
{
    record r[2];
    read_records(l, "aes_ecb.txt", r);
    assert_true(l->width >= 1 && l->width <= TL_LANES_WIDTH);
    for (size_t k = 0; k < 2; k++) {
        uint8_t key[32];
        slot other;
        memset(key, 0x3C, sizeof key);
        load_tag_key(l, &other, key, k == 0 ? 16 : 32);
        for (size_t n = 1; n <= l->width; n++) {
            check_blocks(l, &r[k], NULL, n);
            check_blocks(l, &r[k], &other, n);
        }
    }
}

static void ecb_as_sp800_38a_when_in_every_lane_then_blocks_fit(void **s)
{
    (void)s;
    with_every_level(ecb);
}

/* F.5 counts from a block that GCM's numbering does not reach, so each of its counter blocks goes through as
 * one. */
static void ctr_by_blocks(const tl__level *l)
{
    record r[2];
    read_records(l, "aes_ctr.txt", r);
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < 4; i++) {
            uint8_t stream[BLOCK];
            aes_block(l, &r[k].key, r[k].counter, stream);
            for (size_t j = 0; j < BLOCK; j++)
                assert_int_equal(stream[j] ^ r[k].plain[i * BLOCK + j], r[k].cipher[i * BLOCK + j]);
            for (size_t j = BLOCK; j-- > 0 && ++r[k].counter[j] == 0;)
                ;
        }
}

static void ctr_as_sp800_38a_when_by_counter_blocks_then_text_fits(void **s)
{
    (void)s;
    with_every_level(ctr_by_blocks);
}

/* The CTR kernel against the same level's single blocks, which the vectors above vouch for. */
static void ctr_kernel(const tl__level *l)
{
    static uint8_t text[1100];
    const uint8_t nonce[TL_NONCE_SIZE] = { 0xCA, 0xFE, 0xBA, 0xBE, 1, 2, 3, 4, 5, 6, 7, 8 };
    uint8_t key[32], stream[BLOCK];
    slot tag, encryption;
    for (size_t key_n = 16; key_n <= 32; key_n += 16)
        for (size_t n = 0; n <= sizeof text - 1; n = n < 300 ? n + 1 : n + 97) {
            memset(key, (int)(key_n + n), sizeof key);
            load_encryption_key(l, &encryption, key, key_n);
            load_tag_key(l, &tag, key, key_n);
            memset(text, 0, sizeof text);
            l->ctr(encryption.state, &(tl__gcm){ nonce, text, n });
            for (size_t i = 0; i < n; i++) {
                if (i % BLOCK == 0) {
                    uint8_t counter[BLOCK] = { 0 };
                    memcpy(counter, nonce, sizeof nonce);
                    counter[14] = (uint8_t)((2 + i / BLOCK) >> 8);
                    counter[15] = (uint8_t)(2 + i / BLOCK);
                    aes_block(l, &tag, counter, stream);
                }
                assert_int_equal(text[i], stream[i % BLOCK]);
            }
            tl_assert_all(text + n, 0, sizeof text - n);
        }
}

static void ctr_when_of_any_length_then_counts_from_two_and_touches_no_more(void **s)
{
    (void)s;
    with_every_level(ctr_kernel);
}

/* ---- CMAC ---- */

typedef struct cmac {
    slot key;
    uint8_t zero[BLOCK], subkey[2][BLOCK], message[64], prepared[64], tag[BLOCK];
    size_t message_n, blocks;
} cmac;

/* SP 800-38B, 6.2: the last block padded, and K1 or K2 on it. */
static void prepare(cmac *c)
{
    bool whole = c->message_n > 0 && c->message_n % BLOCK == 0;
    uint8_t *last;
    c->blocks = c->message_n == 0 ? 1 : (c->message_n + BLOCK - 1) / BLOCK;
    memset(c->prepared, 0, sizeof c->prepared);
    memcpy(c->prepared, c->message, c->message_n);
    if (!whole)
        c->prepared[c->message_n] = 0x80;
    last = c->prepared + (c->blocks - 1) * BLOCK;
    for (size_t i = 0; i < BLOCK; i++)
        last[i] ^= c->subkey[whole ? 0 : 1][i];
}

static void check_cmacs(const tl__level *l, cmac c[8])
{
    for (size_t i = 0; i < 8; i++) {
        uint8_t block[BLOCK];
        const uint8_t nothing[BLOCK] = { 0 };
        aes_block(l, &c[i].key, nothing, block);
        assert_memory_equal(block, c[i].zero, BLOCK);
    }
    /* For both keys and each number of blocks, the vector in every lane. */
    for (size_t i = 0; i < 8; i++) {
        tl__lane lane[TL_LANES_WIDTH] = { { NULL, NULL, NULL } };
        uint8_t chain[TL_LANES_WIDTH][BLOCK] = { { 0 } };
        for (size_t n = 0; n < l->width; n++)
            lane[n] = (tl__lane){ c[i].key.state, c[i].prepared, chain[n] };
        l->cbc_mac(lane, l->width, c[i].blocks);
        for (size_t n = 0; n < l->width; n++)
            assert_memory_equal(chain[n], c[i].tag, BLOCK);
    }
}

static void cmac_vectors(const tl__level *l)
{
    static cmac c[8];
    tl_vectors v;
    tl_vector r;
    size_t n = 0;
    tl_vectors_open(&v, TL_TEST_DATA, "cmac.txt");
    for (; tl_vectors_next(&v, &r); n++) {
        uint8_t key[32];
        assert_true(n < 8);
        load_tag_key(l, &c[n].key, key, tl_vector_hex(&r, "key", key, sizeof key));
        assert_int_equal(tl_vector_hex(&r, "zero", c[n].zero, BLOCK), BLOCK);
        assert_int_equal(tl_vector_hex(&r, "k1", c[n].subkey[0], BLOCK), BLOCK);
        assert_int_equal(tl_vector_hex(&r, "k2", c[n].subkey[1], BLOCK), BLOCK);
        assert_int_equal(tl_vector_hex(&r, "tag", c[n].tag, BLOCK), BLOCK);
        c[n].message_n = tl_vector_hex(&r, "message", c[n].message, sizeof c[n].message);
        prepare(&c[n]);
    }
    tl_vectors_close(&v);
    assert_int_equal(n, 8);
    check_cmacs(l, c);
}

static void cmac_as_sp800_38b_when_in_every_lane_then_tags_fit(void **s)
{
    (void)s;
    with_every_level(cmac_vectors);
}

/* The same through the backend, which makes the subkeys and pads: a message of the vector's text and no
 * header. */
static void cmac_by_backend(tl_lanes_level level, const tl_vector *r)
{
    static tl_lanes lanes;
    static tl_lanes_key one_slot;
    const tl_lanes_config config = { .level = level, .keys = &one_slot, .key_n = 1 };
    const tl_crypto *c = tl_lanes_crypto(&lanes);
    uint8_t key[64], message[64], tag[BLOCK], subkey[2][BLOCK];
    size_t key_n = tl_vector_hex(r, "key", key, 32), n = tl_vector_hex(r, "message", message, sizeof message);
    tl_sealed m = { .payload = message, .payload_n = n, .cover = TL_COVER_PAYLOAD, .tag_n = BLOCK };
    tl_key k;

    assert_int_equal(tl_vector_hex(r, "k1", subkey[0], BLOCK), BLOCK);
    assert_int_equal(tl_vector_hex(r, "k2", subkey[1], BLOCK), BLOCK);
    assert_int_equal(tl_vector_hex(r, "tag", tag, BLOCK), BLOCK);
    memset(key + key_n, 0xA5, key_n);
    tl_assert_ok(tl_lanes_init(&lanes, &config));
    tl_assert_ok(c->ops->key_load(c->ctx, key_n == 16 ? TL_SUITE_AES128_CMAC : TL_SUITE_AES256_CMAC,
                                  tl_span_of(key, 2 * key_n), &k));
    assert_memory_equal(one_slot.subkey, subkey, sizeof subkey);
    tl_assert_ok(c->ops->protect(c->ctx, k, &m, 1));
    assert_memory_equal(m.tag, tag, BLOCK);
    tl_assert_ok(c->ops->verify(c->ctx, k, &m, 1));
    assert_true(m.right);
    m.tag[15] ^= 1;
    tl_assert_ok(c->ops->verify(c->ctx, k, &m, 1));
    assert_false(m.right);
    tl_lanes_wipe(&lanes);
}

static void cmac_as_sp800_38b_when_by_the_backend_then_subkeys_and_tags_fit(void **s)
{
    size_t n = 0;
    (void)s;
    for (int id = TL_LANES_BEST + 1; id < TL_LANES_LEVELS; id++) {
        tl_vectors v;
        tl_vector r;
        if (!tl_lanes_level_here((tl_lanes_level)id))
            continue;
        tl_vectors_open(&v, TL_TEST_DATA, "cmac.txt");
        for (; tl_vectors_next(&v, &r); n++)
            cmac_by_backend((tl_lanes_level)id, &r);
        tl_vectors_close(&v);
    }
    assert_true(n >= 8 && n % 8 == 0);
}

/* ---- GCM ---- */

/* GHASH of bytes, the last block filled with zeros. */
static void hash_bytes(const tl__level *l, const slot *k, uint8_t y[BLOCK], const uint8_t *p, size_t n)
{
    uint8_t last[BLOCK] = { 0 };
    if (n >= BLOCK)
        l->ghash(k->state, y, p, n / BLOCK);
    memcpy(last, p + n / BLOCK * BLOCK, n % BLOCK);
    if (n % BLOCK > 0)
        l->ghash(k->state, y, last, 1);
}

static void check_gcm(const tl__level *l, const tl_gcm_vector *v)
{
    const uint64_t bits[2] = { v->aad_n * 8, v->text_n * 8 };
    uint8_t text[TL_GCM_TEXT_MAX], y[BLOCK] = { 0 }, from[BLOCK], tag[BLOCK];
    tl__gcm t = { v->nonce, text, v->text_n };
    slot k;

    load_gmac_key(l, &k, v->key, v->key_n);
    hash_bytes(l, &k, y, v->aad, v->aad_n);
    memcpy(from, y, BLOCK);
    memcpy(text, v->cipher, v->text_n);
    l->gcm_open(k.state, y, &t);
    l->gcm_tag(k.state, y, v->nonce, bits, tag);
    assert_int_equal(memcmp(tag, v->tag, v->tag_n) == 0, v->right);
    if (v->text_n == 0) {
        l->gmac(k.state, v->nonce, tl_span_of(v->aad, v->aad_n), tag);
        assert_int_equal(memcmp(tag, v->tag, v->tag_n) == 0, v->right);
    }
    if (!v->right)
        return;
    assert_memory_equal(text, v->plain, v->text_n);
    l->gcm_seal(k.state, from, &t);
    assert_memory_equal(text, v->cipher, v->text_n);
    assert_memory_equal(from, y, BLOCK);
}

static void gcm_vectors(const tl__level *l)
{
    static const struct file {
        const char *name;
        size_t wrong;
    } files[] = {
        { "gcm_encrypt_128.txt", 0 },
        { "gcm_encrypt_256.txt", 0 },
        { "gcm_decrypt_128.txt", 122 },
        { "gcm_decrypt_256.txt", 128 },
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        tl_vectors file;
        tl_vector r;
        tl_gcm_vector v;
        size_t n = 0, wrong = 0;
        tl_vectors_open(&file, TL_TEST_DATA, files[i].name);
        for (; tl_vectors_next(&file, &r); n++) {
            tl_gcm_vector_read(&r, &v);
            check_gcm(l, &v);
            wrong += !v.right;
        }
        tl_vectors_close(&file);
        assert_int_equal(n, 250);
        assert_int_equal(wrong, files[i].wrong);
    }
}

static void gcm_as_nist_when_sealed_and_opened_then_text_and_tag_fit(void **s)
{
    (void)s;
    with_every_level(gcm_vectors);
}

/* ---- levels against each other ---- */

typedef struct pair {
    const tl__level *l;
    slot key, soft_key;
} pair;

static void load_pair(pair *p, tl_suite suite, tl_rng *rng)
{
    uint8_t key[64];
    tl_random_fill(rng, key, sizeof key);
    p->l->load(p->key.state, suite, key);
    tl__level_soft.load(p->soft_key.state, suite, key);
}

static size_t any_length(tl_rng *rng)
{
    return tl_random_below(rng, tl_random_below(rng, 4) == 0 ? TEXT_MAX : 600);
}

/* The lanes' blocks end where the memory ends, so that a sanitizer sees a byte too much. */
static void same_chains(pair p[TL_LANES_WIDTH], tl_rng *rng)
{
    size_t n = 1 + tl_random_below(rng, p->l->width), blocks = 1 + any_length(rng) / BLOCK;
    uint8_t chain[2][TL_LANES_WIDTH][BLOCK], *data[TL_LANES_WIDTH];
    tl__lane lane[2][TL_LANES_WIDTH] = { { { NULL, NULL, NULL } } };
    bool one_key = tl_random_below(rng, 2) == 0;
    tl_suite suite = tl_random_below(rng, 2) == 0 ? TL_SUITE_AES128_CMAC : TL_SUITE_AES256_CMAC;
    for (size_t i = 0; i < n; i++) {
        pair *of = &p[one_key ? 0 : i];
        size_t shift = tl_random_below(rng, BLOCK);
        if (i == 0 || !one_key)
            load_pair(of, suite, rng);
        data[i] = malloc(shift + blocks * BLOCK);
        assert_non_null(data[i]);
        tl_random_fill(rng, data[i], shift + blocks * BLOCK);
        tl_random_fill(rng, chain[0][i], BLOCK);
        memcpy(chain[1][i], chain[0][i], BLOCK);
        lane[0][i] = (tl__lane){ of->key.state, data[i] + shift, chain[0][i] };
        lane[1][i] = (tl__lane){ of->soft_key.state, data[i] + shift, chain[1][i] };
    }
    p->l->cbc_mac(lane[0], n, blocks);
    tl__level_soft.cbc_mac(lane[1], n, blocks);
    for (size_t i = 0; i < n; i++) {
        assert_memory_equal(chain[0][i], chain[1][i], BLOCK);
        free(data[i]);
    }
}

static void same_texts(pair *p, tl_rng *rng)
{
    size_t n = any_length(rng);
    uint8_t *text[2] = { malloc(n + 1), malloc(n + 1) }, nonce[TL_NONCE_SIZE], y[2][BLOCK], tag[2][BLOCK];
    const uint64_t bits[2] = { tl_random_next(rng), n * 8 };
    bool seal = tl_random_below(rng, 2) == 0, counted = tl_random_below(rng, 4) == 0;
    load_pair(p, (counted ? TL_SUITE_AES128_CMAC : TL_SUITE_AES128_GMAC) + (tl_suite)tl_random_below(rng, 2),
              rng);
    assert_true(text[0] != NULL && text[1] != NULL);
    tl_random_fill(rng, nonce, sizeof nonce);
    tl_random_fill(rng, y[0], BLOCK);
    tl_random_fill(rng, text[0] + 1, n);
    memcpy(y[1], y[0], BLOCK);
    memcpy(text[1] + 1, text[0] + 1, n);
    for (size_t i = 0; i < 2; i++) {
        const tl__level *l = i == 0 ? p->l : &tl__level_soft;
        const void *key = i == 0 ? p->key.state : p->soft_key.state;
        tl__gcm t = { nonce, text[i] + 1, n };
        if (counted) {
            l->ctr(key, &t);
            continue;
        }
        if (seal)
            l->gcm_seal(key, y[i], &t);
        else
            l->gcm_open(key, y[i], &t);
        l->gcm_tag(key, y[i], nonce, bits, tag[i]);
    }
    if (!counted) {
        assert_memory_equal(y[0], y[1], BLOCK);
        assert_memory_equal(tag[0], tag[1], BLOCK);
    }
    assert_memory_equal(text[0] + 1, text[1] + 1, n);
    free(text[0]);
    free(text[1]);
}

static void same_macs(pair *p, tl_rng *rng)
{
    size_t n = any_length(rng);
    uint8_t *data = malloc(n + 1), nonce[TL_NONCE_SIZE], y[2][BLOCK] = { { 0 } }, tag[2][BLOCK];
    assert_non_null(data);
    load_pair(p, TL_SUITE_AES128_GMAC + (tl_suite)tl_random_below(rng, 2), rng);
    tl_random_fill(rng, data, n + 1);
    tl_random_fill(rng, nonce, sizeof nonce);
    p->l->gmac(p->key.state, nonce, tl_span_of(data + 1, n), tag[0]);
    tl__level_soft.gmac(p->soft_key.state, nonce, tl_span_of(data + 1, n), tag[1]);
    assert_memory_equal(tag[0], tag[1], BLOCK);
    hash_bytes(p->l, &p->key, y[0], data + 1, n);
    hash_bytes(&tl__level_soft, &p->soft_key, y[1], data + 1, n);
    assert_memory_equal(y[0], y[1], BLOCK);
    free(data);
}

/* Bit by bit, as the polynomials say. */
static uint32_t crc_by_bits(uint32_t crc, tl_span data, uint32_t polynomial)
{
    for (size_t i = 0; i < data.n; i++) {
        crc ^= data.p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? polynomial : 0);
    }
    return crc;
}

static void checksums(const tl__level *l)
{
    static uint8_t data[1100];
    tl_rng rng = tl_random_start(l->name);
    tl_random_fill(&rng, data, sizeof data);
    for (size_t n = 0; n <= 1000; n = n < 300 ? n + 1 : n + 37) {
        uint32_t crc = n % 2 == 0 ? 0xFFFFFFFF : (uint32_t)tl_random_next(&rng);
        tl_span some = tl_span_of(data + n % 16, n);
        if (l->crc16 != NULL)
            assert_int_equal(l->crc16((uint16_t)crc, some), crc_by_bits(crc & 0xFFFF, some, 0x8408));
        if (l->crc32 != NULL)
            assert_int_equal(l->crc32(crc, some), (uint32_t)~crc_by_bits(~crc, some, 0xEDB88320));
    }
}

static void checksums_when_of_any_length_then_as_by_bits(void **s)
{
    (void)s;
    with_every_level(checksums);
}

static void as_soft(const tl__level *l)
{
    static pair p[TL_LANES_WIDTH];
    tl_rng rng = tl_random_start(l->name);
    for (size_t i = 0; i < TL_LANES_WIDTH; i++)
        p[i].l = l;
    for (size_t i = 0; i < 300; i++) {
        same_texts(p, &rng);
        same_macs(p, &rng);
        same_chains(p, &rng);
    }
}

static void kernels_when_given_the_same_then_all_levels_give_the_same(void **s)
{
    (void)s;
    with_every_level(as_soft);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ecb_as_sp800_38a_when_in_every_lane_then_blocks_fit),
        cmocka_unit_test(ctr_as_sp800_38a_when_by_counter_blocks_then_text_fits),
        cmocka_unit_test(ctr_when_of_any_length_then_counts_from_two_and_touches_no_more),
        cmocka_unit_test(cmac_as_sp800_38b_when_in_every_lane_then_tags_fit),
        cmocka_unit_test(cmac_as_sp800_38b_when_by_the_backend_then_subkeys_and_tags_fit),
        cmocka_unit_test(gcm_as_nist_when_sealed_and_opened_then_text_and_tag_fit),
        cmocka_unit_test(checksums_when_of_any_length_then_as_by_bits),
        cmocka_unit_test(kernels_when_given_the_same_then_all_levels_give_the_same),
    };
    return cmocka_run_group_tests_name("lanes_vectors", tests, NULL, NULL);
}
