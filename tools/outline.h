/* Pictures over a one-way link. The receiver cannot know beforehand how many lines of which length a frame has, so the
 * sender says it: the outline, a packet of its own data type beside each announcement. It is a claim of whoever sent it. A
 * configuration made with it proves it or not: the announcement holds that configuration's digest under a proof.
 *
 * What the bytes mean is never claimed: the format, as text, is the first message of each frame and stands under the tag. */
#ifndef TL_TOOLS_OUTLINE_H
#define TL_TOOLS_OUTLINE_H

#include "fault.h"

#include <trueline/stream.h>

enum {
    OUTLINE_PACKET_MAX = 256,
    PICTURE_FORMAT_MAX = 4096,           /* bytes of the text */
    PICTURE_BYTES_MAX = 1 << 30,         /* of a frame: no outline makes a receiver ask for more memory */
    PICTURE_TYPE = TL_DT_RAW8,           /* of messages with bytes of the picture */
    PICTURE_FORMAT_TYPE = TL_DT_EMBEDDED /* of the message with the format */
};

#define PICTURE_NO_TIME UINT64_MAX

/* Writes the packet that says the configuration's stream and parts. TL_E_ROOM. */
tl_err outline_write(const tl_stream_config *config, uint8_t packet[OUTLINE_PACKET_MAX],
                     size_t *n) TL_MUST_USE;

typedef enum outline_kind {
    OUTLINE_NONE = 0, /* another packet */
    OUTLINE_OTHER,    /* an outline of another stream, or none that a configuration can have */
    OUTLINE_TAKEN     /* the parts are in *config */
} outline_kind;

/* Looks at a packet. Of TAKEN the configuration has the claimed parts and is one that tl_stream_config_check allows;
 * otherwise it stays as it was. */
outline_kind outline_read(tl_stream_config *config, tl_span packet);

/* The first message of a frame. Times in nanoseconds, PICTURE_NO_TIME: none. */
typedef struct picture_note {
    uint64_t pts, duration;
    tl_span format; /* text */
} picture_note;

/* Bytes that a note takes, made up to a multiple of 16; 0 if the text is empty or longer than PICTURE_FORMAT_MAX. */
size_t picture_note_bytes(const picture_note *note);
/* Fills n bytes, of which the rest is zeros. TL_E_USAGE as above, TL_E_ROOM. */
tl_err picture_note_write(const picture_note *note, uint8_t *bytes, size_t n) TL_MUST_USE;
/* The text is a view of the bytes, not empty and without a zero in it. TL_E_WIRE_SHORT, TL_E_WIRE_VALUE. */
tl_err picture_note_read(picture_note *note, tl_span bytes) TL_MUST_USE;

#endif
