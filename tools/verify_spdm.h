/* The SPDM exchange beside a recorded stream, computed again with its secrets: which sessions there were, whose certificates
 * stand behind them, and what was measured. It is the dump's own computation, message by message. */
#ifndef TL_TOOLS_VERIFY_SPDM_H
#define TL_TOOLS_VERIFY_SPDM_H

#include "keys_source.h"
#include "spdm_identity.h"
#include "dump_keys.h"
#include "dump_spdm.h"
#include "tape.h"
#include "verify_ties.h"

enum { VERIFY_SPDM_PORTS = 16, VERIFY_SPDM_SESSIONS = 1024 };

/* An interface with SPDM. */
typedef struct verify_spdm_port {
    struct verify_spdm *owner;
    dump_spdm *spdm;
    dump_listener listener;
    uint32_t index, section; /* of the interface */
    uint64_t at, time_ns;    /* of the packet */
    uint64_t open;           /* messages that transcripts cover, since a signature or a record was right */
} verify_spdm_port;

typedef struct verify_spdm {
    dump_report report;
    verify_ties ties; /* which epochs' secrets follow from its sessions */
    /* private */
    tl_openssl *backend;
    spdm_identity trust; /* has_rules: both ends' chains are judged */
    keys_source secrets;
    bool waits;   /* for secrets, which may stand anywhere in the recording: */
    guarded kept; /* until then packets do, too */
    bool no_room; /* for either */
    FILE *lines;
    guarded said; /* by the dump, of the packet at hand */
    dump_keys keys;
    tl_fault keys_fault, first; /* first: what failed first */
    bool computed;              /* the file of secrets speaks of SPDM */
    verify_spdm_port ports[VERIFY_SPDM_PORTS];
    size_t port_n;
    uint64_t
        loose; /* messages of exchanges that were given up: no transcript that covers them was ever proven */
    json_t *sessions;
} verify_spdm;

/* Is the packet's message of a kind that transcripts cover, or a record of a session? Before it is opened. */
bool verify_spdm_covers(const pcap_packet *packet);
/* Do the recording's secrets, wherever they are, speak of SPDM, and not of streams alone? */
bool verify_spdm_speaks(const tape_options *options);
/* It stays where it is as long as it is open. keys: the file of secrets; NULL: those of the recording. If they speak of
 * streams alone, nothing is computed. TL_EXIT_INTERNAL, TL_EXIT_USAGE. */
tl_exit verify_spdm_open(verify_spdm *v, const char *keys, tl_fault *fault)
    __attribute__((warn_unused_result));
/* From now on both ends of a session have to have chains of these anchors, which were valid when it began, and a stream a secret that
 * follows from such a session. TL_EXIT_USAGE: the file is none of anchors. */
tl_exit verify_spdm_trust(verify_spdm *v, const char *anchors, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Secrets in the recording; without a file of secrets they count. */
void verify_spdm_secrets(verify_spdm *v, tl_span secrets);
/* A packet of SPDM, whose records are opened in place. Interfaces outlive this. TL_EXIT_INTERNAL. */
tl_exit verify_spdm_packet(verify_spdm *v, const pcap_packet *packet, tl_fault *fault)
    __attribute__((warn_unused_result));
/* No packet is left: secrets that nothing was compared with are failures, too. TL_EXIT_USAGE: the file of secrets is broken, or
 * there is no session to be trusted.
 * TL_EXIT_LINK: more sessions than anybody keeps. */
tl_exit verify_spdm_end(verify_spdm *v, tl_fault *fault) __attribute__((warn_unused_result));
/* All of it was computed, nothing failed, and each exchange came to a proof. */
bool verify_spdm_right(const verify_spdm *v);
/* A secret contradicts a session, or is to follow from one and does not: TL_EXIT_REFUSED, the first one is named, and *n says how many. Once, behind verify_spdm_end. */
tl_exit verify_spdm_settle(verify_spdm *v, const stream_keys *keys, uint16_t stream, size_t *n,
                           tl_fault *fault) __attribute__((warn_unused_result));
/* Both are the caller's to json_decref. */
json_t *verify_spdm_json(const verify_spdm *v);
json_t *verify_spdm_epochs(const verify_spdm *v);
void verify_spdm_close(verify_spdm *v);

#endif
