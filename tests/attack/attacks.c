/* Every row of sim/attacks.def against a real receiver: clean frames, the attacked one, clean frames, in every
 * combination of release policy, security variant, geometry, suite and batch size.
 *
 * The attack must be told as its row says, cost what its row says, and nothing of a lost frame may be left with the sink.
 * Built a second time as tests/blind/attacks, with a receiver that finds every tag right: then the rows that only a tag
 * can judge, which it names on lines `# needs-tag`, must fail, and no others. */
#include "attack.h"
#include "blind.h"
#include "nonces.h"
#include "testing.h"

#include <trueline/openssl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef TL_TESTS_BLIND
#define TL_TESTS_BLIND 0
#endif

static tl_blind blind;

#if TL_TESTS_BLIND
/* The linker puts this in the place of tl_equal: tags that the receiver compares itself are right too. */
bool __real_tl_equal(tl_span a, tl_span b);
bool __wrap_tl_equal(tl_span a, tl_span b);

bool __wrap_tl_equal(tl_span a, tl_span b)
{
    return __real_tl_equal(a, b) || (a.n == b.n && (tl_blind_made(&blind, a) || tl_blind_made(&blind, b)));
}
#endif

enum {
    EARLIER = 0, /* the frame that the attacker keeps */
    ATTACKED = 2,
    FRAMES = 5,
    FIRST_FRAME = 41,
    BYTES_MAX = 8192, /* of one frame's payloads */
    LINE_MAX = 128,
    MESSAGES_MAX = 96,
    PACKETS_MAX = (FRAMES + 1) * (MESSAGES_MAX + 8),
    EPOCH = 3
};

enum {
    ATTACK_ROWS = 0
#define ACTION(name)
#define ATTACK(name, action, part, place, repair, event, verdict, cost, judge, text) +1
#include "attacks.def"
#undef ACTION
#undef ATTACK
};

static tl_openssl *openssl;
static const tl_crypto *crypto;

/* ---- what varies ---- */

enum { NAMELESS = 0x3A }; /* a data type that neither CSI-2 nor a layout has a use for */

static const tl_stream_part geometries[][3] = {
    { { TL_BLOCK_TOP, TL_DT_EMBEDDED, 2, 96 },
      { TL_BLOCK_MIDDLE, TL_DT_RAW12, 16, 96 },
      { TL_BLOCK_BOTTOM, TL_DT_EMBEDDED, 2, 96 } },
    { { TL_BLOCK_TOP, TL_DT_EMBEDDED, 1, 40 },
      { TL_BLOCK_MIDDLE, TL_DT_RAW10, 7, 85 },
      { TL_BLOCK_BOTTOM, TL_DT_EMBEDDED, 1, 24 } },
    { { TL_BLOCK_TOP, NAMELESS, 3, 16 },
      { TL_BLOCK_MIDDLE, TL_DT_RAW8, 80, 40 },
      { TL_BLOCK_BOTTOM, TL_DT_RAW8, 4, 40 } },
};
static const tl_variant variants[] = { TL_SV_1, TL_SV_2 };
static const tl_suite suites[] = { TL_SUITE_AES128_GMAC, TL_SUITE_AES256_GMAC };
static const tl_release policies[] = { TL_RELEASE_FRAME, TL_RELEASE_LINE };
static const size_t batches[] = { 1, 7, 16 };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static tl_stream_config config_of(size_t geometry, size_t variant, size_t suite)
{
    tl_stream_config c = {
        .stream = 0x0207,
        .suite = suites[suite],
        .tag_mode = TL_TAG_PER_MESSAGE,
        .tag_size = geometry == 1 ? 12 : 16,
        .crc32 = TL_WITH,
        .variant = { 0, TL_SV_2, (uint8_t)variants[variant], (uint8_t)variants[variant] },
        .first_frame = FIRST_FRAME,
        .part_count = 3,
        .virtual_channel = 1,
        .channels_accepted = 1u << 1 | 1u << 3,
    };

    memcpy(c.parts, geometries[geometry], sizeof geometries[geometry]);
    return c;
}

