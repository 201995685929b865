/* `trueline spdm requester|responder`: SPDM against other implementations, on the socket framing of DMTF's emulators.
 * This file reads the command line; the two roles are in spdm_requester.c and spdm_responder.c. */
#include "command.h"
#include "spdm_run.h"
#include "ui.h"

#include <stdio.h>
#include <string.h>

enum {
    OPT_EMULATOR = 0x100,
    OPT_TRANSPORT,
    OPT_PKI,
    OPT_CHAIN,
    OPT_KEY,
    OPT_TRUST,
    OPT_REVOKED,
    OPT_ROLE,
    OPT_PEER_CHAIN,
    OPT_PROFILE,
    OPT_VERSION,
    OPT_CURVE,
    OPT_MUTUAL,
    OPT_SLOT,
    OPT_STAY,
    OPT_ONCE,
    OPT_HEARTBEAT,
    OPT_TIMEOUT,
    OPT_JSON
};

enum { TIMEOUT_S = 5 };

typedef struct arguments {
    spdm_options o;
    tl_spdm_role role;
    const char *pki;
} arguments;

#define COMMON_OPTIONS                                                                                         \
    { "emulator", OPT_EMULATOR, "HOST:PORT", 0, "the framing's socket (127.0.0.1:2323, for tcp 4194)", 1 },    \
        { "transport", OPT_TRANSPORT, "mctp|tcp", 0, "what the framing carries (mctp)", 1 },                   \
        { "timeout", OPT_TIMEOUT, "SECONDS", 0, "how long the peer may take (5)", 1 },                         \
        { "pki", OPT_PKI, "DIR", 0, "chain.pem and key.pem in DIR, root.pem beside DIR", 2 },                  \
        { "chain", OPT_CHAIN, "FILE", 0, "our own certificate chain, PEM or DER", 2 },                         \
        { "key", OPT_KEY, "FILE", 0, "its private key, readable by its owner alone", 2 },                      \
        { "trust", OPT_TRUST, "FILE", 0, "trust anchors for the peer's chain", 2 },                            \
        { "revoked", OPT_REVOKED, "FILE", 0, "revocation lists for the peer's chain", 2 },                     \
        { "role", OPT_ROLE, "ROLE", 0, "the role that the peer's chain must name", 2 },                        \
        { "profile", OPT_PROFILE, "dsp0274|strict", 0, "how much a chain must bring along (dsp0274)", 2 },     \
        { "version", OPT_VERSION, "1.2|1.3", 0, "this version alone (both)", 3 },                              \
        { "curve", OPT_CURVE, "p256|p384", 0, "with SHA-256 and AES-128-GCM, or SHA-384 and AES-256-GCM", 3 }, \
        { "mutual", OPT_MUTUAL, NULL, 0, "both ends authenticate", 3 },                                        \
    {                                                                                                          \
        "json", OPT_JSON, NULL, 0, "results as JSON, or no line per message", 4                                \
    }

static const struct argp_option requester_options[] = {
    COMMON_OPTIONS,
    { "slot", OPT_SLOT, "0..7", 0, "the peer's certificate slot (0)", 3 },
    { "continue", OPT_STAY, NULL, 0, "leave the responder running at the end", 1 },
    { 0 },
};

static const struct argp_option responder_options[] = {
    COMMON_OPTIONS,
    { "peer-chain", OPT_PEER_CHAIN, "FILE", 0, "the requester's chain, provisioned; for --mutual", 2 },
    { "heartbeat", OPT_HEARTBEAT, "SECONDS", 0, "a session that is silent for twice as long ends (30)", 3 },
    { "once", OPT_ONCE, NULL, 0, "end after one connection", 1 },
    { 0 },
};

/* ---- values ---- */

static void parse_path(struct argp_state *state, const char *option, const char *text,
                       char path[SPDM_END_PATH])
{
    if (strlen(text) >= SPDM_END_PATH)
        argp_error(state, "%s: the path is too long", option);
    (void)snprintf(path, SPDM_END_PATH, "%s", text);
}

