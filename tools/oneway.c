/* Announcements of one-way streams.
 *
 *   fresh   = start (64 bit, most significant byte first) | 24 random bytes          what a hello calls fresh bytes
 *   S       = HKDF(salt = fresh | 32 zeros, secret, "trueline announcement" | stream | direction)
 *   proof   = HMAC(S, everything before it)
 *
 * The proof makes an announcement a fact: whoever has not the secret can only repeat old ones, and those are older than
 * the newest start, or say nothing new. `start` is the time of day, so that it rises without any memory in the sender;
 * the keys do not depend on that: the random bytes alone keep two starts apart. */
#include "oneway.h"

#include <trueline/messages.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { START_SIZE = 8, RANDOM_SIZE = TL_FRESH_SIZE - START_SIZE, PROVEN_SIZE = TL_ANNOUNCEMENT_SIZE - 32 };
_Static_assert(TL_ANNOUNCEMENT_PROOF == 32, "the proof is a SHA-256 HMAC");

static const uint8_t magic[8] = "announce";
static const tl_env env; /* nothing in an announcement is negotiated */
static const uint8_t no_fresh[TL_FRESH_SIZE];

/* ---- the state file ---- */

size_t oneway_state_text(const oneway_state *state, char text[ONEWAY_STATE_MAX])
{
    int n =
        snprintf(text, ONEWAY_STATE_MAX,
                 "trueline one-way state 1: stream %u start %" PRIu64 " epoch %" PRIu32 " next %" PRIu64 "\n",
                 state->stream, state->start, state->epoch, state->next);

    return n > 0 && n < ONEWAY_STATE_MAX ? (size_t)n : 0;
}

/* Read loosely, then written again: only a text that comes out the same was one of ours. */
tl_exit oneway_state_parse(oneway_state *state, const char *name, tl_span text, tl_fault *fault)
{
    char copy[ONEWAY_STATE_MAX] = { 0 }, again[ONEWAY_STATE_MAX];
    oneway_state read = { 0 };
    unsigned stream = 0;
    bool right = text.n < sizeof copy;

    *state = (oneway_state){ 0 };
    if (right)
        memcpy(copy, text.p, text.n);
    right = right && sscanf(copy,
                            "trueline one-way state 1: stream %5u start %20" SCNu64 " epoch %10" SCNu32
                            " next %20" SCNu64,
                            &stream, &read.start, &read.epoch, &read.next) == 4;
    read.stream = (uint16_t)stream;
    if (!right || stream > UINT16_MAX || oneway_state_text(&read, again) != text.n ||
        memcmp(again, copy, text.n) != 0 || read.next > (uint64_t)UINT32_MAX + 1)
        return tl_fault_set(fault, TL_EXIT_USAGE, "state: %s: this is no state file of a one-way stream",
                            name);
    *state = read;
    return TL_EXIT_OK;
}

/* A file that is not there is the state of a stream that never began. */
static tl_exit state_read(oneway_state *state, const char *path, uint16_t stream, tl_fault *fault)
{
    uint8_t text[ONEWAY_STATE_MAX];
    size_t n;
    tl_exit e;

    *state = (oneway_state){ .stream = stream };
    if (path == NULL || (access(path, F_OK) != 0 && errno == ENOENT))
        return TL_EXIT_OK;
    e = tl_file_read(path, TL_FILE_PUBLIC, text, sizeof text, &n, fault);
    if (e == TL_EXIT_OK)
        e = oneway_state_parse(state, path, tl_span_of(text, n), fault);
    if (e == TL_EXIT_OK && state->stream != stream)
        return tl_fault_set(fault, TL_EXIT_USAGE, "state: %s: it is of stream %u, ours is %u", path,
                            state->stream, stream);
    return e;
}

static tl_exit state_write(const oneway_state *state, const char *path, tl_fault *fault)
{
    char text[ONEWAY_STATE_MAX];
    size_t n = oneway_state_text(state, text);

    return tl_file_write(path, tl_span_of(text, n), 0600, TL_FILE_REPLACE, fault);
}

/* ---- what both ends derive ---- */

static tl_exit source_of(const tl_crypto *crypto, const stream_file *file, const uint8_t *fresh,
                         tl_key_source *source, tl_fault *fault)
{
    const tl_provisioned from = { tl_span_of(file->secret, sizeof file->secret), fresh, no_fresh,
                                  file->config.stream, TL_SENSOR_TO_CONTROLLER };
    tl_err e = tl_key_source_provisioned(source, crypto, &from);

    return e == TL_OK ? TL_EXIT_OK : tl_fault_set(fault, TL_EXIT_INTERNAL, "keys: %s", tl_err_text(e));
}

