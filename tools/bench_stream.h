/* The jobs of `trueline bench`: frames protected and verified in memory, and the same bytes through bare OpenSSL. */
#ifndef TL_TOOLS_BENCH_STREAM_H
#define TL_TOOLS_BENCH_STREAM_H

#include "backend.h"
#include "bench_ends.h"
#include "fault.h"
#include "gate.h"

#include <openssl/evp.h>

enum { BENCH_WIDTH = 1920, BENCH_HEIGHT = 1080, BENCH_BITS = 12 };

/* One stream with both ends, the packets of one frame, and a bare OpenSSL context for comparison. */
typedef struct bench_stream {
    backend backend;
    bench_ends ends;
    EVP_CIPHER_CTX *bare;
    bool failed;
} bench_stream;

/* middle: the variant of the pixels. TL_EXIT_INTERNAL. */
tl_exit bench_stream_open(bench_stream *b, tl_variant middle, backend_level level, tl_fault *fault)
    __attribute__((warn_unused_result));
void bench_stream_close(bench_stream *b);

/* One frame each. */
gate_job bench_protect(bench_stream *b);
gate_job bench_verify(bench_stream *b);
/* The lines with a header of 16 bytes through EVP's AES-128-GCM: as associated data (SV-2) or encrypted (SV-1). */
gate_job bench_bare_protect(bench_stream *b);
gate_job bench_bare_verify(bench_stream *b);

#endif
