/* Reading what is to be loaded: whole inputs, and the PEM or DER blocks in them. */
#ifndef TL_OPENSSL_INPUT_H
#define TL_OPENSSL_INPUT_H

#include "backend.h"

typedef enum tl__secrecy {
    TL__PUBLIC_FILE = 0,
    TL__SECRET_FILE /* refused if anybody but its owner may read it */
} tl__secrecy;

/* An input in memory. What was read from a file is wiped by close; the caller's own bytes stay. */
typedef struct tl__input {
    const char *name;
    tl_openssl_why *why; /* NULL: nobody wants to know */
    tl_span bytes;
    uint8_t *owned;
} tl__input;

tl_err tl__input_open(tl__input *in, const tl_openssl_input *from, tl__secrecy secrecy, tl_openssl_why *why);
void tl__input_close(tl__input *in);
/* Writes "name: cause" to why, and gives TL_E_FILE. */
tl_err tl__input_refuse(const tl__input *in, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Hands each block of the input to `take`, in order: the PEM blocks, all of which must be called `label`, or the
 * DER values, one after the other. What take refuses ends the walk. TL_E_FILE if there is none. */
typedef tl_err tl__take_block(void *ctx, const tl__input *in, tl_span der);
tl_err tl__input_blocks(const tl__input *in, const char *label, tl__take_block *take, void *ctx);
bool tl__input_is_pem(const tl__input *in);

#endif
