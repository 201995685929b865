/* Options of the controller: which there are, what their values may be, and which go together. */
#include "controller_options.h"

#include "command.h"
#include "net.h"
#include "protection.h"
#include "ui.h"

#include <stdio.h>
#include <string.h>

enum {
    OPT_Y4M = 0x100,
    OPT_FROM,
    OPT_STATE,
    OPT_RELEASE,
    OPT_PNG,
    OPT_REPORT,
    OPT_VIEW,
    OPT_VIEW_ATTACKS,
    OPT_JSON,
    OPT_CRYPTO,
    OPT_KEEP_GOING,
    OPT_KEEP_REVOKED,
    OPT_CHANNEL,
    OPT_CARRIER,
    OPT_TRUST,
    OPT_CRL,
    OPT_ROLE,
    OPT_PKI,
    OPT_REFERENCE,
    OPT_REAUTH,
    OPT_REKEY,
    OPT_DATA,
    OPT_STEPS
};

static const struct argp_option options[] = {
    { "connect", 'c', "HOST:PORT", 0, "the sensor (" TL_NET_DEFAULT ")", 1 },
    { "trust", OPT_TRUST, "FILE", 0, "roots of sensors: the sensor must prove itself by SPDM", 1 },
    { "pki", OPT_PKI, "DIR", 0, "our own chain.pem and key.pem, which the sensor wants to see", 1 },
    { "reference", OPT_REFERENCE, "FILE", 0,
      "what the sensor must measure (`trueline sensor --measurements`)", 1 },
    { "stream", 's', "FILE", 0, "instead: a stream file, the same as the sensor's", 1 },
    { "from", OPT_FROM, "WAY", 0,
      "with --stream: do not dial, take what comes: udp:HOST:PORT or ring:PATH; one stream, carrier sep only",
      1 },
    { "state", OPT_STATE, "FILE", 0,
      "with --from: remember what was seen, so that no recording is taken for new", 1 },
    { "out", 'o', "DIR", 0, "write verified frames as DIR/frame_000001.png and so on", 2 },
    { "y4m", OPT_Y4M, "FILE", 0, "write them as y4m video instead; - for stdout", 2 },
    { "png", OPT_PNG, "all|none|N", 0, "with --out: each frame, none, every Nth (all)", 2 },
    { "frames", 'n', "N", 0, "end after N frames; fewer are a failure", 3 },
    { "release", OPT_RELEASE, "frame|line|early", 0,
      "hand pixels on by whole frames, or by lines as they verify; early: with a tag for each type or frame, "
      "by lines "
      "before it has come (frame)",
      3 },
    { "carrier", OPT_CARRIER, "sep|fsed", 0,
      "how headers and tags come; the sensor's, or what a bridge makes of it. fsed: by whole frames only, "
      "not with --release line or early, nor --from (sep)",
      3 },
    { "keep-going", OPT_KEEP_GOING, NULL, 0, "go on after a refused frame", 3 },
    { "keep-revoked", OPT_KEEP_REVOKED, NULL, 0,
      "with --release line and --out: write refused frames too, as revoked_*.png; what is missing is magenta",
      3 },
    { "virtual-channel", OPT_CHANNEL, "N[,N...]", 0,
      "CSI-2 virtual channels that are accepted, 0 to 3, the sensor's first (0)", 3 },
    { "view", OPT_VIEW, "PORT", 0,
      "serve a page to the browser of this machine: pictures, verdicts, who the sensor is; PORT or "
      "HOST:PORT, 0 "
      "takes a free one",
      4 },
    { "view-attacks", OPT_VIEW_ATTACKS, "SOCKET", 0,
      "with --view: the page has buttons that attack, and whoever listens there does it (`trueline demo "
      "--view`)",
      4 },
    { "report", OPT_REPORT, "FILE", 0, "write every verdict that counts as JSON", 4 },
    { "json", OPT_JSON, NULL, 0, "at the end one JSON object on stdout", 4 },
    { "crypto", OPT_CRYPTO, "NAME", 0, BACKEND_OPTION_TEXT, 4 },
    { 0, 0, NULL, 0, "With --trust:", 5 },
    { "crl", OPT_CRL, "FILE", 0, "revocation lists", 5 },
    { "role", OPT_ROLE, "ROLE", 0, "role that the certificate must name (sensor)", 5 },
    { "reauth", OPT_REAUTH, "SECONDS", 0, "authenticate and measure again so often, while frames flow", 5 },
    { "rekey", OPT_REKEY, "FRAMES", 0, "take new keys after so many frames", 5 },
    { "steps", OPT_STEPS, NULL, 0, "print each exchange with its bytes and seconds", 5 },
    { "data", OPT_DATA, "HOST:PORT", 0, "dial this for the data, not the port that the sensor names", 5 },
    { 0 },
};

