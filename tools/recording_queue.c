/* The queue is a ring of blocks that are each in one piece: one that does not fit before the end begins again at the front. Both
 * sides hold the lock for the ring's indices alone, never while bytes are copied or written.
 *
 *   front | free | head: written next ... tail: put next | free | end         or, once wrapped,
 *   front ... tail | free | head ... wrap: no block stands behind | end       */
#include "recording_queue.h"
#include "clock.h"
#include "pcap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    CHUNK = 1 << 20,    /* bytes of a write at most */
    ENOUGH = 1 << 18,   /* bytes that are written without waiting for more */
    GATHER_MS = 100,    /* else they wait so long */
    POLL_MS = 100,      /* how often a pipe that is full is asked whether it is given up */
    PATIENCE_MS = 5000, /* at the end, without a byte written, unless another time is said */
    TAIL = 256          /* blocks that are remembered behind the last one written */
};

/* A block that is in the file. */
typedef struct written {
    size_t n;
    uint32_t interface;
    bool is_packet;
} written;

struct recording_queue {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t filled, emptied;
    int fd;
    bool secret, is_file;
    unsigned patience_ms;
    uint8_t *ring;
    /* under the lock */
    size_t head, tail, wrap;
    bool wrapped, flush, stop, give_up, over;
    uint64_t writes; /* that took something */
    int error;
    /* the thread's own, until it has ended */
    uint64_t size, whole; /* bytes in the file; up to the end of its last whole block */
    uint64_t head_at;     /* where in the file what waits at the head begins */
    written last[TAIL];
    size_t last_n; /* of all */
};

/* ---- blocks ---- */

static uint32_t number_at(const uint8_t *p)
{
    tl_rd r = tl_rd_of(tl_span_of(p, 4));

    return (uint32_t)tl_get(&r, 4, TL_LITTLE);
}

static written block_at(const uint8_t *p)
{
    const bool is_packet = number_at(p) == PCAPNG_ENHANCED;

    return (written){ number_at(p + 4), is_packet ? number_at(p + 8) : 0, is_packet };
}

/* Bytes of whole blocks from p on, of n that there are, as many as a write shall have. */
static size_t run_of(const uint8_t *p, size_t n)
{
    size_t run = 0;

    while (run < n && (run == 0 || run + block_at(p + run).n <= CHUNK))
        run += block_at(p + run).n;
    return run;
}

/* n bytes more are in the file: notes the blocks that are whole with them. */
static void note_written(recording_queue *q, const uint8_t *p, size_t n)
{
    q->size += n;
    for (size_t at = 0; at < n;) {
        const written block = block_at(p + at);

        if (at + block.n > n)
            return;
        q->last[q->last_n++ % TAIL] = block;
        q->whole += block.n;
        at += block.n;
    }
}

/* ---- the thread ---- */

static bool given_up(recording_queue *q)
{
    bool is;

    pthread_mutex_lock(&q->lock);
    is = q->give_up;
    pthread_mutex_unlock(&q->lock);
    return is;
}

static void note_progress(recording_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->writes++;
    pthread_mutex_unlock(&q->lock);
}

/* One write, of as many bytes as go. A pipe does not hold the thread: it may be given up. 0: errno says why not. */
static size_t write_some(recording_queue *q, const uint8_t *p, size_t n)
{
    struct pollfd out = { .fd = q->fd, .events = POLLOUT };
    ssize_t done;

    for (;;) {
        if (given_up(q)) {
            errno = ETIMEDOUT;
            return 0;
        }
        if (!q->is_file && poll(&out, 1, POLL_MS) == 0)
            continue;
        done = write(q->fd, p, n);
        if (done > 0) {
            note_progress(q);
            return (size_t)done;
        }
        if (done == 0 || (errno != EINTR && errno != EAGAIN))
            return 0;
    }
}

static int write_run(recording_queue *q, const uint8_t *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        const size_t done = write_some(q, p + at, n - at);

        if (done == 0) {
            const int why = errno != 0 ? errno : EIO;

            note_written(q, p, at);
            return why;
        }
        at += done;
    }
    note_written(q, p, n);
    return 0;
}

