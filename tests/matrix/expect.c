/* The oracle. A row of attacks.def says what a tag per message, full integrity and a CRC-32 make of an attack; here
 * stands where another configuration sees it in another way, each with its reason, and nothing else. */
#include "expect.h"

static const outcome nothing = { .applies = false };

/* How much a block's tags say of the attacked line. */
typedef struct sight {
    bool sealed;  /* its header is under a tag */
    bool listed;  /* that tag does not travel: only the frame's end proves it */
    bool whole;   /* all of its bytes are */
    bool covered; /* the attacked line and byte is */
} sight;

static bool has_keys(const combination *c)
{
    return c->level[FACTOR_SUITE] != 0;
}

static bool has_crc32(const combination *c)
{
    return c->level[FACTOR_CRC32] == 0;
}

static sight sight_of(const combination *c, tl_block block)
{
    const block_kind kind = combination_kind(c, block);
    sight s = { .sealed = has_keys(c) && kind != KIND_SV5 };

    s.listed = s.sealed && c->level[FACTOR_MODE] != 0;
    s.whole = s.sealed && (kind == KIND_SV1 || kind == KIND_SV2);
    s.covered = s.whole || (s.sealed && (kind == KIND_SV3_IN || kind == KIND_SV4_IN));
    return s;
}

/* A whole line of somebody else's bytes: some of them lie inside each pattern of bytes. */
static bool covers_line(const combination *c, tl_block block)
{
    const sight s = sight_of(c, block);

    return s.covered || (s.sealed && combination_kind(c, block) == KIND_SV4_OUT);
}

static outcome frame_is(tl_verdict verdict)
{
    return (outcome){ .applies = true, .ok = verdict == TL_VERDICT_OK, .said = verdict };
}

static outcome passes(pixels which)
{
    return (outcome){ .applies = true, .ok = true, .pixels = which };
}

static outcome by_row(const tl_attack *a)
{
    return (outcome){ .applies = true,
                      .ok = a->cost == TL_COSTS_NOTHING,
                      .message = a->event == TL_EVENT_MESSAGE,
                      .lost = a->event == TL_EVENT_LOST,
                      .said = a->verdict };
}

/* ---- rows of lines ---- */

#define BOTTOM_ROW(name_, action_, part_, repair_, verdict_, judge_)                                         \
    {                                                                                                        \
        .name = name_, .text = name_, .action = TL_ATTACK_##action_, .part = TL_PART_##part_,                \
        .place = TL_AT_BOTTOM, .repair = TL_REPAIR_##repair_, .event = TL_EVENT_FRAME,                       \
        .verdict = TL_VERDICT_##verdict_, .cost = TL_COSTS_FRAME, .judge = TL_JUDGE_##judge_                 \
    }

const tl_attack expect_bottom[] = {
    BOTTOM_ROW("bottom-bit", FLIP, PAYLOAD, RAW, CRC16, ANY),
    BOTTOM_ROW("bottom-bit", FLIP, PAYLOAD, CRC16, CRC32, TAG),
    BOTTOM_ROW("bottom-bit", FLIP, PAYLOAD, ALL, TAG, TAG),
    BOTTOM_ROW("bottom-dropped", DROP, NONE, RAW, GAP, ANY),
    BOTTOM_ROW("bottom-repeated", REPEAT, NONE, RAW, REPEAT, ANY),
    BOTTOM_ROW("bottom-transplanted", TRANSPLANT, NONE, ALL, TAG, TAG),
};
const size_t expect_bottom_count = sizeof expect_bottom / sizeof expect_bottom[0];

/* A line under another number. The right line of that number comes too, so without a tag that travels it is a repeat. */
static outcome renumbered(const tl_attack *a, sight s)
{
    if (s.sealed && !s.listed)
        return by_row(a);
    return frame_is(a->repair == TL_REPAIR_ALL || s.whole ? TL_VERDICT_REPEAT : TL_VERDICT_CRC32);
}

/* A line under another frame's number. Nobody can say whose it is, so it is dropped, and is missing. */
static outcome of_another_frame(const tl_attack *a, sight s)
{
    if (s.sealed && !s.listed)
        return by_row(a);
    return frame_is(a->repair == TL_REPAIR_ALL || s.whole ? TL_VERDICT_GAP : TL_VERDICT_CRC32);
}

