/* Threads with queues. Each queue has its own lock, which is held to move references, never while packets are verified; a
 * thread takes up to a batch at once, so that the lock is taken once for many packets. `pushed` and `done` count packets for ever
 * and say how full the queue is, and what the caller has back. */
#include "shards.h"
#include "clock.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { CHUNK = 256 }; /* packets that are sorted at once */
#define ALL 0xFF      /* a packet for every shard */
_Static_assert(TL_SHARDS_MAX < ALL, "a shard's number is a byte that is not ALL");

/* A packet that waits; p NULL: time alone. */
typedef struct shard_ref {
    tl_buffer packet;
    uint64_t now_ms;
} shard_ref;

typedef enum shard_state { STARTING, READY, STOPPING, DROPPING } shard_state;

typedef struct shard {
    struct tl_shards *all;
    size_t number;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t filled, emptied; /* for the thread; for the caller */
    /* under the lock */
    shard_ref *queue;
    uint64_t pushed, popped, done;
    shard_state state;
    tl_err error; /* the first that was not told yet */
    bool open_failed;
    /* the thread's own */
    tl_stream_group *group;
    tl_buffer *packets;
} shard;

struct tl_shards {
    tl_shards_config config;
    size_t opened; /* shards whose lock stands */
    shard shards[TL_SHARDS_MAX];
};

size_t tl_shard_of(uint16_t stream, size_t shards)
{
    return stream % shards;
}

/* ---- the thread ---- */

/* Takes what waits, at most a batch of one moment. 0: the end. */
static size_t pop(shard *s, uint64_t *now_ms, bool *tick)
{
    const size_t mask = s->all->config.queue - 1;
    size_t n = 0;

    pthread_mutex_lock(&s->lock);
    while (s->pushed == s->popped && s->state == READY)
        pthread_cond_wait(&s->filled, &s->lock);
    if (s->state == DROPPING)
        s->popped = s->pushed;
    *tick = false;
    for (; n < s->all->config.batch && s->popped < s->pushed; s->popped++) {
        const shard_ref *ref = &s->queue[s->popped & mask];

        if (n > 0 && (ref->now_ms != *now_ms || ref->packet.p == NULL))
            break;
        *now_ms = ref->now_ms;
        s->packets[n++] = ref->packet;
        if (ref->packet.p == NULL) {
            *tick = true;
            s->popped++;
            break;
        }
    }
    pthread_cond_signal(&s->emptied); /* there is room */
    pthread_mutex_unlock(&s->lock);
    return n;
}

static void note_done(shard *s, size_t n, tl_err e)
{
    pthread_mutex_lock(&s->lock);
    s->done += n;
    if (s->error == TL_OK)
        s->error = e;
    pthread_cond_signal(&s->emptied);
    pthread_mutex_unlock(&s->lock);
}

/* Says that open is over. */
static void note_ready(shard *s, tl_err e)
{
    pthread_mutex_lock(&s->lock);
    s->open_failed = e != TL_OK;
    s->error = e;
    if (s->state == STARTING)
        s->state = READY;
    pthread_cond_signal(&s->emptied);
    pthread_mutex_unlock(&s->lock);
}

static void *work(void *p)
{
    shard *s = p;
    const tl_shard_work *w = &s->all->config.work;
    tl_err e = w->open(w->ctx, s->number, &s->group);
    uint64_t now_ms = 0;
    size_t n;
    bool tick;

    note_ready(s, e);
    while (e == TL_OK && (n = pop(s, &now_ms, &tick)) > 0) {
        tl_err one = TL_OK;

        if (tick)
            tl_stream_group_tick(s->group, now_ms);
        else
            one = tl_stream_group_packets(s->group, now_ms, s->packets, n);
        note_done(s, n, one);
    }
    w->close(w->ctx, s->number);
    return NULL;
}

/* ---- opening and ending ---- */

/* Waits on the caller's condition until the deadline; false when it is over. With the lock. */
static bool wait_until(shard *s, uint64_t deadline_ms)
{
    struct timespec t = { (time_t)(deadline_ms / 1000), (long)(deadline_ms % 1000) * 1000000 };

    if (deadline_ms == TL_NEVER)
        return pthread_cond_wait(&s->emptied, &s->lock) == 0;
    if (tl_clock_ms() >= deadline_ms)
        return false;
    (void)pthread_cond_timedwait(&s->emptied, &s->lock, &t);
    return true;
}

