/* The codec: messages are rows, one decoder and one encoder walk them.
 *
 * A message is written once, in a .def file, with these words, one line per field in wire order:
 *
 *   MSG(name, code) ... END(name)
 *   U8 U16 U24 U32 U64 (name, since)   little-endian integer; U16B and so on: big-endian
 *   RSV    (bytes, since)              reserved: zero when sent, ignored when received
 *   RAW    (name, bytes, since)        bytes of a fixed number, kept as a view of the input
 *   SIZED  (name, CLASS, since)        bytes of a negotiated number, which may be 0
 *   OPT OPTB (name, CLASS, since)      integer of a negotiated number of bytes, 0..4; of none it is 0
 *   LV8 LV16 (name, since)             length, then that many bytes
 *   BY     (name, field, since)        as many bytes as the earlier integer `field` says
 *   REST   (name, since)               all that is left; the last row
 *   BODY   (name, CLASS, extra)        all but the last CLASS size + extra bytes
 *   BOX8 BOX16 BOX32 (since)           little-endian box of bits; bits that no row names are zero
 *     BIT  (name, shift, width)        width 1..31
 *
 * `since` is the first message version that has the field. The files under def/ each give these words one
 * meaning. */
#ifndef TRUELINE_CODEC_H
#define TRUELINE_CODEC_H

#include <trueline/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sizes in bytes that negotiation decides. */
enum {
    TL_LEN_HASH,
    TL_LEN_SIG,
    TL_LEN_KEX,
    TL_LEN_KEXR,
    TL_LEN_MSH,
    TL_LEN_HMAC,
    TL_LEN_NONCE,
    TL_LEN_SLOT,
    TL_LEN_TAG,
    TL_LEN_CRC,
    TL_LEN_N
};

/* What the layout of a message depends on: its version, and the negotiated sizes. */
typedef struct tl_env {
    uint8_t version;
    uint16_t len[TL_LEN_N];
} tl_env;

/* Kinds of rows. */
enum {
    TL_ROW_END, /* off: the struct's size */
    TL_ROW_INT, /* arg: bytes */
    TL_ROW_INTB,
    TL_ROW_OPT, /* arg: class */
    TL_ROW_OPTB,
    TL_ROW_RSV,   /* arg: bytes */
    TL_ROW_RAW,   /* arg: bytes */
    TL_ROW_SIZED, /* arg: class */
    TL_ROW_LV,    /* arg: bytes of the length */
    TL_ROW_BY,    /* arg: offset of the integer */
    TL_ROW_REST,
    TL_ROW_BODY, /* arg: extra << 8 | class */
    TL_ROW_BOX,  /* arg: bytes */
    TL_ROW_BIT   /* arg: shift << 8 | width */
};

/* One row: a field of a message, and where its struct keeps it. */
typedef struct tl_field {
    uint8_t kind, since;
    uint16_t arg, off;
} tl_field;

/* A message as data, for whoever handles them all: the printer, the fuzzer, the tests. */
typedef struct tl_message {
    const char *name;
    const tl_field *(*rows)(void);
    const char *const *names; /* one per row; "" for a box, "reserved" for reserved bytes */
    size_t size;              /* of the struct */
} tl_message;

/* Reads one message into the struct of these rows; spans are views of the input. What follows the message
 * is left in the reader. On an error the struct is zero and the reader bad: TL_E_WIRE_SHORT,
 * TL_E_WIRE_VALUE (bits that no row names), TL_E_USAGE (a negotiated size that the layout cannot have). */
tl_err tl_decode(const tl_field *rows, const tl_env *e, tl_rd *r, void *m) TL_MUST_USE;

/* Writes one message. On an error the writer is bad, and what this call wrote is zero again and not
 * counted: TL_E_WIRE_VALUE (a value wider than its field, a span that is not as long as the layout says),
 * TL_E_ROOM, TL_E_USAGE as above. */
tl_err tl_encode(const tl_field *rows, const tl_env *e, const void *m, tl_wr *w) TL_MUST_USE;

/* Reads the next of a list of messages that goes on to the reader's end. False at the end, which is clean
 * if the reader is not bad then; a broken message, or one of no bytes, makes it bad. */
bool tl_each(const tl_field *rows, tl_rd *r, const tl_env *e, void *m);

#ifdef __cplusplus
}
#endif

#endif
