/* Own backends: the kernels at a level with OpenSSL behind them, or OpenSSL's alone. */
#ifndef TL_BENCH_BACKEND_H
#define TL_BENCH_BACKEND_H

#include "bench.h"

/* "best", "aesni", "soft", "openssl"; NULL: none. */
const char *bench_level_name(bench_level level);
/* Opens the backend of b->asked. false: the machine or the build lacks it. */
bool bench_backend_open(bench *b);
void bench_backend_close(bench *b);

#endif
