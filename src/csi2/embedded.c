/* Embedded data lines: register values in SMIA-style tags. 0x0A, then pairs of a tag and its byte, then 0x07 to the
 * end of the line. At RAW10 and RAW12 every place of the line that would hold the pixels' lower bits holds a pad.
 * (The tags as libcamera reads them, md_parser_smia.cpp.) Behind the first 0x07 nothing else may stand: a line has
 * one meaning. */
#include <trueline/csi2.h>

enum {
    LINE_START = 0x0A,
    ADDRESS_HIGH = 0xAA,
    ADDRESS_LOW = 0xA5,
    VALUE = 0x5A,
    SKIP = 0x55,
    LINE_END = 0x07
};
enum { PAD = 0x55 };

/* A pad stands at the last of every so many bytes; 0: there are none. */
static bool period_of(unsigned bits, unsigned *period)
{
    *period = bits == 10 ? 5 : bits == 12 ? 3 : 0;
    return bits == 8 || *period != 0;
}

static bool is_pad(size_t at, unsigned period)
{
    return period != 0 && at % period == period - 1;
}

static void put(tl_wr *w, unsigned period, uint8_t byte)
{
    if (is_pad(w->n, period))
        tl_put(w, 1, TL_LITTLE, PAD);
    tl_put(w, 1, TL_LITTLE, byte);
}

static void put_pair(tl_wr *w, unsigned period, uint8_t tag, unsigned byte)
{
    put(w, period, tag);
    put(w, period, (uint8_t)byte);
}

/* Everything up to the first 0x07. The address is written where it does not count up by itself. */
static void put_registers(tl_wr *w, unsigned period, const tl_embedded_register *registers, size_t count)
{
    put(w, period, LINE_START);
    for (size_t i = 0; i < count; i++) {
        const uint16_t address = registers[i].address;
        if (i == 0 || address != (uint16_t)(registers[i - 1].address + 1)) {
            put_pair(w, period, ADDRESS_HIGH, address >> 8);
            put_pair(w, period, ADDRESS_LOW, address & 0xFF);
        }
        put_pair(w, period, VALUE, registers[i].value);
    }
    put(w, period, LINE_END);
}

tl_err tl_embedded_write(unsigned bits, const tl_embedded_register *registers, size_t count, uint8_t *line,
                         size_t n)
{
    unsigned period;
    if (!period_of(bits, &period))
        return TL_E_USAGE;

    tl_wr needed = tl_wr_counting();
    put_registers(&needed, period, registers, count);
    if (needed.n > n)
        return TL_E_ROOM;

    tl_wr w = tl_wr_of(line, n);
    put_registers(&w, period, registers, count);
    while (w.n < n)
        tl_put(&w, 1, TL_LITTLE, is_pad(w.n, period) ? PAD : LINE_END);
    return TL_OK;
}

/* A line that is being read. The first error stays, and nothing but zeros comes behind it. */
typedef struct reading {
    tl_rd r;
    size_t at;
    unsigned period;
    tl_err err;
} reading;

static void refuse(reading *in, tl_err err)
{
    if (in->err == TL_OK)
        in->err = err;
}

static uint8_t get_byte(reading *in)
{
    const uint8_t byte = (uint8_t)tl_get(&in->r, 1, TL_LITTLE);
    if (in->r.bad)
        refuse(in, TL_E_WIRE_SHORT);
    in->at++;
    return byte;
}

static uint8_t get(reading *in)
{
    if (is_pad(in->at, in->period) && get_byte(in) != PAD)
        refuse(in, TL_E_WIRE_VALUE);
    return get_byte(in);
}

/* What stands behind the first 0x07. */
static void get_filler(reading *in)
{
    while (in->err == TL_OK && in->r.n > 0) {
        const uint8_t expected = is_pad(in->at, in->period) ? PAD : LINE_END;
        if (get_byte(in) != expected)
            refuse(in, TL_E_WIRE_VALUE);
    }
}

/* Reads tags and their bytes. Without `registers` it only counts them. */
static size_t get_registers(reading *in, tl_embedded_register *registers)
{
    uint16_t address = 0;
    size_t count = 0;

    if (get(in) != LINE_START)
        refuse(in, TL_E_WIRE_VALUE);
    while (in->err == TL_OK) {
        const uint8_t tag = get(in);
        if (tag == LINE_END) {
            get_filler(in);
            break;
        }
        const uint8_t byte = get(in);
        switch (tag) {
        case ADDRESS_HIGH: address = (uint16_t)((address & 0xFF) | byte << 8); break;
        case ADDRESS_LOW: address = (uint16_t)((address & 0xFF00) | byte); break;
        case SKIP: address++; break;
        case VALUE:
            if (registers != NULL)
                registers[count] = (tl_embedded_register){ address, byte };
            address++;
            count++;
            break;
        default: refuse(in, TL_E_WIRE_VALUE); break;
        }
    }
    return count;
}

tl_err tl_embedded_read(unsigned bits, tl_span line, tl_embedded_register *registers, size_t room,
                        size_t *count)
{
    unsigned period;
    *count = 0;
    if (!period_of(bits, &period))
        return TL_E_USAGE;

    /* Once to see that all of it is right and fits, and once to take it. */
    const reading start = { .r = tl_rd_of(line), .period = period };
    reading in = start;
    const size_t found = get_registers(&in, NULL);
    if (in.err != TL_OK)
        return in.err;
    if (found > room)
        return TL_E_ROOM;
    in = start;
    *count = get_registers(&in, registers);
    return TL_OK;
}