static void parse_emulator(struct argp_state *state, const char *text, spdm_options *o)
{
    tl_fault fault;

    if (tl_address_parse(text, &o->emulator, &fault) != TL_EXIT_OK)
        argp_error(state, "--emulator: %s", fault.text);
}

static void parse_transport(struct argp_state *state, const char *text, spdm_options *o)
{
    static const tl_transport *const all[] = { &tl_transport_mctp, &tl_transport_tcp };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (strcmp(text, all[i]->name) == 0) {
            o->transport = all[i];
            return;
        }
    }
    argp_error(state, "--transport: '%s': give mctp or tcp", text);
}

static void parse_version(struct argp_state *state, const char *text, spdm_options *o)
{
    if (strcmp(text, "1.2") != 0 && strcmp(text, "1.3") != 0)
        argp_error(state, "--version: '%s': give 1.2 or 1.3", text);
    o->version_min = o->version_max = text[2] == '2' ? TL_SPDM_12 : TL_SPDM_13;
}

static void parse_curve(struct argp_state *state, const char *text, spdm_options *o)
{
    for (tl_group g = TL_GROUP_P256; g <= TL_GROUP_P384; g++) {
        if (strcmp(text, tl_group_name(g)) == 0) {
            o->curve = g;
            return;
        }
    }
    argp_error(state, "--curve: '%s': give p256 or p384", text);
}

static void parse_profile(struct argp_state *state, const char *text, spdm_options *o)
{
    if (strcmp(text, "strict") != 0 && strcmp(text, "dsp0274") != 0)
        argp_error(state, "--profile: '%s': give dsp0274 or strict", text);
    o->profile = text[0] == 's' ? TL_PROFILE_STRICT : TL_PROFILE_DSP0274;
}

/* ---- the line as a whole ---- */

/* What --pki stands for, where nothing else was said. */
static void parse_pki(struct argp_state *state, arguments *a)
{
    const struct {
        const char *name;
        char *path;
    } files[] = { { "chain.pem", a->o.chain }, { "key.pem", a->o.key }, { "../root.pem", a->o.trust } };

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[2 * SPDM_END_PATH];

        (void)snprintf(path, sizeof path, "%.767s/%s", a->pki, files[i].name);
        if (files[i].path[0] == '\0')
            parse_path(state, "--pki", path, files[i].path);
    }
}

