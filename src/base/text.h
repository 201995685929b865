/* Texts of this library as bytes: labels of key derivations. */
#ifndef TL_BASE_TEXT_H
#define TL_BASE_TEXT_H

#include <trueline/base.h>

/* The bytes of a text without its final zero. */
static inline tl_span tl__text(const char *text)
{
    size_t n = 0;

    while (text[n] != '\0')
        n++;
    return tl_span_of(text, n);
}

#endif
