/* Recordings as an attacker leaves them, annotated: arbitrary bytes with a file of secrets, or a right recording whose packets the
 * input edits and comments. Beyond staying in bounds:
 *     what is written is a pcapng that is read to its end, and has the recording's packets in their order, at their times, as long
 *     as they were, with the same bytes where nothing was opened
 *     as many packets have a verdict as are counted, and with nothing to compute them there are none
 *     the verdicts are those that the recording without its comments gets; other words of its comments are kept
 *     a message is verified only with the bytes that were sent, up to checksums, which its tag does not cover
 *     where no result can be, there is no file
 *
 * The input: [0 | length of the secrets 2 | secrets | recording] or
 *            [1 | flags 1 (1: with secrets) | comments 1 | {packet 1 | kind 1 | length 1 | bytes}... | edits of edits.h] */
#include "edits.h"
#include "folder.h"

#include <unistd.h>

#include <trueline/layout/ids.h>
#include <trueline/messages.h>

#include "annotate.h"
#include "backend.h"
#include "recording.h"
#include "stream_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { FRAMES = 2, PACKETS = FRAMES * 7, COMMENT = 512, LINE = 24 };

static char recording_path[64], bare_path[64], keys_path[64], result_path[64], other_path[64];
static char stream_comment[2048];
static const char secrets[] = "stream 7 epoch 0 secret "
                              "0000000000000000000000000000000000000000000000000000000000000000\n";
static tl_buffer sent[PACKETS];
static size_t sent_n;
static edits in_hand;
static char comments[EDITS_MAX][COMMENT];

/* ---- a right recording ---- */

static void put_edge(tl_tx_edge *edge)
{
    tl_span packet;

    while (tl_tx_edge_next(edge, &packet)) {
        expect(sent_n < PACKETS);
        sent[sent_n++] = copy_of(packet.p, packet.n);
    }
}

static void put_line(tl_stream_tx *tx, const tl_stream_part *part)
{
    static uint8_t line[LINE + TL_SEP_OVERHEAD_MAX];
    tl_tx_message m = {
        .data_type = part->data_type, .length = part->length, .buffer = line, .room = sizeof line
    };

    expect(sent_n < PACKETS && tl_stream_tx_messages(tx, &m, 1) == TL_OK);
    sent[sent_n++] = copy_of(m.packet.p, m.packet.n);
}

static void put_frame(tl_stream_tx *tx, const tl_stream_config *c)
{
    tl_tx_edge edge;

    expect(tl_stream_tx_begin(tx, 0, &edge) == TL_OK);
    put_edge(&edge);
    for (unsigned part = 0; part < c->part_count; part++)
        for (unsigned i = 0; i < c->parts[part].count; i++)
            put_line(tx, &c->parts[part]);
    expect(tl_stream_tx_end(tx, &edge) == TL_OK);
    put_edge(&edge);
}

static void make(const tl_crypto *crypto)
{
    static const uint8_t secret[32];
    static stream_file file;
    static tl_stream_tx tx;
    tl_key_source source;
    tl_fault fault;
    json_t *object;
    char *text;

    stream_file_init(&file);
    file.stream = 7;
    file.width = 16;
    file.height = 2;
    file.embedded_top = 1;
    file.embedded_bottom = 0;
    expect(stream_file_build(&file, "fuzz", &fault) == TL_EXIT_OK);
    object = stream_file_json(&file, STREAM_SECRET_HIDDEN);
    text = json_dumps(object, JSON_COMPACT);
    expect(snprintf(stream_comment, sizeof stream_comment, "layout=%s\nstream=%s\ncarrier=sep\nchannel=0",
                    recording_layout(), text) < (int)sizeof stream_comment);
    free(text);
    json_decref(object);
    expect(tl_key_source_recorded(&source, crypto, (tl_digest){ TL_HASH_SHA256, tl_span_of(secret, 32) },
                                  0) == TL_OK);
    expect(tl_stream_tx_init(&tx, &file.config, &source, 0) == TL_OK);
    for (unsigned i = 0; i < FRAMES; i++)
        put_frame(&tx, &file.config);
    expect(sent_n == PACKETS);
    tl_stream_tx_wipe(&tx);
}

/* ---- what must hold of any result ---- */

static bool is_verdict(const char *line, size_t n)
{
    static const char ours[] = "trueline:";

    return n >= sizeof ours - 1 && memcmp(line, ours, sizeof ours - 1) == 0;
}

/* The lines of a comment that are verdicts, or those that are not, each ended; empty ones are nothing. */
static void pick(tl_span comment, bool verdicts, char text[2 * COMMENT])
{
    const char *at = comment.n > 0 ? (const char *)comment.p : "", *end = at + strnlen(at, comment.n), *line;
    size_t n = 0;

    text[0] = '\0';
    for (; at < end; at = line + 1) {
        line = memchr(at, '\n', (size_t)(end - at));
        if (line == NULL)
            line = end;
        if (line > at && is_verdict(at, (size_t)(line - at)) == verdicts && n < COMMENT)
            n += (size_t)snprintf(text + n, COMMENT, "%.*s\n", (int)(line - at), at);
    }
}