/* ---- the sender ---- */

/* What stands in byte `at` of a frame: different in every frame, so that no line passes for another's. */
static uint8_t pixel(size_t frame, size_t at)
{
    return (uint8_t)((at * 2654435761u + frame * 40503u) >> 7);
}

typedef struct sender {
    tl_key_source source;
    tl_stream_tx tx;
    uint8_t fresh[2][TL_FRESH_SIZE];
} sender;

static const uint8_t secret[32] = "what both ends were given once.";

/* The keys of the sender's session, for either end. */
static void source_open(tl_key_source *source, const sender *s, uint16_t stream, const tl_crypto *with)
{
    const tl_provisioned from = { tl_span_of(secret, sizeof secret), s->fresh[0], s->fresh[1], stream,
                                  TL_SENSOR_TO_CONTROLLER };

    tl_assert_ok(tl_key_source_provisioned(source, with, &from));
}

/* A session of its own for each number. */
static void sender_open(sender *s, const tl_stream_config *config, const tl_crypto *with, uint32_t session)
{
    memset(s->fresh, 0x5A, sizeof s->fresh);
    memcpy(s->fresh[0], &session, sizeof session);
    source_open(&s->source, s, config->stream, with);
    tl_assert_ok(tl_stream_tx_init(&s->tx, config, &s->source, EPOCH));
}

static void sender_close(sender *s)
{
    tl_stream_tx_wipe(&s->tx);
    tl_key_source_wipe(&s->source);
}

static void send_lines(sender *s, const tl_stream_config *c, size_t number, tl_wire_frame *frame)
{
    uint8_t buffer[LINE_MAX + TL_SEP_OVERHEAD_MAX];
    size_t offset = 0;

    for (unsigned i = 0; i < c->part_count; i++) {
        for (unsigned row = 0; row < c->parts[i].count; row++) {
            tl_tx_message m = { .data_type = c->parts[i].data_type,
                                .length = c->parts[i].length,
                                .buffer = buffer,
                                .room = sizeof buffer };
            for (size_t k = 0; k < m.length; k++)
                buffer[TL_SEP_BEFORE + k] = pixel(number, offset++);
            tl_assert_ok(tl_stream_tx_messages(&s->tx, &m, 1));
            tl_assert_ok(tl_wire_insert(frame, frame->n, m.packet));
        }
    }
}

/* The next frame of the session, whose pixels are those of frame `number`. */
static void send_frame(sender *s, const tl_stream_config *c, size_t number, tl_wire_frame *frame)
{
    tl_tx_edge edge;

    tl_assert_ok(tl_stream_tx_begin(&s->tx, 33333 * number, &edge));
    tl_assert_ok(tl_wire_insert(frame, frame->n, edge.packets[0]));
    tl_assert_ok(tl_wire_insert(frame, frame->n, edge.packets[1]));
    send_lines(s, c, number, frame);
    tl_assert_ok(tl_stream_tx_end(&s->tx, &edge));
    tl_assert_ok(tl_wire_insert(frame, frame->n, edge.packets[0]));
    tl_assert_ok(tl_wire_insert(frame, frame->n, edge.packets[1]));
}

/* ---- the sink ---- */

typedef struct heard {
    bool ok, closed, revoked;
    size_t released; /* lines, release policy line */
    uint8_t seen[BYTES_MAX];
} heard;

typedef struct run {
    const tl_attack *attack;
    tl_stream_config config;
    size_t batch;
    heard frames[FRAMES];
    bool told; /* the event that the row expects came */
    tl_stream_event telling;
    char wrong[160]; /* the first thing that a sink must never see */
} run;

static void complain(run *r, const char *what, const tl_stream_event *e)
{
    if (r->wrong[0] == 0)
        (void)snprintf(r->wrong, sizeof r->wrong, "%s: frame %u, message %u", what, e->frame, e->message);
}

