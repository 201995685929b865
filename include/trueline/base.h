/* What every part shares: errors, views of bytes, the one reader and the one writer, wiping and comparing. */
#ifndef TRUELINE_BASE_H
#define TRUELINE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- errors ---- */

typedef enum tl_err {
    TL_OK = 0,
#define ERR(name, value, text) TL_E_##name = value,
#include <trueline/errors.def>
#undef ERR
} tl_err;

#if defined(__GNUC__)
#define TL_MUST_USE __attribute__((warn_unused_result))
#else
#define TL_MUST_USE
#endif

/* The text of an error, for people; never NULL. */
const char *tl_err_text(tl_err e);

/* Hands an error on to the caller. Only in functions that hold no secret: the others `goto out` and wipe. */
#define TL_TRY(call)                                                                                         \
    do {                                                                                                     \
        tl_err tl_try_ = (call);                                                                             \
        if (tl_try_ != TL_OK)                                                                                \
            return tl_try_;                                                                                  \
    } while (0)

/* ---- views ---- */

/* A view of somebody else's bytes. It lives as long as they do, and no longer than the next call of the
 * object that gave it. */
typedef struct tl_span {
    const uint8_t *p;
    size_t n;
} tl_span;

/* n bytes of the caller's that may be written to. */
typedef struct tl_buffer {
    uint8_t *p;
    size_t n;
} tl_buffer;

static inline tl_span tl_span_of(const void *p, size_t n)
{
    return (tl_span){ (const uint8_t *)p, n };
}

/* True if both spans hold the same bytes. Takes the same time wherever they differ; lengths are no secret. */
bool tl_equal(tl_span a, tl_span b);

/* Overwrites n bytes in a way that the compiler may not leave out. */
void tl_wipe(void *p, size_t n);

#ifdef __cplusplus
}
#endif

#include <trueline/rw.h>

#endif
