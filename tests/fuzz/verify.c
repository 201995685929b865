/* Recordings as an attacker leaves them: arbitrary bytes, or a right recording that the input edits. Beyond staying in bounds:
 *     what is judged whole is judged the same in segments that are joined, to the last total
 *     every byte of the file is of one class, in either report
 * and arbitrary bytes as a report are refused, or joined. One kind of recording says itself what its stream is, and holds its
 * secrets; of that one pictures are made by what its headers claim, too. */
#include "folder.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <trueline/layout/ids.h>

#include "export.h"
#include "recording.h"
#include "stream_file.h"
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { FRAMES = 3, ROOM = 1 << 16, LINE = 24, CSI2 = 147 };

static char recording_path[64], keys_path[64], stream_path[64], whole[64], parts[2][64], joined[64],
    video[64];
static uint8_t base[ROOM], saying[ROOM], edited[ROOM];
static size_t base_n, saying_n;
static recording second; /* what becomes `saying`: base's packets as pcapng with all that verify needs */
static recording_from from;

static void write_file(const char *path, const void *p, size_t n)
{
    FILE *out = fopen(path, "wb");

    expect(out != NULL && fwrite(p, 1, n, out) == n && fclose(out) == 0);
}

/* ---- a right recording ---- */

static void put(const void *p, size_t n)
{
    expect(base_n + n <= ROOM);
    memcpy(base + base_n, p, n);
    base_n += n;
}

static void put_packet(tl_span packet)
{
    const uint8_t n = (uint8_t)packet.n, header[16] = { 1, 0, 0, 0, 0, 0, 0, 0, n, 0, 0, 0, n, 0, 0, 0 };

    tl_fault fault;

    expect(packet.n <= 255);
    expect(recording_packet_at(&second, &from, 1000000000, packet, &fault) == TL_EXIT_OK);
    put(header, sizeof header);
    put(packet.p, packet.n);
}

static void put_edge(tl_tx_edge *edge)
{
    tl_span packet;

    while (tl_tx_edge_next(edge, &packet))
        put_packet(packet);
}

static void put_frame(tl_stream_tx *tx, const tl_stream_config *c)
{
    static uint8_t line[LINE + TL_SEP_OVERHEAD_MAX];
    tl_tx_edge edge;

    expect(tl_stream_tx_begin(tx, 0, &edge) == TL_OK);
    put_edge(&edge);
    for (unsigned part = 0; part < c->part_count; part++)
        for (unsigned i = 0; i < c->parts[part].count; i++) {
            tl_tx_message m = { .data_type = c->parts[part].data_type,
                                .length = c->parts[part].length,
                                .buffer = line,
                                .room = sizeof line };

            expect(tl_stream_tx_messages(tx, &m, 1) == TL_OK);
            put_packet(m.packet);
        }
    expect(tl_stream_tx_end(tx, &edge) == TL_OK);
    put_edge(&edge);
}

static void begin_saying(const stream_file *file, tl_span keys)
{
    json_t *object = stream_file_json(file, STREAM_SECRET_HIDDEN);
    char *text = json_dumps(object, JSON_COMPACT), comment[2048];
    tl_fault fault;

    expect(text != NULL);
    expect(snprintf(comment, sizeof comment, "layout=%s\nstream=%s\ncarrier=sep\nchannel=0",
                    recording_layout(), text) < (int)sizeof comment);
    expect(recording_open(&second, recording_path, false, "fuzz", &fault) == TL_EXIT_OK);
    expect(recording_secrets(&second, TL_SECRETS_TYPE, keys, &fault) == TL_EXIT_OK);
    expect(recording_interface(&second, PCAP_LINK_CSI2, "csi2", comment, &from.index, &fault) == TL_EXIT_OK);
    free(text);
    json_decref(object);
}

static void end_saying(void)
{
    tl_fault fault;
    FILE *in;

    expect(recording_close(&second, &fault) == TL_EXIT_OK);
    in = fopen(recording_path, "rb");
    expect(in != NULL);
    saying_n = fread(saying, 1, sizeof saying, in);
    expect(saying_n < sizeof saying && fclose(in) == 0);
}

