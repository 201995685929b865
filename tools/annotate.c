/* Two goes over the recording: what the streams' receivers say of each packet (annotate_streams.c), then packet by packet
 * through the dump, which opens records in place, into the result. */
#include "annotate.h"

#include "annotate_streams.h"
#include "dump.h"
#include "file.h"
#include "keys_source.h"
#include "recording.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { USER0 = 147, COMMENT_ROOM = 4096, NAME_ROOM = 256 };

const annotate_link annotate_links[ANNOTATE_LINKS] = {
    { "csi2", PCAP_LINK_CSI2, USER0, 0 },
    { "tcp", PCAP_LINK_SPDM_TCP, USER0 + 1, USER0 + 2 },
    { "mctp", PCAP_LINK_MCTP, USER0 + 3, USER0 + 4 },
    { "doe", PCAP_LINK_DOE, USER0 + 5, USER0 + 6 },
};

/* Interfaces of the result, by those of the recording: made when their first packet comes. */
typedef struct made {
    uint32_t from, index;
    bool opened;
} made;

typedef struct annotation {
    const annotate_options *options;
    annotate_sums *sums;
    keys_source secrets;
    annotate_streams streams;
    recording out;
    made *interfaces;
    size_t interface_n;
    uint64_t failed, failed_of_packets; /* what the dump says */
} annotation;

static const annotate_link *row_of(uint32_t link)
{
    for (size_t i = 0; i < ANNOTATE_LINKS; i++)
        if (annotate_links[i].link == link)
            return &annotate_links[i];
    return NULL;
}

static tl_exit make_interface(annotation *a, const pcap_interface *from, bool opened, uint32_t *index,
                              tl_fault *fault)
{
    made *more = realloc(a->interfaces, (a->interface_n + 1) * sizeof *more);
    const annotate_link *row = row_of(from->link);
    const char *own = from->name[0] != '\0' || row == NULL ? from->name : row->name;
    uint32_t link = row == NULL ? from->link : opened ? row->opened : row->plain;
    char name[NAME_ROOM];
    tl_exit e;

    if (more == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "no memory");
    a->interfaces = more;
    /* The dissectors take the two for one connection by this name. */
    (void)snprintf(name, sizeof name, "%.200s%s", own, opened ? " (opened)" : "");
    e = recording_interface(&a->out, link, name, from->comment, index, fault);
    a->interfaces[a->interface_n++] = (made){ from->index, *index, opened };
    return e;
}

static tl_exit interface_of(annotation *a, const pcap_interface *from, bool opened, uint32_t *index,
                            tl_fault *fault)
{
    for (size_t i = 0; i < a->interface_n; i++) {
        if (a->interfaces[i].from == from->index && a->interfaces[i].opened == opened) {
            *index = a->interfaces[i].index;
            return TL_EXIT_OK;
        }
    }
    return make_interface(a, from, opened, index, fault);
}

static void count(annotation *a, const annotate_note *note, uint64_t failed)
{
    bool refused = failed > 0;

    if (note != NULL)
        refused = refused || (note->message_known && note->message != TL_VERDICT_OK) ||
                  (note->frame_known && note->frame != TL_VERDICT_OK);
    a->sums->refused += refused;
    a->sums->verified += note != NULL && !refused;
}

/* What the recording says itself. Verdicts are not for it to say: lines that could be taken for one are left out. */
static size_t put_own_words(tl_span words, char *text, size_t room)
{
    static const char ours[] = "trueline:";
    const char *at = (const char *)words.p, *end = at + strnlen(at, words.n < 2000 ? words.n : 2000), *line;
    size_t n = 0;

    for (; at < end; at = line + 1) {
        line = memchr(at, '\n', (size_t)(end - at));
        if (line == NULL)
            line = end;
        if ((size_t)(line - at) >= sizeof ours - 1 && memcmp(at, ours, sizeof ours - 1) == 0)
            continue;
        n += (size_t)snprintf(text + n, room - n, "%s%.*s", n > 0 ? "\n" : "", (int)(line - at), at);
    }
    return n;
}

/* What is said of the packet, then what the recording says itself. */
static void make_comment(const annotate_note *note, const pcap_packet *p, uint64_t failed,
                         char text[COMMENT_ROOM])
{
    size_t n = 0;

    text[0] = '\0';
    if (note != NULL && note->message_known) {
        n += (size_t)snprintf(text, COMMENT_ROOM, "trueline: verdict %s\n", tl_verdict_text(note->message));
    }
    if (note != NULL && note->frame_known) {
        n += (size_t)snprintf(text + n, COMMENT_ROOM - n, "trueline: frame %u %s\n", (unsigned)note->number,
                              tl_verdict_text(note->frame));
    }
    if (failed > 0)
        n += (size_t)snprintf(text + n, COMMENT_ROOM - n, "trueline: failed %" PRIu64 "\n", failed);
    if (p->comment.n > 0 && put_own_words(p->comment, text + n, COMMENT_ROOM - n) > 0)
        return;
    if (n > 0)
        text[n - 1] = '\0';
}

