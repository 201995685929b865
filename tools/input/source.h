/* Decoded frames out of a picture, a video, a stream or a camera. */
#ifndef TL_INPUT_SOURCE_H
#define TL_INPUT_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include <libavutil/frame.h>
#include <libavutil/rational.h>

typedef struct source source;

typedef struct reason {
    char text[512];
} reason;

/* Opens `name` and finds its video stream. NULL on failure, with the cause in `why`. */
source *source_open(const char *name, reason *why);

/* The next frame: 1 with a frame in `frame`, 0 at the end, -1 with the cause in `why`. What could be decoded
 * is always delivered before a failure is reported. */
int source_frame(source *s, AVFrame *frame, reason *why);

AVRational source_rate(const source *s);
const char *source_codec(const source *s);
uint64_t source_frames(const source *s);

void source_close(source **s);

#endif
