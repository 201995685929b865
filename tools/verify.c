/* One pass over the file: each packet is accounted for, those of the stream's link go to the replay, and what it tells goes to
 * the report. The file's digest is computed beside it. Nothing is kept but what the receiver and a batch need. */
#include "verify.h"

#include "clock.h"
#include "file_digest.h"
#include "hex.h"
#include "pcap.h"
#include "protection.h"
#include "stop.h"
#include "ui.h"
#include "verify_spdm.h"

#include <stdlib.h>
#include <string.h>

#define NAME "verify"

enum { NS_PER_US = 1000, STOP_EVERY = 1024 /* packets */ };

typedef struct verify {
    const verify_options *o;
    backend backend;
    tape tape;
    bool tape_open;
    replay replay;
    bool replay_open;
    verify_spdm spdm; /* by the last segment, which reads the file from its beginning to its end */
    bool spdm_open;
    file_digest digest;
    report report;
    uint64_t lost_pending,
        lost_all;    /* packets that were not recorded: as the account's, and of the file so far */
    account pending; /* packets of which it is not yet known on which side of a border they are */
    account account; /* those of the segment */
    uint64_t first_ns;
    bool first_seen;
    uint64_t read; /* packets of the file */
    verify_totals totals;
    ui_progress progress;
    ui_counts counts;
    bool told;
    tl_fault broken; /* why the file was not read to its end */
    char sha256[2 * FILE_DIGEST_SIZE + 1];
    double seconds;
} verify;

/* ---- events ---- */

static uint64_t us_of(const verify *v, const replay_place *at)
{
    return at->time_ns > v->first_ns ? (at->time_ns - v->first_ns) / NS_PER_US : 0;
}

static json_t *place_json(const replay_news *news)
{
    json_t *o =
        json_pack("{s:I, s:I}", "packet", (json_int_t)news->at.number, "offset", (json_int_t)news->at.offset);

    if (news->event->kind == TL_EVENT_FRAME)
        (void)json_object_update_new(o,
                                     json_pack("{s:I, s:I}", "first_packet", (json_int_t)news->opened.number,
                                               "first_offset", (json_int_t)news->opened.offset));
    return o;
}

static void count(verify *v, const replay_news *news)
{
    const tl_stream_event *e = news->event;
    verify_totals *n = &v->totals;

    if (news->unfinished) {
        n->unfinished++;
        return;
    }
    if (news->not_recorded) {
        n->frames_not_recorded += e->kind == TL_EVENT_FRAME ? 1 : e->kind == TL_EVENT_LOST ? e->count : 0;
        return;
    }
    if (e->kind == TL_EVENT_FRAME && e->verdict == TL_VERDICT_OK)
        n->frames_ok++;
    else if (e->kind == TL_EVENT_FRAME)
        n->frames_bad++;
    else if (e->kind == TL_EVENT_LOST)
        n->frames_lost += e->count;
    if (e->kind != TL_EVENT_OPENED && e->verdict != TL_VERDICT_OK)
        n->refused++;
}

/* The first refusal is named at once; all of them stand in the report. */
static void tell(verify *v, const replay_news *news)
{
    const tl_stream_event *e = news->event;
    char what[96];

    v->told = true;
    if (v->o->quiet)
        return;
    if (e->kind == TL_EVENT_LOST)
        (void)snprintf(what, sizeof what, "frames lost: %u from frame %u on", e->count, e->frame);
    else if (e->kind == TL_EVENT_MESSAGE && e->data_type == TL_DT_FRAME_START)
        (void)snprintf(what, sizeof what, "it cannot be read");
    else if (e->kind == TL_EVENT_MESSAGE)
        (void)snprintf(what, sizeof what, "frame %u, %s, line %u", e->frame, report_subject(e), e->message);
    else
        (void)snprintf(what, sizeof what, "frame %u", e->frame);
    ui_progress_clear(&v->progress);
    ui_note(NAME, "refused: packet %llu at offset %llu: %s: %s%s", (unsigned long long)news->at.number,
            (unsigned long long)news->at.offset, what, tl_verdict_text(e->verdict), report_claim(e));
}

static void on_opened(void *ctx, const replay_border *at)
{
    verify *v = ctx;

    if (v->spdm_open && v->tape.file.config.suite != TL_SUITE_NONE)
        verify_ties_opened(&v->spdm.ties, at);
}

static void on_secrets(void *ctx, tl_span secrets)
{
    verify *v = ctx;

    if (v->spdm_open)
        verify_spdm_secrets(&v->spdm, secrets);
}

