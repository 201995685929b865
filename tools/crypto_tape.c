/* Recording is a tl_crypto of its own around each end's backend; playing goes through the rows with the backends alone.
 *
 * Secrets of the exchange differ from play to play, but nothing is computed from them: what follows has recorded bytes.
 * Records are protected and verified in a copy, since that is done in place. */
#include "crypto_tape.h"

#include <string.h>

enum { SCRATCH = 8192 };

/* ---- noting ---- */

static tape_row *note(tape_end *e, tape_op op, int alg)
{
    crypto_tape *t = e->tape;
    tape_row *row;

    if (t->rows_n == TAPE_ROWS) {
        t->full = true;
        row = &t->rows[TAPE_ROWS - 1];
    } else {
        row = &t->rows[t->rows_n++];
    }
    *row = (tape_row){ .op = op, .end = e->number, .alg = alg };
    t->calls[op]++;
    return row;
}

static tl_span keep(crypto_tape *t, tl_span s)
{
    uint8_t *at = t->bytes + t->bytes_n;

    if (s.n > TAPE_BYTES - t->bytes_n) {
        t->full = true;
        return (tl_span){ NULL, 0 };
    }
    if (s.n > 0)
        memcpy(at, s.p, s.n);
    t->bytes_n += s.n;
    return tl_span_of(at, s.n);
}

static void add_part(crypto_tape *t, tape_row *row, tl_span part)
{
    if (row->n == TAPE_PARTS)
        t->full = true;
    else
        row->parts[row->n++] = keep(t, part);
}

/* Slots are used again: the last handle of that value is the one that is meant. */
static tape_handle find(const tape_end *e, uint32_t value, tape_pool pool)
{
    const crypto_tape *t = e->tape;

    for (size_t i = t->made_n; i > 0; i--)
        if (t->made[i - 1] == value && t->made_by[i - 1] == e->number && t->made_in[i - 1] == pool)
            return (tape_handle){ true, (uint32_t)(i - 1) };
    return (tape_handle){ false, value };
}

static uint32_t make(const tape_end *e, uint32_t value, tape_pool pool)
{
    crypto_tape *t = e->tape;

    if (t->made_n == TAPE_HANDLES) {
        t->full = true;
        return 0;
    }
    t->made[t->made_n] = value;
    t->made_by[t->made_n] = e->number;
    t->made_in[t->made_n] = pool;
    return (uint32_t)t->made_n++;
}

/* ---- the interface ---- */

static tl_err on_random(void *ctx, uint8_t *out, size_t n)
{
    tape_end *e = ctx;

    note(e, TAPE_RANDOM, 0)->n = n;
    return e->inner->ops->random(e->inner->ctx, out, n);
}

static tl_err on_hash_start(void *ctx, tl_hash_alg alg, tl_hash *h)
{
    tape_end *e = ctx;
    tape_row *row = note(e, TAPE_HASH_START, (int)alg);
    tl_err err = e->inner->ops->hash_start(e->inner->ctx, alg, h);

    row->out = make(e, h->slot, TAPE_HASHES);
    return err;
}

static tl_err on_hash_add(void *ctx, tl_hash h, tl_span data)
{
    tape_end *e = ctx;
    tape_row *row = note(e, TAPE_HASH_ADD, 0);

    row->in = find(e, h.slot, TAPE_HASHES);
    add_part(e->tape, row, data);
    return e->inner->ops->hash_add(e->inner->ctx, h, data);
}

static tl_err on_hash_clone(void *ctx, tl_hash from, tl_hash *to)
{
    tape_end *e = ctx;
    tape_row *row = note(e, TAPE_HASH_CLONE, 0);
    tl_err err;

    row->in = find(e, from.slot, TAPE_HASHES);
    err = e->inner->ops->hash_clone(e->inner->ctx, from, to);
    row->out = make(e, to->slot, TAPE_HASHES);
    return err;
}

static tl_err on_hash_end(void *ctx, tl_hash h, uint8_t *digest)
{
    tape_end *e = ctx;

    note(e, TAPE_HASH_END, 0)->in = find(e, h.slot, TAPE_HASHES);
    return e->inner->ops->hash_end(e->inner->ctx, h, digest);
}

static void on_hash_drop(void *ctx, tl_hash h)
{
    tape_end *e = ctx;

    if (h.slot != 0)
        note(e, TAPE_HASH_DROP, 0)->in = find(e, h.slot, TAPE_HASHES);
    e->inner->ops->hash_drop(e->inner->ctx, h);
}

