/* The jobs of `trueline bench` that cross a socket: this process is one end of a stream, a second process the other. */
#ifndef TL_TOOLS_BENCH_LINK_H
#define TL_TOOLS_BENCH_LINK_H

#include "backend.h"
#include "fault.h"
#include "frame_sender.h"
#include "gate.h"
#include "link.h"

#include <sys/types.h>

typedef enum bench_end { BENCH_SENDER = 0, BENCH_RECEIVER } bench_end;

/* One end of the stream. */
typedef struct bench_link {
    /* private */
    bench_end end;
    int fd;
    pid_t other; /* the process at the other end; below 0: none */
    stream_file file;
    backend_level level;
    backend backend;
    uint16_t *samples; /* the frame that is sent, or what was received */
    union {
        tl_stream_tx tx;
        tl_stream_rx rx;
    };
    frame_sender sender;
    tl_link_reader link;
    tl_buffer memory; /* the receiver's frame */
    uint64_t frames;  /* sent, or received and ok */
    tl_exit code;     /* first fault; nothing is done after it */
    tl_fault fault;
} bench_link;

/* Opens our end, and starts a process that is the other one, over loopback. It ends when we close, or die. */
tl_exit bench_link_open(bench_link *b, bench_end end, backend_level level, tl_fault *fault)
    __attribute__((warn_unused_result));
/* One frame through our end. The receiver asks for each frame with a byte and the sender waits for it, so that the other
 * end rests between two runs. A fault sticks: bench_link_fault. */
gate_job bench_link_job(bench_link *b);
/* The first fault of the runs; TL_EXIT_OK: none. */
tl_exit bench_link_fault(const bench_link *b, tl_fault *fault) __attribute__((warn_unused_result));
/* Closes our end, and waits for the other process. */
void bench_link_close(bench_link *b);

#endif
