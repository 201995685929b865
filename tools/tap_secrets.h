/* Secrets of SPDM sessions, as `.keys` files have them: an endpoint's own messages are computed once more beside it, from the
 * one thing that they do not show, the exchanged secret, which the endpoint's crypto is asked for. */
#ifndef TL_TOOLS_TAP_SECRETS_H
#define TL_TOOLS_TAP_SECRETS_H

#include "dump_spdm.h"

enum { TAP_SECRETS_MESSAGE = 8192, TAP_SECRETS_EXCHANGED = 64 };

typedef struct tap_secrets {
    /* private */
    tl_openssl *backend;
    dump_report silent;
    dump_keys keys;
    dump_spdm spdm;
    uint8_t text[4 * TAP_SECRETS_MESSAGE]; /* what was computed and not forgotten */
    uint64_t messages;
    uint8_t exchanged[TAP_SECRETS_EXCHANGED];
    size_t exchanged_n;
    uint8_t waiting[TAP_SECRETS_MESSAGE]; /* a message that what the endpoint makes of it is needed for */
    size_t waiting_n;
    pcap_interface from;
    tl_crypto_ops ops;
    tl_crypto crypto;
    tl_err (*exchange_end)(void *ctx, tl_key own, tl_span peer_point, uint8_t *secret);
} tap_secrets;

/* NULL: no memory. One at a time in a program. */
tap_secrets *tap_secrets_new(void);
/* The crypto that the endpoint is to use in place of `crypto`; lives as long as this. */
const tl_crypto *tap_secrets_crypto(tap_secrets *s, const tl_crypto *crypto);
/* A message of SPDM over TCP that was sent or has come. It gives its lines at once, but for the one behind which the endpoint
 * computes the exchanged secret: that gives them with the next one. Empty: there is no next one. */
void tap_secrets_message(tap_secrets *s, tl_span message);
/* The lines that there are, until they are forgotten. */
tl_span tap_secrets_lines(const tap_secrets *s);
void tap_secrets_forget(tap_secrets *s);
/* Wipes everything; NULL: nothing. */
void tap_secrets_free(tap_secrets *s);

#endif
