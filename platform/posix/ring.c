/* The ring. `head` counts the bytes that were ever produced, `tail` those that were consumed; both only rise, and an
 * index is the number modulo the size. Each end keeps its own number to itself and publishes it; the peer's is believed
 * only within what can be: tail <= head <= tail + size, and never back.
 *
 * Sleeping: an end says in `sleeps` that it will, looks once more, and waits on the socket. The peer publishes its number
 * first and looks at `sleeps` then; both orders are sequentially consistent, so one of the two sees the other. A wake-up is
 * one byte on the socket; more than fit there are not needed. An eventfd would do for friends, but its flags are shared: a
 * peer could make our writes to it block. */
#include "ring.h"
#include "clock.h"
#include "local.h"
#include "ring_memory.h"
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REDIAL_MS = 20 };

static const uint8_t magic[8] = RING_MAGIC;
static const int all_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

/* ---- meeting ---- */

static tl_exit address_of(const char *path, struct sockaddr_un *a, tl_fault *fault)
{
    if (!tl_local_address(path, a))
        return tl_fault_set(fault, TL_EXIT_USAGE, "ring: '%.80s': a path has 1 to %d bytes", path,
                            TL_LOCAL_PATH_MAX);
    return TL_EXIT_OK;
}

static tl_exit open_socket(int *fd, tl_fault *fault)
{
    *fd = tl_local_open(SOCK_STREAM);
    return *fd >= 0 ? TL_EXIT_OK : tl_fault_errno(fault, TL_EXIT_INTERNAL, "ring: no socket");
}

/* A socket's file stays behind when its process is killed. */
static bool is_left_over(const struct sockaddr_un *a)
{
    struct stat st;
    bool refused = false;
    int fd;

    if (lstat(a->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return false;
    fd = tl_local_open(SOCK_STREAM);
    if (fd >= 0) {
        refused = connect(fd, (const struct sockaddr *)a, sizeof *a) != 0 && errno == ECONNREFUSED;
        close(fd);
    }
    return refused;
}

tl_exit tl_ring_listen(const char *path, int *listener, tl_fault *fault)
{
    struct sockaddr_un a;
    int fd;
    tl_exit e = address_of(path, &a, fault);

    *listener = -1;
    if (e == TL_EXIT_OK)
        e = open_socket(&fd, fault);
    if (e != TL_EXIT_OK)
        return e;
    if (is_left_over(&a))
        (void)unlink(path);
    if (!tl_local_listen(fd, &a)) {
        e = tl_fault_errno(fault, TL_EXIT_USAGE, "ring: %s", path);
        close(fd);
        return e;
    }
    *listener = fd;
    return TL_EXIT_OK;
}

/* The file's rights say it already; this says it also where the folder's owner changed them. */
static tl_exit check_user(int fd, tl_fault *fault)
{
    struct ucred peer;
    socklen_t n = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) != 0)
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "ring: who is the peer");
    if (peer.uid != geteuid() && peer.uid != 0)
        return tl_fault_set(fault, TL_EXIT_PEER, "ring: the peer is another user (%u)", (unsigned)peer.uid);
    return TL_EXIT_OK;
}

tl_exit tl_ring_accept(int listener, uint64_t deadline_ms, int *socket, tl_fault *fault)
{
    bool ready;
    tl_exit e = tl_wait(listener, POLLIN, deadline_ms, &ready, fault);
    int fd;

    *socket = -1;
    if (e != TL_EXIT_OK || !ready)
        return e;
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED
                   ? TL_EXIT_OK
                   : tl_fault_errno(fault, TL_EXIT_INTERNAL, "ring: accept");
    e = check_user(fd, fault);
    if (e != TL_EXIT_OK) {
        close(fd);
        return e;
    }
    *socket = fd;
    return TL_EXIT_OK;
}

