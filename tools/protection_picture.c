/* Sends one frame of the test scene under a configuration, lets somebody on the wire have it, receives it, and draws what
 * came of each pixel. Sender, attacker and receiver are the real ones; only the key is made up.
 *
 * A pixel is under the tag if all of its bytes are. */
#include "protection_picture.h"

#include "attack.h"
#include "protection.h"
#include "picture.h"
#include "scene.h"

#include <trueline/openssl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCENE_FRAME = 40, BAR_VALUE = 0x18, HATCH = 8 };
static const uint8_t orange[3] = { 0xE6, 0x7A, 0x00 }, magenta[3] = { 0xD0, 0x20, 0xB0 };

/* One picture under way. */
typedef struct work {
    const stream_file *file;
    protection_wire wire;
    tl_openssl *openssl;
    tl_stream_tx tx;
    tl_stream_rx rx;
    tl_wire_frame frame;
    size_t line;        /* bytes */
    unsigned middle;    /* the part of the pixels */
    uint16_t *samples;  /* as they were drawn, and then as they are shown */
    uint8_t *sent;      /* lines of pixels as they were on the wire before anybody touched them */
    uint8_t *shown;     /* lines of pixels as they are shown */
    bool *bad;          /* lines that were refused */
    tl_buffer memory;   /* of the receiver, one frame */
    tl_verdict verdict; /* of the frame */
} work;

/* ---- what is under the tag ---- */

static bool byte_covered(const stream_file *file, uint32_t row, size_t byte)
{
    const tl_pattern p = file->pattern[TL_BLOCK_MIDDLE];

    switch (file->variant_middle) {
    case TL_SV_1:
    case TL_SV_2: return true;
    case TL_SV_3: return tl_pattern_has(p, row);
    case TL_SV_4: return tl_pattern_has(p, (uint32_t)byte);
    default: return false;
    }
}

/* RAW10 and RAW12 keep the upper 8 bits of some pixels in a byte each, and the lower bits of all of them in the next. */
static bool pixel_covered(const stream_file *file, uint32_t row, uint32_t x)
{
    size_t pixels = file->bits == 10 ? 4 : 2, group = x / pixels * (pixels + 1);

    return byte_covered(file, row, group + x % pixels) && byte_covered(file, row, group + pixels);
}

/* ---- sending, attacking, receiving ---- */

static void on_event(void *ctx, const tl_stream_event *event)
{
    work *w = ctx;
    const tl_stream_part *part = &w->file->config.parts[w->middle];

    if (event->kind == TL_EVENT_FRAME) {
        w->verdict = event->verdict;
        return;
    }
    if (event->kind != TL_EVENT_MESSAGE || event->data_type != part->data_type ||
        event->message >= part->count)
        return;
    if (event->verdict == TL_VERDICT_OK)
        memcpy(w->shown + event->message * w->line, event->payload.p, w->line);
    else
        w->bad[event->message] = true;
}

static tl_err open_ends(work *w)
{
    static const uint8_t fresh[TL_FRESH_SIZE] = { 1 }, secret[32] = { 2 };
    const tl_provisioned from = { tl_span_of(secret, sizeof secret), fresh, fresh, w->file->config.stream,
                                  TL_SENSOR_TO_CONTROLLER };
    tl_stream_config receiving = w->file->config;
    tl_key_source sources[2];
    tl_err e;

    receiving.release = receiving.tag_mode == TL_TAG_PER_MESSAGE ? TL_RELEASE_LINE : TL_RELEASE_FRAME;
    TL_TRY(tl_key_source_provisioned(&sources[0], tl_openssl_crypto(w->openssl), &from));
    TL_TRY(tl_key_source_provisioned(&sources[1], tl_openssl_crypto(w->openssl), &from));
    TL_TRY(tl_stream_tx_init(&w->tx, &w->file->config, &sources[0], 0));
    e = tl_stream_rx_init(&w->rx, &receiving, &sources[1], 0, w->memory, (tl_stream_sink){ w, on_event });
    tl_key_source_wipe(&sources[0]);
    tl_key_source_wipe(&sources[1]);
    return e;
}

static tl_err send_edge(work *w, const tl_tx_edge *edge)
{
    for (int i = 0; i < 2; i++)
        TL_TRY(tl_wire_insert(&w->frame, w->frame.n, edge->packets[i]));
    return TL_OK;
}

static tl_err send_line(work *w, unsigned part, uint32_t row, uint8_t *slot, size_t room)
{
    const tl_stream_part *p = &w->file->config.parts[part];
    tl_tx_message m = { .data_type = p->data_type, .length = p->length, .buffer = slot, .room = room };

    memset(slot, 0, room);
    if (part == w->middle)
        TL_TRY(tl_raw_pack(w->file->bits, w->samples + (size_t)row * w->file->width, w->file->width,
                           slot + TL_SEP_BEFORE));
    TL_TRY(tl_stream_tx_messages(&w->tx, &m, 1));
    if (part == w->middle)
        memcpy(w->sent + row * w->line, slot + TL_SEP_BEFORE, w->line);
    return tl_wire_insert(&w->frame, w->frame.n, m.packet);
}

