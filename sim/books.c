/* Entries go to their frame at once; what can be judged at once (bytes that are handed out, an age) is. The rest waits for the
 * end, since what happened in a frame's time is known when it is over. */
#include "books.h"

#include "attack.h"

#include <stdlib.h>
#include <string.h>

enum { FATES = 5, BITS = 8, FRAMES_FIRST = 16, RECENT = 4 };

/* Twice the room, with what is in it. */
static void *grow(void *old, size_t n, size_t *room, size_t size)
{
    void *more;

    *room = *room * 2 + FRAMES_FIRST;
    more = tl_world_get(*room * size);
    if (n > 0)
        memcpy(more, old, n * size);
    free(old);
    return more;
}

static void wrong(tl_books *b, const tl_book *book, uint32_t frame, const char *what)
{
    if (b->wrong[0] != '\0')
        return;
    (void)snprintf(b->wrong, sizeof b->wrong, "stream 0x%04x, frame %u: %s", book->stream, (unsigned)frame,
                   what);
    tl_world_say(b->world, "books: %s", b->wrong);
}

void tl_books_open(tl_books *b, tl_world *world)
{
    memset(b, 0, sizeof *b);
    b->world = world;
}

void tl_books_close(tl_books *b)
{
    for (size_t i = 0; i < b->n; i++) {
        for (size_t k = 0; k < b->streams[i].n; k++) {
            free(b->streams[i].frames[k].came_in);
            free(b->streams[i].frames[k].let_out);
            free(b->streams[i].frames[k].digests);
        }
        free(b->streams[i].frames);
    }
    free(b->touched);
    memset(b, 0, sizeof *b);
}

tl_book *tl_books_add(tl_books *b, const tl_stream_config *config)
{
    tl_book *book;

    if (b->n == TL_BOOKS_STREAMS)
        return NULL;
    book = &b->streams[b->n++];
    *book = (tl_book){ .stream = config->stream, .config = *config };
    return book;
}

tl_book *tl_books_find(tl_books *b, uint16_t stream)
{
    for (size_t i = 0; i < b->n; i++)
        if (b->streams[i].stream == stream)
            return &b->streams[i];
    return NULL;
}

tl_book_frame *tl_book_find(const tl_book *book, uint32_t number)
{
    const uint32_t at = book->n > 0 ? number - book->frames[0].number : 0;

    return at < book->n ? &book->frames[at] : NULL;
}

/* ---- what is sent ---- */

void tl_book_payload(const tl_book *book, uint32_t frame, unsigned part, uint32_t row, uint8_t *out)
{
    uint64_t x = ((uint64_t)frame << 32 | part << 24 | row) * 0x9E3779B97F4A7C15u ^ book->salt ^
                 (uint64_t)book->stream << 40;

    for (unsigned i = 0; i < book->config.parts[part].length; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        out[i] = (uint8_t)(x >> 24);
    }
}

void tl_book_pixels(const tl_book *book, uint32_t frame, uint8_t *out)
{
    const tl_stream_config *c = &book->config;

    for (unsigned part = 0; part < c->part_count; part++)
        for (uint32_t row = 0; row < c->parts[part].count; row++, out += c->parts[part].length)
            tl_book_payload(book, frame, part, row, out);
}

tl_book_frame *tl_books_begin(tl_books *b, tl_book *book, uint32_t number, uint64_t time_us)
{
    tl_book_frame *f;

    if (book->n == book->room)
        book->frames = grow(book->frames, book->n, &book->room, sizeof *book->frames);
    f = &book->frames[book->n++];
    *f = (tl_book_frame){ .number = number, .begun_ns = tl_world_ns(b->world), .time_us = time_us };
    /* Metadata of a frame is at most a packet for each message, and a few. */
    f->room = 2 * (size_t)tl_stream_frame_messages(&book->config) + 64;
    f->came_in = tl_world_get(f->room / BITS + 1);
    f->let_out = tl_world_get(f->room / BITS + 1);
    f->digests = tl_world_get(f->room * sizeof *f->digests);
    b->sent++;
    return f;
}

