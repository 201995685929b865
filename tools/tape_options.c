/* Which stream of which recording, as options say it. */
#include "tape_options.h"

#include "protection.h"

enum { OPT_KEYS = 0x700, OPT_STREAM, OPT_INTERFACE, OPT_CARRIER, OPT_CHANNEL, OPT_ONEWAY, OPT_CRYPTO };

static const struct argp_option options[] = {
    { "keys", OPT_KEYS, "KEYS", 0,
      "secrets of the stream, as --export-secrets writes them (those in the recording)", 1 },
    { "stream", OPT_STREAM, "STREAM.json", 0, "what must be protected, and how (what the recording says)",
      1 },
    { "interface", OPT_INTERFACE, "NAME", 0,
      "the stream's interface in the recording (the one with CSI-2 packets)", 1 },
    { "carrier", OPT_CARRIER, "sep|fsed", 0, "how headers and tags came (as the first packets say)", 1 },
    { "virtual-channel", OPT_CHANNEL, "N[,N...]", 0,
      "CSI-2 virtual channels that are accepted, 0 to 3, the sensor's first (as the first packets say)", 1 },
    { "one-way", OPT_ONEWAY, NULL, 0,
      "the stream came one way (controller --from): announcements are none of its packets, and give the keys "
      "if the stream "
      "file has the secret",
      1 },
    { "crypto", OPT_CRYPTO, "NAME", 0, BACKEND_OPTION_TEXT, 3 },
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    tape_options *o = state->input;
    uint8_t first;

    switch (key) {
    case OPT_KEYS: o->keys = arg; return 0;
    case OPT_STREAM: o->stream = arg; return 0;
    case OPT_INTERFACE: o->interface = arg; return 0;
    case OPT_CARRIER: o->carrier = (int)protection_carrier_option(state, "--carrier", arg); return 0;
    case OPT_CHANNEL:
        o->channels = protection_channels_option(state, "--virtual-channel", arg, &first);
        o->virtual_channel = first;
        return 0;
    case OPT_ONEWAY: o->oneway = true; return 0;
    case OPT_CRYPTO: o->crypto = backend_level_option(state, "--crypto", arg); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp tape_options_argp = { .options = options, .parser = parse };
