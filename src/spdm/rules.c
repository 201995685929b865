/* The responder's rules: what every handler would check about its request stands once, here.
 *
 * A request is refused by the first that holds: unknown, of a family that is not served, or without the capability
 * (UnsupportedRequest); too early, or in the wrong place (UnexpectedRequest, SessionRequired); in another version
 * (VersionMismatch). GET_VERSION and GET_CAPABILITIES choose the version, and check it themselves. */
#include "spdm/spdm.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

enum { CLEAR_OR_SESSION = TL__IN_CLEAR | TL__IN_SESSION };

static const tl__rule connection[] = {
    { TL_SPDM_GET_VERSION, TL_SPDM_10, TL_SPDM_START, TL__IN_CLEAR, 0, 0, false, tl__on_get_version },
    { TL_SPDM_GET_CAPABILITIES, TL_SPDM_10, TL_SPDM_AFTER_VERSION, TL__IN_CLEAR, 0, 0, false,
      tl__on_get_capabilities },
    { TL_SPDM_NEGOTIATE_ALGORITHMS, TL_SPDM_12, TL_SPDM_AFTER_CAPABILITIES, TL__IN_CLEAR, 0, 0, false,
      tl__on_negotiate_algorithms },
    { TL_SPDM_RESPOND_IF_READY, TL_SPDM_12, TL_SPDM_NEGOTIATED, CLEAR_OR_SESSION | TL__IN_HANDSHAKE, 0, 0,
      false, tl__on_respond_if_ready },
};

static const tl__rule certificates[] = {
    { TL_SPDM_GET_DIGESTS, TL_SPDM_12, TL_SPDM_NEGOTIATED, CLEAR_OR_SESSION, TL_CAP_CERT, 0, false,
      tl__on_get_digests },
    { TL_SPDM_GET_CERTIFICATE, TL_SPDM_12, TL_SPDM_NEGOTIATED, CLEAR_OR_SESSION, TL_CAP_CERT, 0, false,
      tl__on_get_certificate },
};

static const tl__rule challenge[] = {
    { TL_SPDM_CHALLENGE, TL_SPDM_12, TL_SPDM_NEGOTIATED, TL__IN_CLEAR, TL_CAP_CHAL, 0, true,
      tl__on_challenge },
};

static const tl__rule measurements[] = {
    { TL_SPDM_GET_MEASUREMENTS, TL_SPDM_12, TL_SPDM_NEGOTIATED, CLEAR_OR_SESSION,
      TL_CAP_MEAS_SIG | TL_CAP_MEAS_NO_SIG, 0, true, tl__on_get_measurements },
};

static const tl__rule sessions[] = {
    { TL_SPDM_KEY_EXCHANGE, TL_SPDM_12, TL_SPDM_NEGOTIATED, TL__IN_CLEAR, 0, TL_CAP_KEY_EX, true,
      tl__on_key_exchange },
    { TL_SPDM_FINISH, TL_SPDM_12, TL_SPDM_NEGOTIATED, TL__IN_HANDSHAKE, 0, TL_CAP_KEY_EX, false,
      tl__on_finish },
    { TL_SPDM_HEARTBEAT, TL_SPDM_12, TL_SPDM_NEGOTIATED, TL__IN_SESSION, 0, TL_CAP_HBEAT, false,
      tl__on_heartbeat },
    { TL_SPDM_KEY_UPDATE, TL_SPDM_12, TL_SPDM_NEGOTIATED, TL__IN_SESSION, 0, TL_CAP_KEY_UPD, false,
      tl__on_key_update },
    { TL_SPDM_END_SESSION, TL_SPDM_12, TL_SPDM_NEGOTIATED, TL__IN_SESSION, 0, 0, false, tl__on_end_session },
};

static const tl__rule vendor[] = {
    { TL_SPDM_VENDOR_DEFINED_REQUEST, TL_SPDM_12, TL_SPDM_NEGOTIATED, CLEAR_OR_SESSION, 0, 0, false,
      tl__on_vendor },
};

const tl_spdm_family tl_serve_connection = { connection, COUNT(connection), 0, NULL };
const tl_spdm_family tl_serve_certificates = { certificates, COUNT(certificates), TL_CAP_CERT, NULL };
const tl_spdm_family tl_serve_challenge = { challenge, COUNT(challenge), TL_CAP_CHAL, NULL };
const tl_spdm_family tl_serve_measurements = { measurements, COUNT(measurements),
                                               TL_CAP_MEAS_SIG | TL_CAP_MEAS_NO_SIG | TL_CAP_MEAS_FRESH,
                                               NULL };
const tl_spdm_family tl_serve_sessions = { sessions, COUNT(sessions),
                                           TL_CAP_ENCRYPT | TL_CAP_MAC | TL_CAP_KEY_EX | TL_CAP_HBEAT |
                                               TL_CAP_KEY_UPD | TL_CAP_MUT_AUTH,
                                           &tl__sessions };
const tl_spdm_family tl_serve_vendor = { vendor, COUNT(vendor), 0, NULL };

const tl_spdm_family *const tl_serve_all[] = { &tl_serve_connection,
                                               &tl_serve_certificates,
                                               &tl_serve_challenge,
                                               &tl_serve_measurements,
                                               &tl_serve_sessions,
                                               &tl_serve_vendor,
                                               NULL };
