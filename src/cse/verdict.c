/* The texts of verdicts, from verdicts.def. */
#include <trueline/stream.h>

const char *tl_verdict_text(tl_verdict v)
{
    static const char *const texts[] = {
#define VERDICT(name, text, meaning) text,
#include <trueline/verdicts.def>
#undef VERDICT
    };

    return (unsigned)v < TL_VERDICTS ? texts[v] : "unknown";
}
