/* Stream agreements. One table ties each kind of payload to the rows of its body, so reading and writing are one function
 * each. Both ends make the configuration from offer and choice by the same function, and compare digests. */
#include "agreement.h"

#include "protection.h"

#include <string.h>

static const tl_env env; /* nothing in these messages is negotiated */

typedef struct kind_row {
    uint32_t kind;
    const char *text;
    const tl_field *(*rows)(void); /* NULL: no body */
} kind_row;

static const kind_row kinds[] = {
    { TL_AGREEMENT_CHAIN, "chain", tl_rows_agreement_chain },
    { TL_AGREEMENT_ASK, "ask", NULL },
    { TL_AGREEMENT_OFFER, "offer", tl_rows_agreement_offer },
    { TL_AGREEMENT_CHOICE, "choice", tl_rows_agreement_choice },
    { TL_AGREEMENT_PORT, "port", tl_rows_agreement_port },
    { TL_AGREEMENT_START, "start", tl_rows_agreement_stream },
    { TL_AGREEMENT_STOP, "stop", tl_rows_agreement_stream },
    { TL_AGREEMENT_REKEY, "re-key", tl_rows_agreement_stream },
    { TL_AGREEMENT_DONE, "done", NULL },
    { TL_AGREEMENT_REFUSED, "refusal", tl_rows_agreement_refusal },
};

enum { KINDS = sizeof kinds / sizeof *kinds };

const uint8_t agreement_vendor_id[AGREEMENT_VENDOR_SIZE] = { TL_VENDOR_ID & 0xFF, TL_VENDOR_ID >> 8 & 0xFF,
                                                             TL_VENDOR_ID >> 16 & 0xFF,
                                                             TL_VENDOR_ID >> 24 & 0xFF };

static const kind_row *row_of(uint32_t kind)
{
    for (size_t i = 0; i < KINDS; i++)
        if (kinds[i].kind == kind)
            return &kinds[i];
    return NULL;
}

const char *agreement_kind_text(uint32_t kind)
{
    const kind_row *row = row_of(kind);

    return row != NULL ? row->text : "nothing that is known";
}

bool agreement_kind_at(size_t i, uint32_t *kind, const tl_field *(**rows)(void))
{
    if (i >= KINDS)
        return false;
    *kind = kinds[i].kind;
    *rows = kinds[i].rows;
    return true;
}

const char *agreement_reason_text(uint32_t reason)
{
    switch (reason) {
#define REASON(name, number, text)                                                                           \
    case number: return text;
        AGREEMENT_REASONS
#undef REASON
    default: return "a reason that is not known";
    }
}

bool agreement_is_ours(uint32_t standard, tl_span vendor_id)
{
    return standard == TL_VENDOR_STANDARD &&
           tl_equal(vendor_id, tl_span_of(agreement_vendor_id, AGREEMENT_VENDOR_SIZE));
}

/* ---- payloads ---- */

tl_err agreement_write(const agreement *a, tl_wr *out)
{
    const kind_row *row = row_of(a->kind);
    const tl_agreement head = { .version = TL_AGREEMENT_VERSION, .kind = a->kind };

    if (row == NULL)
        return TL_E_USAGE;
    TL_TRY(tl_encode_agreement(&env, &head, out));
    return row->rows != NULL ? tl_encode(row->rows(), &env, &a->body, out) : TL_OK;
}

tl_err agreement_read(tl_span payload, agreement *a)
{
    tl_rd r = tl_rd_of(payload), body;
    tl_agreement head;
    const kind_row *row;

    memset(a, 0, sizeof *a);
    TL_TRY(tl_decode_agreement(&env, &r, &head));
    row = row_of(head.kind);
    if (head.version != TL_AGREEMENT_VERSION || row == NULL)
        return TL_E_WIRE_VALUE;
    body = tl_rd_of(head.body);
    if (row->rows != NULL)
        TL_TRY(tl_decode(row->rows(), &env, &body, &a->body));
    if (!tl_rd_end(&body))
        return TL_E_WIRE_TRAILING;
    a->kind = head.kind;
    return TL_OK;
}

/* ---- offer and choice ---- */

void agreement_offer_make(const stream_file *geometry, uint32_t rate, uint8_t suites[AGREEMENT_SUITES_MAX],
                          tl_agreement_offer *offer)
{
    static const uint8_t all[] = {
#define HASH(name, id, size, block, text)
#define SUITE(name, id, key_size, text) id,
#include <trueline/algs.def>
#undef HASH
#undef SUITE
    };
    _Static_assert(sizeof all <= AGREEMENT_SUITES_MAX, "an offer has no room for all suites");

    memcpy(suites, all, sizeof all);
    *offer = (tl_agreement_offer){
        .data_type = stream_file_pixel_type(geometry),
        .width = geometry->width,
        .height = geometry->height,
        .embedded_top = geometry->embedded_top,
        .embedded_bottom = geometry->embedded_bottom,
        .rate = rate,
        .suites = tl_span_of(suites, sizeof all),
    };
}