/* The proof of the bytes before it. */
static tl_err prove(const tl_crypto *crypto, const stream_file *file, const uint8_t *fresh,
                    const uint8_t bytes[PROVEN_SIZE], uint8_t proof[TL_ANNOUNCEMENT_PROOF])
{
    static const uint8_t label[] = "trueline announcement";
    const uint8_t stream[2] = { (uint8_t)file->config.stream, (uint8_t)(file->config.stream >> 8) },
                  way[1] = { TL_SENSOR_TO_CONTROLLER };
    const tl_span info[] = { tl_span_of(label, sizeof label - 1), tl_span_of(stream, 2), tl_span_of(way, 1) },
                  body = tl_span_of(bytes, PROVEN_SIZE);
    uint8_t salt[2 * TL_FRESH_SIZE] = { 0 }, prk[TL_HASH_MAX], key[32];
    tl_err e;

    memcpy(salt, fresh, TL_FRESH_SIZE);
    e = tl_hkdf_extract(crypto, TL_HASH_SHA256, tl_span_of(salt, sizeof salt),
                        tl_span_of(file->secret, sizeof file->secret), prk);
    if (e == TL_OK)
        e = tl_hkdf_expand(crypto, (tl_digest){ TL_HASH_SHA256, tl_span_of(prk, 32) }, info, 3, key,
                           sizeof key);
    if (e == TL_OK)
        e = crypto->ops->hmac(crypto->ctx, TL_HASH_SHA256, tl_span_of(key, sizeof key), &body, 1, proof);
    tl_wipe(prk, sizeof prk);
    tl_wipe(key, sizeof key);
    return e;
}

static void fresh_of(uint64_t start, const uint8_t random[RANDOM_SIZE], uint8_t fresh[TL_FRESH_SIZE])
{
    for (unsigned i = 0; i < START_SIZE; i++)
        fresh[i] = (uint8_t)(start >> 8 * (START_SIZE - 1 - i));
    memcpy(fresh + START_SIZE, random, RANDOM_SIZE);
}

/* ---- sending ---- */

/* Above each start before, and the time of day. */
static tl_exit next_start(oneway_sender *s, const char *path, tl_fault *fault)
{
    oneway_state state;
    struct timespec now;
    tl_exit e = state_read(&state, path, s->file->config.stream, fault);

    if (e != TL_EXIT_OK)
        return e;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0 || now.tv_sec < 0)
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "announcement: there is no time of day");
    s->start = (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
    if (state.start >= s->start) {
        if (state.start == UINT64_MAX)
            return tl_fault_set(fault, TL_EXIT_USAGE, "state: %s: no start is left", path);
        s->start = state.start + 1;
    }
    state = (oneway_state){ .stream = s->file->config.stream, .start = s->start };
    return path == NULL ? TL_EXIT_OK : state_write(&state, path, fault);
}

tl_exit oneway_sender_open(oneway_sender *s, const stream_file *file, const tl_crypto *crypto,
                           const char *state, tl_fault *fault)
{
    uint8_t random[RANDOM_SIZE];
    tl_err err;
    tl_exit e;

    *s = (oneway_sender){ .crypto = crypto, .file = file };
    err = tl_stream_config_digest(&file->config, crypto, s->digest);
    if (err == TL_OK)
        err = crypto->ops->random(crypto->ctx, random, sizeof random);
    if (err != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "announcement: cannot be made: %s", tl_err_text(err));
    e = next_start(s, state, fault);
    if (e == TL_EXIT_OK)
        fresh_of(s->start, random, s->fresh);
    return e;
}

tl_exit oneway_sender_source(const oneway_sender *s, tl_key_source *source, tl_fault *fault)
{
    return source_of(s->crypto, s->file, s->fresh, source, fault);
}

static tl_err write_body(const oneway_sender *s, uint32_t epoch, uint8_t body[TL_ANNOUNCEMENT_SIZE])
{
    uint8_t *proof = body + PROVEN_SIZE;
    const tl_announcement m = {
        .magic = tl_span_of(magic, sizeof magic),
        .version = TL_ANNOUNCEMENT_VERSION,
        .layout = TL_LAYOUT_ID,
        .stream = s->file->config.stream,
        .epoch = epoch,
        .configuration = tl_span_of(s->digest, sizeof s->digest),
        .start = s->start,
        .random = tl_span_of(s->fresh + START_SIZE, RANDOM_SIZE),
        .proof = tl_span_of(no_fresh, TL_ANNOUNCEMENT_PROOF), /* its place; written below */
    };
    tl_wr w = tl_wr_of(body, TL_ANNOUNCEMENT_SIZE);

    TL_TRY(tl_encode_announcement(&env, &m, &w));
    return prove(s->crypto, s->file, s->fresh, body, proof);
}

