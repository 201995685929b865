/* What sensor and controller say to each other about a stream, in VENDOR_DEFINED messages of SPDM: the payloads of
 * layout/.../ssm.def, the configuration that follows from them, and the token that ties the data connection to the session. */
#ifndef TL_TOOLS_AGREEMENT_H
#define TL_TOOLS_AGREEMENT_H

#include "fault.h"
#include "stream_file.h"

#include <trueline/messages.h>
#include <trueline/requester.h>

#define AGREEMENT_TOKEN_MAGIC "truedata" /* 8 bytes */

enum { AGREEMENT_PAYLOAD_MAX = 4096, AGREEMENT_SUITES_MAX = 16, AGREEMENT_TOKEN = 32 };

/* A payload: its kind (TL_AGREEMENT_*) and the body that goes with it. Spans are views of what was read. */
typedef struct agreement {
    uint32_t kind;
    union {
        tl_agreement_chain chain;
        tl_agreement_offer offer;
        tl_agreement_choice choice;
        tl_agreement_port port;
        tl_agreement_stream stream; /* START, STOP, REKEY */
        tl_agreement_refusal refusal;
    } body;
} agreement;

/* TL_E_ROOM, TL_E_WIRE_VALUE: a value wider than its field; TL_E_USAGE: no such kind. */
tl_err agreement_write(const agreement *a, tl_wr *out) TL_MUST_USE;
/* TL_E_WIRE_*: another version, no such kind, or not exactly the body that goes with it. */
tl_err agreement_read(tl_span payload, agreement *a) TL_MUST_USE;
/* "offer", "choice"; "nothing that is known" if it is no kind. */
const char *agreement_kind_text(uint32_t kind);
/* The i-th kind that there is, and the rows of its body, or NULL; false behind the last. */
bool agreement_kind_at(size_t i, uint32_t *kind, const tl_field *(**rows)(void));

/* Why a sensor says no. REASON(name, number on the wire, text). */
#define AGREEMENT_REASONS                                                                                    \
    REASON(AUTHENTICATION, 1, "the controller is not authenticated")                                         \
    REASON(ORDER, 2, "not now: an earlier step is missing, or done already")                                 \
    REASON(PAYLOAD, 3, "a payload that cannot be read")                                                      \
    REASON(CHOICE, 4, "a choice outside of the offer")                                                       \
    REASON(CONFIGURATION, 5, "another configuration digest than ours")                                       \
    REASON(STREAM, 6, "another stream than the chosen one")                                                  \
    REASON(EPOCH, 7, "an epoch that is used, passed or too far")                                             \
    REASON(PORT, 8, "no data port can be opened")                                                            \
    REASON(SELF_TEST, 9, "its self-test has failed")
typedef enum agreement_reason {
    AGREEMENT_FINE = 0,
#define REASON(name, number, text) AGREEMENT_##name = number,
    AGREEMENT_REASONS
#undef REASON
} agreement_reason;
const char *agreement_reason_text(uint32_t reason);

/* StandardID's owner: the bytes of VendorID. */
enum { AGREEMENT_VENDOR_SIZE = 4 };
extern const uint8_t agreement_vendor_id[AGREEMENT_VENDOR_SIZE];
/* A request of this vendor. */
bool agreement_is_ours(uint32_t standard, tl_span vendor_id);

/* ---- from an offer and a choice to a configuration ---- */

/* Makes an offer of a sensor's geometry (width, height, bits, embedded lines) and all suites; `suites` holds them. */
void agreement_offer_make(const stream_file *geometry, uint32_t rate, uint8_t suites[AGREEMENT_SUITES_MAX],
                          tl_agreement_offer *offer);
/* The choice of what a stream_file wants of protection, its epoch and digest still missing. */
void agreement_choose(const stream_file *wanted, uint16_t stream, tl_agreement_choice *choice);
/* The configuration that both ends must come to: into *file, without a secret. AGREEMENT_CHOICE: outside of the offer, or it
 * makes no sense; `fault` says why. */
agreement_reason agreement_build(const tl_agreement_offer *offer, const tl_agreement_choice *choice,
                                 stream_file *file, tl_fault *fault);

/* ---- the data connection's first bytes ---- */

/* What the token is made from: a session's export secret, and the stream that was agreed in it. */
typedef struct agreement_tie {
    tl_digest secret;
    uint16_t stream;
    uint32_t epoch;
} agreement_tie;

/* The bytes that one end sends first; from says which. Nobody without the secret can make them, and those of one end are of
 * no use as the other's. */
tl_err agreement_token(const tl_crypto *crypto, const agreement_tie *tie, tl_direction from,
                       uint8_t bytes[TL_DATA_TOKEN_SIZE]) TL_MUST_USE;

#endif