/* What no waiting will mend: no folder for the socket, or something else in its place. */
static tl_exit check_place(const struct sockaddr_un *a, tl_fault *fault)
{
    const char *slash = strrchr(a->sun_path, '/');
    char folder[sizeof a->sun_path] = ".";
    struct stat st;

    if (slash != NULL)
        (void)snprintf(folder, sizeof folder, "%.*s", slash == a->sun_path ? 1 : (int)(slash - a->sun_path),
                       a->sun_path);
    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode))
        return tl_fault_set(fault, TL_EXIT_USAGE, "ring: %s: there is no folder %s", a->sun_path, folder);
    if (stat(a->sun_path, &st) == 0 && !S_ISSOCK(st.st_mode))
        return tl_fault_set(fault, TL_EXIT_USAGE, "ring: %s: it is there, and no ring's socket", a->sun_path);
    return TL_EXIT_OK;
}

tl_exit tl_ring_dial(const char *path, uint64_t deadline_ms, int *socket, tl_fault *fault)
{
    struct sockaddr_un a;
    bool ready;
    int fd;
    tl_exit e = address_of(path, &a, fault);

    *socket = -1;
    if (e == TL_EXIT_OK)
        e = check_place(&a, fault);
    while (e == TL_EXIT_OK) {
        e = open_socket(&fd, fault);
        if (e != TL_EXIT_OK)
            return e;
        if (connect(fd, (const struct sockaddr *)&a, sizeof a) == 0) {
            e = check_user(fd, fault);
            if (e == TL_EXIT_OK)
                *socket = fd;
            else
                close(fd);
            return e;
        }
        e = errno == ECONNREFUSED || errno == ENOENT || errno == EAGAIN
                ? TL_EXIT_OK
                : tl_fault_errno(fault, TL_EXIT_LINK, "ring: %s", path);
        close(fd);
        if (e == TL_EXIT_OK && tl_clock_ms() >= deadline_ms)
            return tl_fault_set(fault, TL_EXIT_LINK, "ring: %s: nobody listens there", path);
        if (e == TL_EXIT_OK)
            e = tl_wait(-1, 0, tl_clock_ms() + REDIAL_MS, &ready, fault);
    }
    return e;
}

/* ---- memory ---- */

/* Maps the data twice in a row behind a place that is free for both. */
static tl_exit map(tl_ring *r, int memory, size_t size, tl_fault *fault)
{
    const int rights = PROT_READ | PROT_WRITE;
    uint8_t *place = mmap(NULL, RING_PAGE + 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (place == MAP_FAILED)
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "ring: no room for %zu bytes", size);
    if (mmap(place, RING_PAGE + size, rights, MAP_SHARED | MAP_FIXED, memory, 0) == MAP_FAILED ||
        mmap(place + RING_PAGE + size, size, rights, MAP_SHARED | MAP_FIXED, memory, RING_PAGE) ==
            MAP_FAILED) {
        tl_exit e = tl_fault_errno(fault, TL_EXIT_INTERNAL, "ring: cannot map");

        (void)munmap(place, RING_PAGE + 2 * size);
        return e;
    }
    r->shared = (tl_ring_shared *)(void *)place;
    r->data = place + RING_PAGE;
    r->size = size;
    return TL_EXIT_OK;
}

static bool is_size(size_t n)
{
    return n >= TL_RING_MIN && n <= TL_RING_MAX && (n & (n - 1)) == 0;
}

/* Sealed memory of its whole size: a later lack of memory would be a signal in the middle of a copy. */
static tl_exit make_memory(size_t size, int *memory, tl_fault *fault)
{
    int fd = memfd_create("trueline-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING), failed;
    tl_exit e;

    if (fd < 0)
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "ring: no shared memory");
    failed = fchmod(fd, 0600) != 0 || ftruncate(fd, (off_t)(RING_PAGE + size)) != 0 ? errno : 0;
    if (failed == 0)
        failed = posix_fallocate(fd, 0, (off_t)(RING_PAGE + size));
    if (failed == 0 && fcntl(fd, F_ADD_SEALS, all_seals) != 0)
        failed = errno;
    if (failed == 0) {
        *memory = fd;
        return TL_EXIT_OK;
    }
    errno = failed;
    e = tl_fault_errno(fault, TL_EXIT_INTERNAL, "ring: no %zu bytes of shared memory", size);
    close(fd);
    return e;
}