tl_exit oneway_sender_packet(const oneway_sender *s, uint32_t epoch, uint8_t virtual_channel,
                             uint8_t packet[ONEWAY_PACKET_SIZE], tl_fault *fault)
{
    const tl_csi2_header header = { virtual_channel, TL_ANNOUNCEMENT_WIRE_TYPE, TL_ANNOUNCEMENT_SIZE };
    uint8_t body[TL_ANNOUNCEMENT_SIZE];
    tl_wr w = tl_wr_of(packet, ONEWAY_PACKET_SIZE);
    tl_err e = write_body(s, epoch, body);

    if (e == TL_OK)
        e = tl_csi2_write(&header, tl_span_of(body, sizeof body), &w);
    if (e != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "announcement: cannot be written: %s", tl_err_text(e));
    return TL_EXIT_OK;
}

void oneway_sender_close(oneway_sender *s)
{
    tl_wipe(s, sizeof *s);
}

/* ---- receiving ---- */

tl_exit oneway_receiver_open(oneway_receiver *r, const stream_file *file, const tl_crypto *crypto,
                             const char *path, tl_fault *fault)
{
    tl_err err;
    tl_exit e;

    *r = (oneway_receiver){ .crypto = crypto, .file = file, .path = path };
    err = tl_stream_config_digest(&file->config, crypto, r->digest);
    if (err != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "announcement: %s", tl_err_text(err));
    e = state_read(&r->state, path, file->config.stream, fault);
    r->mark = r->state.next;
    return e;
}

tl_exit oneway_receiver_reconfigure(oneway_receiver *to, const oneway_receiver *from, const stream_file *file,
                                    tl_fault *fault)
{
    oneway_receiver r = *from;
    tl_err e = tl_stream_config_digest(&file->config, r.crypto, r.digest);

    if (e != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "announcement: %s", tl_err_text(e));
    r.file = file;
    *to = r;
    return TL_EXIT_OK;
}

/* `code` is what the fault says already. */
static oneway_news refuse(oneway_receiver *r, tl_exit code)
{
    (void)code;
    r->refused++;
    return ONEWAY_REFUSED;
}

/* What can be said without the secret: NONE, and it can be read, or what it is. */
static oneway_news read_body(oneway_receiver *r, tl_span body, tl_announcement *m, tl_fault *why)
{
    tl_rd rd = tl_rd_of(body);

    if (tl_decode_announcement(&env, &rd, m) != TL_OK || !tl_rd_end(&rd) ||
        !tl_equal(m->magic, tl_span_of(magic, sizeof magic)))
        return refuse(r, tl_fault_set(why, TL_EXIT_LINK,
                                      "announcement: refused: garbage, or of another layout than %s",
                                      TL_LAYOUT_NAME));
    if (m->version != TL_ANNOUNCEMENT_VERSION || m->layout != TL_LAYOUT_ID)
        return refuse(r, tl_fault_set(why, TL_EXIT_PEER,
                                      "announcement: refused: version %" PRIu32 ", layout %" PRIu32
                                      "; ours are %d, %d",
                                      m->version, m->layout, TL_ANNOUNCEMENT_VERSION, TL_LAYOUT_ID));
    return m->stream == r->file->config.stream ? ONEWAY_NONE : ONEWAY_OTHER;
}

/* The order of starts and epochs. `m` is proven. */
static oneway_news judge(oneway_receiver *r, const tl_announcement *m, const uint8_t *fresh, tl_fault *why)
{
    bool same = r->started && memcmp(fresh, r->fresh, TL_FRESH_SIZE) == 0;

    if (!tl_equal(m->configuration, tl_span_of(r->digest, sizeof r->digest)))
        return refuse(r, tl_fault_set(why, TL_EXIT_PEER,
                                      "announcement: refused: another configuration: both ends need the "
                                      "same stream file, and lines of one size; what tlprotect sends is "
                                      "for tlverify, what `trueline sensor` sends for the controller"));
    if (m->start < r->state.start || (m->start == r->state.start && r->started && !same))
        return refuse(r, tl_fault_set(why, TL_EXIT_PEER,
                                      "announcement: refused: start %" PRIu64 " is not after %" PRIu64
                                      ": a recording, or the sender's clock was set back",
                                      m->start, r->state.start));
    if (m->start == r->state.start && m->epoch < r->state.epoch)
        return refuse(r, tl_fault_set(why, TL_EXIT_PEER,
                                      "announcement: refused: epoch %" PRIu32
                                      " of this start is over, it is at %" PRIu32,
                                      m->epoch, r->state.epoch));
    if (!same)
        return ONEWAY_START;
    return m->epoch == r->state.epoch ? ONEWAY_KNOWN : ONEWAY_EPOCH;
}