static tl_err send_frame(work *w, uint8_t *slot, size_t room)
{
    const tl_stream_config *c = &w->file->config;
    tl_tx_edge edge;

    TL_TRY(tl_stream_tx_begin(&w->tx, 0, &edge));
    TL_TRY(send_edge(w, &edge));
    for (unsigned part = 0; part < c->part_count; part++)
        for (uint32_t row = 0; row < c->parts[part].count; row++)
            TL_TRY(send_line(w, part, row, slot, room));
    TL_TRY(tl_stream_tx_end(&w->tx, &edge));
    return send_edge(w, &edge);
}

/* A bar in the middle of the picture, over a third of its width. */
static tl_err attack(work *w)
{
    const tl_attack_paint paint = {
        .data_type = w->file->config.parts[w->middle].data_type,
        .row = (uint16_t)(w->file->height * 5 / 12),
        .rows = (uint16_t)(w->file->height / 6),
        .first = (uint16_t)(w->line / 3),
        .bytes = (uint16_t)(w->line / 3),
        .value = BAR_VALUE,
    };

    return tl_attack_paint_over(&w->file->config, &paint, &w->frame);
}

/* Takes the lines as they are on the wire: what is refused is shown so. */
static void tap(work *w)
{
    for (size_t i = 0, row = 0; i < w->frame.n && row < w->file->height; i++) {
        tl_buffer packet = w->frame.packets[i];

        if (tl_attack_is_line(&w->file->config, packet, w->file->config.parts[w->middle].data_type))
            memcpy(w->shown + row++ * w->line, packet.p + TL_SEP_BEFORE, w->line);
    }
}

static tl_err run(work *w)
{
    size_t room = w->line + TL_SEP_OVERHEAD_MAX;
    uint8_t *slot = malloc(room);
    tl_err e = slot != NULL ? open_ends(w) : TL_E_ROOM;

    if (e == TL_OK)
        e = send_frame(w, slot, room);
    if (e == TL_OK && w->wire == PROTECTION_PAINTED)
        e = attack(w);
    tap(w);
    if (e == TL_OK && w->wire == PROTECTION_PAINTED)
        e = tl_stream_rx_packets(&w->rx, 0, w->frame.packets, w->frame.n);
    if (e == TL_OK && w->wire == PROTECTION_PAINTED)
        tl_stream_rx_tick(&w->rx, UINT32_MAX); /* a frame whose end was spoilt ends too */
    free(slot);
    return e;
}

/* ---- drawing ---- */

static void blend(uint8_t *rgb, const uint8_t colour[3], unsigned part_of_256)
{
    for (int i = 0; i < 3; i++)
        rgb[i] = (uint8_t)((rgb[i] * (256 - part_of_256) + colour[i] * part_of_256) / 256);
}

/* Outside of the tag: grey, with diagonal lines that those see who see no colours. */
static void hatch(uint8_t *rgb, uint32_t row, uint32_t x)
{
    uint8_t grey = (uint8_t)((rgb[0] + 2 * rgb[1] + rgb[2]) / 4);
    bool line = (row + x) % HATCH < 2;

    grey = (uint8_t)(line ? grey / 2 : grey / 2 + 96);
    memset(rgb, grey, 3);
}

static bool changed(const work *w, uint32_t row, uint32_t x)
{
    size_t pixels = w->file->bits == 10 ? 4 : 2, at = row * w->line + x / pixels * (pixels + 1) + x % pixels;

    return w->wire == PROTECTION_PAINTED && !w->bad[row] && w->sent[at] != w->shown[at] &&
           w->file->variant_middle != TL_SV_1;
}

static void mark(const work *w, protection_picture *picture)
{
    uint32_t width = w->file->width, bar = width / 40 + 1;
    size_t covered = 0;

    for (uint32_t row = 0; row < w->file->height; row++) {
        for (uint32_t x = 0; x < width; x++) {
            uint8_t *rgb = picture->rgb + 3 * ((size_t)row * width + x);
            bool in = pixel_covered(w->file, row, x);

            covered += in;
            if (!in)
                hatch(rgb, row, x);
            if (w->bad[row])
                blend(rgb, orange, x < bar || x >= width - bar ? 256 : 96);
            else if (changed(w, row, x) && w->verdict == TL_VERDICT_OK) {
                blend(rgb, magenta, 160);
                picture->fooled++;
            }
        }
        picture->bad_lines += w->bad[row];
    }
    picture->share = (double)covered / ((double)width * w->file->height);
}

