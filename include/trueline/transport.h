/* What carries SPDM: over TCP (DSP0287), and over MCTP (DSP0275, with the records of DSP0276).
 *
 * Pure functions on whole messages: no socket, no state. A message in clear and a record go out by encode and come in
 * by decode, which says which of the two it is. What stands around an SPDM message inside a record is the binding's. */
#ifndef TRUELINE_TRANSPORT_H
#define TRUELINE_TRANSPORT_H

#include <trueline/spdm.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Numbers of DSP0287, "Message type"; MCTP has the first two (DSP0239), and only these have a body. */
typedef enum tl_carried_kind {
    TL_CARRIED_CLEAR = 0x05,   /* an SPDM message */
    TL_CARRIED_SECURED = 0x06, /* a record of DSP0277 */
    TL_CARRIED_ROLE_INQUIRY =
        0xBF,                    /* TCP: the responder dialled, and asks the listener to be the requester */
    TL_CARRIED_TOO_LARGE = 0xC0, /* TCP's errors: the message is too large, */
    TL_CARRIED_NOT_SUPPORTED = 0xC1, /* is of no known type or version, */
    TL_CARRIED_NO_REQUESTER = 0xC2,  /* its receiver cannot be a requester, */
    TL_CARRIED_NO_RESPONDER = 0xC3   /* or a responder */
} tl_carried_kind;

/* A message that came in. The body is a view of the bytes that were decoded: records are opened in place. */
typedef struct tl_carried {
    tl_carried_kind kind;
    uint8_t *p;
    size_t n;
} tl_carried;

enum {
    TL_TCP_HEAD = 4,         /* bytes that tl_tcp_encode adds */
    TL_TCP_BODY_MAX = 65533, /* bytes of the longest body */
    TL_MCTP_HEAD = 1,
    TL_TRANSPORT_HEAD_MAX = 4
};

/* Writes a message; body must not overlap out. TL_E_USAGE: no such kind, a body where there is none, no body where
 * there is one, or a longer one than TL_TCP_BODY_MAX. TL_E_ROOM. */
tl_err tl_tcp_encode(tl_carried_kind kind, tl_span body, tl_wr *out) TL_MUST_USE;
/* Reads a message of exactly n bytes. TL_E_WIRE_SHORT, TL_E_WIRE_TRAILING; TL_E_WIRE_VALUE: another binding version,
 * an unknown type, or a length that the type does not have. */
tl_err tl_tcp_decode(uint8_t *p, size_t n, tl_carried *m) TL_MUST_USE;
/* How many bytes more a stream must give until `have`, the beginning of a message, is whole: asked with less than
 * TL_TCP_HEAD bytes it tells what the header lacks, so ask again; 0: the message is whole. TL_E_WIRE_VALUE as above, as
 * soon as the header shows it; TL_E_WIRE_TRAILING: more than one message is there. */
tl_err tl_tcp_more(tl_span have, size_t *more) TL_MUST_USE;

/* The same for MCTP's message body, behind the packet header, whose integrity check bit must be 0. */
tl_err tl_mctp_encode(tl_carried_kind kind, tl_span body, tl_wr *out) TL_MUST_USE;
tl_err tl_mctp_decode(uint8_t *p, size_t n, tl_carried *m) TL_MUST_USE;

/* A transport as a row, for programs that let people choose. */
typedef struct tl_transport {
    const char *name; /* "tcp" */
    size_t head;      /* bytes that encode adds */
    tl_err (*encode)(tl_carried_kind kind, tl_span body, tl_wr *out);
    tl_err (*decode)(uint8_t *p, size_t n, tl_carried *m);
    tl_spdm_binding binding;
} tl_transport;

extern const tl_transport tl_transport_tcp, tl_transport_mctp;

#ifdef __cplusplus
}
#endif

#endif