static bool offered(const tl_agreement_offer *offer, uint32_t suite)
{
    for (size_t i = 0; i < offer->suites.n; i++)
        if (offer->suites.p[i] == suite)
            return tl_suite_key_size((tl_suite)suite) != 0;
    return false;
}

static agreement_reason outside(const char *what, tl_fault *fault)
{
    fault->code = tl_fault_set(fault, TL_EXIT_PEER, "agreement: %s", what);
    return AGREEMENT_CHOICE;
}

static tl_pattern pattern_of(uint32_t first, uint32_t count, uint32_t period)
{
    return (tl_pattern){ (uint16_t)first, (uint16_t)count, (uint16_t)period };
}

void agreement_choose(const stream_file *wanted, uint16_t stream, tl_agreement_choice *choice)
{
    const tl_pattern *top = &wanted->pattern[TL_BLOCK_TOP], *middle = &wanted->pattern[TL_BLOCK_MIDDLE],
                     *bottom = &wanted->pattern[TL_BLOCK_BOTTOM];

    *choice = (tl_agreement_choice){
        .stream = stream,
        .suite = (uint32_t)wanted->suite,
        .tag_mode = (uint32_t)wanted->tag_mode,
        .tag_size = wanted->tag_size,
        .crc32 = (uint32_t)wanted->crc32,
        .top = wanted->variant_top,
        .middle = wanted->variant_middle,
        .bottom = wanted->variant_bottom,
        .top_first = top->first,
        .top_count = top->count,
        .top_period = top->period,
        .middle_first = middle->first,
        .middle_count = middle->count,
        .middle_period = middle->period,
        .bottom_first = bottom->first,
        .bottom_count = bottom->count,
        .bottom_period = bottom->period,
        .first_frame = wanted->first_frame,
    };
}

agreement_reason agreement_build(const tl_agreement_offer *offer, const tl_agreement_choice *choice,
                                 stream_file *file, tl_fault *fault)
{
    memset(file, 0, sizeof *file);
    if (offer->data_type != TL_DT_RAW10 && offer->data_type != TL_DT_RAW12)
        return outside("the offered data type is neither RAW10 nor RAW12", fault);
    if (!offered(offer, choice->suite))
        return outside("the chosen suite was not offered", fault);
    if (protection_tag_mode_text((tl_tag_mode)choice->tag_mode) == NULL || choice->crc32 > TL_WITH)
        return outside("the chosen tag mode or CRC-32 is none", fault);
    file->stream = choice->stream;
    file->width = offer->width;
    file->height = offer->height;
    file->bits = offer->data_type == TL_DT_RAW10 ? 10 : 12;
    file->embedded_top = offer->embedded_top;
    file->embedded_bottom = offer->embedded_bottom;
    file->tag_mode = (tl_tag_mode)choice->tag_mode;
    file->tag_size = choice->tag_size;
    file->variant_top = choice->top;
    file->variant_middle = choice->middle;
    file->variant_bottom = choice->bottom;
    file->pattern[TL_BLOCK_TOP] = pattern_of(choice->top_first, choice->top_count, choice->top_period);
    file->pattern[TL_BLOCK_MIDDLE] =
        pattern_of(choice->middle_first, choice->middle_count, choice->middle_period);
    file->pattern[TL_BLOCK_BOTTOM] =
        pattern_of(choice->bottom_first, choice->bottom_count, choice->bottom_period);
    file->first_frame = choice->first_frame;
    file->suite = (tl_suite)choice->suite;
    file->crc32 = (tl_presence)choice->crc32;
    return stream_file_build(file, "agreement", fault) == TL_EXIT_OK ? AGREEMENT_FINE : AGREEMENT_CHOICE;
}

/* ---- tokens ---- */

static tl_span little(uint8_t *bytes, unsigned n, uint32_t value)
{
    tl_wr w = tl_wr_of(bytes, n);

    tl_put(&w, n, TL_LITTLE, value);
    return tl_written(&w);
}

tl_err agreement_token(const tl_crypto *crypto, const agreement_tie *tie, tl_direction from,
                       uint8_t bytes[TL_DATA_TOKEN_SIZE])
{
    static const char label[] = "trueline data connection", magic[] = AGREEMENT_TOKEN_MAGIC;
    uint8_t token[AGREEMENT_TOKEN], id[2], number[4], way[1];
    const tl_span info[] = { tl_span_of(label, sizeof label - 1), little(id, 2, tie->stream),
                             little(number, 4, tie->epoch), little(way, 1, (uint32_t)from) };
    const tl_data_token m = { .magic = tl_span_of(magic, sizeof magic - 1),
                              .version = TL_AGREEMENT_VERSION,
                              .stream = tie->stream,
                              .token = tl_span_of(token, sizeof token) };
    tl_wr w = tl_wr_of(bytes, TL_DATA_TOKEN_SIZE);

    TL_TRY(tl_hkdf_expand(crypto, tie->secret, info, 4, token, sizeof token));
    TL_TRY(tl_encode_data_token(&env, &m, &w));
    return w.n == TL_DATA_TOKEN_SIZE ? TL_OK : TL_E_WIRE;
}
