/* One message between service header and footer. Shared by both ends.
 *
 *   packet   CSI-2 header | H | P | F | CRC-16        F = tag and CRC-32, in the layout's order
 *   T        MAC(K, N, H || P)                        the CRC-32 covers H, P and the tag                          */
#ifndef TL_CSE_SEP_H
#define TL_CSE_SEP_H

#include "cse/plan.h"

#include <trueline/messages.h>

/* The service header of the line at a place. key: the number that headers carry, of the epoch's lowest bits. */
static inline tl_sep_header tl_cse_line_header(const tl_stream_config *config, const tl_stream_plan *plan,
                                               tl_place place, uint32_t key, uint32_t frame)
{
    const tl_stream_part *part = &config->parts[place.part];

    return (tl_sep_header){
        .version = TL_SEP_VERSION,
        .block = part->block,
        .stream = config->stream,
        .data_type = part->data_type,
        .key = key & 0xFF,
        .message = (uint32_t)plan->parts[place.part].first + place.row,
        .frame = frame,
        .length = part->length,
    };
}

/* N = salt of the key, frame, message, purpose, data type. */
tl_err tl_cse_nonce(const tl_stream_key *key, const tl_sep_header *h, uint32_t purpose,
                    uint8_t nonce[TL_NONCE_SIZE]) TL_MUST_USE;
/* CRC-32 of a message's footer; header and payload stand one after the other. crypto: NULL, or a backend that may have
 * a faster one. The same for the CSI-2 packet's CRC-16. */
uint32_t tl_cse_footer_crc(const tl_crypto *crypto, tl_span header_and_payload, tl_span tag);
uint32_t tl_cse_message_crc(const tl_crypto *crypto, tl_span header, tl_span payload, tl_span tag);
uint16_t tl_cse_packet_crc(const tl_crypto *crypto, tl_span payload);
/* The frame number of the short packets: 16 bits, never 0, the same at frame start and frame end. */
uint16_t tl_cse_short_number(uint32_t frame);

#endif