void tl_books_sent(tl_book_frame *f, const tl_note *note)
{
    if (tl_csi2_is_short(note->data_type) || note->place >= f->room)
        return;
    f->packets++;
    f->digests[note->place] = note->digest;
}

/* ---- on the way ---- */

static tl_book_frame *frame_of(tl_books *b, const tl_note *note)
{
    const tl_book *book = note->stream != 0 ? tl_books_find(b, note->stream) : NULL;

    return book != NULL ? tl_book_find(book, note->frame) : NULL;
}

void tl_books_fate(void *books, const tl_parcel *parcel, unsigned fate)
{
    tl_books *b = books;
    tl_book_frame *f = frame_of(b, &parcel->note);

    for (unsigned i = 0; i < FATES; i++)
        b->fates[i] += fate >> i & 1;
    if (f != NULL)
        f->fates |= fate;
}

uint64_t tl_note_digest(tl_span payload)
{
    uint64_t x = 0xCBF29CE484222325u;

    for (size_t i = 0; i < payload.n; i++)
        x = (x ^ payload.p[i]) * 0x100000001B3u;
    return x;
}

/* It is what was sent: untouched, or with a header that its ECC mends. */
static bool as_sent(const tl_parcel *parcel)
{
    const tl_note *note = &parcel->note;
    tl_csi2_packet p;

    if (parcel->fate == 0 || (parcel->fate & TL_FATE_DAMAGED) == 0)
        return true;
    tl_csi2_read(tl_span_of(parcel->p, parcel->n), &p);
    return p.ecc != TL_CSI2_ECC_BAD && p.crc_right && p.header.data_type == note->data_type &&
           p.header.virtual_channel == note->virtual_channel && p.header.word_count == note->word_count &&
           tl_note_digest(p.payload) == note->digest;
}

static void came(tl_book_frame *f, uint32_t place)
{
    uint8_t *bits = &f->came_in[place / BITS];

    if (place >= f->room || (*bits & 1u << place % BITS) != 0)
        return;
    *bits |= (uint8_t)(1u << place % BITS);
    f->came++;
}

/* What a hand has put there may be a packet of some frame all the same, but for its checksums: found by its bytes. */
static void came_forged(tl_books *b, const tl_parcel *parcel)
{
    uint8_t *copy = tl_world_get(parcel->n);
    tl_csi2_packet p;
    uint64_t digest;

    memcpy(copy, parcel->p, parcel->n);
    tl_attack_mend(&b->streams[0].config, (tl_buffer){ copy, parcel->n }, TL_REPAIR_ALL);
    tl_csi2_read(tl_span_of(copy, parcel->n), &p);
    digest = tl_note_digest(p.payload);
    for (size_t i = 0; i < b->n && p.payload.n > 0; i++)
        for (size_t k = b->streams[i].n > RECENT ? b->streams[i].n - RECENT : 0; k < b->streams[i].n; k++)
            for (uint32_t place = 0; place < b->streams[i].frames[k].room; place++)
                if (b->streams[i].frames[k].digests[place] == digest)
                    came(&b->streams[i].frames[k], place);
    free(copy);
}

static void note_touched(tl_books *b)
{
    if (b->touched_n == b->touched_room)
        b->touched = grow(b->touched, b->touched_n, &b->touched_room, sizeof *b->touched);
    b->touched[b->touched_n++] = tl_world_ns(b->world);
}

void tl_books_arrived(tl_books *b, const tl_parcel *parcel)
{
    const uint64_t now = tl_world_ns(b->world);
    tl_book_frame *f = frame_of(b, &parcel->note);

    if (parcel->fate != 0)
        note_touched(b);
    if ((parcel->fate & TL_FATE_FORGED) != 0)
        came_forged(b, parcel);
    if (f == NULL)
        return;
    f->first_ns = f->first_ns == 0 ? now : f->first_ns;
    f->last_ns = now;
    if (!tl_csi2_is_short(parcel->note.data_type) && (parcel->fate & TL_FATE_FORGED) == 0 && as_sent(parcel))
        came(f, parcel->note.place);
}