static tl_err on_hmac(void *ctx, tl_hash_alg alg, tl_span key, const tl_span *parts, size_t n, uint8_t *mac)
{
    tape_end *e = ctx;
    tape_row *row = note(e, TAPE_HMAC, (int)alg);

    add_part(e->tape, row, key);
    for (size_t i = 0; i < n; i++)
        add_part(e->tape, row, parts[i]);
    return e->inner->ops->hmac(e->inner->ctx, alg, key, parts, n, mac);
}

static tl_err on_key_load(void *ctx, tl_suite suite, tl_span key, tl_key *k)
{
    tape_end *e = ctx;
    tape_row *row = note(e, TAPE_KEY_LOAD, (int)suite);
    tl_err err = e->inner->ops->key_load(e->inner->ctx, suite, key, k);

    add_part(e->tape, row, key);
    row->out = make(e, k->slot, TAPE_KEYS);
    return err;
}

static void on_key_drop(void *ctx, tl_key k)
{
    tape_end *e = ctx;

    if (k.slot != 0)
        note(e, TAPE_KEY_DROP, 0)->in = find(e, k.slot, TAPE_KEYS);
    e->inner->ops->key_drop(e->inner->ctx, k);
}

/* A batch is as many rows. */
static void note_sealed(tape_end *e, tape_op op, tl_key k, const tl_sealed *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tape_row *row = note(e, op, 0);

        row->in = find(e, m[i].key.slot != 0 ? m[i].key.slot : k.slot, TAPE_KEYS);
        row->sealed = m[i];
        row->sealed.key.slot = 0; /* it is the row's */
        add_part(e->tape, row, m[i].header);
        add_part(e->tape, row, tl_span_of(m[i].payload, m[i].payload_n));
        e->tape->full |= m[i].payload_n > SCRATCH;
    }
}

static tl_err on_protect(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    tape_end *e = ctx;

    note_sealed(e, TAPE_PROTECT, k, m, n);
    return e->inner->ops->protect(e->inner->ctx, k, m, n);
}

static tl_err on_verify(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    tape_end *e = ctx;

    note_sealed(e, TAPE_VERIFY, k, m, n);
    return e->inner->ops->verify(e->inner->ctx, k, m, n);
}

static tl_err on_open(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    tape_end *e = ctx;

    note_sealed(e, TAPE_OPEN, k, m, n);
    return e->inner->ops->open(e->inner->ctx, k, m, n);
}

static tl_err on_mac_start(void *ctx, tl_key k, const uint8_t nonce[TL_NONCE_SIZE], tl_mac *m)
{
    tape_end *e = ctx;
    tape_row *row = note(e, TAPE_MAC_START, 0);
    tl_err err;

    row->in = find(e, k.slot, TAPE_KEYS);
    add_part(e->tape, row, tl_span_of(nonce, nonce != NULL ? TL_NONCE_SIZE : 0));
    err = e->inner->ops->mac_start(e->inner->ctx, k, nonce, m);
    row->out = make(e, m->slot, TAPE_MACS);
    return err;
}

static tl_err on_mac_add(void *ctx, tl_mac m, tl_span data)
{
    tape_end *e = ctx;
    tape_row *row = note(e, TAPE_MAC_ADD, 0);

    row->in = find(e, m.slot, TAPE_MACS);
    add_part(e->tape, row, data);
    return e->inner->ops->mac_add(e->inner->ctx, m, data);
}

static tl_err on_mac_end(void *ctx, tl_mac m, uint8_t tag[TL_TAG_MAX])
{
    tape_end *e = ctx;

    note(e, TAPE_MAC_END, 0)->in = find(e, m.slot, TAPE_MACS);
    return e->inner->ops->mac_end(e->inner->ctx, m, tag);
}

static void on_mac_drop(void *ctx, tl_mac m)
{
    tape_end *e = ctx;

    if (m.slot != 0)
        note(e, TAPE_MAC_DROP, 0)->in = find(e, m.slot, TAPE_MACS);
    e->inner->ops->mac_drop(e->inner->ctx, m);
}

static tl_err on_sign(void *ctx, tl_key k, tl_sign_alg alg, tl_digest digest, uint8_t *signature)
{
    tape_end *e = ctx;
    tape_row *row = note(e, TAPE_SIGN, (int)alg);

    row->in = find(e, k.slot, TAPE_KEYS);
    row->out = digest.alg;
    add_part(e->tape, row, digest.value);
    return e->inner->ops->sign(e->inner->ctx, k, alg, digest, signature);
}