static const annotate_link *row_of(uint32_t link)
{
    for (size_t i = 0; i < ANNOTATE_LINKS; i++)
        if (annotate_links[i].link == link)
            return &annotate_links[i];
    return NULL;
}

typedef struct reading {
    FILE *in;
    pcap file;
    pcap_packet packet;
    bool more;
} reading;

static void start(reading *r, const char *path)
{
    tl_fault fault;

    r->in = pcap_file(path);
    expect(r->in != NULL && pcap_open(&r->file, r->in, path, &fault) == TL_EXIT_OK);
}

static bool next(reading *r)
{
    tl_fault fault;

    expect(pcap_next(&r->file, &r->packet, &r->more, &fault) == TL_EXIT_OK);
    return r->more;
}

static void stop(reading *r)
{
    pcap_close(&r->file);
    (void)fclose(r->in);
}

/* Returns whether it was opened. */
static bool check_packet(const pcap_packet *was, const pcap_packet *is)
{
    const annotate_link *row = row_of(was->from->link);
    bool opened = row != NULL && row->opened != 0 && is->from->link == row->opened;

    expect(opened || is->from->link == (row != NULL ? row->plain : was->from->link));
    expect(is->n == was->n && is->time_ns == was->time_ns && is->direction == was->direction);
    expect(opened || is->n == 0 || memcmp(is->p, was->p, is->n) == 0);
    return opened;
}

static void check_result(const char *recording, const char *result, const annotate_sums *sums)
{
    static reading was, is;
    annotate_sums counted = { 0 };
    char text[2 * COMMENT];

    start(&was, recording);
    start(&is, result);
    expect(is.file.ng);
    while (next(&was)) {
        expect(next(&is));
        counted.packets++;
        counted.opened += check_packet(&was.packet, &is.packet);
        pick(is.packet.comment, true, text);
        counted.refused += text[0] != '\0';
    }
    expect(!next(&is));
    expect(counted.packets == sums->packets && counted.opened == sums->opened);
    expect(counted.refused == sums->verified + sums->refused);
    stop(&was);
    stop(&is);
}

/* Returns whether there is a result. */
static bool annotate(const char *recording, const char *keys, const char *result, annotate_sums *sums)
{
    const annotate_options o = { .recording = recording, .result = result, .keys = keys };
    tl_fault fault = { 0 };
    tl_exit e = annotate_run(&o, sums, &fault);

    expect(e <= TL_EXIT_USAGE || e == TL_EXIT_LINK || e == TL_EXIT_INTERNAL);
    if (e > TL_EXIT_REFUSED) {
        expect(fault.text[0] != '\0' && access(result, F_OK) != 0);
        return false;
    }
    expect((e == TL_EXIT_REFUSED) == (sums->refused > 0 || sums->left));
    check_result(recording, result, sums);
    return true;
}

/* ---- arbitrary bytes ---- */

static void write_file(const char *path, tl_span s)
{
    FILE *out = fopen(path, "wb");

    expect(out != NULL && (s.n == 0 || fwrite(s.p, 1, s.n, out) == s.n) && fclose(out) == 0);
}

static void run_bytes(tl_rd *in)
{
    size_t n = (size_t)tl_get(in, 2, TL_LITTLE);
    annotate_sums sums;

    if (in->bad)
        return;
    write_file(keys_path, tl_get_bytes(in, n < in->n ? n : in->n));
    write_file(recording_path, tl_rd_rest(in));
    (void)annotate(recording_path, n > 0 ? keys_path : NULL, result_path, &sums);
}

/* ---- an edited recording ---- */

static void repair(tl_buffer packet)
{
    if (tl_csi2_repair(packet.p, packet.n) != TL_OK)
        return;
}

static void take_comments(tl_rd *in)
{
    static const char *const lies[] = { "", "trueline: verdict ok\n", "word\ntrueline: frame 1 ok\n",
                                        "\n\ntrueline: verdict ok" };
    size_t n = (size_t)tl_get(in, 1, TL_LITTLE);

    memset(comments, 0, sizeof comments);
    for (; n > 0 && !in->bad; n--) {
        char *to = comments[tl_get(in, 1, TL_LITTLE) % EDITS_MAX];
        const char *lie = lies[tl_get(in, 1, TL_LITTLE) % 4];
        size_t length = (size_t)tl_get(in, 1, TL_LITTLE);
        tl_span words = tl_get_bytes(in, length < in->n ? length : in->n);

        (void)snprintf(to, COMMENT, "%s%.*s", lie, (int)words.n, words.n > 0 ? (const char *)words.p : "");
    }
}

