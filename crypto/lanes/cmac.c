/* CMAC of many messages side by side, and AES-CTR for those that are encrypted.
 *
 * CBC-MAC is serial in one message, so a level takes a block of each of `width` messages at a time. Each message has
 * a place. All places advance by the shortest of their runs; one whose run ends goes on with its next run, and one
 * whose message ends is given the next message of the batch, or is left out. Lines of a frame are equally long, so
 * that all places begin and end together. */
#include "inner.h"

typedef struct crew {
    const tl__batch *b;
    tl_suite suite;
    size_t next;                   /* the batch's first message that has had no place yet */
    size_t n;                      /* places at work: the first n of `order` */
    uint8_t order[TL_LANES_WIDTH]; /* a permutation of the places */
} crew;

/* Under the suite's second key. */
static void crypt(const tl__batch *b, const tl_lanes_key *key, const tl_sealed *m)
{
    const tl__gcm text = { m->nonce, m->payload, m->payload_n };
    b->l->level->ctr(key->state, &text);
}

/* Gives a place the batch's next message of the suite. False: there is none. */
static bool start(crew *c, uint8_t place)
{
    const tl__batch *b = c->b;
    while (c->next < b->n) {
        tl_sealed *m = &b->m[c->next++];
        const tl_lanes_key *key = tl__batch_key(b, m);
        if (key->suite != c->suite)
            continue;
        if (b->job == TL__PROTECT && m->cover == TL_COVER_ENCRYPTED && m->payload_n != 0)
            crypt(b, key, m);
        tl_lanes_place *w = &b->l->place[place];
        memset(b->l->chain[place], 0, TL__BLOCK);
        tl__runs_start(w, key, m, TL__PAD_CMAC);
        return tl__runs_next(w);
    }
    return false;
}

static void finish(const tl__batch *b, tl_lanes_place *w, const uint8_t tag[TL_TAG_MAX])
{
    tl_sealed *m = w->message;
    /* The last block is in the stage, with a subkey on it. */
    tl__forget(w->stage + (w->run - w->stage) - TL__BLOCK, TL__BLOCK);
    tl__batch_tag(b, m, tag);
    if (b->job != TL__PROTECT && m->cover == TL_COVER_ENCRYPTED && m->payload_n != 0)
        crypt(b, w->key, m);
}

/* Blocks by which all places can advance. */
static size_t shortest_run(const crew *c)
{
    size_t blocks = SIZE_MAX;
    for (size_t i = 0; i < c->n; i++) {
        size_t run_n = c->b->l->place[c->order[i]].run_n;
        blocks = run_n < blocks ? run_n : blocks;
    }
    return blocks;
}

static void advance(const crew *c, size_t blocks)
{
    tl_lanes *l = c->b->l;
    tl__lane lane[TL_LANES_WIDTH];
    for (size_t i = 0; i < c->n; i++) {
        tl_lanes_place *w = &l->place[c->order[i]];
        lane[i] = (tl__lane){ w->key->state, w->run, l->chain[c->order[i]] };
        w->run += blocks * TL__BLOCK;
        w->run_n -= blocks;
    }
    l->level->cbc_mac(lane, c->n, blocks);
}

/* Leaves a place out: the last one at work takes its turn. */
static void leave_out(crew *c, size_t i)
{
    uint8_t place = c->order[i];
    c->n--;
    c->order[i] = c->order[c->n];
    c->order[c->n] = place;
}

static void refill(crew *c)
{
    tl_lanes *l = c->b->l;
    while (c->n < l->level->width && start(c, c->order[c->n]))
        c->n++;
}

void tl__cmac_pass(const tl__batch *b, tl_suite suite)
{
    tl_lanes *l = b->l;
    crew c = { .b = b, .suite = suite };
    for (uint8_t i = 0; i < TL_LANES_WIDTH; i++)
        c.order[i] = i;
    for (refill(&c); c.n != 0; refill(&c)) {
        advance(&c, shortest_run(&c));
        for (size_t i = c.n; i > 0; i--) {
            uint8_t place = c.order[i - 1];
            tl_lanes_place *w = &l->place[place];
            if (w->run_n != 0 || tl__runs_next(w))
                continue;
            finish(b, w, l->chain[place]);
            leave_out(&c, i - 1);
        }
    }
    tl__forget(l->chain, sizeof l->chain);
}