static uint32_t parse_every(struct argp_state *state, const char *arg)
{
    if (strcmp(arg, "all") == 0)
        return 1;
    if (strcmp(arg, "none") == 0)
        return 0;
    return (uint32_t)ui_number(state, "--png", arg, 1, UINT32_MAX);
}

static tl_release parse_release(struct argp_state *state, const char *arg)
{
    if (strcmp(arg, "line") == 0)
        return TL_RELEASE_LINE;
    if (strcmp(arg, "early") == 0)
        return TL_RELEASE_EARLY;
    if (strcmp(arg, "frame") != 0)
        argp_error(state, "--release: '%s': give frame, line or early", arg);
    return TL_RELEASE_FRAME;
}

static error_t parse_spdm(int key, char *arg, struct argp_state *state)
{
    controller_spdm_options *o = &((controller_options *)state->input)->spdm;

    switch (key) {
    case OPT_TRUST: o->client.files.trust = arg; return 0;
    case OPT_CRL: o->client.files.crl = arg; return 0;
    case OPT_ROLE: o->client.files.role = arg; return 0;
    case OPT_PKI: o->client.files.pki = arg; return 0;
    case OPT_REFERENCE: o->client.reference = arg; return 0;
    case OPT_REAUTH: o->reauth_ms = (uint64_t)(ui_real(state, "--reauth", arg, 0.1, 1e6) * 1000); return 0;
    case OPT_REKEY: o->rekey_frames = ui_number(state, "--rekey", arg, 1, UINT32_MAX); return 0;
    case OPT_DATA: o->data = arg; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void check_spdm(struct argp_state *state, const controller_options *o)
{
    const controller_spdm_options *s = &o->spdm;
    const spdm_identity_files *files = &s->client.files;
    const bool trust = files->trust != NULL;
    char protection[40];
    const ui_need needs[] = {
        { "--crl", files->crl != NULL, "--trust", trust },
        { "--role", files->role != NULL, "--trust", trust },
        { "--pki", files->pki != NULL, "--trust", trust },
        { "--reference", s->client.reference != NULL, "--trust", trust },
        { "--reauth", s->reauth_ms > 0, "--trust", trust },
        { "--rekey", s->rekey_frames > 0, "--trust", trust },
        { "--data", s->data != NULL, "--trust", trust },
        { "--steps", o->steps, "--trust", trust },
        { protection, o->protection.given != NULL, "--trust: a stream file says how it is protected", trust },
    };

    if (o->stream == NULL && s->client.files.trust == NULL)
        argp_error(state, "give the sensor's root: --trust FILE, or a stream file: --stream FILE");
    if (o->stream != NULL && s->client.files.trust != NULL)
        argp_error(state, "--trust and --stream: one of them");
    if (o->steps && (o->json || (o->out.y4m != NULL && strcmp(o->out.y4m, "-") == 0)))
        argp_error(state, "--steps: stdout is taken by --json or --y4m -");
    (void)snprintf(protection, sizeof protection, "--%s",
                   o->protection.given != NULL ? o->protection.given : "");
    ui_check_needs(state, needs, sizeof needs / sizeof *needs);
    if (trust && o->protection.given != NULL && s->wanted.suite == TL_SUITE_NONE)
        argp_error(state, "--suite none: an agreed stream has keys; without them it takes a stream file");
}

static void check_options(struct argp_state *state, const controller_options *o)
{
    const ui_need needs[] = {
        { "--from", o->from != NULL, "--stream: nobody can be asked on a one-way link", o->stream != NULL },
        { "--from", o->from != NULL, "no --connect: nobody is dialled", o->connect == NULL },
        { "--state", o->state != NULL, "--from", o->from != NULL },
        { "--view-attacks", o->view.attacks != NULL, "--view", o->view.at != NULL },
        { "--png", o->png, "--out", o->out.folder != NULL },
    };

    check_spdm(state, o);
    ui_check_needs(state, needs, sizeof needs / sizeof *needs);
    if (o->out.folder != NULL && o->out.y4m != NULL)
        argp_error(state, "--out and --y4m: give one of them, not both");
    if (o->json && o->out.y4m != NULL && strcmp(o->out.y4m, "-") == 0)
        argp_error(state, "--json and --y4m -: stdout has room for one of them");
    if (o->carrier == TL_CARRIER_FSED && o->release != TL_RELEASE_FRAME)
        argp_error(state, "--carrier fsed needs --release frame: frames are verified as a whole, in memory");
    if (o->carrier == TL_CARRIER_FSED && o->from != NULL)
        argp_error(state, "--from and --carrier fsed: a one-way link takes carrier sep only");
    if (o->out.keep_revoked && (o->release == TL_RELEASE_FRAME || o->out.folder == NULL))
        argp_error(state, "--keep-revoked needs --release line or early, and --out: by frames nothing of a "
                          "refused one leaves");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    controller_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->protection;
        state->child_inputs[1] = &o->tap;
        return 0;
    case 'c': o->connect = arg; return 0;
    case 's': o->stream = arg; return 0;
    case OPT_FROM: o->from = arg; return 0;
    case OPT_STATE: o->state = arg; return 0;
    case 'o': o->out.folder = arg; return 0;
    case OPT_Y4M: o->out.y4m = arg; return 0;
    case OPT_PNG:
        o->png = true;
        o->out.every = parse_every(state, arg);
        return 0;
    case 'n': o->frames = ui_number(state, "--frames", arg, 1, UINT32_MAX); return 0;
    case OPT_RELEASE: o->release = parse_release(state, arg); return 0;
    case OPT_CARRIER: o->carrier = protection_carrier_option(state, "--carrier", arg); return 0;
    case OPT_KEEP_GOING: o->keep_going = true; return 0;
    case OPT_KEEP_REVOKED: o->out.keep_revoked = true; return 0;
    case OPT_CHANNEL:
        o->channels = protection_channels_option(state, "--virtual-channel", arg, &o->virtual_channel);
        return 0;
    case OPT_VIEW: o->view.at = arg; return 0;
    case OPT_VIEW_ATTACKS: o->view.attacks = arg; return 0;
    case OPT_REPORT: o->report = arg; return 0;
    case OPT_JSON: o->json = true; return 0;
    case OPT_CRYPTO: o->crypto = backend_level_option(state, "--crypto", arg); return 0;
    case OPT_STEPS: o->steps = true; return 0;
    case ARGP_KEY_ARG: argp_error(state, "'%s' is too much; the sensor is given by --connect", arg); return 0;
    case ARGP_KEY_END: check_options(state, o); return 0;
    default: return parse_spdm(key, arg, state);
    }
}

static const struct argp_child children[] = {
    { &protection_argp, 0, "With --trust, what the sensor is to protect (variants 2,1,2):", 6 },
    { &tap_named_argp, 0, "Recording:", 7 },
    { 0 },
};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .children = children,
    .doc =
        "Receives a protected stream from a sensor and verifies it. Exit code 0: every frame verified, and "
        "at least one came."
        "\vExamples:\n"
        "  trueline controller --trust keys/root.pem --pki keys/controller \\\n"
        "      --reference ref.json\n"
        "  trueline controller --trust keys/root.pem --pki keys/controller \\\n"
        "      --reauth 60 --rekey 1800\n"
        "  trueline controller --stream cam.json --out frames --frames 30\n"
        "  trueline controller --stream cam.json --y4m - | ffplay -\n"
        "  trueline controller --stream cam.json --keep-going --view 8080\n"
        "  trueline controller --stream cam.json --from udp:127.0.0.1:5004\n"
        "  trueline controller --stream cam.json --keep-going --report report.json\n"
        "  trueline controller --stream cam.json --frames 30 \\\n"
        "      --capture run.pcapng --export-secrets run.keys\n"
        "  trueline controller --stream cam.json --out frames --keep-going \\\n"
        "      --release line --keep-revoked\n",
};

int controller_options_parse(controller_options *o, int argc, char **argv)
{
    *o = (controller_options){
        .out = { .every = 1 },
        .protection.file = &o->spdm.wanted,
    };
    stream_file_init(&o->spdm.wanted);
    o->spdm.wanted.variant_middle = TL_SV_1;
    if (ui_parse(&argp, argc, argv, o) != TL_EXIT_OK)
        return TL_EXIT_USAGE;
    o->connect = o->connect != NULL ? o->connect : TL_NET_DEFAULT;
    o->spdm.client.files.role = o->spdm.client.files.role != NULL ? o->spdm.client.files.role : "sensor";
    return TL_EXIT_OK;
}