static tl_err on_check_signature(void *ctx, tl_key k, tl_sign_alg alg, tl_digest digest, tl_span signature,
                                 bool *right)
{
    tape_end *e = ctx;
    tape_row *row = note(e, TAPE_CHECK_SIGNATURE, (int)alg);

    row->in = find(e, k.slot, TAPE_KEYS);
    row->out = digest.alg;
    add_part(e->tape, row, digest.value);
    add_part(e->tape, row, signature);
    return e->inner->ops->check_signature(e->inner->ctx, k, alg, digest, signature, right);
}

static tl_err on_exchange_start(void *ctx, tl_group group, tl_key *own, uint8_t *point)
{
    tape_end *e = ctx;
    tape_row *row = note(e, TAPE_EXCHANGE_START, (int)group);
    tl_err err = e->inner->ops->exchange_start(e->inner->ctx, group, own, point);

    row->out = make(e, own->slot, TAPE_KEYS);
    return err;
}

static tl_err on_exchange_end(void *ctx, tl_key own, tl_span peer_point, uint8_t *secret)
{
    tape_end *e = ctx;
    tape_row *row = note(e, TAPE_EXCHANGE_END, 0);

    row->in = find(e, own.slot, TAPE_KEYS);
    add_part(e->tape, row, peer_point);
    return e->inner->ops->exchange_end(e->inner->ctx, own, peer_point, secret);
}

static tl_err on_chain_check(void *ctx, const tl_chain_rules *rules, tl_span certificates,
                             tl_chain_facts *facts)
{
    tape_end *e = ctx;
    tape_row *row = note(e, TAPE_CHAIN_CHECK, 0);
    tl_err err = e->inner->ops->chain_check(e->inner->ctx, rules, certificates, facts);

    row->rules = *rules;
    add_part(e->tape, row, certificates);
    row->out = make(e, facts->key.slot, TAPE_KEYS);
    return err;
}

static const tl_crypto_ops tape_ops = {
    .random = on_random,
    .hash_start = on_hash_start,
    .hash_add = on_hash_add,
    .hash_clone = on_hash_clone,
    .hash_end = on_hash_end,
    .hash_drop = on_hash_drop,
    .hmac = on_hmac,
    .key_load = on_key_load,
    .key_drop = on_key_drop,
    .protect = on_protect,
    .verify = on_verify,
    .open = on_open,
    .mac_start = on_mac_start,
    .mac_add = on_mac_add,
    .mac_end = on_mac_end,
    .mac_drop = on_mac_drop,
    .sign = on_sign,
    .check_signature = on_check_signature,
    .exchange_start = on_exchange_start,
    .exchange_end = on_exchange_end,
    .chain_check = on_chain_check,
};

void crypto_tape_init(crypto_tape *t)
{
    memset(t, 0, sizeof *t);
}

const tl_crypto *crypto_tape_wrap(crypto_tape *t, unsigned end, const tl_crypto *inner)
{
    tape_end *e = &t->ends[end];

    *e = (tape_end){ .tape = t, .inner = inner, .ops = tape_ops, .number = (uint8_t)end };
    e->ops.crc16 = inner->ops->crc16;
    e->ops.crc32 = inner->ops->crc32;
    e->outer = (tl_crypto){ &e->ops, e };
    return &e->outer;
}

/* ---- playing ---- */

static uint32_t handle(const crypto_tape *t, const tape_row *row)
{
    return row->in.made ? t->made[row->in.value] : row->in.value;
}

static tl_err play_hash(crypto_tape *t, const tape_row *row, const tl_crypto *k)
{
    uint8_t digest[TL_HASH_MAX];
    tl_hash h = { row->op == TAPE_HASH_START ? 0 : handle(t, row) }, made = { 0 };
    tl_err e = TL_OK;

    switch (row->op) {
    case TAPE_HASH_START: e = k->ops->hash_start(k->ctx, (tl_hash_alg)row->alg, &made); break;
    case TAPE_HASH_ADD: return k->ops->hash_add(k->ctx, h, row->parts[0]);
    case TAPE_HASH_CLONE: e = k->ops->hash_clone(k->ctx, h, &made); break;
    case TAPE_HASH_END: return k->ops->hash_end(k->ctx, h, digest);
    case TAPE_HASH_DROP: k->ops->hash_drop(k->ctx, h); return TL_OK;
    case TAPE_HMAC:
        return k->ops->hmac(k->ctx, (tl_hash_alg)row->alg, row->parts[0], row->parts + 1, row->n - 1, digest);
    default: return TL_E_USAGE;
    }
    t->made[row->out] = made.slot;
    return e;
}

