/* The crypto that programs use: our kernels at the best level that is here, with OpenSSL behind them for all that is not
 * a stream's; or one that is asked for. */
#ifndef TL_TOOLS_BACKEND_H
#define TL_TOOLS_BACKEND_H

#include <trueline/openssl.h>

/* Levels as one asks for them. */
typedef enum backend_level {
    BACKEND_BEST = 0,
    BACKEND_AESNI,  /* kernels held down to AES-NI */
    BACKEND_SOFT,   /* portable C */
    BACKEND_OPENSSL /* no kernels: OpenSSL's own */
} backend_level;

typedef struct backend {
    const tl_crypto *crypto; /* NULL: not open */
    const char *level;       /* the name of what is at work ("vaes", "openssl") */
    /* private */
    tl_openssl *openssl;
    void *kernels;
} backend;

/* "best", "aesni", "soft", "openssl"; NULL: none. */
const char *backend_level_name(backend_level level);
/* keys: slots for stream keys; 0: the backend's default. TL_E_BACKEND: no memory, or the machine or the build lacks the level. */
tl_err backend_open(backend *b, backend_level level, uint16_t keys) TL_MUST_USE;
void backend_close(backend *b);

#endif
