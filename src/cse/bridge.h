/* The bridge's two ways. Both keep the frame's metadata in the caller's memory:
 *
 *   to FSED   tags | CRC-32s | one metadata packet
 *   to SEP    a slot for each message, in the frame's order | the top's run | the bottom's run
 *
 * In a slot the payload stands where a SEP packet has it; a slot's first byte says whether a line of the right length came. */
#ifndef TL_CSE_BRIDGE_H
#define TL_CSE_BRIDGE_H

#include "cse/fsed.h"
#include "cse/plan.h"

#include <trueline/bridge.h>
#include <trueline/messages.h>

enum { BRIDGE_IDLE = 0, BRIDGE_OPEN };

void tl_bridge_to_fsed(tl_bridge *b, tl_buffer packet, const tl_csi2_packet *p);
void tl_bridge_to_sep(tl_bridge *b, tl_buffer packet, const tl_csi2_packet *p);
bool tl_bridge_next_sep(tl_bridge *b, tl_span *packet);

/* Header and checksum around n payload bytes that stand at `at` + TL_CSI2_HEADER_SIZE. */
tl_span tl_bridge_close(const tl_bridge *b, uint8_t *at, uint8_t data_type, size_t n);
/* The packet leaves as it came, on the output's channel. */
void tl_bridge_pass(tl_bridge *b, tl_buffer packet, const tl_csi2_packet *p);

/* The messages that an end's body claims; all of the configuration if it claims nonsense. */
uint32_t tl_bridge_claimed(const tl_bridge *b, tl_span body);

#endif
