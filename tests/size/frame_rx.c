/* A receiver of FSED with a provisioned secret: frames that a CSI-2 receiver has put into memory, verified there. The
 * frame and its metadata are the capture's memory, not the endpoint's. */
#include "endpoint.h"

tl_stream_rx context_rx;
tl_key_source context_source;

typedef struct application_frame_rx {
    const tl_crypto *crypto;
    const tl_provisioned *from;
    const tl_stream_config *config;
    const tl_frame_buffers *frame;
    tl_stream_sink sink;
} application_frame_rx;

tl_err entry(void *application)
{
    const application_frame_rx *a = application;
    tl_verdict verdict;

    TL_TRY(tl_key_source_provisioned(&context_source, a->crypto, a->from));
    TL_TRY(tl_stream_rx_init(&context_rx, a->config, &context_source, 0, (tl_buffer){ NULL, 0 }, a->sink));
    TL_TRY(tl_stream_rx_frame(&context_rx, 0, a->frame, &verdict));
    tl_stream_rx_tick(&context_rx, 0);
    TL_TRY(tl_stream_rx_rekey(&context_rx, &context_source, 1));
    tl_stream_rx_wipe(&context_rx);
    tl_key_source_wipe(&context_source);
    return verdict == TL_VERDICT_OK ? TL_OK : TL_E_STATE;
}