/* ---- what is said ---- */

/* An epoch only rises: what was given up opens nothing any more, whoever may know the key. */
static void key_of(tl_books *b, tl_book *book, const tl_stream_event *e)
{
    if (e->epoch < book->epoch)
        wrong(b, book, e->frame, "opened under a key that was given up");
    book->switches += e->epoch > book->epoch;
    book->epoch = e->epoch;
}

static void opened(tl_books *b, tl_book *book, tl_book_frame *f, const tl_stream_event *e)
{
    const uint64_t age_us = (tl_world_ns(b->world) - f->begun_ns) / TL_US;

    if (e->frame < book->begun)
        wrong(b, book, e->frame, "it was opened after a later one, or once more");
    book->begun = e->frame + 1;
    key_of(b, book, e);
    f->opened = true;
    f->late = e->verdict == TL_VERDICT_LATE;
    if (e->time_us != f->time_us)
        wrong(b, book, e->frame, "its time is not the sender's");
    if (!e->age_known)
        return;
    if (e->age_us < age_us)
        wrong(b, book, e->frame, "it is older than was said");
    if (!f->late && book->config.age_max_us != 0 && age_us > book->config.age_max_us)
        wrong(b, book, e->frame, "it is late, and was not called so");
}

static void frame_ended(tl_books *b, tl_book *book, tl_book_frame *f, const tl_stream_event *e,
                        const uint8_t *pixels)
{
    const size_t n = tl_stream_frame_bytes(&book->config);
    uint8_t *right;

    f->verdicts++;
    f->verdict = e->verdict;
    if (f->verdicts > 1)
        wrong(b, book, e->frame, "a second verdict");
    if (f->lied && (e->verdict == TL_VERDICT_OK || !e->revoked))
        wrong(b, book, e->frame, "lines that were not sent were let out early, and not revoked");
    if (e->verdict != TL_VERDICT_OK)
        return;
    if (e->proven != (book->config.suite != TL_SUITE_NONE))
        wrong(b, book, e->frame, "ok without proof");
    if (pixels == NULL)
        return;
    right = tl_world_get(n);
    tl_book_pixels(book, e->frame, right);
    if (memcmp(right, pixels, n) != 0)
        wrong(b, book, e->frame, "ok, with bytes that were not sent");
    free(right);
}

/* The message that an event names: part and row by data type and number. */
static bool place_of(const tl_stream_config *c, const tl_stream_event *e, unsigned *part, uint32_t *row)
{
    uint32_t left = e->message;

    for (*part = 0; *part < c->part_count; ++*part) {
        if (c->parts[*part].data_type != e->data_type)
            continue;
        if (left < c->parts[*part].count) {
            *row = left;
            return true;
        }
        left -= c->parts[*part].count;
    }
    return false;
}

static bool is_line_as_sent(const tl_book *book, const tl_book_frame *f, const tl_stream_event *e)
{
    uint8_t *right;
    unsigned part;
    uint32_t row;
    bool same;

    if (f == NULL || !place_of(&book->config, e, &part, &row) ||
        e->payload.n != book->config.parts[part].length)
        return false;
    right = tl_world_get(e->payload.n);
    tl_book_payload(book, e->frame, part, row, right);
    same = memcmp(right, e->payload.p, e->payload.n) == 0;
    free(right);
    return same;
}

/* It leaves for the first time; a line that is none of the frame's is for others to tell. */
static bool is_first_time(const tl_book *book, tl_book_frame *f, const tl_stream_event *e)
{
    uint32_t row, place = 0;
    unsigned part;
    uint8_t bit, *bits;
    bool first;

    if (f == NULL || !place_of(&book->config, e, &part, &row))
        return true;
    for (unsigned i = 0; i < part; i++)
        place += book->config.parts[i].count;
    bits = &f->let_out[(place + row) / BITS];
    bit = (uint8_t)(1u << (place + row) % BITS);
    first = (*bits & bit) == 0;
    *bits |= bit;
    return first;
}

