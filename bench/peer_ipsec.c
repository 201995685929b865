/* ipsec-mb at its best: GMAC and GCM by its direct calls, which take one message and have no queue; CMAC by jobs without
 * parameter checks, 64 of them in flight, which fill its lanes. */
#include "lines.h"

#include <intel-ipsec-mb.h>

#include <openssl/crypto.h>

#include <stdlib.h>

enum { ONE = LINES_HEADER };

typedef struct state {
    IMB_MGR *manager;
    DECLARE_ALIGNED(struct gcm_key_data gcm, 64);
    DECLARE_ALIGNED(uint32_t round_keys[4 * 15], 16);
    DECLARE_ALIGNED(uint32_t unused[4 * 15], 16);
    DECLARE_ALIGNED(uint32_t subkey_1[4], 16);
    DECLARE_ALIGNED(uint32_t subkey_2[4], 16);
    unsigned done;
} state;

/* ---- CMAC ---- */

static void take(state *s, IMB_JOB *job)
{
    for (; job != NULL; job = IMB_GET_COMPLETED_JOB(s->manager))
        s->done += job->status == IMB_STATUS_COMPLETED;
}

static void cmac_lines(peer *p, uint8_t (*tags)[TL_TAG_MAX])
{
    state *s = p->state;
    IMB_JOB *job;

    s->done = 0;
    for (unsigned i = 0; i < p->lines->n; i++) {
        job = IMB_GET_NEXT_JOB(s->manager);
        job->cipher_mode = IMB_CIPHER_NULL;
        job->cipher_direction = IMB_DIR_ENCRYPT;
        job->chain_order = IMB_ORDER_HASH_CIPHER;
        job->hash_alg = IMB_AUTH_AES_CMAC;
        job->u.CMAC._key_expanded = s->round_keys;
        job->u.CMAC._skey1 = s->subkey_1;
        job->u.CMAC._skey2 = s->subkey_2;
        job->src = lines_at(p->lines, i);
        job->hash_start_src_offset_in_bytes = 0;
        job->msg_len_to_hash_in_bytes = ONE + p->lines->payload_n;
        job->auth_tag_output = tags[i];
        job->auth_tag_output_len_in_bytes = TL_TAG_MAX;
        take(s, IMB_SUBMIT_JOB_NOCHECK(s->manager));
    }
    while ((job = IMB_FLUSH_JOB(s->manager)) != NULL)
        take(s, job);
    p->failed |= s->done != p->lines->n;
}

/* ---- GMAC and GCM ---- */

static void gcm_line(peer *p, unsigned i, bool encrypt, uint8_t tag[TL_TAG_MAX])
{
    state *s = p->state;
    struct gcm_context_data context;
    uint8_t *line = lines_at(p->lines, i), *text = line + ONE;
    const uint8_t *nonce = p->lines->nonces[i];
    size_t n = p->lines->payload_n;

    if (p->lines->kind == LINES_GMAC) {
        IMB_AES128_GMAC_INIT(s->manager, &s->gcm, &context, nonce, TL_NONCE_SIZE);
        IMB_AES128_GMAC_UPDATE(s->manager, &s->gcm, &context, line, ONE + n);
        IMB_AES128_GMAC_FINALIZE(s->manager, &s->gcm, &context, tag, TL_TAG_MAX);
    } else if (encrypt) {
        IMB_AES128_GCM_ENC(s->manager, &s->gcm, &context, text, text, n, nonce, line, ONE, tag, TL_TAG_MAX);
    } else {
        IMB_AES128_GCM_DEC(s->manager, &s->gcm, &context, text, text, n, nonce, line, ONE, tag, TL_TAG_MAX);
    }
}

/* ---- */

static void compute(peer *p, bool encrypt, uint8_t (*tags)[TL_TAG_MAX])
{
    if (p->lines->kind == LINES_CMAC) {
        cmac_lines(p, tags);
        return;
    }
    for (unsigned i = 0; i < p->lines->n; i++)
        gcm_line(p, i, encrypt, tags[i]);
}

static void protect(void *ctx)
{
    peer *p = ctx;

    compute(p, true, p->tags);
}

static void verify(void *ctx)
{
    peer *p = ctx;
    uint8_t tags[LINES_MOST][TL_TAG_MAX];

    compute(p, false, tags);
    p->right = 0;
    for (unsigned i = 0; i < p->lines->n; i++)
        p->right += CRYPTO_memcmp(tags[i], p->tags[i], TL_TAG_MAX) == 0;
}

static void close_ipsec(peer *p)
{
    state *s = p->state;

    if (s != NULL && s->manager != NULL)
        free_mb_mgr(s->manager);
    free(s);
    p->state = NULL;
}

bool peer_ipsec_open(peer *p, lines *l, bool aesni)
{
    state *s = aligned_alloc(64, (sizeof *s + 63) / 64 * 64);

    *p = (peer){ .name = "ipsec-mb", .lines = l, .state = s, .close = close_ipsec };
    p->protect = protect;
    p->verify = verify;
    if (s == NULL)
        return false;
    s->manager = alloc_mb_mgr(0);
    if (s->manager == NULL) {
        close_ipsec(p);
        return false;
    }
    if (aesni)
        init_mb_mgr_avx(s->manager);
    else
        init_mb_mgr_auto(s->manager, NULL);
    IMB_AES128_GCM_PRE(s->manager, lines_key, &s->gcm);
    IMB_AES_KEYEXP_128(s->manager, lines_key, s->round_keys, s->unused);
    IMB_AES_CMAC_SUBKEY_GEN_128(s->manager, s->round_keys, s->subkey_1, s->subkey_2);
    return imb_get_errno(s->manager) == 0;
}
