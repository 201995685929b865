/* A requester and a responder under valgrind, in one process: everything that HMAC and the key exchange give them is
 * marked as undefined memory, so that memcheck reports each branch and each address of the core that depends on one:
 * key schedule, finish, records, updates of keys. The crypto library works on copies that are marked as defined, for how
 * it treats its secrets is its own matter; and what stands on the link, and the verdict of a comparison, are public.
 *
 *   spdm        runs everything; memcheck must have nothing to say
 *   spdm LEAK   the same with a leak, which memcheck must report: branch (on a derived secret), compare (by memcmp)
 *
 * Not a program of the test list: scripts/ct runs it. */
#include "marks.h"
#include "spdm_pair.h"
#include "wrap.h"

#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = 8, COPY_MAX = 8192 };

static const char *leak = "";
static unsigned secrets, keys, compared, odd;
static bool spoil; /* the next verify data on the link */

bool __real_tl_equal(tl_span a, tl_span b);
bool __wrap_tl_equal(tl_span a, tl_span b);

static void secret(uint8_t *p, size_t n)
{
    secrets++;
    (void)VALGRIND_MAKE_MEM_UNDEFINED(p, n);
}

/* A copy that the crypto library may look at. */
static tl_span public_copy(uint8_t copy[COPY_MAX], tl_span s)
{
    if (s.n > COPY_MAX)
        abort();
    if (s.n > 0)
        memcpy(copy, s.p, s.n);
    (void)VALGRIND_MAKE_MEM_DEFINED(copy, s.n);
    return tl_span_of(copy, s.n);
}

/* ---- the backend, with its marks ---- */

static const tl_crypto *inner(void *ctx)
{
    return ((tl_wrap *)ctx)->inner;
}

static tl_err hash_add(void *ctx, tl_hash h, tl_span data)
{
    static uint8_t copy[COPY_MAX];

    return inner(ctx)->ops->hash_add(inner(ctx)->ctx, h, public_copy(copy, data));
}

static tl_err hmac(void *ctx, tl_hash_alg alg, tl_span key, const tl_span *parts, size_t n, uint8_t *mac)
{
    static uint8_t key_copy[COPY_MAX], copies[PARTS_MAX][COPY_MAX];
    tl_span shown[PARTS_MAX];
    tl_err e;

    if (n > PARTS_MAX)
        abort();
    for (size_t i = 0; i < n; i++)
        shown[i] = public_copy(copies[i], parts[i]);
    e = inner(ctx)->ops->hmac(inner(ctx)->ctx, alg, public_copy(key_copy, key), shown, n, mac);
    secret(mac, tl_hash_size(alg));
    if (strcmp(leak, "branch") == 0 && (mac[0] & 1) != 0)
        odd++;
    return e;
}

static tl_err exchange_end(void *ctx, tl_key own, tl_span point, uint8_t *shared)
{
    tl_err e = inner(ctx)->ops->exchange_end(inner(ctx)->ctx, own, point, shared);

    secret(shared, point.n / 2);
    return e;
}

static tl_err key_load(void *ctx, tl_suite suite, tl_span key, tl_key *k)
{
    static uint8_t copy[COPY_MAX];

    keys += is_secret(key.p, key.n);
    return inner(ctx)->ops->key_load(inner(ctx)->ctx, suite, public_copy(copy, key), k);
}

/* Records: the nonce comes from a derived one, and what is sealed may hold verify data. */
static void show(tl_sealed *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        (void)VALGRIND_MAKE_MEM_DEFINED(m[i].nonce, sizeof m[i].nonce);
        (void)VALGRIND_MAKE_MEM_DEFINED(m[i].payload, m[i].payload_n);
    }
}

static tl_err protect(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    show(m, n);
    return inner(ctx)->ops->protect(inner(ctx)->ctx, k, m, n);
}

static tl_err verify(void *ctx, tl_key k, tl_sealed *m, size_t n)
{
    show(m, n);
    return inner(ctx)->ops->verify(inner(ctx)->ctx, k, m, n);
}

static void mark(tl_wrap *w, tl_spdm_end *end)
{
    tl_wrap_init(w, end->crypto);
    w->ops.hash_add = hash_add;
    w->ops.hmac = hmac;
    w->ops.exchange_end = exchange_end;
    w->ops.key_load = key_load;
    w->ops.protect = protect;
    w->ops.verify = verify;
    end->crypto = &w->crypto;
}

/* ---- what is public ---- */

bool __wrap_tl_equal(tl_span a, tl_span b)
{
    bool equal;

    compared += is_secret(a.p, a.n) || is_secret(b.p, b.n);
    if (strcmp(leak, "compare") == 0)
        equal = a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
    else
        equal = __real_tl_equal(a, b);
    (void)VALGRIND_MAKE_MEM_DEFINED(&equal, sizeof equal);
    return equal;
}

static void on_link(void *ctx, tl_spdm_crossing *m)
{
    (void)ctx;
    (void)VALGRIND_MAKE_MEM_DEFINED(m->bytes, m->n);
    if (spoil && !m->secured && !m->to_responder && m->n > 1 && m->bytes[1] == TL_SPDM_KEY_EXCHANGE_RSP) {
        m->bytes[m->n - 1] ^= 1;
        spoil = false;
    }
}

/* ---- the two ends ---- */

static void run(bool wrong)
{
    static tl_spdm_pair p;
    static tl_wrap wraps[2];
    const tl_spdm_flow *const more[] = { &tl_flow_measure, &tl_flow_key_update, &tl_flow_heartbeat,
                                         &tl_flow_end_session };

    memset(&p, 0, sizeof p);
    tl_spdm_pair_open(&p, TL_SIGN_ECDSA_P256);
    tl_spdm_pair_mutual(&p);
    mark(&wraps[0], &p.rq_end);
    mark(&wraps[1], &p.rs_end);
    p.tamper = on_link;
    spoil = wrong;
    tl_spdm_pair_begin(&p);
    if (wrong) {
        expect(tl_spdm_pair_run(&p, &tl_flow_session, NULL) != TL_OK, "wrong verify data are refused");
        expect(!spoil, "verify data were on the link");
    } else {
        expect(tl_spdm_pair_run(&p, &tl_flow_session, NULL) == TL_OK, "a session comes up");
        for (size_t i = 0; i < sizeof more / sizeof *more; i++)
            expect(tl_spdm_pair_run(&p, more[i], NULL) == TL_OK, "and serves");
    }
    tl_spdm_pair_close(&p);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        leak = argv[1];
    if (RUNNING_ON_VALGRIND == 0) {
        printf("to be run under valgrind\n");
        return 2;
    }
    run(false);
    expect(keys >= 8, "keys of handshake, data and updates were loaded, and were secret");
    expect(compared >= 2, "verify data of both were compared, and one side of it was secret");
    run(true);
    printf("spdm: %u reports, %u secrets, %u secret keys, %u secret comparisons, %u\n",
           (unsigned)VALGRIND_COUNT_ERRORS, secrets, keys, compared, odd);
    return failures != 0;
}
