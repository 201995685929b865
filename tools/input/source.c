/* FFmpeg's libraries, tamed: opens an input, finds its video stream, decodes frame by frame, and turns every
 * way this can go wrong into one sentence. Plain files are checked before FFmpeg sees them, because it would
 * call a folder, an empty file and a wrong name by less helpful names, and would read a name with a colon as a
 * protocol. Damage in the middle does not stop the decoding: it is counted, and reported at the end. Still
 * pictures are stricter, since half a picture is none. */
#include "source.h"
#include "wire.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#ifdef TL_AVDEVICE
#include <libavdevice/avdevice.h>
#endif

#define PIXEL_LIMIT          "67108864" /* TL_INPUT_SIDE_LIMIT squared */
#define FAILURES_IN_A_ROW    100
#define MEMORY_LIMIT_REACHED "needs more memory than the input program allows itself"

struct source {
    AVFormatContext *format;
    AVCodecContext *codec;
    AVPacket *packet;
    int stream;
    bool draining;
    int read_error; /* why reading packets stopped, if not at the end */
    int decode_error;
    unsigned in_a_row;
    uint64_t frames, damaged;
    int64_t end;       /* of the last packet in the file, as far as the format says */
    int width, height; /* of the frame that was too large; 0 if none was */
};

typedef struct target {
    char url[4096];
    const AVInputFormat *format;
} target;

__attribute__((format(printf, 2, 3))) static int fail(reason *why, const char *form, ...)
{
    va_list ap;
    va_start(ap, form);
    vsnprintf(why->text, sizeof why->text, form, ap);
    va_end(ap);
    return -1;
}

static int fail_code(reason *why, int code)
{
    char text[AV_ERROR_MAX_STRING_SIZE];
    switch (code) {
    case AVERROR(ENOENT): return fail(why, "no such file");
    case AVERROR(ENOMEM): return fail(why, MEMORY_LIMIT_REACHED);
    case AVERROR_INVALIDDATA: return fail(why, "is no picture or video");
    case AVERROR_EOF: return fail(why, "is empty");
    case AVERROR_PROTOCOL_NOT_FOUND: return fail(why, "no such file, and no known kind of stream");
    default: av_strerror(code, text, sizeof text); return fail(why, "%s", text);
    }
}

/* ---- opening ---- */

/* "lavfi:GRAPH" and "v4l2:DEVICE" name a device's format; a character device /dev/video* is a camera. */
static int device_find(const char *name, target *t, reason *why)
{
    static const struct {
        const char *prefix, *format;
        size_t skip;
    } kinds[] = { { "lavfi:", "lavfi", 6 },
                  { "v4l2:", "video4linux2", 5 },
                  { "/dev/video", "video4linux2", 0 } };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strncmp(name, kinds[i].prefix, strlen(kinds[i].prefix)) != 0)
            continue;
#ifdef TL_AVDEVICE
        avdevice_register_all();
#endif
        t->format = av_find_input_format(kinds[i].format);
        if (!t->format)
            return fail(why, "this build has no %s input: it was built without libavdevice", kinds[i].format);
        snprintf(t->url, sizeof t->url, "%s", name + kinds[i].skip);
        return 0;
    }
    return 0;
}

static int file_check(const char *name, target *t, reason *why)
{
    struct stat st;
    if (strcmp(name, "-") == 0) {
        snprintf(t->url, sizeof t->url, "pipe:0");
        return 0;
    }
    if (stat(name, &st) != 0) {
        if (errno != ENOENT)
            return fail(why, "%s", strerror(errno));
        snprintf(t->url, sizeof t->url, "%s", name);
        return 0;
    }
    if (S_ISDIR(st.st_mode))
        return fail(why, "is a folder, not a picture or video");
    if (access(name, R_OK) != 0)
        return fail(why, "cannot be read: %s", strerror(errno));
    if (S_ISREG(st.st_mode) && st.st_size == 0)
        return fail(why, "is empty");
    snprintf(t->url, sizeof t->url, "file:%s", name);
    return 0;
}

static int target_find(const char *name, target *t, reason *why)
{
    if (strlen(name) + 8 > sizeof t->url)
        return fail(why, "the name is too long");
    if (device_find(name, t, why) != 0)
        return -1;
    return t->format ? 0 : file_check(name, t, why);
}