/* What somebody else made. Without the seals its maker could cut it under our mapping, which would end us. */
static tl_exit check_memory(int memory, size_t *size, tl_fault *fault)
{
    struct stat st;
    int seals = fcntl(memory, F_GET_SEALS);

    if (fstat(memory, &st) != 0 || seals < 0 || (seals & all_seals) != all_seals)
        return tl_fault_set(fault, TL_EXIT_PEER, "ring: the memory is not sealed: its maker could cut it");
    if ((seals & ~all_seals) != 0)
        return tl_fault_set(fault, TL_EXIT_PEER, "ring: the memory cannot be written to");
    if (st.st_size < RING_PAGE || !is_size((size_t)st.st_size - RING_PAGE))
        return tl_fault_set(fault, TL_EXIT_PEER, "ring: %lld bytes of memory are no ring",
                            (long long)st.st_size);
    *size = (size_t)st.st_size - RING_PAGE;
    return TL_EXIT_OK;
}

/* ---- the descriptor, over the socket ---- */

typedef union control {
    struct cmsghdr header; /* for its alignment */
    char bytes[CMSG_SPACE(sizeof(int))];
} control;

static tl_exit send_memory(int socket, int memory, tl_fault *fault)
{
    char byte = 'M';
    struct iovec v = { &byte, 1 };
    control c = { .bytes = { 0 } };
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = c.bytes, .msg_controllen = sizeof c.bytes
    };
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);

    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(sizeof memory);
    memcpy(CMSG_DATA(h), &memory, sizeof memory);
    return sendmsg(socket, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == 1
               ? TL_EXIT_OK
               : tl_fault_errno(fault, TL_EXIT_LINK, "ring: the memory was not sent");
}

/* The one descriptor that came; of a peer that sends more, or less, none is kept. */
static int memory_in(struct msghdr *m)
{
    int memory = -1, fd;
    unsigned count = 0;

    for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = 0; at + sizeof fd <= h->cmsg_len - CMSG_LEN(0); at += sizeof fd) {
            memcpy(&fd, CMSG_DATA(h) + at, sizeof fd);
            if (count++ == 0)
                memory = fd;
            else
                close(fd);
        }
    }
    if (count <= 1 && (m->msg_flags & MSG_CTRUNC) == 0)
        return memory;
    if (memory >= 0)
        close(memory);
    return -1;
}

static tl_exit receive_memory(int socket, uint64_t deadline_ms, int *memory, tl_fault *fault)
{
    char byte = 0;
    struct iovec v = { &byte, 1 };
    control c = { .bytes = { 0 } };
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = c.bytes, .msg_controllen = sizeof c.bytes
    };
    bool ready;
    ssize_t n;
    tl_exit e = tl_wait(socket, POLLIN, deadline_ms, &ready, fault);

    if (e != TL_EXIT_OK)
        return e;
    if (!ready)
        return tl_fault_set(fault, TL_EXIT_LINK, "ring: time-out: the consumer sent no memory");
    n = recvmsg(socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0)
        return tl_fault_errno(fault, TL_EXIT_LINK, "ring: no memory came");
    *memory = memory_in(&m);
    if (n == 1 && byte == 'M' && *memory >= 0)
        return TL_EXIT_OK;
    if (*memory >= 0)
        close(*memory);
    return n == 0 ? tl_fault_set(fault, TL_EXIT_LINK, "ring: the consumer closed the connection")
                  : tl_fault_set(fault, TL_EXIT_PEER, "ring: what came is no ring's memory");
}

/* ---- opening and closing ---- */

static void init(tl_ring *r, int socket, tl_ring_role role)
{
    *r = (tl_ring){ .socket = socket, .role = role, .heard_ms = tl_clock_ms() };
}

