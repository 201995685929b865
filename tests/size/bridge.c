/* A bridge from SEP to FSED, without a key: what an aggregator adds to let headers and tags travel beside plain lines. Tags
 * of 16 bytes and a CRC-32 for each line of 1080p wait for the frame's end. */
#include "endpoint.h"

#include <trueline/bridge.h>

enum { SIZE_WAITS = 1080 * (TL_TAG_MAX + 4) }; /* bytes */

tl_bridge context_bridge;
uint8_t work_memory[SIZE_WAITS + SIZE_LINE + TL_SEP_OVERHEAD_MAX];

typedef struct application_bridge {
    const tl_stream_config *config;
    tl_buffer packet;
    void (*event)(tl_span packet); /* takes what leaves */
} application_bridge;

tl_err entry(void *application)
{
    const application_bridge *a = application;
    tl_span packet;

    TL_TRY(tl_bridge_init(&context_bridge, a->config, TL_BRIDGE_TO_FSED, 0,
                          (tl_buffer){ work_memory, sizeof work_memory }));
    tl_bridge_packet(&context_bridge, a->packet);
    while (tl_bridge_next(&context_bridge, &packet))
        a->event(packet);
    return TL_OK;
}