/* An announcement is no packet of the stream, but a refusal all the same. */
static void on_refused(void *ctx, const replay_place *at, const tl_fault *fault)
{
    verify *v = ctx;

    if (!v->told && !v->o->quiet) {
        ui_progress_clear(&v->progress);
        ui_note(NAME, "refused: packet %llu at offset %llu: %s", (unsigned long long)at->number,
                (unsigned long long)at->offset, fault->text);
    }
    v->told = true;
    v->totals.refused++;
    report_object(&v->report,
                  json_pack("{s:s, s:s, s:b, s:s, s:I, s:I, s:I}", "event", "announcement", "verdict",
                            "refused", "proven", 0, "why", fault->text, "at_us", (json_int_t)us_of(v, at),
                            "packet", (json_int_t)at->number, "offset", (json_int_t)at->offset));
}

/* What a report calls it, where that is not what the receiver says. */
static const char *kind_of(const replay_news *news)
{
    return news->unfinished ? "unfinished" : news->not_recorded ? "not_recorded" : NULL;
}

static void on_news(void *ctx, const replay_news *news)
{
    verify *v = ctx;
    uint64_t before = v->totals.refused;

    count(v, news);
    report_event_at(&v->report, news->event, kind_of(news), us_of(v, &news->at), place_json(news));
    if (v->totals.refused > before && !v->told)
        tell(v, news);
}

/* ---- packets ---- */

/* Of SPDM it is known at the end whether all was computed. */
static account_class class_of(const pcap_packet *p, tape_kind kind)
{
    if (kind == TAPE_SPDM)
        return verify_spdm_covers(p) ? ACCOUNT_spdm_unchecked : ACCOUNT_spdm_clear;
    return kind == TAPE_UNKNOWN ? ACCOUNT_unknown : ACCOUNT_other;
}

/* What is pending belongs to the segment, or to another. */
static void settle(verify *v)
{
    if (v->replay.phase == REPLAY_INSIDE) {
        account_add(&v->account, &v->pending);
        v->totals.not_recorded = pcap_lost_sum(v->totals.not_recorded, v->lost_pending);
    }
    v->lost_pending = 0;
    memset(v->pending.bytes, 0, sizeof v->pending.bytes);
    memset(v->pending.packets, 0, sizeof v->pending.packets);
}

/* Which of a stream's packets belong together at a border: each to itself, but with FSED those of a frame. */
static tl_exit take_stream(verify *v, const pcap_packet *p, tl_fault *fault)
{
    const replay_packet packet = replay_packet_of(p);
    const uint64_t unit = v->replay.unit.number;
    bool fsed = v->tape.file.config.carrier == TL_CARRIER_FSED;
    tl_exit e;

    if (!fsed)
        account_packet(&v->pending, packet.bytes, NULL, NULL);
    e = replay_packet_in(&v->replay, &packet, fault);
    if (fsed && v->replay.unit.number == p->number && unit != 0 && unit != p->number)
        settle(v); /* a frame start that ends the frame before it */
    if (fsed)
        account_packet(&v->pending, packet.bytes, NULL, NULL);
    if (!fsed || (unit != 0 && v->replay.unit.number == 0))
        settle(v);
    return e;
}

static tl_exit take(verify *v, const pcap_packet *p, tape_kind kind, tl_fault *fault)
{
    if (!v->first_seen)
        v->first_ns = p->time_ns;
    v->first_seen = true;
    v->read++;
    v->lost_pending = pcap_lost_sum(v->lost_pending, p->lost);
    v->lost_all = pcap_lost_sum(v->lost_all, p->lost);
    if (kind == TAPE_STREAM)
        return take_stream(v, p, fault);
    account_whole(&v->pending, class_of(p, kind), p->n, 1);
    if (kind == TAPE_SPDM && v->spdm_open) {
        tl_exit e = verify_spdm_packet(&v->spdm, p, fault);

        if (e != TL_EXIT_OK)
            return e;
    }
    if (v->tape.file.config.carrier == TL_CARRIER_SEP)
        settle(v);
    return TL_EXIT_OK;
}

static tl_exit stopped(verify *v, const pcap_packet *p, tl_fault *fault)
{
    if (v->read % STOP_EVERY != 0)
        return TL_EXIT_OK;
    v->counts = (ui_counts){ v->totals.frames_ok, v->totals.frames_bad, v->totals.frames_lost, p->offset };
    ui_progress_show(&v->progress, &v->counts);
    return tl_stop_asked()
               ? tl_fault_set(fault, TL_EXIT_STOPPED, "stopped by a signal: nothing is said of the rest")
               : TL_EXIT_OK;
}

