/* A responder with all that there is, and four sessions at once. */
#include "endpoint.h"

tl_responder context_responder;
tl_spdm_session context_sessions[SIZE_SESSIONS];
uint8_t work_message[SIZE_MESSAGE], work_in[SIZE_RECORD], work_out[SIZE_RECORD];

tl_err entry(void *application)
{
    tl_responder_config *config = application;
    tl_spdm_out out = { .w = tl_wr_of(work_out, sizeof work_out) };

    config->families = tl_serve_all;
    config->sessions = context_sessions;
    config->sessions_n = SIZE_SESSIONS;
    config->message = work_message;
    config->message_n = sizeof work_message;
    TL_TRY(tl_responder_init(&context_responder, config));
    TL_TRY(tl_responder_step(&context_responder, 0, (tl_spdm_in){ work_in, sizeof work_in, false }, &out));
    tl_responder_wipe(&context_responder);
    return TL_OK;
}
