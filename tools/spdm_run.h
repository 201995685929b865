/* The two roles of `trueline spdm`. */
#ifndef TL_TOOLS_SPDM_RUN_H
#define TL_TOOLS_SPDM_RUN_H

#include "spdm_end.h"

/* Dials a responder, authenticates and measures it, opens a session, measures in it, sends a heartbeat, changes keys in
 * both ways and ends the session; prints each step. */
tl_exit spdm_run_requester(spdm_end *end, tl_fault *fault) __attribute__((warn_unused_result));
/* Listens, and answers requesters until one says SHUTDOWN, or a signal comes. */
tl_exit spdm_run_responder(spdm_end *end, tl_fault *fault) __attribute__((warn_unused_result));

#endif
