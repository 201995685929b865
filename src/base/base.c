/* Texts of errors, comparing and wiping.
 *
 * tl_equal looks at every byte whatever it finds, so that its time tells nothing about where two tags
 * differ: through volatile, so that a compiler may not stop early. Nor may it leave out a wipe of memory that
 * nobody reads again: it is told that somebody does or, if it cannot be told, wipes through volatile, too. */
#include <trueline/base.h>

#include <string.h>

const char *tl_err_text(tl_err e)
{
    switch (e) {
    case TL_OK: return "ok";
#define ERR(name, value, text)                                                                               \
    case TL_E_##name:                                                                                        \
        return text;
#include <trueline/errors.def>
#undef ERR
    }
    return "an error without a name";
}

bool tl_equal(tl_span a, tl_span b)
{
    volatile uint8_t differ = 0;

    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        differ = (uint8_t)(differ | (a.p[i] ^ b.p[i]));
    return differ == 0;
}

#if defined(__GNUC__)
void tl_wipe(void *p, size_t n)
{
    if (n > 0)
        memset(p, 0, n);
    __asm__ volatile("" : : "r"(p) : "memory");
}
#else
void tl_wipe(void *p, size_t n)
{
    volatile uint8_t *v = (volatile uint8_t *)p;

    for (size_t i = 0; i < n; i++)
        v[i] = 0;
}
#endif