/* Bounds what FFmpeg allocates while it looks for the streams' parameters. */
static int streams_find(source *s, reason *why)
{
    unsigned n = s->format->nb_streams;
    AVDictionary **options = calloc(n ? n : 1, sizeof *options);
    if (!options)
        return fail(why, MEMORY_LIMIT_REACHED);
    for (unsigned i = 0; i < n; i++)
        av_dict_set(&options[i], "max_pixels", PIXEL_LIMIT, 0);
    int r = avformat_find_stream_info(s->format, options);
    for (unsigned i = 0; i < n; i++)
        av_dict_free(&options[i]);
    free(options);
    return r < 0 ? fail_code(why, r) : 0;
}

/* FFmpeg draws text files as pictures of a terminal. Nobody who names one means that. */
static bool text_as_picture(enum AVCodecID id)
{
    return id == AV_CODEC_ID_ANSI || id == AV_CODEC_ID_BINTEXT || id == AV_CODEC_ID_XBIN ||
           id == AV_CODEC_ID_IDF;
}

static int stream_choose(source *s, const AVCodec **codec, reason *why)
{
    s->stream = av_find_best_stream(s->format, AVMEDIA_TYPE_VIDEO, -1, -1, codec, 0);
    if (s->stream == AVERROR_DECODER_NOT_FOUND)
        return fail(why, "holds video of a kind that this FFmpeg cannot decode");
    if (s->stream < 0) {
        bool sound = av_find_best_stream(s->format, AVMEDIA_TYPE_AUDIO, -1, -1, NULL, 0) >= 0;
        return fail(why, sound ? "has no video stream, only sound" : "is no picture or video");
    }
    const AVCodecParameters *p = s->format->streams[s->stream]->codecpar;
    if (text_as_picture(p->codec_id))
        return fail(why, "is text, no picture or video");
    for (unsigned i = 0; i < s->format->nb_streams; i++)
        if ((int)i != s->stream)
            s->format->streams[i]->discard = AVDISCARD_ALL;
    return 0;
}

/* The one place where every decoder must say how large its frame is, before the memory is taken. */
static int frame_memory(AVCodecContext *codec, AVFrame *frame, int flags)
{
    source *s = codec->opaque;
    if (frame->width > TL_INPUT_SIDE_LIMIT || frame->height > TL_INPUT_SIDE_LIMIT) {
        s->width = frame->width;
        s->height = frame->height;
        return AVERROR(EINVAL);
    }
    return avcodec_default_get_buffer2(codec, frame, flags);
}

static int decoder_open(source *s, const AVCodec *codec, reason *why)
{
    const char *kind = s->format->iformat->name;
    size_t n = strlen(kind);
    bool still = strncmp(kind, "image2", 6) == 0 || (n > 5 && strcmp(kind + n - 5, "_pipe") == 0);
    s->packet = av_packet_alloc();
    s->codec = avcodec_alloc_context3(codec);
    if (!s->packet || !s->codec)
        return fail(why, MEMORY_LIMIT_REACHED);
    int r = avcodec_parameters_to_context(s->codec, s->format->streams[s->stream]->codecpar);
    s->codec->opaque = s;
    s->codec->get_buffer2 = frame_memory;
    s->codec->thread_count = still ? 1 : 2;
    if (still)
        s->codec->err_recognition |= AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER | AV_EF_EXPLODE;
    if (r >= 0)
        r = avcodec_open2(s->codec, codec, NULL);
    return r < 0 ? fail_code(why, r) : 0;
}

source *source_open(const char *name, reason *why)
{
    target t = { .format = NULL };
    const AVCodec *codec = NULL;
    if (target_find(name, &t, why) != 0)
        return NULL;
    source *s = calloc(1, sizeof *s);
    if (!s) {
        fail(why, MEMORY_LIMIT_REACHED);
        return NULL;
    }
    /* a percent sign in the name of a file that exists is no pattern */
    AVDictionary *options = NULL;
    if (strncmp(t.url, "file:", 5) == 0)
        av_dict_set(&options, "pattern_type", "none", 0);
    int r = avformat_open_input(&s->format, t.url, t.format, &options);
    av_dict_free(&options);
    if (r < 0)
        fail_code(why, r);
    if (r < 0 || streams_find(s, why) != 0 || stream_choose(s, &codec, why) != 0 ||
        decoder_open(s, codec, why) != 0)
        source_close(&s);
    return s;
}