static tl_exit on_packet(void *ctx, const pcap_packet *p, dump_seen seen, tl_fault *fault)
{
    annotation *a = ctx;
    const annotate_note *note = annotate_streams_note(&a->streams, p->number);
    recording_from from = { .direction = p->direction, .lost = p->lost };
    char comment[COMMENT_ROOM];
    tl_span bytes = tl_span_of(p->p, p->n);
    tl_exit e = interface_of(a, p->from, seen.opened, &from.index, fault);

    if (e != TL_EXIT_OK)
        return e;
    count(a, note, seen.failed);
    a->failed_of_packets += seen.failed;
    make_comment(note, p, seen.failed, comment);
    from.comment = comment[0] != '\0' ? comment : NULL;
    a->sums->packets++;
    a->sums->opened += seen.opened;
    return recording_packet_at(&a->out, &from, p->time_ns, bytes, fault);
}

static const char *secrets_name(const annotate_options *o)
{
    return o->keys != NULL ? o->keys : o->recording;
}

/* Does the file have secrets of sessions, or of streams alone? */
static tl_exit look_for_session_secrets(keys_file *file, keys_line *line, bool *has, tl_fault *fault)
{
    tl_exit e;

    do
        e = keys_next(file, line, fault);
    while (e == TL_EXIT_OK && line->kind != KEYS_END && line->kind != KEYS_VALUE);
    *has = e == TL_EXIT_OK && line->kind == KEYS_VALUE;
    return e;
}

static tl_exit from_beginning(FILE *secrets, const char *name, tl_fault *fault)
{
    return fseek(secrets, 0, SEEK_SET) == 0 ? TL_EXIT_OK
                                            : tl_fault_errno(fault, TL_EXIT_USAGE, "keys: %.200s", name);
}

static tl_exit has_session_secrets(FILE *secrets, const char *name, bool *has, tl_fault *fault)
{
    struct {
        keys_file file;
        keys_line line;
    } * text;
    tl_exit e = from_beginning(secrets, name, fault);

    if (e != TL_EXIT_OK)
        return e;
    text = malloc(sizeof *text);
    if (text == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "no memory");
    keys_open(&text->file, secrets, name);
    e = look_for_session_secrets(&text->file, &text->line, has, fault);
    tl_wipe(text, sizeof *text);
    free(text);
    return e == TL_EXIT_OK ? from_beginning(secrets, name, fault) : e;
}

/* The dump of it, without a word. */
static tl_exit copy(annotation *a, tl_fault *fault)
{
    const annotate_options *o = a->options;
    dump_options dump = { .recording = { NULL, o->recording },
                          .watch = { a, on_packet, &a->failed, &a->sums->lost } };
    bool sessions = false;
    tl_exit e = TL_EXIT_OK;

    if (a->secrets.file != NULL)
        e = has_session_secrets(a->secrets.file, secrets_name(o), &sessions, fault);
    if (e != TL_EXIT_OK)
        return e;
    if (sessions)
        dump.keys = (dump_input){ a->secrets.file, secrets_name(o) };
    dump.recording.file = pcap_file(o->recording);
    if (dump.recording.file == NULL)
        return tl_fault_errno(fault, TL_EXIT_LINK, "%.200s", o->recording);
    e = dump_run(&dump, fault);
    (void)fclose(dump.recording.file);
    return e;
}

/* The result has its name when it is complete. */
static tl_exit write_result(annotation *a, tl_fault *fault)
{
    char target[TL_FILE_PATH], part[TL_FILE_PATH + 32];
    bool in_place;
    tl_fault other;
    tl_exit closed, e = tl_file_target(a->options->result, target, &in_place, fault);

    if (e != TL_EXIT_OK)
        return e;
    if (in_place)
        (void)snprintf(part, sizeof part, "%s", target);
    else
        (void)snprintf(part, sizeof part, "%s.%ld.part", target, (long)getpid());
    e = recording_open(&a->out, part, true, "trueline annotate", fault);
    if (e == TL_EXIT_OK)
        e = copy(a, fault);
    closed = recording_close(&a->out, &other);
    if (closed != TL_EXIT_OK && (e == TL_EXIT_OK || e == TL_EXIT_REFUSED)) {
        *fault = other;
        e = closed;
    }
    if ((e == TL_EXIT_OK || e == TL_EXIT_REFUSED) && !in_place && rename(part, target) != 0)
        e = tl_fault_errno(fault, TL_EXIT_INTERNAL, "%.200s", a->options->result);
    if (e != TL_EXIT_OK && e != TL_EXIT_REFUSED && !in_place)
        (void)unlink(part);
    return e;
}

tl_exit annotate_run(const annotate_options *options, annotate_sums *sums, tl_fault *fault)
{
    annotation a = { .options = options, .sums = sums };
    tl_exit e = options->keys != NULL ? keys_source_open(&a.secrets, options->keys, fault)
                                      : keys_source_inside(&a.secrets, options->recording, fault);

    *sums = (annotate_sums){ 0 };
    if (e == TL_EXIT_OK)
        e = annotate_streams_read(&a.streams, options->recording,
                                  (annotate_secrets){ a.secrets.file, secrets_name(options) }, fault);
    if (e == TL_EXIT_OK)
        e = write_result(&a, fault);
    sums->left = a.failed > a.failed_of_packets;
    if (e == TL_EXIT_OK && sums->refused > 0)
        e = TL_EXIT_REFUSED;
    annotate_streams_close(&a.streams);
    keys_source_close(&a.secrets);
    free(a.interfaces);
    return e;
}
