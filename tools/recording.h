/* Captures, written: pcapng, straight to its file. Whoever reads the file at any time, or after its writer was killed, finds
 * whole blocks up to the last flush, at most a second old while packets come, and a tenth of one if it is live: a long run that
 * ends badly is the one whose capture is wanted.
 *
 * A live recording is written by a thread of its own (recording_queue.h) and never holds up what it records: packets for which there is
 * no room are counted, and the file says how many, before the next packet (epb_dropcount) and at its end (isb_ifdrop). */
#ifndef TL_TOOLS_RECORDING_H
#define TL_TOOLS_RECORDING_H

#include "pcap.h"

/* What became of an interface's packets, live. */
typedef struct recording_count {
    uint64_t taken, lost;
    uint64_t lost_before; /* the next one */
} recording_count;

typedef struct recording {
    uint64_t packets, bytes; /* bytes of blocks */
    uint64_t not_recorded;   /* live: packets that are not in the file, all of them once it is closed */
    /* private */
    int fd;
    const char *path;
    uint8_t *buffer, *at; /* at: the block at hand */
    size_t n, used;       /* bytes that wait; that were written at any time */
    uint64_t flushed_ms;
    uint32_t interfaces;
    struct recording_queue *queue; /* live */
    recording_count *counts;       /* by interface */
    bool ended;                    /* live: nothing is taken any more */
} recording;

/* A descriptor of an empty file at this path, or of the device or pipe that is there and stays as it is; -1 with errno.
 * secret: of a file, nobody else may read it (mode 0600), and it is a new one: who had the old one open sees nothing. */
int recording_create(const char *path, bool secret);
/* TL_EXIT_USAGE: a capture that is there and a file for secrets are one file under two names. */
tl_exit recording_apart(const char *capture, const char *secrets, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Makes the file or empties it; a pipe will do. secret: nobody else may read it (mode 0600). `program` is noted in the
 * file; path outlives the recording. TL_EXIT_INTERNAL, here and below: it cannot be written. */
tl_exit recording_open(recording *r, const char *path, bool secret, const char *program, tl_fault *fault)
    __attribute__((warn_unused_result));
/* From here on it is a live one. What goes wrong then is known when it is closed, and no call gives TL_EXIT_INTERNAL before but
 * for want of memory. */
tl_exit recording_live(recording *r, bool secret, tl_fault *fault) __attribute__((warn_unused_result));
/* Live: errno of the write behind which nothing is written any more; 0: none failed so far. */
int recording_error(const recording *r);
bool recording_is_open(const recording *r);
/* One more interface; name and comment may be "". */
tl_exit recording_interface(recording *r, uint32_t link, const char *name, const char *comment,
                            uint32_t *index, tl_fault *fault) __attribute__((warn_unused_result));

/* Where packets come from. */
typedef struct recording_from {
    uint32_t index; /* of the interface */
    pcap_direction direction;
    const char *comment; /* of each packet; NULL: none */
    uint64_t lost;       /* packets that nobody has, before these; a live one counts them itself */
    bool rare; /* live: few and dear, so that they may have room that packets of a stream have not */
} recording_from;

/* Packets, with the time of now. */
tl_exit recording_packets(recording *r, const recording_from *from, const tl_span *packets, size_t n,
                          tl_fault *fault) __attribute__((warn_unused_result));
/* One of another recording, with the time that it has there. */
tl_exit recording_packet_at(recording *r, const recording_from *from, uint64_t time_ns, tl_span packet,
                            tl_fault *fault) __attribute__((warn_unused_result));
tl_exit recording_secrets(recording *r, uint32_t type, tl_span secrets, tl_fault *fault)
    __attribute__((warn_unused_result));
/* What comments of interfaces say behind `layout=`: the name of the layout's folder. */
const char *recording_layout(void);
tl_exit recording_flush(recording *r, tl_fault *fault) __attribute__((warn_unused_result));
/* Flushes and closes; after a fault, only closes. Nothing to do where nothing is open. TL_EXIT_INTERNAL too if it is a live one and
 * lacks packets: the fault says how many, and why. */
tl_exit recording_close(recording *r, tl_fault *fault) __attribute__((warn_unused_result));

#endif
