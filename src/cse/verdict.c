/* The texts of verdicts, from verdicts.def, and of kinds of events. */
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

const char *tl_event_text(tl_event_kind kind)
{
    switch (kind) {
    case TL_EVENT_MESSAGE: return "message";
    case TL_EVENT_OPENED: return "opened";
    case TL_EVENT_FRAME: return "frame";
    case TL_EVENT_LOST: return "lost";
    case TL_EVENT_KEY: return "key";
    case TL_EVENT_LIMIT: return "limit";
    case TL_EVENT_SILENT: return "silent";
    }
    return "unknown";
}
