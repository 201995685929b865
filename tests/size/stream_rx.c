/* A receiver of a protected stream with a provisioned secret, release policy line: no memory for a whole frame. */
#include "endpoint.h"

tl_stream_rx context_rx;
tl_key_source context_source;
uint8_t work_packet[SIZE_LINE + TL_SEP_OVERHEAD_MAX];

typedef struct application_rx {
    const tl_crypto *crypto;
    const tl_provisioned *from;
    const tl_stream_config *config;
    tl_stream_sink sink;
} application_rx;

tl_err entry(void *application)
{
    const application_rx *a = application;
    const tl_buffer packet = { work_packet, sizeof work_packet };

    TL_TRY(tl_key_source_provisioned(&context_source, a->crypto, a->from));
    TL_TRY(tl_stream_rx_init(&context_rx, a->config, &context_source, 0, (tl_buffer){ NULL, 0 }, a->sink));
    TL_TRY(tl_stream_rx_packets(&context_rx, 0, &packet, 1));
    tl_stream_rx_tick(&context_rx, 0);
    TL_TRY(tl_stream_rx_rekey(&context_rx, &context_source, 1));
    tl_stream_rx_wipe(&context_rx);
    tl_key_source_wipe(&context_source);
    return TL_OK;
}
