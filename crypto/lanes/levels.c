/* Which levels there are: built in for this processor's family, and here if its cpu_has says so. */
#include "inner.h"

typedef struct row {
    tl_lanes_level id;
    const char *name;
    const tl__level *level;
    bool (*here)(void);
} row;

#if defined(__x86_64__)
#define X86(level, here)   level, here
#define ARMV8(level, here) NULL, NULL
#elif defined(__aarch64__)
#define X86(level, here)   NULL, NULL
#define ARMV8(level, here) level, here
#else
#define X86(level, here)   NULL, NULL
#define ARMV8(level, here) NULL, NULL
#endif

static bool everywhere(void)
{
    return true;
}

/* From the slowest to the fastest. */
static const row rows[] = {
    { TL_LANES_SOFT, "soft", &tl__level_soft, everywhere },
    { TL_LANES_ARMV8, "armv8", ARMV8(&tl__level_armv8, tl__cpu_has_armv8) },
    { TL_LANES_AESNI, "aesni", X86(&tl__level_aesni, tl__cpu_has_aesni) },
    { TL_LANES_VAES, "vaes", X86(&tl__level_vaes, tl__cpu_has_vaes) },
};
enum { ROWS = sizeof rows / sizeof *rows };

const tl__level *tl__level_of(tl_lanes_level id)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].id == id && rows[i].level != NULL && rows[i].here())
            return rows[i].level;
    }
    return NULL;
}

tl_lanes_level tl__level_best(void)
{
    for (size_t i = ROWS; i > 0; i--) {
        if (tl__level_of(rows[i - 1].id) != NULL)
            return rows[i - 1].id;
    }
    return TL_LANES_BEST;
}

bool tl_lanes_level_here(tl_lanes_level level)
{
    return tl__level_of(level != TL_LANES_BEST ? level : tl__level_best()) != NULL;
}

const char *tl_lanes_level_name(tl_lanes_level level)
{
    if (level == TL_LANES_BEST)
        level = tl__level_best();
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].id == level)
            return rows[i].name;
    }
    return NULL;
}