static heard *heard_of(run *r, const tl_stream_event *e)
{
    if (e->frame >= FIRST_FRAME && e->frame < FIRST_FRAME + FRAMES)
        return &r->frames[e->frame - FIRST_FRAME];
    complain(r, "a frame that was never sent", e);
    return NULL;
}

static bool right_pixels(size_t number, size_t offset, tl_span payload)
{
    for (size_t i = 0; i < payload.n; i++)
        if (payload.p[i] != pixel(number, offset + i))
            return false;
    return true;
}

/* Where the message stands among the frame's payloads. */
static size_t offset_of(const tl_stream_config *c, const tl_stream_event *e)
{
    size_t offset = 0, number = 0;

    for (unsigned i = 0; i < c->part_count; i++) {
        const tl_stream_part *p = &c->parts[i];
        if (p->data_type == e->data_type && e->message < number + p->count)
            return offset + (e->message - number) * p->length;
        number += p->data_type == e->data_type ? p->count : 0;
        offset += (size_t)p->count * p->length;
    }
    return SIZE_MAX;
}

static void take_line(run *r, const tl_stream_event *e)
{
    heard *h = heard_of(r, e);
    size_t offset = offset_of(&r->config, e);

    if (h == NULL || offset == SIZE_MAX)
        return;
    if (r->config.release == TL_RELEASE_FRAME || h->closed || h->seen[offset] != 0)
        complain(r, "a line that must not be released", e);
    if (!right_pixels(e->frame - FIRST_FRAME, offset, e->payload))
        complain(r, "wrong pixels in a line", e);
    h->seen[offset] = 1;
    h->released++;
}

static void take_frame(run *r, const tl_stream_event *e)
{
    heard *h = heard_of(r, e);
    bool whole = r->config.release == TL_RELEASE_FRAME;

    if (h == NULL)
        return;
    if (h->closed)
        complain(r, "a second verdict", e);
    h->closed = true;
    h->ok = e->verdict == TL_VERDICT_OK;
    h->revoked = e->revoked;
    if (h->ok && whole &&
        (e->payload.n != tl_stream_frame_bytes(&r->config) ||
         !right_pixels(e->frame - FIRST_FRAME, 0, e->payload)))
        complain(r, "wrong pixels in a frame", e);
    if (!h->ok && e->payload.n != 0)
        complain(r, "pixels of a lost frame", e);
    if (h->ok && !whole && h->released != tl_stream_frame_messages(&r->config))
        complain(r, "lines are missing in a good frame", e);
    if (!h->ok && !e->revoked && h->released > 0)
        complain(r, "lines of a lost frame are not revoked", e);
}

static bool is_telling(const run *r, const tl_stream_event *e)
{
    if (e->kind != r->attack->event || e->verdict != r->attack->verdict)
        return false;
    return e->kind == TL_EVENT_MESSAGE || e->frame == FIRST_FRAME + ATTACKED;
}

static void on_event(void *ctx, const tl_stream_event *e)
{
    run *r = ctx;

    if (!r->told && is_telling(r, e)) {
        r->told = true;
        r->telling = *e;
    }
    if (e->kind == TL_EVENT_MESSAGE && e->verdict == TL_VERDICT_OK)
        take_line(r, e);
    if (e->kind == TL_EVENT_FRAME)
        take_frame(r, e);
    if (e->kind == TL_EVENT_LOST && (e->frame != FIRST_FRAME + ATTACKED || e->count != 1))
        complain(r, "a frame is lost that was not attacked", e);
}

/* ---- one run ---- */

static void start_receiver(run *r, const tl_stream_config *config, const sender *s, const tl_crypto *with,
                           tl_stream_rx *rx)
{
    static uint8_t memory[BYTES_MAX];
    tl_stream_sink sink = { r, on_event };
    tl_key_source source;

    r->config = *config;
    source_open(&source, s, config->stream, with);
    tl_assert_ok(tl_stream_rx_init(rx, config, &source, EPOCH, (tl_buffer){ memory, sizeof memory }, sink));
    tl_key_source_wipe(&source);
}

