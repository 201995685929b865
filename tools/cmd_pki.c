/* `trueline pki`: keys and certificates for trying things out, for tests and for the demo; also deliberately bad ones.
 * The command only reads its arguments; the folder is pki_store.c's, the table pki_show.c's. */
#include "command.h"
#include "pki_show.h"
#include "pki_store.h"
#include "ui.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    OPT_CURVE = 0x100,
    OPT_DAYS,
    OPT_FORCE,
    OPT_ROLE,
    OPT_CA,
    OPT_SAN,
    OPT_NO_SAN,
    OPT_USE,
    OPT_EXPIRED,
    OPT_NOT_YET,
    OPT_AUTHORITY,
    OPT_NO_SIGNING,
    OPT_JSON
};

enum { DAYS = 3650, DAYS_MAX = 36500, DAY = 86400 };

typedef struct arguments {
    pki_options o;
    pki_leaf leaf;
    const char *name;
    bool json;
    unsigned wanted, got; /* names behind the options */
    const char *usage;
} arguments;

/* ---- options that several share ---- */

static void parse_curve(struct argp_state *state, const char *text, pki_options *o)
{
    o->curve = strcmp(text, tl_group_name(TL_GROUP_P256)) == 0   ? TL_GROUP_P256
               : strcmp(text, tl_group_name(TL_GROUP_P384)) == 0 ? TL_GROUP_P384
                                                                 : TL_GROUP_NONE;
    if (o->curve == TL_GROUP_NONE)
        argp_error(state, "--curve: '%s': give p256 or p384", text);
}

static const pki_device *parse_kind(struct argp_state *state, const char *option, const char *text)
{
    const pki_device *device = pki_device_of(text);

    if (device == NULL)
        argp_error(state, "%s: '%s': give sensor, bridge, controller or debugger", option, text);
    return device;
}

/* DIR, and NAME if one is wanted. */
static error_t parse_names(struct argp_state *state, int key, char *arg, arguments *a)
{
    if (key == ARGP_KEY_ARG) {
        if (a->got == a->wanted)
            argp_error(state, "'%s' is too much: give %s", arg, a->usage);
        *(a->got++ == 0 ? &a->o.dir : &a->name) = arg;
        return 0;
    }
    if (key == ARGP_KEY_END && a->got < a->wanted)
        argp_error(state, "give %s", a->usage);
    return key == ARGP_KEY_END ? 0 : ARGP_ERR_UNKNOWN;
}

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;

    switch (key) {
    case OPT_CURVE: parse_curve(state, arg, &a->o); return 0;
    case OPT_DAYS: a->o.days = (int)ui_number(state, "--days", arg, 1, DAYS_MAX); return 0;
    case OPT_FORCE: a->o.clash = TL_FILE_REPLACE; return 0;
    default: return parse_names(state, key, arg, a);
    }
}

static int finish(const char *command, tl_exit e, const tl_fault *fault)
{
    return e == TL_EXIT_OK ? TL_EXIT_OK : ui_fail(command, fault);
}

static arguments defaults(unsigned wanted, const char *usage)
{
    return (arguments){ .o = { .days = DAYS, .now = (int64_t)time(NULL), .clash = TL_FILE_REFUSE },
                        .wanted = wanted,
                        .usage = usage };
}

/* ---- new ---- */

static const struct argp_option new_options[] = {
    { "curve", OPT_CURVE, "p256|p384", 0, "curve of all keys (p256)", 1 },
    { "days", OPT_DAYS, "N", 0, "valid for N days (3650)", 1 },
    { "force", OPT_FORCE, NULL, 0, "write over what is there", 2 },
    { 0 },
};

static const struct argp new_argp = {
    .options = new_options,
    .parser = parse_common,
    .args_doc = "DIR",
    .doc =
        "Makes a root, an intermediate for each kind of device, a leaf with its key for a sensor, a bridge, "
        "a "
        "controller and a debugger, and empty revocation lists."
        "\vWhat stands where:\n"
        "  DIR/root.pem                    the root: what --trust takes\n"
        "  DIR/sensor/chain.pem, key.pem   what --pki DIR/sensor takes; bridge, controller, debugger alike\n"
        "  DIR/crl.pem                     the revocation lists\n"
        "  DIR/root-key.pem, DIR/ca/       what signs them\n"
        "\nExamples:\n"
        "  trueline pki new keys\n"
        "  trueline pki new keys --curve p384 --days 30\n",
};