static outcome line_row(const tl_attack *a, const combination *c, tl_block block)
{
    const sight s = sight_of(c, block);

    if (a->part == TL_PART_TAG && (!s.sealed || s.listed))
        return nothing; /* no tag travels */
    if (a->part == TL_PART_CRC32 && a->repair == TL_REPAIR_CRC16 && !s.whole)
        return frame_is(TL_VERDICT_CRC32); /* the only check that some bytes have */
    if (a->action == TL_ATTACK_FLIP && a->part == TL_PART_PAYLOAD && a->repair == TL_REPAIR_ALL)
        return s.covered ? by_row(a) : passes(PIXELS_BIT);
    if (a->action == TL_ATTACK_TRANSPLANT && a->repair == TL_REPAIR_ALL && (!s.sealed || s.listed))
        return covers_line(c, block) ? by_row(a) : passes(PIXELS_LINE);
    if (a->part == TL_PART_MESSAGE && a->repair != TL_REPAIR_RAW)
        return renumbered(a, s);
    if (a->part == TL_PART_FRAME && a->repair != TL_REPAIR_RAW)
        return of_another_frame(a, s);
    if (a->action == TL_ATTACK_FORGE && (!s.sealed || s.listed))
        return frame_is(TL_VERDICT_OK); /* names another frame, and is dropped without a word */
    return by_row(a);
}

/* ---- rows of the frame, its begin and its end ---- */

/* Without keys whoever puts the checksums right is believed. */
static outcome keyless_row(const tl_attack *a)
{
    outcome o = by_row(a);

    if (a->part == TL_PART_BEGIN_TIME && a->repair == TL_REPAIR_ALL) {
        o = passes(PIXELS_SENT);
        o.time = true;
    } else if (a->place == TL_AT_END && a->action == TL_ATTACK_FLIP && a->repair == TL_REPAIR_ALL) {
        o = frame_is(TL_VERDICT_HEADER); /* what it says then is nothing that this stream has */
    } else if (a->action == TL_ATTACK_OTHER_SESSION || a->part == TL_PART_BEGIN_CONFIGURATION) {
        if (a->action == TL_ATTACK_OTHER_SESSION || a->action == TL_ATTACK_OTHER_STREAM)
            o = passes(PIXELS_OTHER);
    } else if (a->action == TL_ATTACK_FORGE) {
        o = (outcome){ .applies = true, .deaf = true };
    }
    return o;
}

outcome expect_sep(const tl_attack *a, const combination *c)
{
    if (!has_crc32(c) &&
        (a->part == TL_PART_CRC32 || (a->repair == TL_REPAIR_CRC16 && a->verdict == TL_VERDICT_CRC32)))
        return nothing; /* without a CRC-32 there is none to hit, and none that has to be put right */
    switch (a->place) {
    case TL_AT_TOP: return line_row(a, c, TL_BLOCK_TOP);
    case TL_AT_MIDDLE: return line_row(a, c, TL_BLOCK_MIDDLE);
    case TL_AT_BOTTOM: return line_row(a, c, TL_BLOCK_BOTTOM);
    default: return has_keys(c) ? by_row(a) : keyless_row(a);
    }
}

/* ---- FSED ---- */

const fsed_attack fsed_attacks[] = {
    { "top-bit", FSED_BIT, TL_BLOCK_TOP, false },
    { "top-bit", FSED_BIT, TL_BLOCK_TOP, true },
    { "pixel-bit", FSED_BIT, TL_BLOCK_MIDDLE, false },
    { "pixel-bit", FSED_BIT, TL_BLOCK_MIDDLE, true },
    { "bottom-bit", FSED_BIT, TL_BLOCK_BOTTOM, false },
    { "bottom-bit", FSED_BIT, TL_BLOCK_BOTTOM, true },
    { "top-tag-bit", FSED_TAG, TL_BLOCK_TOP, true },
    { "tag-bit", FSED_TAG, TL_BLOCK_MIDDLE, false },
    { "tag-bit", FSED_TAG, TL_BLOCK_MIDDLE, true },
    { "bottom-tag-bit", FSED_TAG, TL_BLOCK_BOTTOM, true },
    { "top-crc32-bit", FSED_CHECK, TL_BLOCK_TOP, false },
    { "crc32-bit", FSED_CHECK, TL_BLOCK_MIDDLE, false },
    { "bottom-crc32-bit", FSED_CHECK, TL_BLOCK_BOTTOM, false },
    { "line-transplanted", FSED_LINE, TL_BLOCK_MIDDLE, false },
    { "line-transplanted", FSED_LINE, TL_BLOCK_MIDDLE, true },
    { "bottom-transplanted", FSED_LINE, TL_BLOCK_BOTTOM, true },
    { "embedded-dropped", FSED_DROP, TL_BLOCK_TOP, false },
    { "line-dropped", FSED_DROP, TL_BLOCK_MIDDLE, false },
    { "bottom-dropped", FSED_DROP, TL_BLOCK_BOTTOM, false },
    { "line-repeated", FSED_REPEAT, TL_BLOCK_MIDDLE, false },
    { "bottom-repeated", FSED_REPEAT, TL_BLOCK_BOTTOM, false },
    { "line-swapped", FSED_SWAP, TL_BLOCK_MIDDLE, false },
    { "line-swapped", FSED_SWAP, TL_BLOCK_MIDDLE, true },
    { "begin-time-bit", FSED_BEGIN, 0, false },
    { "begin-time-bit", FSED_BEGIN, 0, true },
    { "end-bit", FSED_END, 0, false },
    { "end-bit", FSED_END, 0, true },
    { "frame-replayed", FSED_REPLAY, 0, false },
    { "other-session", FSED_OTHER, 0, false },
    { "metadata-stripped", FSED_STRIP, 0, false },
    { "plain-lines-of-another-type", FSED_STRANGER, 0, false },
    { "channel-refused", FSED_CHANNEL, 0, false },
    { "metadata-dropped", FSED_METADATA, 0, false },
    { "metadata-dropped", FSED_METADATA, 1, false },
    { "metadata-dropped", FSED_METADATA, 2, false },
    { "metadata-dropped", FSED_METADATA, 3, false },
    { "metadata-dropped", FSED_METADATA, 4, false },
    { "metadata-dropped", FSED_METADATA, 5, false },
    { "metadata-dropped", FSED_METADATA, 6, false },
    { "metadata-dropped", FSED_METADATA, 7, false },
    { "metadata-dropped", FSED_METADATA, 8, false },
    { "metadata-dropped", FSED_METADATA, 9, false },
};
const size_t fsed_attack_count = sizeof fsed_attacks / sizeof fsed_attacks[0];