static void parse_end(struct argp_state *state, arguments *a)
{
    spdm_options *o = &a->o;
    bool responder = a->role == TL_SPDM_RESPONDER;

    if (a->pki != NULL)
        parse_pki(state, a);
    if ((o->chain[0] == '\0') != (o->key[0] == '\0'))
        argp_error(state, "--chain and --key belong together");
    if (responder && o->chain[0] == '\0')
        argp_error(state, "a responder needs --chain and --key, or --pki");
    if (!responder && o->trust[0] == '\0')
        argp_error(state, "a requester needs --trust, or --pki");
    if (o->mutual && (o->chain[0] == '\0' || o->trust[0] == '\0'))
        argp_error(state, "--mutual needs --chain, --key and --trust, or --pki");
    if (responder && o->mutual != (o->peer_chain != NULL))
        argp_error(state, "--mutual and --peer-chain belong together");
    if (o->emulator.port[0] == '\0')
        parse_emulator(state, o->transport == &tl_transport_tcp ? "127.0.0.1:4194" : "127.0.0.1:2323", o);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;
    spdm_options *o = &a->o;

    switch (key) {
    case OPT_EMULATOR: parse_emulator(state, arg, o); return 0;
    case OPT_TRANSPORT: parse_transport(state, arg, o); return 0;
    case OPT_PKI: a->pki = arg; return 0;
    case OPT_CHAIN: parse_path(state, "--chain", arg, o->chain); return 0;
    case OPT_KEY: parse_path(state, "--key", arg, o->key); return 0;
    case OPT_TRUST: parse_path(state, "--trust", arg, o->trust); return 0;
    case OPT_REVOKED: o->revoked = arg; return 0;
    case OPT_ROLE: o->role = arg; return 0;
    case OPT_PEER_CHAIN: o->peer_chain = arg; return 0;
    case OPT_PROFILE: parse_profile(state, arg, o); return 0;
    case OPT_VERSION: parse_version(state, arg, o); return 0;
    case OPT_CURVE: parse_curve(state, arg, o); return 0;
    case OPT_MUTUAL: o->mutual = true; return 0;
    case OPT_SLOT: o->slot = (uint8_t)ui_number(state, "--slot", arg, 0, TL_SPDM_SLOTS - 1); return 0;
    case OPT_STAY: o->stay = true; return 0;
    case OPT_ONCE: o->once = true; return 0;
    case OPT_HEARTBEAT: o->heartbeat = (uint8_t)ui_number(state, "--heartbeat", arg, 0, 255); return 0;
    case OPT_TIMEOUT: o->timeout_ms = 1000 * (uint32_t)ui_number(state, "--timeout", arg, 1, 600); return 0;
    case OPT_JSON: o->json = true; return 0;
    case ARGP_KEY_ARG: argp_error(state, "'%s' is too much", arg); return 0;
    case ARGP_KEY_END: parse_end(state, a); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp requester_argp = {
    .options = requester_options,
    .parser = parse,
    .doc = "Runs every flow against a responder, and prints each step.\v"
           "Examples:\n"
           "  trueline spdm requester --trust ca.cert.der --curve p384\n"
           "  trueline spdm requester --pki pki/controller --mutual --role sensor \\\n"
           "      --profile strict\n",
};

static const struct argp responder_argp = {
    .options = responder_options,
    .parser = parse,
    .doc = "Answers requesters until one asks it to end.\v"
           "Examples:\n"
           "  trueline spdm responder --pki pki/sensor --version 1.2\n"
           "  trueline spdm responder --pki pki/sensor --mutual \\\n"
           "      --peer-chain pki/controller/chain.pem\n",
};

static int run(tl_spdm_role role, int argc, char **argv)
{
    const bool responder = role == TL_SPDM_RESPONDER;
    arguments a = {
        .role = role,
        .o = { .transport = &tl_transport_mctp,
               .profile = TL_PROFILE_DSP0274,
               .version_min = TL_SPDM_12,
               .version_max = TL_SPDM_13,
               .heartbeat = 30,
               .timeout_ms = 1000 * TIMEOUT_S },
    };
    spdm_end *end = NULL;
    tl_fault fault;
    tl_exit e;

    if (ui_parse(responder ? &responder_argp : &requester_argp, argc, argv, &a) != TL_EXIT_OK)
        return TL_EXIT_USAGE;
    e = spdm_end_open(&end, &a.o, role, &fault);
    if (e == TL_EXIT_OK)
        e = responder ? spdm_run_responder(end, &fault) : spdm_run_requester(end, &fault);
    spdm_end_close(end);
    if (e == TL_EXIT_OK)
        e = ui_flush(&fault);
    if (e == TL_EXIT_STOPPED)
        return TL_EXIT_OK;
    return e == TL_EXIT_OK ? TL_EXIT_OK : ui_fail(responder ? "spdm responder" : "spdm requester", &fault);
}

static const char usage[] =
    "Usage: trueline spdm requester [OPTION...]\n"
    "  or:  trueline spdm responder [OPTION...]\n"
    "SPDM against other implementations, on the socket framing of DMTF's emulators.\n\n"
    "Examples:\n"
    "  trueline spdm responder --pki pki/sensor\n"
    "  trueline spdm requester --pki pki/controller --role sensor\n\n"
    "`trueline spdm requester --help` lists all options.\n";

static int cmd_requester(int argc, char **argv)
{
    return run(TL_SPDM_REQUESTER, argc, argv);
}

static int cmd_responder(int argc, char **argv)
{
    return run(TL_SPDM_RESPONDER, argc, argv);
}

static const ui_word words[] = { { "requester", cmd_requester }, { "responder", cmd_responder }, { 0 } };

int cmd_spdm(int argc, char **argv)
{
    return ui_run_word(&(ui_words){ "spdm", usage, words }, argc, argv);
}