static tl_exit make_lock(shard *s, tl_fault *fault)
{
    pthread_condattr_t attr;
    bool right = pthread_condattr_init(&attr) == 0;

    if (right) {
        right =
            pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 && pthread_mutex_init(&s->lock, NULL) == 0;
        if (right && pthread_cond_init(&s->filled, &attr) != 0) {
            pthread_mutex_destroy(&s->lock);
            right = false;
        }
        if (right && pthread_cond_init(&s->emptied, &attr) != 0) {
            pthread_cond_destroy(&s->filled);
            pthread_mutex_destroy(&s->lock);
            right = false;
        }
        (void)pthread_condattr_destroy(&attr);
    }
    return right ? TL_EXIT_OK : tl_fault_set(fault, TL_EXIT_INTERNAL, "shards: no lock");
}

/* Signals are for the thread that waits for them. */
static int start_thread(shard *s)
{
    sigset_t all, kept;
    int failed;

    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &kept) != 0)
        return -1;
    failed = pthread_create(&s->thread, NULL, work, s);
    (void)pthread_sigmask(SIG_SETMASK, &kept, NULL);
    return failed;
}

static tl_exit open_shard(tl_shards *all, size_t number, tl_fault *fault)
{
    shard *s = &all->shards[number];
    tl_exit e = make_lock(s, fault);

    if (e != TL_EXIT_OK)
        return e;
    all->opened = number + 1;
    s->all = all;
    s->number = number;
    s->queue = calloc(all->config.queue, sizeof *s->queue);
    s->packets = calloc(all->config.batch, sizeof *s->packets);
    if (s->queue == NULL || s->packets == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "shards: no memory for %zu packets", all->config.queue);
    s->started = start_thread(s) == 0;
    return s->started ? TL_EXIT_OK : tl_fault_set(fault, TL_EXIT_INTERNAL, "shards: no thread");
}

static tl_exit wait_ready(shard *s, tl_fault *fault)
{
    tl_err e;
    bool failed;

    pthread_mutex_lock(&s->lock);
    while (s->state == STARTING)
        (void)wait_until(s, TL_NEVER);
    e = s->error;
    failed = s->open_failed;
    s->error = TL_OK;
    pthread_mutex_unlock(&s->lock);
    return failed ? tl_fault_set(fault, TL_EXIT_INTERNAL, "shards: shard %zu: cannot begin: %s", s->number,
                                 tl_err_text(e))
                  : TL_EXIT_OK;
}

static void end_thread(shard *s, shard_state how)
{
    if (!s->started)
        return;
    pthread_mutex_lock(&s->lock);
    while (s->state == STARTING)
        (void)wait_until(s, TL_NEVER);
    s->state = how;
    pthread_cond_signal(&s->filled);
    pthread_mutex_unlock(&s->lock);
}

static void free_shard(shard *s)
{
    free(s->queue);
    free(s->packets);
    pthread_cond_destroy(&s->filled);
    pthread_cond_destroy(&s->emptied);
    pthread_mutex_destroy(&s->lock);
}

tl_exit tl_shards_open(const tl_shards_config *config, tl_shards **out, tl_fault *fault)
{
    tl_shards *s;
    tl_fault ending;
    tl_exit e = TL_EXIT_OK;

    *out = NULL;
    if (config->shards == 0 || config->shards > TL_SHARDS_MAX || config->queue == 0 ||
        (config->queue & (config->queue - 1)) != 0 || config->batch == 0)
        return tl_fault_set(
            fault, TL_EXIT_USAGE,
            "shards: %zu shards with queues of %zu and batches of %zu packets: give 1 to %d, a "
            "power of two, and 1 or more",
            config->shards, config->queue, config->batch, TL_SHARDS_MAX);
    s = calloc(1, sizeof *s);
    if (s == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "shards: no memory");
    s->config = *config;
    for (size_t i = 0; i < config->shards && e == TL_EXIT_OK; i++)
        e = open_shard(s, i, fault);
    for (size_t i = 0; i < config->shards && e == TL_EXIT_OK; i++)
        e = wait_ready(&s->shards[i], fault);
    if (e == TL_EXIT_OK)
        *out = s;
    else if (tl_shards_stop(s, TL_SHARDS_DROP, &ending) != TL_EXIT_OK)
        return e; /* the first fault is told */
    return e;
}

/* The first error of a shard that was not told. */
static tl_exit tell_error(tl_shards *all, tl_fault *fault)
{
    for (size_t i = 0; i < all->opened; i++) {
        shard *s = &all->shards[i];
        tl_err e;

        pthread_mutex_lock(&s->lock);
        e = s->error;
        s->error = TL_OK;
        pthread_mutex_unlock(&s->lock);
        if (e != TL_OK)
            return tl_fault_set(fault, TL_EXIT_INTERNAL, "shards: shard %zu: %s", i, tl_err_text(e));
    }
    return TL_EXIT_OK;
}

