/* What a level gives: kernels for one kind of processor. The rest of the backend is the same for all levels: it
 * keeps keys and running MACs, cuts messages into runs of whole blocks, pads, compares tags and wipes.
 *
 * A block is 16 bytes. Pointers to data have any alignment; a key's state is aligned to TL_LANES_ALIGN. Kernels read
 * and write no byte beyond what they are given, keep no secret in memory when they return, and neither branch nor
 * address memory by a key, a chaining value or a byte of data. Their time may depend on lengths, and on suites. */
#ifndef TL_LANES_LEVEL_H
#define TL_LANES_LEVEL_H

#include <trueline/lanes.h>

#include <string.h>

enum { TL__BLOCK = 16 };

/* One lane of CBC-MAC. Lanes of one call have keys of the same suite, the same one or
 * several, and the same number of blocks. */
typedef struct tl__lane {
    const void *state; /* of a CMAC suite's key */
    const uint8_t *p;  /* its blocks, one after the other */
    uint8_t *chain;    /* 16 bytes: the chaining value, taken on and left there; lanes' chains lie apart */
} tl__lane;

/* What GCM is told about one message: SP 800-38D's IV, and the text that is changed in place. */
typedef struct tl__gcm {
    const uint8_t *nonce; /* TL_NONCE_SIZE bytes */
    uint8_t *text;
    size_t text_n; /* bytes, any number up to 2^31 */
} tl__gcm;

typedef struct tl__level {
    const char *name;
    /* Lanes that cbc_mac takes at once, at most TL_LANES_WIDTH. Fewer are allowed, and slower per lane. */
    size_t width;

    /* Expands the key of a suite, tl_suite_key_size(suite) bytes, into a state of TL_LANES_KEY_STATE bytes: AES's
     * round keys and what GHASH needs for a GMAC suite, two sets of round keys for a CMAC suite, whose key is
     * tag key | encryption key. Only the functions for suites of that kind are called with it. */
    void (*load)(void *state, tl_suite suite, const uint8_t *key);

    /* -- CMAC suites -- */

    /* CBC-MAC of n lanes, 1..width, over the same number of blocks each, 1 or more, under the tag key:
     * for each block, chain = AES(K, chain ^ block). The last block of a CMAC comes prepared (SP 800-38B, 6.2:
     * padded, and K1 or K2 on it), so there is no difference for the kernel. */
    void (*cbc_mac)(const tl__lane *lane, size_t n, size_t blocks);
    /* AES-CTR in place under the encryption key. The counter block is nonce | 32 bits, big endian, from 2 on. */
    void (*ctr)(const void *state, const tl__gcm *text);

    /* -- GMAC suites -- */

    /* GMAC of bytes that lie together, any number: the tag of GCM with them as associated data and no text. */
    void (*gmac)(const void *state, const uint8_t *nonce, tl_span data, uint8_t tag[TL_TAG_MAX]);
    /* GHASH goes on: y = (y ^ block) * H for each block, 1 or more. */
    void (*ghash)(const void *state, uint8_t y[TL__BLOCK], const uint8_t *p, size_t blocks);
    /* Encrypts, or decrypts, the text in place by AES-CTR with the counter from 2 on, and takes y on over the
     * ciphertext, its last block filled with zeros. No text: nothing. */
    void (*gcm_seal)(const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text);
    void (*gcm_open)(const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text);
    /* The same and its tag, for a message whose header is associated data: all in one, for levels where that is faster
     * than ghash, gcm_seal or gcm_open, and gcm_tag. NULL: it is not. */
    void (*message_seal)(const void *state, tl_span header, const tl__gcm *text, uint8_t tag[TL_TAG_MAX]);
    void (*message_open)(const void *state, tl_span header, const tl__gcm *text, uint8_t tag[TL_TAG_MAX]);
    /* The end: takes y on over the block of lengths, that of the associated data and that of the text in bits, 64
     * bits each, and writes y ^ AES(K, nonce | 1). */
    void (*gcm_tag)(const void *state, const uint8_t y[TL__BLOCK], const uint8_t *nonce,
                    const uint64_t bits[2], uint8_t tag[TL_TAG_MAX]);

    /* -- checksums, as crypto.h says; NULL: the core's own are as good -- */
    uint16_t (*crc16)(uint16_t crc, tl_span data);
    uint32_t (*crc32)(uint32_t crc, tl_span data);
} tl__level;

/* The levels, where they were built in. */
extern const tl__level tl__level_soft, tl__level_armv8, tl__level_aesni, tl__level_vaes;

/* gcm_seal, gcm_open and gmac for levels on which encryption and GHASH are a pass each: made of the level's ctr, which
 * then serves its GMAC suites too, ghash and gcm_tag. */
void tl__two_pass_seal(const tl__level *level, const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text);
void tl__two_pass_open(const tl__level *level, const void *state, uint8_t y[TL__BLOCK], const tl__gcm *text);
void tl__two_pass_gmac(const tl__level *level, const void *state, const uint8_t *nonce, tl_span data,
                       uint8_t tag[TL_TAG_MAX]);

/* What the processor has, together with its operating system. Each stands in a file that is compiled without the
 * instructions it asks for. */
bool tl__cpu_has_armv8(void);
bool tl__cpu_has_aesni(void);
bool tl__cpu_has_vaes(void);

/* Has the suite two keys, the tag's and then the encryption's? */
static inline bool tl__is_cmac(tl_suite suite)
{
    return suite == TL_SUITE_AES128_CMAC || suite == TL_SUITE_AES256_CMAC;
}

/* Bytes of one AES key of the suite. */
static inline size_t tl__aes_key_size(tl_suite suite)
{
    return tl_suite_key_size(suite) / (tl__is_cmac(suite) ? 2 : 1);
}

/* Do all lanes of a call have the same key? */
static inline bool tl__same_key(const tl__lane *lane, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (lane[i].state != lane[0].state)
            return false;
    }
    return true;
}

/* tl_wipe without a call, for what is small and wiped often: the compiler may not leave it out either. */
#if defined(__GNUC__)
static inline void tl__forget(void *p, size_t n)
{
    memset(p, 0, n);
    __asm__ volatile("" : : "r"(p) : "memory");
}
#else
static inline void tl__forget(void *p, size_t n)
{
    tl_wipe(p, n);
}
#endif

#endif
