/* A requester for sessions: certificates, KEY_EXCHANGE, FINISH, HEARTBEAT, KEY_UPDATE, END_SESSION; one at a time. */
#include "endpoint.h"

tl_requester context_requester;
tl_spdm_session context_sessions[1];
uint8_t work_message[SIZE_MESSAGE], work_in[SIZE_RECORD], work_out[SIZE_RECORD], work_chain[SIZE_CHAIN];

static const tl_spdm_flow *const flows[] = { &tl_flow_session, &tl_flow_heartbeat, &tl_flow_key_update,
                                             &tl_flow_end_session };

tl_err entry(void *application)
{
    tl_requester_config *config = application;
    tl_spdm_out out = { .w = tl_wr_of(work_out, sizeof work_out) };

    config->sessions = context_sessions;
    config->sessions_n = 1;
    config->message = work_message;
    config->message_n = sizeof work_message;
    config->chain = work_chain;
    config->chain_n = sizeof work_chain;
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