static void write_recording(const char *path, bool with_secrets, bool with_comments)
{
    recording r;
    recording_from from = { 0 };
    tl_fault fault;

    expect(recording_open(&r, path, false, "fuzz", &fault) == TL_EXIT_OK);
    if (with_secrets)
        expect(recording_secrets(&r, TL_SECRETS_TYPE,
                                 tl_span_of((const uint8_t *)secrets, sizeof secrets - 1),
                                 &fault) == TL_EXIT_OK);
    expect(recording_interface(&r, PCAP_LINK_CSI2, "csi2", stream_comment, &from.index, &fault) ==
           TL_EXIT_OK);
    for (size_t i = 0; i < in_hand.n; i++) {
        from.comment = with_comments && comments[i][0] != '\0' ? comments[i] : NULL;
        expect(recording_packet_at(&r, &from, 1000000 * (i + 1),
                                   tl_span_of(in_hand.list[i].p, in_hand.list[i].n), &fault) == TL_EXIT_OK);
    }
    expect(recording_close(&r, &fault) == TL_EXIT_OK);
}

/* What a packet's tag vouches for: header and payload, and the tag itself. Checksums may be wrong, or right again. */
static bool split(tl_span packet, tl_span *covered, tl_span *tag)
{
    const tl_env env = { .len[TL_LEN_TAG] = TL_SEP_TAG_MAX, .len[TL_LEN_CRC] = 4 };
    const size_t head = TL_CSI2_HEADER_SIZE, foot = TL_SEP_FOOTER_MAX, end = TL_CSI2_FOOTER_SIZE;
    tl_sep_footer f;
    tl_rd r;

    if (packet.n < head + foot + end)
        return false;
    *covered = tl_span_of(packet.p + head, packet.n - head - foot - end);
    r = tl_rd_of(tl_span_of(packet.p + packet.n - foot - end, foot));
    expect(tl_decode_sep_footer(&env, &r, &f) == TL_OK);
    *tag = f.tag;
    return true;
}

static void check_verified(const pcap_packet *p)
{
    tl_span covered, tag, sent_covered, sent_tag;
    bool found = false;

    expect(split(tl_span_of(p->p, p->n), &covered, &tag));
    for (size_t i = 0; i < sent_n && !found; i++)
        found = split(tl_span_of(sent[i].p, sent[i].n), &sent_covered, &sent_tag) &&
                tl_equal(covered, sent_covered) && tl_equal(tag, sent_tag);
    expect(found);
}

static void check_words(bool with_secrets)
{
    static reading is, bare;
    char said[2 * COMMENT], expected[2 * COMMENT];

    start(&is, result_path);
    start(&bare, other_path);
    for (size_t i = 0; next(&is); i++) {
        expect(next(&bare) && i < in_hand.n);
        pick(is.packet.comment, true, said);
        pick(bare.packet.comment, true, expected);
        expect(strcmp(said, expected) == 0 && (with_secrets || said[0] == '\0'));
        if (strstr(said, "trueline: verdict ok\n") != NULL)
            check_verified(&is.packet);
        pick(is.packet.comment, false, said);
        pick(tl_span_of((const uint8_t *)comments[i], strlen(comments[i])), false, expected);
        expect(strcmp(said, expected) == 0);
    }
    stop(&is);
    stop(&bare);
}

static void run_edited(tl_rd *in)
{
    bool with_secrets = tl_get(in, 1, TL_LITTLE) & 1, changed;
    annotate_sums sums, others;

    take_comments(in);
    edits_begin(&in_hand, sent, sent_n);
    in_hand.repair = repair;
    changed = edits_all(&in_hand, in);
    write_recording(recording_path, with_secrets, true);
    write_recording(bare_path, with_secrets, false);
    expect(annotate(recording_path, NULL, result_path, &sums));
    expect(annotate(bare_path, NULL, other_path, &others));
    expect(sums.verified == others.verified && sums.refused == others.refused);
    expect(changed || !with_secrets || (sums.refused == 0 && sums.verified > 0));
    check_words(with_secrets);
    edits_end(&in_hand);
}

/* ---- all of it ---- */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    backend b = { 0 };

    (void)argc;
    (void)argv;
    stream_file_guard_json();
    make_folder();
    name_file(recording_path, "t.pcapng");
    name_file(bare_path, "bare.pcapng");
    name_file(keys_path, "t.keys");
    name_file(result_path, "result.pcapng");
    name_file(other_path, "other.pcapng");
    expect(backend_open(&b, BACKEND_OPENSSL, 0) == TL_OK);
    make(b.crypto);
    backend_close(&b);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tl_rd in = tl_rd_of(tl_span_of(data, size));

    (void)unlink(result_path);
    (void)unlink(other_path);
    if (tl_get(&in, 1, TL_LITTLE) % 2 == 0)
        run_bytes(&in);
    else
        run_edited(&in);
    return 0;
}