static outcome never_opened(tl_verdict verdict)
{
    return (outcome){ .applies = true, .lost = true, .said = verdict };
}

/* Bytes that changed, in lines where they are covered or not. */
static outcome bytes_changed(bool covered, bool repaired, pixels which)
{
    if (!repaired)
        return frame_is(TL_VERDICT_CRC32);
    return covered ? frame_is(TL_VERDICT_TAG) : passes(which);
}

static outcome fsed_line(const fsed_attack *a, const combination *c)
{
    const tl_block block = (tl_block)a->block;
    const sight s = sight_of(c, block);

    switch (a->action) {
    case FSED_BIT: return bytes_changed(s.covered, a->repaired, PIXELS_BIT);
    /* the tags stay where they are: what a pattern of lines leaves out may be exchanged in every mode */
    case FSED_LINE: return bytes_changed(covers_line(c, block), a->repaired, PIXELS_LINE);
    /* of two neighbours one is inside each pattern of lines */
    case FSED_SWAP: return bytes_changed(s.sealed, a->repaired, PIXELS_SWAPPED);
    case FSED_TAG:
        if (!s.sealed || s.listed)
            return nothing;
        return frame_is(a->repaired ? TL_VERDICT_TAG : TL_VERDICT_CRC32);
    default: /* FSED_CHECK */
        if (!has_crc32(c))
            return nothing;
        return frame_is(s.whole ? TL_VERDICT_OK : TL_VERDICT_CRC32);
    }
}

static outcome fsed_service(const fsed_attack *a, const combination *c)
{
    outcome o;

    if (!a->repaired)
        return a->action == FSED_BEGIN ? never_opened(TL_VERDICT_CRC32) : frame_is(TL_VERDICT_CRC32);
    if (has_keys(c))
        return a->action == FSED_BEGIN ? never_opened(TL_VERDICT_TAG) : frame_is(TL_VERDICT_TAG);
    o = a->action == FSED_BEGIN ? passes(PIXELS_SENT) : frame_is(TL_VERDICT_HEADER);
    o.time = a->action == FSED_BEGIN;
    return o;
}

outcome expect_fsed(const fsed_attack *a, const combination *c)
{
    switch (a->action) {
    case FSED_DROP:
    case FSED_REPEAT: return frame_is(TL_VERDICT_GAP);
    case FSED_REPLAY: return never_opened(TL_VERDICT_REPEAT);
    case FSED_OTHER: return has_keys(c) ? never_opened(TL_VERDICT_TAG) : passes(PIXELS_OTHER);
    case FSED_STRIP: return never_opened(TL_VERDICT_UNPROTECTED);
    case FSED_STRANGER: return frame_is(TL_VERDICT_UNPROTECTED);
    case FSED_CHANNEL: return never_opened(TL_VERDICT_GAP);
    case FSED_METADATA: /* whatever is missing: never ok, and no word on how */
        return (outcome){ .applies = true, .said = TL_VERDICTS };
    default: break;
    }
    if (!a->repaired && !has_crc32(c))
        return nothing; /* the same as the repaired one */
    return a->action == FSED_BEGIN || a->action == FSED_END ? fsed_service(a, c) : fsed_line(a, c);
}