/* ---- decoding ---- */

static int finish(const source *s, reason *why)
{
    char text[AV_ERROR_MAX_STRING_SIZE];
    unsigned long long frames = s->frames, damaged = s->damaged;
    if (s->width)
        return fail(why, "is too large: %dx%d, the limit is %dx%d", s->width, s->height, TL_INPUT_SIDE_LIMIT,
                    TL_INPUT_SIDE_LIMIT);
    if (s->decode_error == AVERROR(ENOMEM) || s->read_error == AVERROR(ENOMEM))
        return fail(why, MEMORY_LIMIT_REACHED);
    if (s->read_error && s->read_error != AVERROR_INVALIDDATA) {
        av_strerror(s->read_error, text, sizeof text);
        return fail(why, "reading failed after %llu frames: %s", frames, text);
    }
    if (frames == 0)
        return fail(why, "is no picture or video, or a damaged one: no frame can be decoded");
    if (s->read_error)
        return fail(why, "is damaged or truncated: it ends after %llu frames", frames);
    if (damaged)
        return fail(why, "is damaged or truncated: spoiled places: %llu, frames delivered: %llu", damaged,
                    frames);
    return 0;
}

/* Some demuxers pass a file off as complete that was cut in a frame: asks the file itself. */
static int end_check(const source *s)
{
    AVIOContext *io = s->format->pb;
    if (!io)
        return 0;
    if (io->error < 0 && io->error != AVERROR_EOF)
        return io->error;
    bool packets_alone = strcmp(s->format->iformat->name, "yuv4mpegpipe") == 0;
    return packets_alone && avio_size(io) > s->end ? AVERROR_INVALIDDATA : 0;
}

/* Hands the decoder its next packet, or tells it that none will come. */
static int feed(source *s)
{
    int r;
    do {
        av_packet_unref(s->packet);
        r = av_read_frame(s->format, s->packet);
    } while (r >= 0 && s->packet->stream_index != s->stream);
    if (r == AVERROR(EAGAIN)) {
        usleep(1000);
        return 0;
    }
    if (r < 0) {
        s->read_error = r == AVERROR_EOF ? end_check(s) : r;
        s->draining = true;
        return avcodec_send_packet(s->codec, NULL);
    }
    if (s->packet->flags & AV_PKT_FLAG_CORRUPT)
        s->damaged++;
    if (s->packet->pos >= 0)
        s->end = s->packet->pos + s->packet->size;
    r = avcodec_send_packet(s->codec, s->packet);
    av_packet_unref(s->packet);
    return r;
}

int source_frame(source *s, AVFrame *frame, reason *why)
{
    for (;;) {
        int r = avcodec_receive_frame(s->codec, frame);
        if (r == 0) {
            s->in_a_row = 0;
            s->frames++;
            if (frame->decode_error_flags || (frame->flags & AV_FRAME_FLAG_CORRUPT))
                s->damaged++;
            return 1;
        }
        if (r == AVERROR_EOF)
            return finish(s, why);
        if (r == AVERROR(EAGAIN) && !s->draining)
            r = feed(s);
        if (r >= 0)
            continue;
        s->damaged++;
        s->decode_error = r;
        if (s->width || r == AVERROR(ENOMEM) || ++s->in_a_row >= FAILURES_IN_A_ROW)
            return finish(s, why);
    }
}

AVRational source_rate(const source *s)
{
    AVRational rate = av_guess_frame_rate(s->format, s->format->streams[s->stream], NULL);
    return rate.num > 0 && rate.den > 0 ? rate : (AVRational){ 30, 1 };
}

const char *source_codec(const source *s)
{
    return s->codec->codec->long_name ? s->codec->codec->long_name : s->codec->codec->name;
}

uint64_t source_frames(const source *s)
{
    return s->frames;
}

void source_close(source **s)
{
    if (!*s)
        return;
    av_packet_free(&(*s)->packet);
    avcodec_free_context(&(*s)->codec);
    avformat_close_input(&(*s)->format);
    free(*s);
    *s = NULL;
}
