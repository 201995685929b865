/* A sender of a protected stream with a provisioned secret: one line at a time. */
#include "endpoint.h"

tl_stream_tx context_tx;
tl_key_source context_source;
tl_tx_edge work_edge;
tl_tx_message work_line;
uint8_t work_packet[SIZE_LINE + TL_SEP_OVERHEAD_MAX];

typedef struct application_tx {
    const tl_crypto *crypto;
    const tl_provisioned *from;
    const tl_stream_config *config;
} application_tx;

tl_err entry(void *application)
{
    const application_tx *a = application;

    TL_TRY(tl_key_source_provisioned(&context_source, a->crypto, a->from));
    TL_TRY(tl_stream_tx_init(&context_tx, a->config, &context_source, 0));
    TL_TRY(tl_stream_tx_begin(&context_tx, 0, &work_edge));
    work_line = (tl_tx_message){
        .data_type = TL_DT_RAW12, .length = SIZE_LINE, .buffer = work_packet, .room = sizeof work_packet
    };
    TL_TRY(tl_stream_tx_messages(&context_tx, &work_line, 1));
    TL_TRY(tl_stream_tx_end(&context_tx, &work_edge));
    TL_TRY(tl_stream_tx_rekey(&context_tx, &context_source, 1));
    tl_stream_tx_wipe(&context_tx);
    tl_key_source_wipe(&context_source);
    return TL_OK;
}
