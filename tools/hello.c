/* The hello that opens a provisioned connection. It authenticates nobody: what proves the sender is each frame's tag,
 * under keys that only holders of the stream file's secret can derive, and that the fresh bytes of both ends make new
 * for every connection. The hello finds honest mistakes early, by name, and refuses to talk to a mirror. */
#include "hello.h"
#include "clock.h"
#include "hex.h"
#include "net.h"

#include <trueline/messages.h>
#include <trueline/transport.h>

#include <stdio.h>
#include <string.h>

enum { GET_VERSION_SIZE = 4 + 4 }; /* in SPDM over TCP */

static const uint8_t magic[8] = HELLO_MAGIC;
static const tl_env env; /* nothing in a hello is negotiated */

tl_exit hello_make(hello *ours, uint32_t role, const tl_stream_config *config, const tl_crypto *crypto,
                   tl_fault *fault)
{
    tl_err e;

    *ours = (hello){
        .version = TL_HELLO_VERSION, .layout = TL_LAYOUT_ID, .role = role, .stream = config->stream
    };
    e = tl_stream_config_digest(config, crypto, ours->digest);
    if (e == TL_OK)
        e = crypto->ops->random(crypto->ctx, ours->fresh, sizeof ours->fresh);
    if (e != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "hello: cannot be made: %s", tl_err_text(e));
    return TL_EXIT_OK;
}

tl_exit hello_write(const hello *h, uint8_t bytes[TL_HELLO_SIZE], tl_fault *fault)
{
    tl_wr w = tl_wr_of(bytes, TL_HELLO_SIZE);
    tl_hello m = {
        .magic = tl_span_of(magic, sizeof magic),
        .version = h->version,
        .layout = h->layout,
        .role = h->role,
        .stream = h->stream,
        .epoch = h->epoch,
        .configuration = tl_span_of(h->digest, sizeof h->digest),
        .fresh = tl_span_of(h->fresh, sizeof h->fresh),
    };
    tl_err e = tl_encode_hello(&env, &m, &w);

    if (e == TL_OK && w.n != TL_HELLO_SIZE)
        e = TL_E_WIRE;
    if (e != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "hello: cannot be written: %s", tl_err_text(e));
    return TL_EXIT_OK;
}

tl_exit hello_read(hello *h, const uint8_t bytes[TL_HELLO_SIZE], const char *peer, tl_fault *fault)
{
    tl_rd r = tl_rd_of(tl_span_of(bytes, TL_HELLO_SIZE));
    tl_hello m;
    tl_err e = tl_decode_hello(&env, &r, &m);
    char begin[4 * 3 + 1];

    *h = (hello){ 0 };
    if (e != TL_OK || !tl_rd_end(&r) || !tl_equal(m.magic, tl_span_of(magic, sizeof magic))) {
        hex_apart(tl_span_of(bytes, TL_HELLO_SIZE), begin, sizeof begin);
        return tl_fault_set(fault, TL_EXIT_LINK,
                            "hello: %s: garbage: it begins with%s and is no hello of layout %s", peer, begin,
                            TL_LAYOUT_NAME);
    }
    h->version = m.version;
    h->layout = m.layout;
    h->role = m.role;
    h->stream = m.stream;
    h->epoch = m.epoch;
    memcpy(h->digest, m.configuration.p, sizeof h->digest);
    memcpy(h->fresh, m.fresh.p, sizeof h->fresh);
    return TL_EXIT_OK;
}

static tl_exit refuse_number(const char *field, uint32_t ours, uint32_t theirs, const char *peer,
                             tl_fault *fault)
{
    return tl_fault_set(fault, TL_EXIT_PEER, "hello: %s: refused: %s: ours is %u, theirs is %u", peer, field,
                        ours, theirs);
}

static tl_exit check_mirror(const hello *ours, const hello *theirs, const char *peer, tl_fault *fault)
{
    uint32_t other = ours->role == TL_HELLO_SENDER ? TL_HELLO_RECEIVER : TL_HELLO_SENDER;

    if (tl_equal(tl_span_of(ours->fresh, TL_FRESH_SIZE), tl_span_of(theirs->fresh, TL_FRESH_SIZE)))
        return tl_fault_set(fault, TL_EXIT_PEER,
                            "hello: %s: refused: our own fresh bytes came back: a mirror", peer);
    if (theirs->role == ours->role)
        return tl_fault_set(fault, TL_EXIT_PEER, "hello: %s: refused: role: both ends are %s", peer,
                            ours->role == TL_HELLO_SENDER ? "sensors" : "controllers");
    if (theirs->role != other)
        return refuse_number("role", ours->role, theirs->role, peer, fault);
    return TL_EXIT_OK;
}

