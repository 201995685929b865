/* Names and pixel sizes of the CSI-2 data types, one row per line of data_types.def. Codes without a row are
 * legal on the wire and simply have no name here; a code of more than six bits is no data type at all. */
#include <trueline/csi2.h>

enum { CODES = 64 };

static const struct {
    const char *text;
    uint8_t bits;
} rows[CODES] = {
#define DATA_TYPE(name, code, bits, text) [code] = { text, bits },
#include <trueline/data_types.def>
#undef DATA_TYPE
};

const char *tl_data_type_text(unsigned code)
{
    return code < CODES && rows[code].text != NULL ? rows[code].text : "unnamed";
}

unsigned tl_data_type_bits(unsigned code)
{
    return code < CODES ? rows[code].bits : 0;
}