static tl_err play_sealed(crypto_tape *t, const tape_row *row, const tl_crypto *k)
{
    uint8_t scratch[SCRATCH];
    tl_key key = { handle(t, row) };
    tl_sealed m = row->sealed;

    m.header = row->parts[0];
    m.payload = scratch;
    if (m.payload_n > 0)
        memcpy(scratch, row->parts[1].p, m.payload_n);
    if (row->op == TAPE_PROTECT)
        return k->ops->protect(k->ctx, key, &m, 1);
    if (row->op == TAPE_OPEN)
        return k->ops->open(k->ctx, key, &m, 1);
    TL_TRY(k->ops->verify(k->ctx, key, &m, 1));
    return m.right ? TL_OK : TL_E_TAG;
}

static tl_err play_mac(crypto_tape *t, const tape_row *row, const tl_crypto *k)
{
    uint8_t tag[TL_TAG_MAX];
    tl_mac m = { handle(t, row) }, made = { 0 };
    tl_err e;

    switch (row->op) {
    case TAPE_MAC_ADD: return k->ops->mac_add(k->ctx, m, row->parts[0]);
    case TAPE_MAC_END: return k->ops->mac_end(k->ctx, m, tag);
    case TAPE_MAC_DROP: k->ops->mac_drop(k->ctx, m); return TL_OK;
    default: break;
    }
    e = k->ops->mac_start(k->ctx, (tl_key){ handle(t, row) }, row->parts[0].n > 0 ? row->parts[0].p : NULL,
                          &made);
    t->made[row->out] = made.slot;
    return e;
}

static tl_err play_check_signature(crypto_tape *t, const tape_row *row, const tl_crypto *k)
{
    tl_digest digest = { (tl_hash_alg)row->out, row->parts[0] };
    bool right = false;

    TL_TRY(k->ops->check_signature(k->ctx, (tl_key){ handle(t, row) }, (tl_sign_alg)row->alg, digest,
                                   row->parts[1], &right));
    return right ? TL_OK : TL_E_TAG;
}

static tl_err play_key(crypto_tape *t, const tape_row *row, const tl_crypto *k)
{
    uint8_t bytes[TL_POINT_MAX + TL_SIGNATURE_MAX];
    tl_digest digest = { (tl_hash_alg)row->out, row->parts[0] };
    tl_chain_facts facts = { 0 };
    tl_key key = { handle(t, row) }, made = { 0 };
    tl_err e;

    switch (row->op) {
    case TAPE_KEY_DROP: k->ops->key_drop(k->ctx, key); return TL_OK;
    case TAPE_SIGN: return k->ops->sign(k->ctx, key, (tl_sign_alg)row->alg, digest, bytes);
    case TAPE_EXCHANGE_END: return k->ops->exchange_end(k->ctx, key, row->parts[0], bytes);
    case TAPE_KEY_LOAD: e = k->ops->key_load(k->ctx, (tl_suite)row->alg, row->parts[0], &made); break;
    case TAPE_EXCHANGE_START: e = k->ops->exchange_start(k->ctx, (tl_group)row->alg, &made, bytes); break;
    case TAPE_CHAIN_CHECK:
        e = k->ops->chain_check(k->ctx, &row->rules, row->parts[0], &facts);
        made = facts.key;
        break;
    default: return TL_E_USAGE;
    }
    t->made[row->out] = made.slot;
    return e;
}

static tl_err play_row(crypto_tape *t, const tape_row *row)
{
    const tl_crypto *k = t->ends[row->end].inner;
    uint8_t bytes[TL_HASH_MAX];

    switch (row->op) {
    case TAPE_RANDOM: return row->n <= sizeof bytes ? k->ops->random(k->ctx, bytes, row->n) : TL_E_USAGE;
    case TAPE_HASH_START:
    case TAPE_HASH_ADD:
    case TAPE_HASH_CLONE:
    case TAPE_HASH_END:
    case TAPE_HASH_DROP:
    case TAPE_HMAC: return play_hash(t, row, k);
    case TAPE_PROTECT:
    case TAPE_VERIFY:
    case TAPE_OPEN: return play_sealed(t, row, k);
    case TAPE_MAC_START:
    case TAPE_MAC_ADD:
    case TAPE_MAC_END:
    case TAPE_MAC_DROP: return play_mac(t, row, k);
    case TAPE_CHECK_SIGNATURE: return play_check_signature(t, row, k);
    default: return play_key(t, row, k);
    }
}

tl_err crypto_tape_play(crypto_tape *t)
{
    if (t->full)
        return TL_E_USAGE;
    for (size_t i = 0; i < t->rows_n; i++)
        TL_TRY(play_row(t, &t->rows[i]));
    return TL_OK;
}
