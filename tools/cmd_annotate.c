/* `trueline annotate RECORDING RESULT` writes a recording again so that Wireshark shows all of it. */
#include "annotate.h"
#include "command.h"
#include "ui.h"

#include <inttypes.h>
#include <stdio.h>

enum { OPT_KEYS = 0x100 };

static const struct argp_option options[] = {
    { "keys", OPT_KEYS, "FILE", 0,
      "secrets of the recording's sessions and streams: a file of them, or a capture that has them (those in "
      "the recording)",
      1 },
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    annotate_options *a = state->input;

    switch (key) {
    case OPT_KEYS: a->keys = arg; return 0;
    case ARGP_KEY_ARG:
        if (a->recording == NULL)
            a->recording = arg;
        else if (a->result == NULL)
            a->result = arg;
        else
            argp_error(state, "a recording and a result; '%s' is too much", arg);
        return 0;
    case ARGP_KEY_END:
        if (a->result == NULL)
            argp_error(state, "give a RECORDING and a name for the RESULT");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "RECORDING RESULT",
    .doc = "Writes a recording again, ready for Wireshark and its dissectors: with link types that every "
           "version of it "
           "takes, and, with the secrets, records of SPDM opened and the verdict of each packet of a stream "
           "as its "
           "comment. The secrets are those in the recording, unless --keys says where others are. RESULT is "
           "pcapng, and is for its owner's eyes: what was secret stands in it in clear."
           "\vThen: tshark -r shown.pcapng -Y 'trueline.verdict != \"ok\"'\n\nExamples:\n"
           "  trueline annotate drive.pcapng shown.pcapng --keys drive.keys\n"
           "  trueline annotate with-secrets.pcapng shown.pcapng\n",
};

int cmd_annotate(int argc, char **argv)
{
    annotate_options a = { 0 };
    annotate_sums sums;
    tl_fault fault;
    tl_exit e;

    if (ui_parse(&argp, argc, argv, &a) != TL_EXIT_OK)
        return TL_EXIT_USAGE;
    e = annotate_run(&a, &sums, &fault);
    if (e != TL_EXIT_OK && e != TL_EXIT_REFUSED)
        return ui_fail("annotate", &fault);
    (void)printf("annotated: packets=%" PRIu64 " opened=%" PRIu64 " verified=%" PRIu64 " refused=%" PRIu64
                 "\n",
                 sums.packets, sums.opened, sums.verified, sums.refused);
    if (sums.lost > 0)
        ui_note_lost("annotate", sums.lost);
    if (sums.left)
        ui_note("annotate",
                "refused: something that no packet is marked for, such as secrets that nothing goes "
                "with; trueline dump names it");
    return (int)e;
}