static size_t used(const recording_queue *q)
{
    return q->wrapped ? q->wrap - q->head + q->tail : q->tail - q->head;
}

/* Also where the next block begins at the front again and is not there yet. */
static bool is_empty(const recording_queue *q)
{
    return used(q) == 0;
}

static void wait_ms(pthread_cond_t *c, pthread_mutex_t *lock, unsigned ms)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += (time_t)(ms / 1000);
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    (void)pthread_cond_timedwait(c, lock, &t);
}

/* Waits for blocks; a few are worth a moment more. False: the end. With the lock. */
static bool wait_for_blocks(recording_queue *q)
{
    while (is_empty(q) && !q->stop)
        pthread_cond_wait(&q->filled, &q->lock);
    if (!q->stop && !q->flush && used(q) < ENOUGH)
        wait_ms(&q->filled, &q->lock, GATHER_MS);
    q->flush = false;
    return !is_empty(q);
}

static bool cut_to(int fd, uint64_t size)
{
    return ftruncate(fd, (off_t)size) == 0 && lseek(fd, (off_t)size, SEEK_SET) >= 0;
}

static void *work(void *p)
{
    recording_queue *q = p;

    pthread_mutex_lock(&q->lock);
    while (q->error == 0 && wait_for_blocks(q)) {
        uint8_t *at = q->ring + q->head;
        const size_t n = run_of(at, (q->wrapped ? q->wrap : q->tail) - q->head);
        int error;

        pthread_mutex_unlock(&q->lock);
        error = write_run(q, at, n);
        if (q->secret && error == 0)
            tl_wipe(at, n);
        pthread_mutex_lock(&q->lock);
        q->error = error;
        if (error == 0) {
            q->head += n;
            q->head_at += n;
        }
        if (q->wrapped && q->head == q->wrap) {
            q->wrapped = false;
            q->head = 0;
        }
        pthread_cond_signal(&q->emptied);
    }
    if (q->error != 0 && q->is_file && cut_to(q->fd, q->whole))
        q->size = q->whole;
    q->over = true;
    pthread_cond_signal(&q->emptied);
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

/* ---- the live end ---- */

uint8_t *recording_queue_room(recording_queue *q, bool needed)
{
    const size_t kept = needed ? 0 : RECORDING_QUEUE_KEPT;
    uint8_t *room = NULL;

    pthread_mutex_lock(&q->lock);
    if (!q->wrapped && RECORDING_QUEUE_BYTES - q->tail < RECORDING_QUEUE_BLOCK &&
        q->head > RECORDING_QUEUE_BLOCK) {
        q->wrap = q->tail;
        q->tail = 0;
        q->wrapped = true;
    }
    if (q->error == 0 && used(q) + kept + RECORDING_QUEUE_BLOCK <= RECORDING_QUEUE_BYTES &&
        (q->wrapped ? q->head : (size_t)RECORDING_QUEUE_BYTES + 1) - q->tail > RECORDING_QUEUE_BLOCK)
        room = q->ring + q->tail;
    pthread_mutex_unlock(&q->lock);
    return room;
}

void recording_queue_put(recording_queue *q, size_t n)
{
    pthread_mutex_lock(&q->lock);
    if (is_empty(q) || used(q) + n >= ENOUGH)
        pthread_cond_signal(&q->filled);
    q->tail += n;
    pthread_mutex_unlock(&q->lock);
}

void recording_queue_flush(recording_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->flush = !is_empty(q);
    pthread_cond_signal(&q->filled);
    pthread_mutex_unlock(&q->lock);
}

int recording_queue_error(recording_queue *q)
{
    int error;

    pthread_mutex_lock(&q->lock);
    error = q->error;
    pthread_mutex_unlock(&q->lock);
    return error;
}

/* ---- beginning and end ---- */

/* Signals are the main thread's; a file that may not grow any more is an error of its write. */
static bool start_thread(recording_queue *q)
{
    sigset_t all, before;
    bool started;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    started = pthread_create(&q->thread, NULL, work, q) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void free_queue(recording_queue *q)
{
    pthread_cond_destroy(&q->filled);
    pthread_cond_destroy(&q->emptied);
    pthread_mutex_destroy(&q->lock);
    if (q->ring != NULL)
        tl_wipe(q->ring, RECORDING_QUEUE_BYTES);
    free(q->ring);
    free(q);
}

tl_exit recording_queue_open(recording_queue **queue, int fd, uint64_t at, bool secret, tl_fault *fault)
{
    recording_queue *q = *queue = calloc(1, sizeof *q);
    pthread_condattr_t monotonic;
    struct stat st;
    int flags;

    if (q == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "capture: no memory");
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->filled, &monotonic);
    pthread_cond_init(&q->emptied, &monotonic);
    pthread_condattr_destroy(&monotonic);
    q->fd = fd;
    q->secret = secret;
    q->patience_ms = PATIENCE_MS;
    q->size = q->whole = q->head_at = at;
    q->is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    flags = fcntl(fd, F_GETFL);
    q->ring = malloc(RECORDING_QUEUE_BYTES);
    if (q->ring != NULL)
        memset(q->ring, 0, RECORDING_QUEUE_BYTES); /* the pages are there from now on */
    if (q->ring != NULL && (q->is_file || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0) && start_thread(q))
        return TL_EXIT_OK;
    free_queue(q);
    *queue = NULL;
    return tl_fault_set(fault, TL_EXIT_INTERNAL, "capture: no memory, or no thread, to write it");
}

void recording_queue_patience(recording_queue *q, unsigned ms)
{
    q->patience_ms = ms;
}

/* Until all is written, as long as anything is. */
static void wait_for_end(recording_queue *q)
{
    uint64_t progress_ms = tl_clock_ms();
    uint64_t before;

    pthread_mutex_lock(&q->lock);
    q->stop = true;
    before = q->writes;
    pthread_cond_signal(&q->filled);
    while (!q->over) {
        wait_ms(&q->emptied, &q->lock, POLL_MS);
        if (q->writes != before)
            progress_ms = tl_clock_ms();
        before = q->writes;
        q->give_up = q->give_up || tl_clock_ms() - progress_ms > q->patience_ms;
    }
    pthread_mutex_unlock(&q->lock);
    (void)pthread_join(q->thread, NULL);
}

/* Packets at the file's end go, until as many bytes are free. */
static void cut_back(recording_queue *q, size_t spare, const recording_end *end)
{
    uint64_t size = q->whole;

    for (size_t i = 0; i < TAIL && i < q->last_n && q->whole - size < spare; i++) {
        const written *block = &q->last[(q->last_n - 1 - i) % TAIL];

        if (!block->is_packet)
            break;
        size -= block->n;
    }
    if (q->whole - size < spare || !cut_to(q->fd, size))
        return;
    for (; q->whole > size; q->last_n--) {
        const written *block = &q->last[(q->last_n - 1) % TAIL];

        end->lost(end->ctx, block->interface);
        q->whole -= block->n;
    }
    q->size = size;
}

/* What waits in the queue is in the file up to its last whole block, and lost from there on. */
static void tell_lost(const recording_queue *q, uint64_t in_file, const recording_end *end)
{
    size_t from = q->head;
    bool wrapped = q->wrapped;

    for (;;) {
        written block;

        if (wrapped && from == q->wrap) {
            wrapped = false;
            from = 0;
        }
        if (!wrapped && from == q->tail)
            return;
        block = block_at(q->ring + from);
        if (in_file >= block.n)
            in_file -= block.n;
        else if (block.is_packet)
            end->lost(end->ctx, block.interface);
        from += block.n;
    }
}

void recording_queue_close(recording_queue *q, size_t spare, recording_end *end)
{
    wait_for_end(q);
    if (q->error != 0) {
        tell_lost(q, q->whole - q->head_at, end);
        if (q->is_file)
            cut_back(q, spare, end);
    }
    end->error = q->error;
    end->whole = q->size == q->whole;
    end->size = q->size;
    free_queue(q);
}