/* The packets of all frames one after the other, in batches that do not stop at a frame's end. */
static void receive(run *r, tl_stream_rx *rx, tl_wire_frame frames[FRAMES])
{
    static tl_buffer all[PACKETS_MAX];
    size_t n = 0, take;

    for (size_t i = 0; i < FRAMES; i++) {
        assert_true(n + frames[i].n <= PACKETS_MAX);
        for (size_t k = 0; k < frames[i].n; k++)
            all[n++] = frames[i].packets[k];
    }
    for (size_t done = 0; done < n; done += take) {
        take = n - done < r->batch ? n - done : r->batch;
        tl_assert_ok(tl_stream_rx_packets(rx, done, all + done, take));
    }
}

static bool same_frame(const tl_wire_frame *a, const tl_wire_frame *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!tl_equal(tl_wire_packet(a, i), tl_wire_packet(b, i)))
            return false;
    return true;
}

/* The attacker works on the frame, and must have done something. */
static void attack_frame(const tl_attack *attack, const tl_attack_world *world, tl_wire_frame *frame)
{
    tl_wire_frame before = { 0 };

    tl_assert_ok(tl_wire_insert_all(&before, 0, frame));
    tl_assert_ok(tl_attack_apply(attack, world, frame));
    if (same_frame(&before, frame))
        fail_msg("%s changed nothing", attack->name);
    tl_wire_free(&before);
}

/* Whether the frame's first cause must be the attacked line. Not where the change is in what names the line, where no
 * line is at fault, or where the line is missed by nobody. */
static bool names_line(const tl_attack *a)
{
    bool line = a->place == TL_AT_MIDDLE || a->place == TL_AT_TOP;

    return line && a->event == TL_EVENT_FRAME && a->cost == TL_COSTS_FRAME && a->part != TL_PART_MESSAGE &&
           a->part != TL_PART_DATA_TYPE && a->action != TL_ATTACK_PLAIN;
}

static uint8_t info_of(const tl_attack *a)
{
    if (a->part == TL_PART_PACKET_HEADER && a->cost == TL_COSTS_NOTHING)
        return TL_INFO_ECC_CORRECTED;
    return a->part == TL_PART_CRC32 && a->cost == TL_COSTS_NOTHING ? TL_INFO_CRC32 : 0;
}

static const char *problem_with_event(const run *r)
{
    const tl_attack *a = r->attack;

    if (!r->told)
        return "the expected event did not come";
    if (r->telling.kind != TL_EVENT_MESSAGE && r->telling.verdict != TL_VERDICT_OK &&
        r->telling.cause != a->verdict)
        return "another cause is named";
    if (names_line(a) && r->telling.message != tl_attack_line(a, &r->config))
        return "another line is named";
    return NULL;
}

static const char *problem_with(run *r, const tl_stream_counters *counters)
{
    uint8_t info = info_of(r->attack);

    if (r->wrong[0] != 0)
        return r->wrong;
    for (size_t i = 0; i < FRAMES; i++) {
        bool lost = i == ATTACKED && r->attack->cost == TL_COSTS_FRAME;
        if (r->frames[i].ok == lost)
            return lost ? "the attacked frame is ok" : "a frame is lost that must be ok";
    }
    if (r->attack->cost == TL_COSTS_NOTHING) {
        if (counters->ecc_corrected != (info == TL_INFO_ECC_CORRECTED ? 1 : 0))
            return "corrected headers are not counted right";
        if (counters->crc32_beside_tag != (info == TL_INFO_CRC32 ? 1 : 0))
            return "wrong CRC-32s beside right tags are not counted right";
    }
    return problem_with_event(r);
}

/* ---- the attacker's recordings ---- */

typedef struct recordings {
    tl_wire_frame other_session, other_stream, plain;
} recordings;

