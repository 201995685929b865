/* Texts of errors, comparing and wiping.
 *
 * tl_equal looks at every byte whatever it finds, so that its time tells nothing about where two tags
 * differ. Both functions go through volatile: a compiler may neither stop the comparison early nor leave
 * out a wipe of memory that nobody reads again. */
#include <trueline/base.h>

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

void tl_wipe(void *p, size_t n)
{
    volatile uint8_t *v = (volatile uint8_t *)p;

    for (size_t i = 0; i < n; i++)
        v[i] = 0;
}