static int cmd_new(int argc, char **argv)
{
    arguments a = defaults(1, "a DIR");
    tl_fault fault;

    a.o.curve = TL_GROUP_P256;
    if (ui_parse(&new_argp, argc, argv, &a) != TL_EXIT_OK)
        return TL_EXIT_USAGE;
    return finish("pki new", pki_make(&a.o, &fault), &fault);
}

/* ---- leaf ---- */

static const struct argp_option leaf_options[] = {
    { "role", OPT_ROLE, "ROLE", 0, "sensor, bridge, controller or debugger (needed)", 1 },
    { "ca", OPT_CA, "ROLE", 0, "whose intermediate signs it (that of its role)", 1 },
    { "curve", OPT_CURVE, "p256|p384", 0, "curve of its key (that of its intermediate)", 1 },
    { "days", OPT_DAYS, "N", 0, "valid for N days (3650)", 1 },
    { "force", OPT_FORCE, NULL, 0, "write over what is there", 2 },
    { 0, 0, NULL, 0, "Leaves that must be refused:", 3 },
    { "san", OPT_SAN, "TEXT", 0, "another device info than Trueline:trueline-ROLE:NAME", 3 },
    { "no-san", OPT_NO_SAN, NULL, 0, "no device info, and so no role", 3 },
    { "use", OPT_USE, "responder|requester|none", 0, "another use than its role's", 3 },
    { "no-signing", OPT_NO_SIGNING, NULL, 0, "a key usage without digitalSignature", 3 },
    { "authority", OPT_AUTHORITY, NULL, 0, "marked as a certificate authority", 3 },
    { "expired", OPT_EXPIRED, NULL, 0, "valid until yesterday", 3 },
    { "not-yet", OPT_NOT_YET, NULL, 0, "valid from tomorrow", 3 },
    { 0 },
};

static void parse_use(struct argp_state *state, const char *text, pki_leaf *leaf)
{
    leaf->without_use = strcmp(text, "none") == 0;
    leaf->use = strcmp(text, "responder") == 0   ? TL_USE_RESPONDER
                : strcmp(text, "requester") == 0 ? TL_USE_REQUESTER
                                                 : TL_USE_ANY;
    if (leaf->use == TL_USE_ANY && !leaf->without_use)
        argp_error(state, "--use: '%s': give responder, requester or none", text);
}

static void finish_leaf(struct argp_state *state, arguments *a)
{
    if (a->leaf.device == NULL)
        argp_error(state, "give --role");
    if (a->name != NULL && !pki_name_fits(a->name))
        argp_error(state, "'%.60s': give a name of at most %d letters, digits, '-' and '_', not 'ca'",
                   a->name, PKI_NAME_SIZE - 1);
    if (a->name != NULL)
        (void)snprintf(a->leaf.name, sizeof a->leaf.name, "%s", a->name);
    if (a->leaf.issuer == NULL)
        a->leaf.issuer = a->leaf.device;
}

static error_t parse_leaf(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;
    error_t e;

    switch (key) {
    case OPT_ROLE: a->leaf.device = parse_kind(state, "--role", arg); return 0;
    case OPT_CA: a->leaf.issuer = parse_kind(state, "--ca", arg); return 0;
    case OPT_SAN: a->leaf.device_info = arg; return 0;
    case OPT_NO_SAN: a->leaf.device_info = ""; return 0;
    case OPT_USE: parse_use(state, arg, &a->leaf); return 0;
    case OPT_NO_SIGNING: a->leaf.key_usage = "critical,keyAgreement"; return 0;
    case OPT_AUTHORITY: a->leaf.authority = true; return 0;
    case OPT_EXPIRED:
        a->leaf.not_before = a->o.now - 2 * DAY;
        a->leaf.not_after = a->o.now - DAY;
        return 0;
    case OPT_NOT_YET:
        a->leaf.not_before = a->o.now + DAY;
        a->leaf.not_after = a->o.now + 2 * DAY;
        return 0;
    default: break;
    }
    e = parse_common(key, arg, state);
    if (key == ARGP_KEY_END)
        finish_leaf(state, a);
    return e;
}