tl_exit hello_check(const hello *ours, const hello *theirs, const char *peer, tl_fault *fault)
{
    char mine[17], other[17]; /* the first bytes of a digest tell two files apart */
    tl_exit e;

    if (theirs->version != ours->version)
        return refuse_number("version", ours->version, theirs->version, peer, fault);
    if (theirs->layout != ours->layout)
        return refuse_number("layout", ours->layout, theirs->layout, peer, fault);
    e = check_mirror(ours, theirs, peer, fault);
    if (e != TL_EXIT_OK)
        return e;
    if (theirs->stream != ours->stream)
        return refuse_number("stream", ours->stream, theirs->stream, peer, fault);
    if (theirs->epoch != ours->epoch)
        return refuse_number("epoch", ours->epoch, theirs->epoch, peer, fault);
    if (!tl_equal(tl_span_of(ours->digest, sizeof ours->digest),
                  tl_span_of(theirs->digest, sizeof theirs->digest))) {
        hex_text(tl_span_of(ours->digest, sizeof ours->digest), mine, sizeof mine);
        hex_text(tl_span_of(theirs->digest, sizeof theirs->digest), other, sizeof other);
        return tl_fault_set(
            fault, TL_EXIT_PEER,
            "hello: %s: refused: configuration digest: ours is %s, theirs is %s: both ends need the "
            "same stream file",
            peer, mine, other);
    }
    return TL_EXIT_OK;
}

static tl_exit send_hello(int fd, const hello *ours, uint64_t deadline_ms, const char *what, tl_fault *fault)
{
    uint8_t bytes[TL_HELLO_SIZE];
    tl_exit e = hello_write(ours, bytes, fault);

    return e != TL_EXIT_OK ? e : tl_net_send(fd, bytes, sizeof bytes, deadline_ms, what, fault);
}

/* Whether a whole message of SPDM over TCP has come: GET_VERSION is shorter than a hello. */
static bool is_spdm(uint8_t *p, size_t n)
{
    size_t more = 1;
    tl_carried m;

    return tl_tcp_more(tl_span_of(p, n), &more) == TL_OK && more == 0 && tl_tcp_decode(p, n, &m) == TL_OK;
}

/* The first bytes are looked at before the rest is waited for: whoever speaks SPDM sends no more. */
static tl_exit receive_hello(int fd, hello *theirs, uint64_t deadline_ms, const char *what, const char *peer,
                             tl_fault *fault)
{
    uint8_t bytes[TL_HELLO_SIZE] = { 0 };
    tl_exit e = tl_net_receive(fd, bytes, GET_VERSION_SIZE, deadline_ms, what, fault);

    if (e == TL_EXIT_OK && is_spdm(bytes, GET_VERSION_SIZE))
        return tl_fault_set(
            fault, TL_EXIT_LINK,
            "hello: %s: SPDM came: the controller was started with --trust, and has no stream file", peer);
    if (e == TL_EXIT_OK)
        e = tl_net_receive(fd, bytes + GET_VERSION_SIZE, sizeof bytes - GET_VERSION_SIZE, deadline_ms, what,
                           fault);
    return e != TL_EXIT_OK ? e : hello_read(theirs, bytes, peer, fault);
}

/* Both hellos, in the order of our role; `ours` may take the epoch that the receiver names. */
static tl_exit exchange(int fd, const char *peer, hello *ours, hello *theirs, tl_fault *fault)
{
    uint64_t deadline_ms = tl_clock_ms() + HELLO_PATIENCE_MS;
    char what[400];
    tl_exit e;

    (void)snprintf(what, sizeof what, "hello: %s", peer);
    if (ours->role == TL_HELLO_RECEIVER) {
        e = send_hello(fd, ours, deadline_ms, what, fault);
        return e != TL_EXIT_OK ? e : receive_hello(fd, theirs, deadline_ms, what, peer, fault);
    }
    e = receive_hello(fd, theirs, deadline_ms, what, peer, fault);
    if (e != TL_EXIT_OK)
        return e;
    if (theirs->epoch <= TL_EPOCH_JUMP_MAX)
        ours->epoch = theirs->epoch;
    return send_hello(fd, ours, deadline_ms, what, fault);
}

tl_exit hello_exchange(const hello_end *end, const stream_file *file, const tl_crypto *crypto,
                       tl_key_source *source, uint32_t *epoch, tl_fault *fault)
{
    hello ours, theirs;
    const hello *sender, *receiver;
    tl_provisioned from;
    tl_err err;
    tl_exit e = hello_make(&ours, end->role, &file->config, crypto, fault);

    if (e == TL_EXIT_OK)
        e = exchange(end->fd, end->peer, &ours, &theirs, fault);
    if (e == TL_EXIT_OK)
        e = hello_check(&ours, &theirs, end->peer, fault);
    if (e != TL_EXIT_OK)
        return e;
    sender = end->role == TL_HELLO_SENDER ? &ours : &theirs;
    receiver = end->role == TL_HELLO_SENDER ? &theirs : &ours;
    from = (tl_provisioned){ tl_span_of(file->secret, sizeof file->secret), sender->fresh, receiver->fresh,
                             file->config.stream, TL_SENSOR_TO_CONTROLLER };
    err = tl_key_source_provisioned(source, crypto, &from);
    if (err != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "keys: %s", tl_err_text(err));
    *epoch = ours.epoch;
    return TL_EXIT_OK;
}