static void make(const tl_crypto *crypto)
{
    static const uint8_t header[24] = { 0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0, 0,    0, 0, 0,
                                        0,    0,    0,    0,    0, 0, 4, 0, CSI2, 0, 0, 0 },
                         secret[32] = { 0 };
    static const char keys[] = "stream 7 epoch 0 secret "
                               "0000000000000000000000000000000000000000000000000000000000000000\n";
    static stream_file file;
    static tl_stream_tx tx;
    tl_key_source source;
    tl_fault fault;

    stream_file_init(&file);
    file.stream = 7;
    file.width = 16;
    file.height = 2;
    file.embedded_top = 1;
    file.embedded_bottom = 0;
    expect(stream_file_build(&file, "fuzz", &fault) == TL_EXIT_OK);
    expect(stream_file_write(&file, stream_path, TL_FILE_REPLACE, &fault) == TL_EXIT_OK);
    write_file(keys_path, keys, sizeof keys - 1);
    expect(tl_key_source_recorded(&source, crypto, (tl_digest){ TL_HASH_SHA256, tl_span_of(secret, 32) },
                                  0) == TL_OK);
    expect(tl_stream_tx_init(&tx, &file.config, &source, 0) == TL_OK);
    put(header, sizeof header);
    begin_saying(&file, tl_span_of((const uint8_t *)keys, sizeof keys - 1));
    for (unsigned i = 0; i < FRAMES; i++)
        put_frame(&tx, &file.config);
    end_saying();
    tl_stream_tx_wipe(&tx);
}

/* ---- what must hold ---- */

static const tape_options given = { .path = recording_path,
                                    .keys = keys_path,
                                    .stream = stream_path,
                                    .carrier = TL_CARRIER_SEP,
                                    .virtual_channel = 0,
                                    .release = TL_RELEASE_IN_PLACE,
                                    .crypto = BACKEND_OPENSSL },
                          said = { .path = recording_path,
                                   .carrier = TAPE_AUTO,
                                   .virtual_channel = TAPE_AUTO,
                                   .release = TL_RELEASE_IN_PLACE,
                                   .crypto = BACKEND_OPENSSL };

static tl_exit verify_as(const tape_options *tape, unsigned segment, unsigned segments, const char *to)
{
    const verify_options o = { .tape = *tape,
                               .segment = segment,
                               .segments = segments,
                               .report = to,
                               .version = "fuzz",
                               .quiet = true };
    tl_fault fault = { 0 };
    tl_exit e = verify_run(&o, NULL, &fault);

    expect(e == TL_EXIT_OK || fault.text[0] != '\0');
    return e;
}

static tl_exit verify(unsigned segment, unsigned segments, const char *to)
{
    return verify_as(&given, segment, segments, to);
}

static void check_bytes(const json_t *report)
{
    const json_t *evidence = json_object_get(report, "evidence"), *row;
    json_int_t sum = 0, size = json_integer_value(json_object_get(json_object_get(evidence, "file"), "size"));
    size_t i;

    json_array_foreach(json_object_get(evidence, "bytes"), i, row)
    {
        sum += json_integer_value(json_object_get(row, "bytes"));
    }
    expect(sum == size);
}

static void check_segments(void)
{
    const char *const paths[] = { parts[1], parts[0] };
    static const char *const same[] = { "events", "left_out", "totals" };
    tl_fault fault;
    json_t *one, *two;

    expect(verify(1, 2, parts[0]) <= TL_EXIT_REFUSED && verify(2, 2, parts[1]) <= TL_EXIT_REFUSED);
    expect(verify_join(paths, 2, joined, NULL, &fault) <= TL_EXIT_LINK);
    one = json_load_file(whole, 0, NULL);
    two = json_load_file(joined, 0, NULL);
    expect(one != NULL && two != NULL);
    (void)json_object_del(json_object_get(one, "totals"), "seconds");
    (void)json_object_del(json_object_get(two, "totals"), "seconds");
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        expect(json_equal(json_object_get(one, same[i]), json_object_get(two, same[i])));
    check_bytes(one);
    check_bytes(two);
    json_decref(one);
    json_decref(two);
}

