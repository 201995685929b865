/* CRC-32 of the service footer: the IEEE 802.3 polynomial, reflected, as zlib computes it. */
#ifndef TL_CSE_CRC32_H
#define TL_CSE_CRC32_H

#include <trueline/base.h>

/* Goes on from `crc`, which is 0 at the start. Check: "123456789" gives 0xCBF43926. */
uint32_t tl_cse_crc32(uint32_t crc, tl_span data);

#endif