static void record(recordings *rec, const tl_stream_config *config, const tl_crypto *with)
{
    tl_stream_config other = *config;
    uint8_t line[LINE_MAX] = { 0x80 };
    tl_wire_frame *frame = &rec->other_session;
    sender s;

    other.stream ^= 0x0100;
    sender_open(&s, config, with, 1);
    for (size_t i = 0; i <= ATTACKED; i++) {
        tl_wire_clear(frame);
        send_frame(&s, config, i, frame);
    }
    sender_close(&s);
    sender_open(&s, &other, with, 2);
    for (size_t i = 0; i <= ATTACKED; i++) {
        tl_wire_clear(&rec->other_stream);
        send_frame(&s, &other, i, &rec->other_stream);
    }
    sender_close(&s);
    tl_assert_ok(tl_attack_plain_frame(config, tl_span_of(line, config->parts[1].length), &rec->plain));
}

static void free_recordings(recordings *rec)
{
    tl_wire_free(&rec->other_session);
    tl_wire_free(&rec->other_stream);
    tl_wire_free(&rec->plain);
}

/* ---- the matrix ---- */

static void run_once(run *r, const tl_stream_config *config, const recordings *rec, uint32_t session,
                     const tl_crypto *with)
{
    tl_wire_frame frames[FRAMES] = { 0 }, earlier = { 0 };
    tl_attack_world world = { config, &earlier, &rec->other_session, &rec->other_stream, &rec->plain };
    tl_stream_rx rx;
    sender s;
    const char *problem;

    sender_open(&s, config, with, session);
    for (size_t i = 0; i < FRAMES; i++)
        send_frame(&s, config, i, &frames[i]);
    tl_assert_ok(tl_wire_insert_all(&earlier, 0, &frames[EARLIER]));
    attack_frame(r->attack, &world, &frames[ATTACKED]);
    tl_blind_init(&blind, crypto);
    start_receiver(r, config, &s, TL_TESTS_BLIND ? tl_blind_crypto(&blind) : crypto, &rx);
    receive(r, &rx, frames);
    problem = problem_with(r, tl_stream_rx_counters(&rx));
    tl_stream_rx_wipe(&rx);
    sender_close(&s);
    tl_wire_free(&earlier);
    for (size_t i = 0; i < FRAMES; i++)
        tl_wire_free(&frames[i]);
    if (problem != NULL)
        fail_msg("policy %d, SV-%d, %s, lines of %u bytes, batches of %zu: %s", (int)config->release,
                 config->variant[TL_BLOCK_MIDDLE], tl_suite_name(config->suite), config->parts[1].length,
                 r->batch, problem);
}

/* All release policies and batch sizes under one configuration. */
static void run_configuration(const tl_attack *attack, tl_stream_config *config, uint32_t session,
                              const tl_crypto *with)
{
    static run r;
    recordings rec = { 0 };

    record(&rec, config, with);
    for (size_t policy = 0; policy < COUNT(policies); policy++) {
        for (size_t batch = 0; batch < COUNT(batches); batch++) {
            config->release = policies[policy];
            r = (run){ .attack = attack, .batch = batches[batch] };
            run_once(&r, config, &rec, session + (uint32_t)(policy * COUNT(batches) + batch), with);
        }
    }
    free_recordings(&rec);
}

static void attack_row(void **state)
{
    const tl_attack *attack = *state;

    for (size_t geometry = 0; geometry < COUNT(geometries); geometry++) {
        for (size_t variant = 0; variant < COUNT(variants); variant++) {
            for (size_t suite = 0; suite < COUNT(suites); suite++) {
                tl_stream_config config = config_of(geometry, variant, suite);
                tl_nonces nonces;
                tl_nonces_init(&nonces, crypto, TL_NONCES_FAIL);
                run_configuration(attack, &config, 100, tl_nonces_crypto(&nonces));
                assert_true(nonces.used > 0);
                tl_nonces_free(&nonces);
            }
        }
    }
}