/* An SPDM exchange that does not come out the same is a refusal, and so is a secret of another session than the stream's. */
static tl_exit end_spdm(verify *v, tl_fault *fault)
{
    tl_exit e = verify_spdm_end(&v->spdm, fault);
    tl_fault other;
    size_t n;

    if (!v->spdm.computed || e != TL_EXIT_OK)
        return e;
    if (v->spdm.report.failed > 0 && !v->o->quiet)
        ui_note(NAME, "refused: %s", v->spdm.first.text);
    if (verify_spdm_settle(&v->spdm, &v->tape.keys, v->tape.file.config.stream, &n, &other) != TL_EXIT_OK &&
        !v->o->quiet)
        ui_note(NAME, "refused: %s", other.text);
    v->totals.refused += v->spdm.report.failed + n;
    if (verify_spdm_right(&v->spdm))
        account_move(&v->account, ACCOUNT_spdm_unchecked, ACCOUNT_spdm);
    return e;
}

static tl_exit read_all(verify *v, tl_fault *fault)
{
    tl_exit e = TL_EXIT_OK, x;
    tl_fault other;
    bool more = true;

    while (e == TL_EXIT_OK && v->replay.phase != REPLAY_BEHIND) {
        pcap_packet p;
        tape_kind kind;

        e = tape_next(&v->tape, &p, &kind, &more, fault);
        if (e != TL_EXIT_OK || !more)
            break;
        e = take(v, &p, kind, fault);
        if (e == TL_EXIT_OK)
            e = stopped(v, &p, fault);
    }
    x = replay_end(&v->replay, &other);
    settle(v);
    if (!more &&
        v->o->segment == v->o->segments) /* what the file says at its end of packets behind the last one */
        v->totals.not_recorded = pcap_lost_sum(v->totals.not_recorded, tape_lost(&v->tape) - v->lost_all);
    if (x == TL_EXIT_OK && e == TL_EXIT_OK && v->spdm_open)
        x = end_spdm(v, &other);
    if (e == TL_EXIT_OK && x != TL_EXIT_OK) {
        *fault = other;
        e = x;
    }
    return e;
}

/* ---- evidence ---- */

static uint64_t border_offset(const verify *v, unsigned segment)
{
    unsigned n = v->o->segments;

    if (segment > n)
        return UINT64_MAX;
    return segment <= 1 ? 0 : v->digest.size / n * (segment - 1);
}

/* The bytes between packets are the file's own. */
static void account_container(verify *v)
{
    uint64_t packets = 0, range = v->replay.to.packet.offset - v->replay.from.packet.offset;

    for (unsigned i = 0; i < ACCOUNT_CLASSES; i++)
        packets += v->account.bytes[i];
    account_whole(&v->account, ACCOUNT_container, range - packets, 0);
}

static json_t *configuration_json(const verify *v)
{
    const tape *t = &v->tape;
    const tl_stream_config *c = &t->file.config;
    json_t *o =
        json_pack("{s:o, s:o, s:b, s:s, s:s, s:i, s:i, s:b, s:o}", "from",
                  verify_text_json(v->o->tape.stream != NULL ? v->o->tape.stream : "the recording"), "digest",
                  hex_json(tl_span_of(t->digest, sizeof t->digest)), "recorded", (int)t->recorded, "carried",
                  c->suite != TL_SUITE_NONE
                      ? "in the begin of every frame, under its tag, and in the derivation of the keys"
                      : "in the begin of every frame, without a tag",
                  "carrier", protection_carrier_text(c->carrier), "virtual_channel", (int)c->virtual_channel,
                  "channels_accepted", (int)c->channels_accepted, "oneway", (int)v->o->tape.oneway, "stream",
                  stream_file_json(&t->file, STREAM_SECRET_HIDDEN));

    if (t->recorded)
        (void)json_object_set_new(o, "agrees", json_boolean(!t->disagrees));
    return o;
}

static json_t *segment_json(const verify *v)
{
    const tl_stream_counters c = replay_counters(&v->replay);
    const bool lists = v->tape.file.config.tag_mode != TL_TAG_PER_MESSAGE;
    verify_part part = { .index = v->o->segment,
                         .of = v->o->segments,
                         .from = verify_border_json(&v->replay.from),
                         .to = verify_border_json(&v->replay.to),
                         .messages = c.packets };

    for (unsigned i = 0; i < TL_VERDICTS; i++)
        part.wrong_tags += c.verdicts[i];
    for (unsigned i = 0; i < ACCOUNT_container; i++)
        part.bytes += v->account.bytes[i];
    if (lists)
        part.lists = (v->totals.frames_ok + v->totals.frames_bad) * TL_SEP_PARTS_MAX;
    return verify_part_json(&part);
}

