/* What both ends compute of a message in the same way: nonce, checksums. */
#include "cse/sep.h"

#include "cse/crc32.h"
#include "wire/line.h"
#include "wire/most.h"

_Static_assert(TL__MOST(sep_nonce) == TL_NONCE_SIZE, "layout: the nonce is not as long as the ciphers' is");
_Static_assert(TL__MOST(sep_begin) + TL_SEP_PARTS_MAX * TL__MOST(sep_begin_part) <= TL_SEP_SERVICE_MAX,
               "layout: a begin with all its parts does not fit");
_Static_assert(TL__MOST(sep_end) + TL_SEP_PARTS_MAX * (TL__MOST(sep_end_part) + TL_TAG_MAX) <=
                   TL_SEP_SERVICE_MAX,
               "layout: an end with all its parts and tags does not fit");

tl_err tl_cse_nonce(const tl_stream_key *key, const tl_sep_header *h, uint32_t purpose,
                    uint8_t nonce[TL_NONCE_SIZE])
{
    const tl_env env = { 0 };
    tl_wr w = tl_wr_of(nonce, TL_NONCE_SIZE);
    const tl_sep_nonce n = {
        .salt = tl_span_of(key->salt, sizeof key->salt),
        .frame = h->frame,
        .message = h->message,
        .purpose = purpose,
        .data_type = h->data_type,
    };

    return tl_pack_sep_nonce(&env, &n, &w);
}

uint32_t tl_cse_footer_crc(const tl_crypto *crypto, tl_span header_and_payload, tl_span tag)
{
    if (crypto != NULL && crypto->ops->crc32 != NULL)
        return crypto->ops->crc32(crypto->ops->crc32(0, header_and_payload), tag);
    return tl_cse_crc32(tl_cse_crc32(0, header_and_payload), tag);
}

uint32_t tl_cse_message_crc(const tl_crypto *crypto, tl_span header, tl_span payload, tl_span tag)
{
    if (crypto != NULL && crypto->ops->crc32 != NULL)
        return crypto->ops->crc32(crypto->ops->crc32(crypto->ops->crc32(0, header), payload), tag);
    return tl_cse_crc32(tl_cse_crc32(tl_cse_crc32(0, header), payload), tag);
}

uint16_t tl_cse_packet_crc(const tl_crypto *crypto, tl_span payload)
{
    if (crypto != NULL && crypto->ops->crc16 != NULL)
        return crypto->ops->crc16(TL_CSI2_CRC_START, payload);
    return tl_csi2_crc16(TL_CSI2_CRC_START, payload);
}

uint16_t tl_cse_short_number(uint32_t frame)
{
    return (uint16_t)(frame % 0xFFFF + 1);
}
