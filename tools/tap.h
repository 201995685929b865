/* What a command records of its links: packets and messages into a capture, secrets into a file of their own or into the
 * capture. A tap that records nothing costs a comparison. Recording never stops and never holds up what it records: what cannot be
 * written is said at once, on stderr, and is a fault when the tap is closed. */
#ifndef TL_TOOLS_TAP_H
#define TL_TOOLS_TAP_H

#include "recording.h"
#include "stream_file.h"

#include <argp.h>

typedef struct tap_options {
    const char *capture; /* NULL: none */
    const char *secrets; /* NULL: none; the capture's own name: into it */
    const char *name;    /* of the interface with CSI-2 packets; NULL: "csi2" */
} tap_options;

/* Do the secrets go into the capture? */
bool tap_options_inside(const tap_options *options);

/* --capture and --export-secrets, and --capture-name too, as a child of a command's table; its input are tap_options. */
extern const struct argp tap_argp, tap_named_argp;

typedef struct tap {
    recording capture;
    /* private */
    FILE *secrets;
    struct tap_secrets *spdm_secrets; /* NULL: none are wanted */
    const char *secrets_path, *name, *command;
    bool inside;   /* secrets go into the capture */
    bool has_spdm; /* there is an interface */
    bool has_stream;
    uint32_t spdm, csi2; /* interfaces */
    bool said;           /* that the capture has ended */
    bool recorded;       /* there was one */
    bool no_secrets;     /* they cannot be written any more */
    tl_exit failed;
    tl_fault fault;
} tap;

/* Makes the files. TL_EXIT_INTERNAL; TL_EXIT_USAGE: they are one under two names. */
tl_exit tap_open(tap *t, const tap_options *options, const char *command, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Closes the files; the first fault of all. TL_EXIT_INTERNAL, too, if packets are not in the capture. */
tl_exit tap_close(tap *t, tl_fault *fault) __attribute__((warn_unused_result));
/* Of a closed tap: how many packets the capture has and has not; NULL: there is none. */
json_t *tap_json(const tap *t);
/* Wipes what heard the secrets, when nobody uses its crypto any more. */
void tap_free(tap *t);

/* A stream begins, or begins again under new keys (t may be NULL, here and below): packets from now on are of an interface whose comment tells what the
 * stream is, without its secret. */
void tap_stream(tap *t, const stream_file *file);
/* CSI-2 packets as they are on the wire. */
void tap_packets(tap *t, pcap_direction direction, const tl_span *packets, size_t n);
/* A message of SPDM over TCP with its header; it goes to the file at once. */
void tap_message(tap *t, pcap_direction direction, tl_span message);
/* A stream is over: what was recorded of it goes to the file. */
void tap_flush(tap *t);
/* An epoch that a stream is about to take from its source. */
void tap_key(tap *t, const tl_key_source *source, const tl_stream_config *config, uint32_t epoch);
/* The crypto that SPDM is to use: `crypto`, or what hears its secrets, up to tap_free. */
const tl_crypto *tap_crypto(tap *t, const tl_crypto *crypto);

#endif