tl_exit tl_ring_offer(tl_ring *r, int socket, size_t size, tl_ring_mode mode, tl_fault *fault)
{
    int memory = -1;
    tl_exit e = TL_EXIT_OK;

    init(r, socket, TL_RING_CONSUMER);
    r->mode = mode;
    if (!is_size(size))
        e = tl_fault_set(fault, TL_EXIT_USAGE, "ring: %zu bytes: give a power of two from %d to %d", size,
                         TL_RING_MIN, TL_RING_MAX);
    if (e == TL_EXIT_OK && mode == TL_RING_COPY) {
        r->copies = malloc(TL_RING_COPIES);
        if (r->copies == NULL)
            e = tl_fault_set(fault, TL_EXIT_INTERNAL, "ring: no memory for copies");
    }
    if (e == TL_EXIT_OK)
        e = make_memory(size, &memory, fault);
    if (e == TL_EXIT_OK)
        e = map(r, memory, size, fault);
    if (e == TL_EXIT_OK) {
        memcpy(r->shared->magic, magic, sizeof magic);
        r->shared->version = RING_VERSION;
        r->shared->size = (uint32_t)size;
        e = send_memory(socket, memory, fault);
    }
    if (memory >= 0)
        close(memory);
    if (e != TL_EXIT_OK)
        tl_ring_close(r);
    return e;
}

tl_exit tl_ring_join(tl_ring *r, int socket, uint64_t deadline_ms, tl_fault *fault)
{
    size_t size = 0;
    int memory = -1;
    tl_exit e;

    init(r, socket, TL_RING_PRODUCER);
    e = receive_memory(socket, deadline_ms, &memory, fault);
    if (e == TL_EXIT_OK) {
        e = check_memory(memory, &size, fault);
        if (e == TL_EXIT_OK)
            e = map(r, memory, size, fault);
        close(memory);
    }
    if (e == TL_EXIT_OK && (memcmp(r->shared->magic, magic, sizeof magic) != 0 ||
                            r->shared->version != RING_VERSION || r->shared->size != size))
        e = tl_fault_set(fault, TL_EXIT_PEER, "ring: what came is no ring's memory, or of another version");
    if (e != TL_EXIT_OK)
        tl_ring_close(r);
    return e;
}

void tl_ring_close(tl_ring *r)
{
    if (r->shared != NULL) {
        atomic_store(r->role == TL_RING_PRODUCER ? &r->shared->producer_done : &r->shared->consumer_done, 1);
        (void)munmap(r->shared, RING_PAGE + 2 * r->size);
    }
    if (r->copies != NULL)
        tl_wipe(r->copies, r->copied);
    free(r->copies);
    if (r->socket >= 0)
        close(r->socket);
    *r = (tl_ring){ .socket = -1 };
}

/* ---- waiting ---- */

