/* In place of the levels that valgrind has no instructions for: they are not here. */
#include "level.h"

const tl__level tl__level_aesni, tl__level_vaes, tl__level_armv8;

bool tl__cpu_has_aesni(void)
{
    return false;
}

bool tl__cpu_has_vaes(void)
{
    return false;
}

bool tl__cpu_has_armv8(void)
{
    return false;
}
