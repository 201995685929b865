/* The crypto that programs use: our kernels at the best level that is here, with OpenSSL behind them for all that is not
 * a stream's; or one that is asked for. */
#ifndef TL_TOOLS_BACKEND_H
#define TL_TOOLS_BACKEND_H

#include "fault.h"

#include <trueline/openssl.h>

#include <argp.h>

/* Levels as one asks for them. */
typedef enum backend_level {
    BACKEND_BEST = 0,
    BACKEND_AESNI,   /* kernels held down to AES-NI */
    BACKEND_SOFT,    /* portable C */
    BACKEND_OPENSSL, /* no kernels: OpenSSL's own */
    BACKEND_VAES,    /* one kind of processor's or none: BACKEND_BEST may take another */
    BACKEND_ARMV8
} backend_level;

typedef struct backend {
    const tl_crypto *crypto; /* NULL: not open */
    const char *level;       /* the name of what is at work ("vaes", "openssl") */
    tl_openssl *openssl;     /* what keys and certificates from files are loaded with */
    /* private */
    void *kernels;
} backend;

/* "best", "aesni", "soft", "openssl", "vaes", "armv8"; NULL: none. */
const char *backend_level_name(backend_level level);
/* Can it be had on this machine, in this build? */
bool backend_level_here(backend_level level);
/* The value of an option: the name of a level that is here. Else ends the program by argp_error, which lists those. */
backend_level backend_level_option(const struct argp_state *state, const char *option, const char *name);
#define BACKEND_OPTION_TEXT "whose crypto for streams: best, vaes, aesni, armv8, soft or openssl (best)"
/* One serves one thread. keys: slots for stream keys; 0: the backend's default. TL_E_BACKEND: no memory, or the machine or the
 * build lacks the level. */
tl_err backend_open(backend *b, backend_level level, uint16_t keys) TL_MUST_USE;
void backend_close(backend *b);
/* The same for commands: TL_EXIT_INTERNAL says why there is none. */
tl_exit backend_start(backend *b, backend_level level, tl_fault *fault) TL_MUST_USE;
/* OpenSSL alone, where no stream's data are protected; the caller closes it. */
tl_exit backend_start_openssl(tl_openssl **openssl, tl_fault *fault) TL_MUST_USE;

#endif