static const struct argp leaf_argp = {
    .options = leaf_options,
    .parser = parse_leaf,
    .args_doc = "DIR NAME",
    .doc = "Makes one more leaf in a folder that `trueline pki new` made: DIR/NAME/chain.pem and key.pem. It "
           "can also "
           "make leaves that must be refused, to see that they are."
           "\vExamples:\n"
           "  trueline pki leaf keys rear --role sensor\n"
           "  trueline pki leaf keys old --role sensor --expired\n"
           "  trueline pki leaf keys odd --role sensor --san ACME:WIDGET:1 --use none\n",
};

static int cmd_leaf(int argc, char **argv)
{
    arguments a = defaults(2, "a DIR and a NAME");
    tl_fault fault;

    if (ui_parse(&leaf_argp, argc, argv, &a) != TL_EXIT_OK)
        return TL_EXIT_USAGE;
    return finish("pki leaf", pki_make_leaf(&a.o, &a.leaf, &fault), &fault);
}

/* ---- revoke ---- */

static error_t parse_revoke(int key, char *arg, struct argp_state *state)
{
    return parse_names(state, key, arg, state->input);
}

static const struct argp revoke_argp = {
    .parser = parse_revoke,
    .args_doc = "DIR NAME",
    .doc = "Puts the certificate of a leaf, or of an intermediate (ca/sensor), on the revocation list of its "
           "issuer "
           "in DIR/crl.pem."
           "\vExamples:\n"
           "  trueline pki revoke keys sensor\n"
           "  trueline pki revoke keys ca/bridge\n",
};

static int cmd_revoke(int argc, char **argv)
{
    arguments a = defaults(2, "a DIR and a NAME");
    tl_fault fault;

    if (ui_parse(&revoke_argp, argc, argv, &a) != TL_EXIT_OK)
        return TL_EXIT_USAGE;
    return finish("pki revoke", pki_revoke_name(&a.o, a.name, &fault), &fault);
}

/* ---- show ---- */

static const struct argp_option show_options[] = {
    { "json", OPT_JSON, NULL, 0, "a JSON array in place of the table", 1 },
    { 0 },
};

static error_t parse_show(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;

    if (key != OPT_JSON)
        return parse_names(state, key, arg, a);
    a->json = true;
    return 0;
}

static const struct argp show_argp = {
    .options = show_options,
    .parser = parse_show,
    .args_doc = "DIR|FILE",
    .doc = "Prints the certificates of a folder that `trueline pki new` made, or of a PEM file: who, from "
           "whom, for "
           "what role and use, until when, the digest that SPDM's DIGESTS tells, and whether the chain holds."
           "\vExamples:\n"
           "  trueline pki show keys\n"
           "  trueline pki show keys/sensor/chain.pem\n"
           "  trueline pki show keys --json | jq -r '.[].spdm_digest'\n",
};

static int cmd_show(int argc, char **argv)
{
    arguments a = defaults(1, "a DIR or a FILE");
    tl_fault fault;
    json_t *rows;
    tl_exit e;

    if (ui_parse(&show_argp, argc, argv, &a) != TL_EXIT_OK)
        return TL_EXIT_USAGE;
    e = pki_rows(a.o.dir, a.o.now, &rows, &fault);
    if (e == TL_EXIT_OK) {
        if (!a.json)
            pki_print(rows);
        else if (json_dumpf(rows, stdout, JSON_INDENT(2)) == 0)
            (void)putchar('\n');
        json_decref(rows);
        e = ui_flush(&fault);
    }
    return finish("pki show", e, &fault);
}

/* ---- the command ---- */

static const char usage[] = "Usage: trueline pki new DIR [OPTION...]\n"
                            "  or:  trueline pki leaf DIR NAME --role ROLE [OPTION...]\n"
                            "  or:  trueline pki revoke DIR NAME\n"
                            "  or:  trueline pki show DIR|FILE [--json]\n"
                            "Keys and certificates of sensors, bridges, controllers and debuggers.\n\n"
                            "Examples:\n"
                            "  trueline pki new keys\n"
                            "  trueline pki leaf keys rear --role sensor\n"
                            "  trueline pki revoke keys rear\n"
                            "  trueline pki show keys\n\n"
                            "`trueline pki new --help` and so on list all options.\n";

static const ui_word words[] = {
    { "new", cmd_new }, { "leaf", cmd_leaf }, { "revoke", cmd_revoke }, { "show", cmd_show }, { 0 },
};

int cmd_pki(int argc, char **argv)
{
    return ui_run_word(&(ui_words){ "pki", usage, words }, argc, argv);
}
