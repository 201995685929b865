/* A recording as somebody verifies or exports it: which of its packets are the stream's, what the stream is, and which keys it has.
 *
 * What must be protected is the receiver's decision. The configuration is that of a stream file, or what the recording's
 * interface says of itself (`stream=` in its comment), which is public and as good as the recording; either way its digest is
 * in the derivation of the keys and in each frame's begin, so that another one verifies nothing. */
#ifndef TL_TOOLS_TAPE_H
#define TL_TOOLS_TAPE_H

#include "backend.h"
#include "pcap.h"
#include "stream_keys.h"
#include "stream_file.h"

enum { TAPE_AUTO = -1, TAPE_FRAME_TIMEOUT_MS = 5000 };

typedef struct tape_options {
    const char *path;
    const char *keys;      /* a file of secrets; NULL: those in the recording */
    const char *stream;    /* a stream file; NULL: what the recording says */
    const char *interface; /* the name of the stream's interface; NULL: the only one with CSI-2 packets */
    int carrier;           /* tl_carrier, or TAPE_AUTO: by what the first packets are */
    int virtual_channel;   /* or TAPE_AUTO, likewise */
    uint8_t channels;      /* that are accepted, a bit each; 0: that one */
    tl_release release;    /* carrier SEP */
    bool oneway;
    backend_level crypto; /* for whoever opens a backend for it */
} tape_options;

typedef enum tape_kind { TAPE_STREAM = 0, TAPE_OTHER_CSI2, TAPE_SPDM, TAPE_UNKNOWN } tape_kind;

typedef struct tape {
    FILE *in;
    stream_file file; /* with the receiver's own part of the configuration */
    stream_keys keys;
    uint8_t digest[TL_CONFIG_DIGEST_SIZE];
    bool recorded;  /* the recording says what the stream is, */
    bool disagrees; /* and it is not what the stream file says */
    /* Set by whoever wants to hear of secrets in the recording, too, when keys is NULL. */
    void (*on_secrets)(void *ctx, tl_span secrets);
    void *context;
    /* private */
    tape_options o;
    pcap pcap;
    bool pcap_open, chosen, way_said;
    char name[64]; /* of the interface */
    const tl_crypto *crypto;
    const pcap_interface *last;              /* that a packet was of, */
    tape_kind last_kind;                     /* and what those of it are */
    uint8_t seen[PCAP_INTERFACES_MAX / 8];   /* interfaces of that name that were looked at, a bit each */
    uint8_t others[PCAP_INTERFACES_MAX / 8]; /* those of them that say another stream */
    tl_exit secrets;                         /* first fault of a block of secrets */
    tl_fault secrets_fault;
} tape;

/* Finds the stream and goes back to the first packet. TL_EXIT_LINK: no such file, or broken. TL_EXIT_USAGE: no stream is named,
 * another layout, wrong keys or stream file, or only the recording says that nothing is protected, and there are secrets. */
tl_exit tape_open(tape *t, const tape_options *options, const tl_crypto *crypto, tl_fault *fault)
    __attribute__((warn_unused_result));
/* TL_EXIT_USAGE: packets of another layout or stream, or of two interfaces. */
tl_exit tape_next(tape *t, pcap_packet *packet, tape_kind *kind, bool *more, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Says on stderr what whoever reads "ok" has to know: that the recording says another stream, or that no tag is over the pixels. */
void tape_warn(const tape *t, const char *command);
/* One way, and the stream file has the secret that proves what was announced: the keys follow from that. */
bool tape_is_announced(const tape *t);
/* Packets that the recording says it lacks, as far as it was read. */
uint64_t tape_lost(const tape *t);
/* The interface's name. */
const char *tape_interface(const tape *t);
void tape_close(tape *t);

#endif