/* A line that leaves at once is proven, but for those that leave early: of them their frame must say so. */
static void line_out(tl_books *b, tl_book *book, tl_book_frame *f, const tl_stream_event *e)
{
    if (e->proven && e->epoch < book->epoch)
        wrong(b, book, e->frame, "a packet under a key that was given up was found right");
    if (e->verdict != TL_VERDICT_OK || e->payload.p == NULL)
        return;
    if (!is_first_time(book, f, e))
        wrong(b, book, e->frame, "a line was let out twice");
    if (is_line_as_sent(book, f, e))
        return;
    if (book->config.release != TL_RELEASE_EARLY)
        wrong(b, book, e->frame, "a line was let out that was not sent");
    else if (f != NULL)
        f->lied = true;
}

void tl_books_event(tl_books *b, tl_book *book, const tl_stream_event *e, const uint8_t *pixels)
{
    tl_book_frame *f = tl_book_find(book, e->frame);

    switch (e->kind) {
    case TL_EVENT_MESSAGE: line_out(b, book, f, e); return;
    case TL_EVENT_LOST:
        for (uint32_t i = 0; i < e->count; i++)
            if ((f = tl_book_find(book, e->frame + i)) != NULL)
                f->lost = true;
        return;
    case TL_EVENT_SILENT: b->silences++; return;
    case TL_EVENT_OPENED:
    case TL_EVENT_FRAME:
        if (f == NULL)
            wrong(b, book, e->frame, "nobody sent such a frame");
        else if (e->kind == TL_EVENT_OPENED)
            opened(b, book, f, e);
        else
            frame_ended(b, book, f, e, pixels);
        return;
    default: return;
    }
}

/* ---- the balance ---- */

/* Something that had been touched arrived in the frame's time. */
static bool is_disturbed(const tl_books *b, const tl_book_frame *f)
{
    size_t low = 0, high = b->touched_n;

    while (low < high) {
        const size_t mid = (low + high) / 2;
        if (b->touched[mid] < f->first_ns)
            low = mid + 1;
        else
            high = mid;
    }
    return low < b->touched_n && b->touched[low] <= f->last_ns;
}

/* Its packets can be followed, and all of their bytes are under a tag. */
static bool is_exact(const tl_book *book)
{
    const tl_stream_config *c = &book->config;

    if (book->bridged || c->carrier != TL_CARRIER_SEP || c->suite == TL_SUITE_NONE)
        return false;
    for (unsigned i = TL_BLOCK_TOP; i <= TL_BLOCK_BOTTOM; i++)
        if (c->variant[i] > TL_SV_2)
            return false;
    return true;
}

static void judge(tl_books *b, tl_book *book, const tl_book_frame *f, bool is_last)
{
    const bool ok = f->verdicts > 0 && f->verdict == TL_VERDICT_OK;
    const bool touched = f->fates != 0 || is_disturbed(b, f);

    b->ok += ok;
    b->bad += f->verdicts > 0 && !ok;
    b->lost += f->verdicts == 0;
    if (ok && is_exact(book) && f->came != f->packets)
        wrong(b, book, f->number, "ok, though not all of it came as it was sent");
    if (!ok && !touched && !(f->late && f->verdict == TL_VERDICT_LATE))
        wrong(b, book, f->number, "not ok, though nothing was done to it");
    /* What is cut off at the end of a stream is a loss that nobody can see. */
    if (f->verdicts == 0 && !f->lost && !is_last)
        wrong(b, book, f->number, "nothing was said of it");
    if (f->verdicts > 0 && f->lost)
        wrong(b, book, f->number, "called lost, and judged");
}

bool tl_books_balance(tl_books *b)
{
    b->ok = b->bad = b->lost = 0;
    for (size_t i = 0; i < b->n; i++) {
        tl_book *book = &b->streams[i];
        size_t last = book->n; /* frames from here on were never heard of */

        while (last > 0 && book->frames[last - 1].verdicts == 0 && !book->frames[last - 1].lost)
            last--;
        for (size_t k = 0; k < book->n; k++)
            judge(b, book, &book->frames[k], k >= last);
    }
    return b->wrong[0] == '\0';
}
