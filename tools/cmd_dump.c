/* `trueline dump FILE` prints a capture, one line for each frame of CSI-2 and for each message of SPDM. With --keys it
 * computes the whole of it again, from the transcripts to the records, and compares with what the
 * endpoint computed. */
#include "command.h"
#include "dump.h"
#include "keys_source.h"
#include "ui.h"

#include <stdlib.h>

enum { OPT_KEYS = 0x100, OPT_JSON };

typedef struct dump_arguments {
    const char *recording, *keys;
    bool verbose, json;
} dump_arguments;

static const struct argp_option options[] = {
    { "verbose", 'v', NULL, 0, "every field of every message, and of every CSI-2 packet", 1 },
    { "keys", OPT_KEYS, "FILE", 0,
      "SPDM: compute everything again, compare it with FILE, and open the records; a capture that holds its "
      "secrets is such a FILE",
      1 },
    { "json", OPT_JSON, NULL, 0, "an object of JSON on each line", 1 },
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    dump_arguments *a = state->input;

    switch (key) {
    case 'v': a->verbose = true; return 0;
    case OPT_KEYS: a->keys = arg; return 0;
    case OPT_JSON: a->json = true; return 0;
    case ARGP_KEY_ARG:
        if (a->recording != NULL)
            argp_error(state, "one FILE only; '%s' is too much", arg);
        a->recording = arg;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "give a FILE"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "FILE",
    .doc =
        "Prints a capture, pcap or pcapng: CSI-2 packets (link type USER0) as a line for each frame, SPDM "
        "messages over TCP (USER1), MCTP (291) or PCI DOE (292) as a line for each. Checksums are checked; "
        "what tags say is `verify`'s to tell. With --keys the last line is "
        "'spdm: sessions=S records=R signatures=G failed=F'; what differs from FILE, or cannot be "
        "checked, is "
        "named and counted as failed, and the exit code is 1."
        "\vExamples:\n"
        "  trueline dump run.pcapng\n"
        "  trueline dump run.pcapng -v | less\n"
        "  trueline dump run.pcapng --keys run.keys\n"
        "  trueline dump boot.pcap -v\n"
        "  trueline dump boot.pcap --keys boot.keys\n"
        "  trueline dump boot.pcap --json | jq -r .name\n",
};

static tl_exit open_input(const char *path, dump_input *input, tl_fault *fault)
{
    input->name = path;
    input->file = pcap_file(path);
    return input->file != NULL ? TL_EXIT_OK : tl_fault_errno(fault, TL_EXIT_LINK, "%.200s", path);
}

static tl_exit run(const dump_arguments *a, tl_fault *fault)
{
    dump_options o = { .out = stdout,
                       .format = a->json ? DUMP_JSON : DUMP_TEXT,
                       .fields = a->verbose || a->json,
                       .packets = a->verbose };
    tl_exit e = open_input(a->recording, &o.recording, fault);
    keys_source keys = { 0 };

    if (e == TL_EXIT_OK && a->keys != NULL)
        e = keys_source_open(&keys, a->keys, fault);
    o.keys = (dump_input){ keys.file, a->keys };
    if (e == TL_EXIT_OK)
        e = dump_run(&o, fault);
    e = ui_flush_after(e, fault);
    if (o.recording.file != NULL)
        (void)fclose(o.recording.file);
    keys_source_close(&keys);
    return e;
}

int cmd_dump(int argc, char **argv)
{
    dump_arguments a = { 0 };
    tl_fault fault;
    tl_exit e;

    if (ui_parse(&argp, argc, argv, &a) != TL_EXIT_OK)
        return TL_EXIT_USAGE;
    e = run(&a, &fault);
    return e == TL_EXIT_OK || e == TL_EXIT_REFUSED ? (int)e : ui_fail("dump", &fault);
}