static json_t *limits_json(const verify *v)
{
    tl_stream_limits l = { 0 };

    if (v->replay.rx_open)
        l = *tl_stream_rx_limits(&v->replay.rx);
    return json_pack("{s:I, s:I, s:I, s:I}", "messages", (json_int_t)l.messages, "bytes", (json_int_t)l.bytes,
                     "wrong_tags", (json_int_t)l.bad, "lists", (json_int_t)l.lists);
}

/* Secrets of a file are named by their digest: another file may have its name, and as many starts. Those in the recording
 * are named by the recording's own, and a segment need not have met all of them. */
static json_t *keys_json(const verify *v)
{
    const tape *t = &v->tape;
    uint16_t stream = t->file.config.stream;
    uint8_t digest[TL_CONFIG_DIGEST_SIZE];
    json_t *o;

    if (v->replay.parts.announced)
        return json_pack("{s:s}", "from", "announcements");
    if (v->o->tape.keys == NULL)
        return json_pack("{s:s}", "from", "the recording");
    o = json_pack("{s:o, s:I}", "from", verify_text_json(v->o->tape.keys), "starts",
                  (json_int_t)stream_keys_starts(&t->keys, stream));
    if (stream_keys_digest(&t->keys, stream, v->backend.crypto, digest) == TL_OK)
        (void)json_object_set_new(o, "digest", hex_json(tl_span_of(digest, sizeof digest)));
    return o;
}

static json_t *evidence_json(const verify *v)
{
    const tape *t = &v->tape;
    json_t *o;

    o = json_pack("{s:s, s:s, s:{s:o, s:I, s:s}, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "program",
                  v->o->version, "layout", TL_LAYOUT_NAME, "file", "name", verify_text_json(v->o->tape.path),
                  "size", (json_int_t)v->digest.size, "sha256", v->sha256, "stream",
                  (int)t->file.config.stream, "interface", verify_text_json(tape_interface(t)),
                  "configuration", configuration_json(v), "keys", keys_json(v), "key_limits", limits_json(v),
                  "segment", segment_json(v), "bytes", account_json(&v->account));
    (void)json_object_set_new(o, "not_recorded", json_integer((json_int_t)v->totals.not_recorded));
    if (v->spdm_open) {
        (void)json_object_set_new(o, "spdm", verify_spdm_json(&v->spdm));
        (void)json_object_set_new(o, "epochs", verify_spdm_epochs(&v->spdm));
    }
    if (v->broken.text[0] != '\0')
        (void)json_object_set_new(o, "broken", verify_text_json(v->broken.text));
    return o;
}

/* ---- beginning and end ---- */

static tl_exit set_up(verify *v, tl_fault *fault)
{
    replay_parts parts;
    tl_exit e = backend_start(&v->backend, v->o->tape.crypto, fault);

    if (e != TL_EXIT_OK)
        return e;
    e = tape_open(&v->tape, &v->o->tape, v->backend.crypto, fault);
    v->tape_open = e == TL_EXIT_OK;
    v->tape.on_secrets = on_secrets;
    v->tape.context = v;
    if (e == TL_EXIT_OK)
        e = file_digest_begin(&v->digest, fileno(v->tape.in), v->o->tape.path, v->o->report != NULL, fault);
    if (e != TL_EXIT_OK)
        return e;
    parts = (replay_parts){ .file = &v->tape.file,
                            .crypto = v->backend.crypto,
                            .keys = &v->tape.keys,
                            .oneway = v->o->tape.oneway,
                            .announced = tape_is_announced(&v->tape),
                            .from = border_offset(v, v->o->segment),
                            .until = border_offset(v, v->o->segment + 1),
                            .sink = { v, on_news, on_opened, on_refused } };
    e = replay_open(&v->replay, &parts, fault);
    v->replay_open = e == TL_EXIT_OK;
    account_open(&v->pending, &v->tape.file.config);
    v->pending.announced = tape_is_announced(&v->tape);
    v->spdm_open = v->o->segment == v->o->segments;
    if (e == TL_EXIT_OK && v->spdm_open)
        e = verify_spdm_open(&v->spdm, v->o->tape.keys, fault);
    if (e == TL_EXIT_OK && v->spdm_open && v->o->trust != NULL)
        e = verify_spdm_trust(&v->spdm, v->o->trust, fault);
    tape_warn(&v->tape, NAME);
    return e == TL_EXIT_OK ? report_open(&v->report, v->o->report, fault) : e;
}

