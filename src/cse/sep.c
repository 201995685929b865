/* What both ends compute of a message in the same way: nonce, footer checksum, cover. */
#include "cse/sep.h"

#include "cse/crc32.h"
#include "wire/line.h"
#include "wire/most.h"

_Static_assert(TL__MOST(sep_nonce) == TL_NONCE_SIZE, "layout: the nonce is not as long as the ciphers' is");
_Static_assert(TL__MOST(sep_begin) + TL_SEP_PARTS_MAX * TL__MOST(sep_begin_part) <= TL_SEP_SERVICE_MAX,
               "layout: a begin with all its parts does not fit");
_Static_assert(TL__MOST(sep_end) + TL_SEP_PARTS_MAX * TL__MOST(sep_end_part) <= TL_SEP_SERVICE_MAX,
               "layout: an end with all its parts does not fit");

tl_err tl_cse_nonce(const tl_stream_key *key, const tl_sep_header *h, uint8_t nonce[TL_NONCE_SIZE])
{
    const tl_env env = { 0 };
    tl_wr w = tl_wr_of(nonce, TL_NONCE_SIZE);
    const tl_sep_nonce n = {
        .salt = tl_span_of(key->salt, sizeof key->salt),
        .frame = h->frame,
        .message = h->message,
        .purpose = TL_SEP_PURPOSE_MESSAGE,
        .data_type = h->data_type,
    };

    return tl_pack_sep_nonce(&env, &n, &w);
}

uint32_t tl_cse_footer_crc(tl_span header_and_payload, tl_span tag)
{
    return tl_cse_crc32(tl_cse_crc32(0, header_and_payload), tag);
}

tl_cover tl_cse_cover(const tl_stream_config *config, uint32_t block)
{
    if (block == TL_BLOCK_SERVICE)
        return TL_COVER_PAYLOAD;
    return config->variant[block] == TL_SV_1 ? TL_COVER_ENCRYPTED : TL_COVER_PAYLOAD;
}

uint16_t tl_cse_short_number(uint32_t frame)
{
    return (uint16_t)(frame % 0xFFFF + 1);
}
