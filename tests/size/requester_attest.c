/* A requester that asks what a device is: certificates, challenge, signed measurements; no sessions. */
#include "endpoint.h"

tl_requester context_requester;
uint8_t work_message[SIZE_MESSAGE], work_in[SIZE_MESSAGE], work_out[SIZE_MESSAGE], work_chain[SIZE_CHAIN];
uint8_t work_measurements[SIZE_MEASUREMENTS];

static const tl_spdm_flow *const flows[] = { &tl_flow_attest };

tl_err entry(void *application)
{
    tl_requester_config *config = application;
    tl_spdm_out out = { .w = tl_wr_of(work_out, sizeof work_out) };

    config->message = work_message;
    config->message_n = sizeof work_message;
    config->chain = work_chain;
    config->chain_n = sizeof work_chain;
    config->measurements = work_measurements;
    config->measurements_n = sizeof work_measurements;
    TL_TRY(tl_requester_init(&context_requester, config));
    for (size_t i = 0; i < sizeof flows / sizeof *flows; i++) {
        TL_TRY(tl_requester_start(&context_requester, flows[i], NULL, 0, &out));
        while (tl_requester_going(&context_requester))
            TL_TRY(tl_requester_step(&context_requester, tl_requester_wake(&context_requester),
                                     (tl_spdm_in){ work_in, sizeof work_in, false }, &out));
    }
    tl_requester_wipe(&context_requester);
    return TL_OK;
}