/* ---- the attacker's own manners ---- */

static void attacks_when_listed_then_name_and_repair_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < tl_attack_count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(tl_attacks[i].name, tl_attacks[k].name) == 0)
                assert_int_not_equal(tl_attacks[i].repair, tl_attacks[k].repair);
}

static void attacks_when_the_frame_is_not_whole_then_refused(void **state)
{
    tl_stream_config config = config_of(0, 0, 0);
    tl_attack_world world = { .config = &config };
    tl_wire_frame frame = { 0 };
    sender s;

    (void)state;
    sender_open(&s, &config, crypto, 7);
    send_frame(&s, &config, 0, &frame);
    tl_wire_remove(&frame, 4);
    for (size_t i = 0; i < tl_attack_count; i++)
        tl_assert_err(TL_E_USAGE, tl_attack_apply(&tl_attacks[i], &world, &frame));
    sender_close(&s);
    tl_wire_free(&frame);
}

static void attacks_when_nothing_was_recorded_then_replays_are_refused(void **state)
{
    tl_stream_config config = config_of(0, 0, 0);
    tl_attack_world world = { .config = &config };
    size_t refused = 0;

    (void)state;
    for (size_t i = 0; i < tl_attack_count; i++) {
        tl_attack_action action = tl_attacks[i].action;
        tl_wire_frame frame = { 0 };
        sender s;
        if (action < TL_ATTACK_REPLAY || action > TL_ATTACK_PLAIN)
            continue;
        sender_open(&s, &config, crypto, 7);
        send_frame(&s, &config, 0, &frame);
        tl_assert_err(TL_E_USAGE, tl_attack_apply(&tl_attacks[i], &world, &frame));
        refused++;
        sender_close(&s);
        tl_wire_free(&frame);
    }
    assert_true(refused >= 10);
}

/* ---- the programs ---- */

static int open_backend(void **state)
{
    (void)state;
    if (tl_openssl_open(NULL, &openssl) != TL_OK)
        return -1;
    crypto = tl_openssl_crypto(openssl);
    return 0;
}

static int close_backend(void **state)
{
    (void)state;
    tl_openssl_close(openssl);
    return 0;
}

static char *name_of(const tl_attack *a)
{
    char *name = malloc(160);

    if (name != NULL)
        (void)snprintf(name, 160, "%s_when_%s_then_%s_%s", a->name, tl_attack_repair_text(a->repair),
                       tl_event_text(a->event), tl_verdict_text(a->verdict));
    return name;
}

int main(void)
{
    static struct CMUnitTest rows[ATTACK_ROWS];
    static const struct CMUnitTest manners[] = {
        cmocka_unit_test(attacks_when_listed_then_name_and_repair_are_unique),
        cmocka_unit_test(attacks_when_the_frame_is_not_whole_then_refused),
        cmocka_unit_test(attacks_when_nothing_was_recorded_then_replays_are_refused),
    };
    static char *names[ATTACK_ROWS];
    int failed;

    for (size_t i = 0; i < ATTACK_ROWS; i++) {
        tl_attack *attack = malloc(sizeof *attack);
        names[i] = name_of(&tl_attacks[i]);
        if (names[i] == NULL || attack == NULL)
            return 1;
        *attack = tl_attacks[i];
        rows[i] = (struct CMUnitTest){ .name = names[i], .test_func = attack_row, .initial_state = attack };
        if (TL_TESTS_BLIND && tl_attacks[i].judge == TL_JUDGE_TAG)
            (void)printf("# needs-tag %s\n", names[i]);
    }
    (void)fflush(stdout);
    failed = cmocka_run_group_tests_name("attacks", rows, open_backend, close_backend);
    failed += cmocka_run_group_tests_name("manners", manners, open_backend, close_backend);
    for (size_t i = 0; i < ATTACK_ROWS; i++) {
        free(rows[i].initial_state);
        free(names[i]);
    }
    return failed;
}
