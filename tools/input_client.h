/* Frames for the sensor: from trueline-input, started as a child, or from the built-in scene. */
#ifndef TL_INPUT_CLIENT_H
#define TL_INPUT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tl_input tl_input;

typedef struct tl_input_options {
    const char *source;     /* "scene", "scene:WIDTHxHEIGHT", or what trueline-input takes */
    unsigned width, height; /* scale to this; 0: as the source is */
    unsigned bits;          /* 8, 10, 12 or 14; 0: 12 */
    bool loop;
    uint64_t frames;     /* end after so many; 0: when the source ends, which a scene never does */
    unsigned timeout_ms; /* for one frame to come in full; 0: 10 seconds */
} tl_input_options;

/* Opens the source and reads as far as its size. Returns 0, or the exit code that fits the failure: 2 for an
 * argument that cannot be, 4 if the input failed, 5 if this machine did. Then *in is NULL and `why` holds one
 * sentence without a full stop. The child ends when the thread that called this ends. */
int tl_input_open(const tl_input_options *options, tl_input **in, char *why, size_t why_n);

unsigned tl_input_width(const tl_input *in);
unsigned tl_input_height(const tl_input *in);
unsigned tl_input_bits(const tl_input *in);
void tl_input_rate(const tl_input *in, uint32_t *numerator, uint32_t *denominator);

/* Reads the next frame into width * height samples: 1 with a frame, 0 at the end, -1 on failure, and from then
 * on. After a failure `samples` is undefined, tl_input_why has the sentence and tl_input_code the exit code. */
int tl_input_frame(tl_input *in, uint16_t *samples);
const char *tl_input_why(const tl_input *in);
int tl_input_code(const tl_input *in);

/* Ends and reaps the child, if there is one. NULL is allowed. */
void tl_input_close(tl_input *in);

#endif