/* Keeps what is new, on disk first. */
static tl_exit take(oneway_receiver *r, const tl_announcement *m, const uint8_t *fresh, tl_fault *fault)
{
    oneway_state state = r->state;
    tl_exit e;

    if (m->start != state.start)
        state.next = 0;
    state.start = m->start;
    state.epoch = m->epoch;
    e = r->path == NULL ? TL_EXIT_OK : state_write(&state, r->path, fault);
    if (e != TL_EXIT_OK)
        return e;
    if (m->start != r->state.start)
        r->mark = 0;
    r->state = state;
    r->started = true;
    r->unsaved = false;
    memcpy(r->fresh, fresh, TL_FRESH_SIZE);
    return TL_EXIT_OK;
}

/* True of what the secret's owner wrote. */
static tl_err proven(const oneway_receiver *r, tl_span body, const tl_announcement *m, const uint8_t *fresh,
                     bool *right)
{
    uint8_t proof[TL_ANNOUNCEMENT_PROOF];

    TL_TRY(prove(r->crypto, r->file, fresh, body.p, proof));
    *right = tl_equal(m->proof, tl_span_of(proof, sizeof proof));
    return TL_OK;
}

tl_exit oneway_receiver_packet(oneway_receiver *r, tl_span packet, oneway_news *news, tl_fault *why)
{
    uint8_t fresh[TL_FRESH_SIZE];
    tl_csi2_packet p;
    tl_announcement m;
    bool right = false;
    tl_exit e;
    tl_err err;

    *news = ONEWAY_NONE;
    if (packet.n != ONEWAY_PACKET_SIZE)
        return TL_EXIT_OK;
    tl_csi2_read(packet, &p);
    if (p.ecc == TL_CSI2_ECC_BAD || !p.crc_right || p.header.data_type != TL_ANNOUNCEMENT_WIRE_TYPE)
        return TL_EXIT_OK;
    *news = read_body(r, p.payload, &m, why);
    if (*news != ONEWAY_NONE)
        return TL_EXIT_OK;
    fresh_of(m.start, m.random.p, fresh);
    err = proven(r, p.payload, &m, fresh, &right);
    *news = ONEWAY_REFUSED;
    if (err != TL_OK)
        return tl_fault_set(why, TL_EXIT_INTERNAL, "announcement: %s", tl_err_text(err));
    if (!right) {
        *news = refuse(r, tl_fault_set(why, TL_EXIT_PEER,
                                       "announcement: refused: not made with our stream file's secret"));
        return TL_EXIT_OK;
    }
    *news = judge(r, &m, fresh, why);
    e = *news == ONEWAY_START || *news == ONEWAY_EPOCH ? take(r, &m, fresh, why) : TL_EXIT_OK;
    if (e != TL_EXIT_OK)
        *news = ONEWAY_REFUSED;
    return e;
}

tl_exit oneway_receiver_source(const oneway_receiver *r, tl_key_source *source, tl_fault *fault)
{
    if (!r->started)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "announcement: none was taken yet");
    return source_of(r->crypto, r->file, r->fresh, source, fault);
}

uint32_t oneway_receiver_epoch(const oneway_receiver *r)
{
    return r->state.epoch;
}

bool oneway_receiver_is_fresh(const oneway_receiver *r)
{
    return r->path != NULL;
}

bool oneway_receiver_was_noted(const oneway_receiver *r, uint32_t frame)
{
    return frame < r->mark;
}

void oneway_receiver_note(oneway_receiver *r, uint32_t frame)
{
    if (r->path == NULL || frame < r->state.next)
        return;
    r->state.next = (uint64_t)frame + 1;
    r->unsaved = true;
}

tl_exit oneway_receiver_save(oneway_receiver *r, tl_fault *fault)
{
    tl_exit e = r->path != NULL && r->unsaved ? state_write(&r->state, r->path, fault) : TL_EXIT_OK;

    if (e == TL_EXIT_OK)
        r->unsaved = false;
    return e;
}