/* The ends of what was judged, where no begin is. */
static void close_borders(verify *v)
{
    replay *r = &v->replay;

    if (r->phase == REPLAY_BEFORE)
        r->from.packet.offset = v->digest.size;
    if (r->phase != REPLAY_BEHIND)
        r->to.packet.offset = v->digest.size;
}

static tl_exit judge(const verify *v, tl_exit e, tl_fault *fault)
{
    const verify_totals *n = &v->totals;

    if (e == TL_EXIT_LINK && n->refused > 0 && !v->o->quiet)
        (void)ui_fail(NAME, fault);
    if (n->refused > 0 && (e == TL_EXIT_OK || e == TL_EXIT_LINK))
        return tl_fault_set(fault, TL_EXIT_REFUSED, "%llu refusal%s", (unsigned long long)n->refused,
                            n->refused == 1 ? "" : "s");
    if (e == TL_EXIT_OK && v->o->segments == 1)
        e = verify_judge_missing(n, fault);
    if (e == TL_EXIT_OK && n->frames_ok == 0 && v->o->segments == 1)
        return tl_fault_set(fault, TL_EXIT_LINK, "%.200s: no frame of stream %u is whole", v->o->tape.path,
                            v->tape.file.config.stream);
    return e;
}

static tl_exit finish(verify *v, tl_exit e, FILE *out, tl_fault *fault)
{
    tl_stream_counters counters = replay_counters(&v->replay);
    json_t *totals, *evidence;
    tl_fault other;
    tl_exit x;

    close_borders(v);
    account_container(v);
    totals =
        verify_totals_json(&v->totals, report_counters(&counters), e, e == TL_EXIT_OK ? "" : fault->text);
    (void)json_object_set_new(totals, "seconds", json_real(v->seconds));
    (void)json_object_set_new(totals, "packets_before_announcement",
                              json_integer((json_int_t)v->replay.early));
    evidence = evidence_json(v);
    x = evidence == NULL ? tl_fault_set(&other, TL_EXIT_INTERNAL, "evidence: no memory")
                         : report_close_with(&v->report, totals, evidence, &other);
    if (x == TL_EXIT_OK && out != NULL)
        verify_print(out, &v->totals, v->o->quiet ? NULL : &v->account, json_object_get(evidence, "epochs"));
    json_decref(totals);
    json_decref(evidence);
    if (x != TL_EXIT_OK) {
        *fault = other;
        return x;
    }
    return e;
}

static void tear_down(verify *v)
{
    file_digest_abandon(&v->digest);
    report_abandon(&v->report);
    if (v->spdm_open)
        verify_spdm_close(&v->spdm);
    if (v->replay_open)
        replay_close(&v->replay);
    if (v->tape_open)
        tape_close(&v->tape);
    backend_close(&v->backend);
}

/* What stands at the end is about the whole file, so a file that could not be read to its end has no evidence, but for what
 * broke it: the report says so. */
tl_exit verify_run(const verify_options *options, FILE *out, tl_fault *fault)
{
    verify *v = calloc(1, sizeof *v);
    uint8_t sha256[FILE_DIGEST_SIZE] = { 0 };
    tl_fault other;
    tl_exit e, x;

    if (v == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "no memory");
    v->o = options;
    ui_progress_begin(&v->progress);
    e = set_up(v, fault);
    if (e == TL_EXIT_OK) {
        e = read_all(v, fault);
        if (e != TL_EXIT_OK)
            v->broken = *fault;
        v->seconds = ui_progress_seconds(&v->progress);
        ui_progress_clear(&v->progress);
        x = e == TL_EXIT_STOPPED ? TL_EXIT_OK
                                 : file_digest_end(&v->digest, options->tape.path, sha256, &other);
        hex_text(tl_span_of(sha256, sizeof sha256), v->sha256, sizeof v->sha256);
        if (x != TL_EXIT_OK && e == TL_EXIT_OK) {
            *fault = other;
            e = x;
        }
        e = judge(v, e, fault);
        if (e == TL_EXIT_OK || e == TL_EXIT_REFUSED || e == TL_EXIT_LINK)
            e = finish(v, e, out, fault);
    }
    tear_down(v);
    free(v);
    return e == TL_EXIT_STOPPED ? tl_fault_set(fault, TL_EXIT_INTERNAL, "stopped by a signal: no evidence")
                                : e;
}