tl_exit tl_shards_stop(tl_shards *all, tl_shards_end how, tl_fault *fault)
{
    tl_exit e;

    for (size_t i = 0; i < all->opened; i++)
        end_thread(&all->shards[i], how == TL_SHARDS_DROP ? DROPPING : STOPPING);
    for (size_t i = 0; i < all->opened; i++)
        if (all->shards[i].started)
            (void)pthread_join(all->shards[i].thread, NULL);
    e = tell_error(all, fault);
    for (size_t i = 0; i < all->opened; i++)
        free_shard(&all->shards[i]);
    free(all);
    return e;
}

/* ---- the caller ---- */

/* Where a packet goes. */
static uint8_t shard_of_packet(const tl_shards *all, tl_buffer packet)
{
    const tl_span bytes = tl_span_of(packet.p, packet.n);
    tl_csi2_header h;
    uint16_t stream;

    if (packet.n == TL_CSI2_HEADER_SIZE && tl_csi2_header_read(packet.p, &h) != TL_CSI2_ECC_BAD &&
        tl_csi2_is_short(h.data_type))
        return 0;
    stream = tl_stream_of_packet(bytes);
    return stream == 0 ? ALL : (uint8_t)tl_shard_of(stream, all->config.shards);
}

/* True once n packets have room, and since only the caller takes room away, they will have it. */
static bool wait_for_room(shard *s, size_t n, uint64_t deadline_ms)
{
    bool right = true;

    pthread_mutex_lock(&s->lock);
    while (right && s->all->config.queue - (size_t)(s->pushed - s->popped) < n)
        right = wait_until(s, deadline_ms);
    pthread_mutex_unlock(&s->lock);
    return right;
}

/* A shard's part of a chunk. With room for it. */
static void push(shard *s, uint64_t now_ms, const tl_buffer *packets, const uint8_t *where, size_t n)
{
    const size_t mask = s->all->config.queue - 1;

    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < n; i++)
        if (where[i] == s->number || where[i] == ALL)
            s->queue[s->pushed++ & mask] = (shard_ref){ packets[i], now_ms };
    pthread_cond_signal(&s->filled);
    pthread_mutex_unlock(&s->lock);
}

/* A chunk goes as a whole or not at all, so that what was taken is always a beginning. */
static bool push_chunk(tl_shards *all, uint64_t now_ms, const tl_buffer *packets, size_t n,
                       uint64_t deadline_ms)
{
    size_t count[TL_SHARDS_MAX] = { 0 };
    uint8_t where[CHUNK];

    for (size_t i = 0; i < n; i++) {
        where[i] = shard_of_packet(all, packets[i]);
        for (size_t k = 0; k < all->config.shards && where[i] == ALL; k++)
            count[k]++;
        if (where[i] != ALL)
            count[where[i]]++;
    }
    for (size_t k = 0; k < all->config.shards; k++)
        if (count[k] > 0 && !wait_for_room(&all->shards[k], count[k], deadline_ms))
            return false;
    for (size_t k = 0; k < all->config.shards; k++)
        if (count[k] > 0)
            push(&all->shards[k], now_ms, packets, where, n);
    return true;
}

tl_exit tl_shards_packets(tl_shards *all, tl_shards_input *input, uint64_t now_ms, uint64_t deadline_ms,
                          tl_fault *fault)
{
    const size_t chunk = all->config.queue < CHUNK ? all->config.queue : CHUNK;

    while (input->taken < input->n) {
        size_t left = input->n - input->taken, some = left < chunk ? left : chunk;

        if (!push_chunk(all, now_ms, input->packets + input->taken, some, deadline_ms))
            return tl_fault_set(fault, TL_EXIT_LINK,
                                "shards: time-out: they do not keep up, %zu packets wait", left);
        input->taken += some;
    }
    return tell_error(all, fault);
}

void tl_shards_tick(tl_shards *all, uint64_t now_ms)
{
    static const uint8_t everywhere = ALL;
    const tl_buffer nothing = { NULL, 0 };

    for (size_t k = 0; k < all->config.shards; k++)
        if (wait_for_room(&all->shards[k], 1, 0))
            push(&all->shards[k], now_ms, &nothing, &everywhere, 1);
}

void tl_shards_now(const tl_shards *all, tl_shards_mark *mark)
{
    for (size_t k = 0; k < all->config.shards; k++)
        mark->at[k] = all->shards[k].pushed; /* which nobody but the caller writes */
}

tl_exit tl_shards_wait(tl_shards *all, const tl_shards_mark *mark, uint64_t deadline_ms, tl_fault *fault)
{
    for (size_t k = 0; k < all->config.shards; k++) {
        shard *s = &all->shards[k];
        bool right = true;

        pthread_mutex_lock(&s->lock);
        while (right && s->done < mark->at[k])
            right = wait_until(s, deadline_ms);
        pthread_mutex_unlock(&s->lock);
        if (!right)
            return tl_fault_set(fault, TL_EXIT_LINK, "shards: time-out: shard %zu is not done", k);
    }
    return tell_error(all, fault);
}
