/* A responder that proves what it is: certificates, challenge, signed measurements; no sessions. */
#include "endpoint.h"

tl_responder context_responder;
uint8_t work_message[SIZE_MESSAGE], work_in[SIZE_MESSAGE], work_out[SIZE_MESSAGE];

static const tl_spdm_family *const families[] = { &tl_serve_connection, &tl_serve_certificates,
                                                  &tl_serve_challenge, &tl_serve_measurements, NULL };

tl_err entry(void *application)
{
    tl_responder_config *config = application;
    tl_spdm_out out = { .w = tl_wr_of(work_out, sizeof work_out) };

    config->families = families;
    config->message = work_message;
    config->message_n = sizeof work_message;
    TL_TRY(tl_responder_init(&context_responder, config));
    TL_TRY(tl_responder_step(&context_responder, 0, (tl_spdm_in){ work_in, sizeof work_in, false }, &out));
    tl_responder_wipe(&context_responder);
    return TL_OK;
}