static void name_pattern(const stream_file *file, char *text, size_t n)
{
    const tl_pattern p = file->pattern[TL_BLOCK_MIDDLE];

    text[0] = '\0';
    if (p.period != 0)
        (void)snprintf(text, n, ": %u %s from %u on, every %u", p.count,
                       file->variant_middle == TL_SV_3 ? "lines" : "bytes", p.first, p.period);
}

static void caption(const work *w, protection_picture *p)
{
    static const char *const variants[] = { "", ", encrypted", ", in clear", "", "", ", no integrity" };
    const stream_file *f = w->file;
    char pattern[64];

    name_pattern(f, pattern, sizeof pattern);
    (void)snprintf(p->title, sizeof p->title, "SV-%u%s", f->variant_middle,
                   pattern[0] != '\0' ? pattern : variants[f->variant_middle]);
    if (f->suite == TL_SUITE_NONE)
        (void)snprintf(p->line, sizeof p->line, "no keys and no tags: checksums and counters");
    else
        (void)snprintf(p->line, sizeof p->line, "%s, a tag of %u bytes for each %s",
                       protection_suite_text(f->suite), f->tag_size, protection_tag_mode_text(f->tag_mode));
    if (w->wire == PROTECTION_LISTENED)
        (void)snprintf(p->verdict, sizeof p->verdict, "%.0f %% of the pixels under a tag%s", p->share * 100,
                       f->variant_middle == TL_SV_1 ? ", as it travels" : "");
    else if (w->verdict != TL_VERDICT_OK)
        (void)snprintf(p->verdict, sizeof p->verdict, "refused: %s, %u lines", tl_verdict_text(w->verdict),
                       p->bad_lines);
    else
        (void)snprintf(p->verdict, sizeof p->verdict, "ok: %u pixels outside of the tag were changed",
                       p->fooled);
    if (w->wire == PROTECTION_PAINTED && w->verdict != TL_VERDICT_OK)
        p->mark = TL_SHEET_REFUSED;
    else
        p->mark = p->share >= 1 && p->fooled == 0 ? TL_SHEET_VERIFIED : TL_SHEET_OPEN;
}

static bool draw(work *w, protection_picture *picture)
{
    const stream_file *f = w->file;

    for (uint32_t row = 0; row < f->height; row++) {
        if (w->verdict != TL_VERDICT_OK && f->tag_mode != TL_TAG_PER_MESSAGE)
            w->bad[row] = true; /* one tag for all of them */
        if (tl_raw_unpack(f->bits, tl_span_of(w->shown + row * w->line, w->line), w->samples + row * f->width,
                          f->width) != TL_OK)
            return false;
    }
    if (!tl_demosaic(picture->rgb, w->samples, f->width, f->height, f->bits))
        return false;
    mark(w, picture);
    caption(w, picture);
    return true;
}

static bool take_memory(work *w, protection_picture *picture)
{
    size_t pixels = (size_t)w->file->width * w->file->height, lines = w->line * w->file->height;

    w->samples = malloc(pixels * sizeof *w->samples);
    w->sent = malloc(lines);
    w->shown = malloc(lines);
    w->bad = calloc(w->file->height, sizeof *w->bad);
    w->memory = (tl_buffer){ malloc(tl_stream_frame_bytes(&w->file->config)),
                             tl_stream_frame_bytes(&w->file->config) };
    picture->rgb = malloc(pixels * 3);
    return w->samples != NULL && w->sent != NULL && w->shown != NULL && w->bad != NULL &&
           w->memory.p != NULL && picture->rgb != NULL;
}

static void give_back(work *w)
{
    tl_stream_tx_wipe(&w->tx);
    tl_stream_rx_wipe(&w->rx);
    tl_openssl_close(w->openssl);
    tl_wire_free(&w->frame);
    free(w->samples);
    free(w->sent);
    free(w->shown);
    free(w->bad);
    free(w->memory.p);
}

tl_exit protection_picture_draw(protection_picture *picture, const stream_file *file, protection_wire wire,
                                tl_fault *fault)
{
    work *w = calloc(1, sizeof *w);
    tl_err e = TL_E_ROOM;
    bool drawn = false;

    *picture = (protection_picture){ 0 };
    if (w == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "picture: no memory");
    w->file = file;
    w->wire = wire;
    w->line = stream_file_line_bytes(file);
    w->middle = file->embedded_top > 0 ? 1 : 0;
    if (take_memory(w, picture))
        e = tl_openssl_open(NULL, &w->openssl);
    if (e == TL_OK) {
        tl_scene_draw(w->samples, file->width, file->height, file->bits, SCENE_FRAME);
        e = run(w);
    }
    if (e == TL_OK)
        drawn = draw(w, picture);
    give_back(w);
    free(w);
    if (drawn)
        return TL_EXIT_OK;
    free(picture->rgb);
    picture->rgb = NULL;
    return tl_fault_set(fault, TL_EXIT_INTERNAL, "picture: %s", tl_err_text(e != TL_OK ? e : TL_E_USAGE));
}