/* One byte; if no more fit, as many wait already. */
static void wake(tl_ring *r)
{
    (void)!send(r->socket, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Takes the wake-ups off the socket, which say nothing else. True: the peer's end is closed. */
static bool drain(const tl_ring *r)
{
    char bytes[64];
    ssize_t n = recv(r->socket, bytes, sizeof bytes, MSG_DONTWAIT);

    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

/* Sleeps until there may be something new; the peer is told first, and its number is looked at once more then. */
static tl_exit sleep_on(tl_ring *r, _Atomic uint32_t *sleeps, uint64_t deadline_ms,
                        bool (*looks_new)(const tl_ring *), tl_fault *fault)
{
    tl_exit e = TL_EXIT_OK;
    bool ready;

    atomic_store(sleeps, 1);
    if (!looks_new(r)) {
        r->waits++;
        e = tl_wait(r->socket, POLLIN, deadline_ms, &ready, fault);
    }
    atomic_store(sleeps, 0);
    return e;
}

bool tl_ring_peer_is_done(const tl_ring *r)
{
    return atomic_load(r->role == TL_RING_PRODUCER ? &r->shared->consumer_done : &r->shared->producer_done) !=
           0;
}

/* ---- producer ---- */

static size_t record_size(size_t n)
{
    return RING_PREFIX + ((n + RING_PREFIX - 1) & ~(size_t)(RING_PREFIX - 1));
}

/* Reads the consumer's number once, and believes only what can be. */
static tl_exit look_at_tail(tl_ring *r, tl_fault *fault)
{
    uint64_t tail = atomic_load(&r->shared->tail);

    if (tail - r->theirs > r->own - r->theirs || tail % RING_PREFIX != 0)
        return tl_fault_set(fault, TL_EXIT_LINK,
                            "ring: packet %llu: garbage: the consumer has taken what was not written",
                            (unsigned long long)r->packets);
    r->theirs = tail;
    return TL_EXIT_OK;
}

static bool tail_looks_new(const tl_ring *r)
{
    return atomic_load(&r->shared->tail) != r->theirs;
}

static void put(tl_ring *r, tl_span packet)
{
    uint8_t *at = r->data + (r->own & (r->size - 1));
    uint32_t length = (uint32_t)packet.n;

    memcpy(at, &length, RING_PREFIX);
    memcpy(at + RING_PREFIX, packet.p, packet.n);
    r->own += record_size(packet.n);
    r->packets++;
    r->bytes += packet.n;
}

static tl_exit check_packet(tl_span packet, tl_fault *fault)
{
    return packet.n >= TL_LINK_PACKET_MIN && packet.n <= TL_CSI2_PACKET_MAX
               ? TL_EXIT_OK
               : tl_fault_set(fault, TL_EXIT_INTERNAL, "ring: a packet of %zu bytes", packet.n);
}

tl_exit tl_ring_try_write(tl_ring *r, const tl_span *packets, size_t n, size_t *written, tl_fault *fault)
{
    tl_exit e = TL_EXIT_OK;

    *written = 0;
    if (drain(r))
        return tl_fault_set(fault, TL_EXIT_LINK, "ring: packet %llu: the consumer is gone%s",
                            (unsigned long long)r->packets, tl_ring_peer_is_done(r) ? ", it has enough" : "");
    while (*written < n && e == TL_EXIT_OK) {
        e = check_packet(packets[*written], fault);
        if (e == TL_EXIT_OK && r->size - (r->own - r->theirs) < record_size(packets[*written].n))
            e = look_at_tail(r, fault);
        if (e != TL_EXIT_OK || r->size - (r->own - r->theirs) < record_size(packets[*written].n))
            break;
        put(r, packets[*written]);
        ++*written;
    }
    if (*written > 0) {
        atomic_store(&r->shared->head, r->own);
        if (atomic_load(&r->shared->consumer_sleeps) != 0)
            wake(r);
    }
    return e;
}

tl_exit tl_ring_write(tl_ring *r, const tl_span *packets, size_t n, uint64_t deadline_ms, tl_fault *fault)
{
    size_t done = 0, written;

    for (;;) {
        uint64_t now = tl_clock_ms(); /* before the look: what comes later than the deadline is late */
        tl_exit e = tl_ring_try_write(r, packets + done, n - done, &written, fault);

        done += written;
        if (e != TL_EXIT_OK || done == n)
            return e;
        if (now >= deadline_ms)
            return tl_fault_set(
                fault, TL_EXIT_LINK,
                "ring: packet %llu: time-out: the ring is full, and the consumer takes nothing",
                (unsigned long long)r->packets);
        e = sleep_on(r, &r->shared->producer_sleeps, deadline_ms, tail_looks_new, fault);
        if (e != TL_EXIT_OK)
            return e;
    }
}

/* ---- consumer ---- */

static bool head_looks_new(const tl_ring *r)
{
    return atomic_load(&r->shared->head) != r->theirs;
}

/* Gives back what the caller had. */
static void release(tl_ring *r)
{
    if (r->own == r->handed)
        return;
    r->own = r->handed;
    atomic_store(&r->shared->tail, r->own);
    if (atomic_load(&r->shared->producer_sleeps) != 0)
        wake(r);
}

static tl_exit look_at_head(tl_ring *r, tl_fault *fault)
{
    uint64_t head = atomic_load(&r->shared->head);

    /* Never back, and never more than the ring holds. */
    if (head - r->own > r->size || head - r->own < r->theirs - r->own || head % RING_PREFIX != 0)
        return tl_fault_set(fault, TL_EXIT_LINK, "ring: packet %llu: garbage: the producer's index cannot be",
                            (unsigned long long)r->packets);
    r->theirs = head;
    return TL_EXIT_OK;
}

/* The length at `handed`, read once; the compiler must not read it again where the peer may have changed it since. */
static size_t length_at(const tl_ring *r)
{
    const void *at = r->data + (r->handed & (r->size - 1));

    return atomic_load_explicit((const _Atomic uint32_t *)at, memory_order_relaxed);
}

/* Hands out what is there. */
static tl_exit hand_out(tl_ring *r, tl_link_batch *batch, tl_fault *fault)
{
    size_t used = 0;

    while (batch->n < batch->room && r->theirs != r->handed) {
        size_t length = length_at(r);
        uint8_t *bytes = r->data + (r->handed & (r->size - 1)) + RING_PREFIX;

        if (length < TL_LINK_PACKET_MIN || length > TL_CSI2_PACKET_MAX ||
            record_size(length) > r->theirs - r->handed) {
            if (batch->n > 0) /* first what came before it; the next call names it */
                break;
            return tl_fault_set(
                fault, TL_EXIT_LINK, "ring: packet %llu: garbage: a length of %zu bytes, %llu are there",
                (unsigned long long)r->packets, length, (unsigned long long)(r->theirs - r->handed));
        }
        if (r->mode == TL_RING_COPY) {
            if (used + length > TL_RING_COPIES)
                break;
            bytes = memcpy(r->copies + used, bytes, length);
            used += length;
        }
        batch->packets[batch->n++] = (tl_buffer){ bytes, length };
        r->handed += record_size(length);
        r->packets++;
        r->bytes += length;
    }
    if (r->copied < used)
        r->copied = used;
    if (r->mode == TL_RING_COPY)
        release(r);
    return TL_EXIT_OK;
}

/* Nothing is there, and the producer's end is closed. */
static tl_exit ended(const tl_ring *r, tl_link_batch *batch, tl_fault *fault)
{
    if (!tl_ring_peer_is_done(r))
        return tl_fault_set(fault, TL_EXIT_LINK, "ring: packet %llu: the producer is gone without a word",
                            (unsigned long long)r->packets);
    batch->state = TL_LINK_CLOSED;
    return TL_EXIT_OK;
}

tl_exit tl_ring_read(tl_ring *r, uint64_t deadline_ms, tl_link_batch *batch, tl_fault *fault)
{
    batch->n = 0;
    batch->state = TL_LINK_PACKETS;
    release(r);
    for (;;) {
        uint64_t now = tl_clock_ms(), due = r->heard_ms + TL_LINK_PATIENCE_MS;
        bool gone = drain(r); /* before the index: it is the last one then */
        tl_exit e = look_at_head(r, fault);

        if (e == TL_EXIT_OK)
            e = hand_out(r, batch, fault);
        if (e != TL_EXIT_OK)
            return e;
        if (batch->n > 0) {
            r->heard_ms = now;
            return TL_EXIT_OK;
        }
        if (gone)
            return ended(r, batch, fault);
        if (now >= due)
            return tl_fault_set(fault, TL_EXIT_LINK, "ring: packet %llu: time-out: nothing came for %d s",
                                (unsigned long long)r->packets, TL_LINK_PATIENCE_MS / 1000);
        if (now >= deadline_ms) {
            batch->state = TL_LINK_QUIET;
            return TL_EXIT_OK;
        }
        e = sleep_on(r, &r->shared->consumer_sleeps, deadline_ms < due ? deadline_ms : due, head_looks_new,
                     fault);
        if (e != TL_EXIT_OK)
            return e;
    }
}
