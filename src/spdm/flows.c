/* The requester's flows: which exchanges, in which order. */
#include "spdm/spdm.h"

static const tl__step *const attest[] = { &tl__version_step,      &tl__capabilities_step,
                                          &tl__algorithms_step,   &tl__digests_step,
                                          &tl__certificate_step,  &tl__challenge_step,
                                          &tl__measurements_step, NULL };
static const tl__step *const session[] = { &tl__version_step,     &tl__capabilities_step,
                                           &tl__algorithms_step,  &tl__digests_step,
                                           &tl__certificate_step, &tl__key_exchange_step,
                                           &tl__finish_step,      NULL };
static const tl__step *const another[] = { &tl__key_exchange_step, &tl__finish_step, NULL };
static const tl__step *const connect[] = { &tl__version_step, &tl__capabilities_step, &tl__algorithms_step,
                                           &tl__digests_step, &tl__certificate_step,  NULL };
static const tl__step *const measure[] = { &tl__measurements_step, NULL };
static const tl__step *const heartbeat[] = { &tl__heartbeat_step, NULL };
static const tl__step *const key_update[] = { &tl__key_update_step, &tl__key_update_verify_step, NULL };
static const tl__step *const vendor[] = { &tl__vendor_step, NULL };
static const tl__step *const end_session[] = { &tl__end_session_step, NULL };

const tl_spdm_flow tl_flow_attest = { "attest", attest, TL_SPDM_START, false, NULL };
const tl_spdm_flow tl_flow_session = { "session", session, TL_SPDM_START, false, &tl__sessions };
const tl_spdm_flow tl_flow_another = { "another session", another, TL_SPDM_NEGOTIATED, false, &tl__sessions };
const tl_spdm_flow tl_flow_connect = { "connect", connect, TL_SPDM_START, false, &tl__sessions };
const tl_spdm_flow tl_flow_measure = { "measure", measure, TL_SPDM_NEGOTIATED, false, NULL };
const tl_spdm_flow tl_flow_heartbeat = { "heartbeat", heartbeat, TL_SPDM_NEGOTIATED, true, &tl__sessions };
const tl_spdm_flow tl_flow_key_update = { "key update", key_update, TL_SPDM_NEGOTIATED, true, &tl__sessions };
const tl_spdm_flow tl_flow_vendor = { "vendor", vendor, TL_SPDM_NEGOTIATED, false, NULL };
const tl_spdm_flow tl_flow_end_session = { "end session", end_session, TL_SPDM_NEGOTIATED, true,
                                           &tl__sessions };