/* A file that breaks off has no segments that could be joined. */
static bool is_whole(void)
{
    json_t *o = json_load_file(whole, 0, NULL);
    bool broken = json_object_get(json_object_get(o, "evidence"), "broken") != NULL;

    json_decref(o);
    return !broken;
}

static void check_recording(void)
{
    if (verify(1, 1, whole) <= TL_EXIT_REFUSED && is_whole())
        check_segments();
}

/* What the recording says of itself is believed or refused, and every byte of a file that was read to its end is of some
 * class. */
static void check_saying(tl_exit at_most)
{
    const export_options o = {
        .tape = said, .out = { .y4m = video }, .last = UINT32_MAX, .unverified = true
    };
    export_counts counts;
    tl_fault fault = { 0 };
    tl_exit e = verify_as(&said, 1, 1, whole);

    expect(e <= at_most);
    if (e <= TL_EXIT_REFUSED && is_whole()) {
        json_t *report = json_load_file(whole, 0, NULL);

        check_bytes(report);
        json_decref(report);
    }
    e = export_run(&o, &counts, &fault);
    expect(e <= at_most && (e == TL_EXIT_OK || fault.text[0] != '\0'));
    expect(counts.refused == 0 && (e != TL_EXIT_OK || counts.written > 0));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    backend b = { 0 };

    (void)argc;
    (void)argv;
    stream_file_guard_json();
    make_folder();
    name_file(recording_path, "t.pcap");
    name_file(keys_path, "t.keys");
    name_file(stream_path, "t.json");
    name_file(whole, "whole.json");
    name_file(parts[0], "1.json");
    name_file(parts[1], "2.json");
    name_file(joined, "joined.json");
    name_file(video, "t.y4m");
    expect(backend_open(&b, BACKEND_OPENSSL, 0) == TL_OK);
    make(b.crypto);
    backend_close(&b);
    write_file(recording_path, base, base_n);
    expect(verify(1, 1, whole) == TL_EXIT_OK);
    write_file(recording_path, saying, saying_n);
    check_saying(TL_EXIT_OK);
    return 0;
}

/* ---- edits ---- */

/* Four bytes an edit: what, where (16 bits), with what. */
static size_t edit(const uint8_t *of, size_t of_n, const uint8_t *data, size_t size)
{
    size_t n = of_n;

    memcpy(edited, of, n);
    for (; size >= 4; data += 4, size -= 4) {
        size_t at = (size_t)(data[1] | data[2] << 8) % n, len = data[3];

        if (len > n - at)
            len = n - at;
        switch (data[0] % 5) {
        case 0: edited[at] ^= data[3]; break;
        case 1: /* taken out */
            if (n - len > 24) {
                memmove(edited + at, edited + at + len, n - at - len);
                n -= len;
            }
            break;
        case 2: /* doubled */
            if (n + len < ROOM) {
                memmove(edited + at + len, edited + at, n - at);
                n += len;
            }
            break;
        case 3: n = at > 24 ? at : n; break;
        default: /* a run of the right one comes again */
            if (n + len < ROOM) {
                memcpy(edited + n, of + at % of_n, len < of_n - at % of_n ? len : of_n - at % of_n);
                n += len < of_n - at % of_n ? len : of_n - at % of_n;
            }
        }
    }
    return n;
}

static void check_report(const uint8_t *data, size_t size)
{
    const char *const paths[] = { whole };
    tl_fault fault;
    tl_exit e;

    write_file(whole, data, size);
    e = verify_join(paths, 1, joined, NULL, &fault);
    expect(e == TL_EXIT_OK || fault.text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    switch (data[0] % 5) {
    case 0: check_report(data + 1, size - 1); break;
    case 1:
        write_file(recording_path, data + 1, size - 1);
        check_recording();
        break;
    case 2:
        write_file(recording_path, edited, edit(saying, saying_n, data + 1, size - 1));
        check_saying(TL_EXIT_LINK);
        break;
    default: write_file(recording_path, edited, edit(base, base_n, data + 1, size - 1)); check_recording();
    }
    return 0;
}
