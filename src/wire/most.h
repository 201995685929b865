/* Pass: TL__MOST(NAME), the bytes of a message of the layout at compile time: with the largest tag and the CRC-32, but
 * without what stands in lists, whose length is no matter of the rows. What layout/limits.h says is held against it. */
#ifndef TRUELINE_WIRE_MOST_H
#define TRUELINE_WIRE_MOST_H

#include <trueline/layout/limits.h>

enum { TL__MOST_TAG = TL_SEP_TAG_MAX, TL__MOST_CRC = 4 };

/* clang-format off */
#define MSG(name, code)  enum { tl__most_##name = 0
#define U8(id, s)        + 1
#define U16(id, s)       + 2
#define U24(id, s)       + 3
#define U32(id, s)       + 4
#define U64(id, s)       + 8
#define U16B(id, s)      + 2
#define U24B(id, s)      + 3
#define U32B(id, s)      + 4
#define U64B(id, s)      + 8
#define OPT(id, c, s)    + TL__MOST_##c
#define OPTB(id, c, s)   + TL__MOST_##c
#define RSV(b, s)        + (b)
#define RAW(id, b, s)    + (b)
#define SIZED(id, c, s)  + TL__MOST_##c
#define LV8(id, s)       + 1
#define LV16(id, s)      + 2
#define BY(id, f, s)
#define REST(id, s)
#define BOX8(s)          + 1
#define BOX16(s)         + 2
#define BOX32(s)         + 4
#define BIT(id, sh, w)
#define END(name)        };
/* clang-format on */
#include <trueline/layout/line.def>
#include <trueline/layout/sep.def>
#include <trueline/layout/ssm.def>
#include <trueline/def/none.h>

#define TL__MOST(name) ((int)tl__most_##name)

#endif
