#include "tap.h"
#include "hex.h"
#include "protection.h"
#include "tap_secrets.h"
#include "ui.h"

#include <stdlib.h>
#include <string.h>

#include <trueline/layout/ids.h>

enum { OPT_CAPTURE = 0x600, OPT_SECRETS, OPT_NAME };

static const struct argp_option options[] = {
    { "capture-name", OPT_NAME, "NAME", 0,
      "name of the stream's interface in the capture, by which `trueline verify --interface` finds it (csi2)",
      0 },
    { "capture", OPT_CAPTURE, "FILE", 0,
      "write every SPDM message and CSI-2 packet to FILE as pcapng, for `trueline dump` and Wireshark", 0 },
    { "export-secrets", OPT_SECRETS, "FILE", 0,
      "write the secrets that decrypt them to FILE, which others must not see; the capture's own name puts "
      "them "
      "into it",
      0 },
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    tap_options *o = state->input;

    switch (key) {
    case OPT_CAPTURE: o->capture = arg; return 0;
    case OPT_SECRETS: o->secrets = arg; return 0;
    case OPT_NAME: o->name = arg; return 0;
    case ARGP_KEY_END:
        if (o->name != NULL && (o->capture == NULL || *o->name == '\0'))
            argp_error(state, "--capture-name: a name, beside --capture");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp tap_argp = { .options = options + 1, .parser = parse };
const struct argp tap_named_argp = { .options = options, .parser = parse };

bool tap_options_inside(const tap_options *o)
{
    return o->secrets != NULL && o->capture != NULL && strcmp(o->secrets, o->capture) == 0;
}

/* ---- beginning and end ---- */

static tl_exit open_secrets(tap *t, tl_fault *fault)
{
    int fd = recording_create(t->secrets_path, true);

    if (fd >= 0)
        t->secrets = fdopen(fd, "w");
    if (t->secrets == NULL)
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "secrets: %.200s: cannot be written", t->secrets_path);
    setvbuf(t->secrets, NULL, _IONBF,
            0); /* no copy that nobody wipes, and none that a killed run would lose */
    return TL_EXIT_OK;
}

tl_exit tap_open(tap *t, const tap_options *o, const char *command, tl_fault *fault)
{
    char program[64];
    tl_exit e = TL_EXIT_OK;

    *t = (tap){ .secrets_path = o->secrets, .name = o->name != NULL ? o->name : "csi2", .command = command };
    t->inside = tap_options_inside(o);
    (void)snprintf(program, sizeof program, "trueline %s", command);
    if (o->capture != NULL)
        e = recording_open(&t->capture, o->capture, t->inside, program, fault);
    if (e == TL_EXIT_OK && o->capture != NULL)
        e = recording_live(&t->capture, t->inside, fault);
    if (e == TL_EXIT_OK && o->capture != NULL && o->secrets != NULL && !t->inside)
        e = recording_apart(o->capture, o->secrets, fault);
    if (e == TL_EXIT_OK && o->secrets != NULL && !t->inside)
        e = open_secrets(t, fault);
    if (e != TL_EXIT_OK || o->secrets == NULL)
        return e;
    t->spdm_secrets = tap_secrets_new();
    return t->spdm_secrets != NULL ? TL_EXIT_OK : tl_fault_set(fault, TL_EXIT_INTERNAL, "secrets: no memory");
}

/* Keeps the first fault. */
static void keep(tap *t, tl_exit e, const tl_fault *fault)
{
    if (t->failed != TL_EXIT_OK || e == TL_EXIT_OK)
        return;
    t->failed = e;
    t->fault = *fault;
}

/* And says it, in the middle of a run that goes on. */
static void note(tap *t, tl_exit e, const tl_fault *fault)
{
    if (t->failed == TL_EXIT_OK && e != TL_EXIT_OK)
        ui_note(t->command, "%s; nothing more of it is recorded", fault->text);
    keep(t, e, fault);
}

/* The same of a capture, whose writer has ended. */
static void watch(tap *t)
{
    const int error = t->said ? 0 : recording_error(&t->capture);

    if (error == 0)
        return;
    t->said = true;
    ui_note(t->command, "capture: %.200s: %s: nothing more of it is recorded", t->capture.path,
            strerror(error));
}

/* ---- secrets ---- */

static bool wants_secrets(const tap *t)
{
    return t != NULL && (t->inside || t->secrets != NULL) && !t->no_secrets;
}

/* Lines into their file, or into the capture; at once: a run that is killed has the secrets of what it recorded. */
static void put_lines(tap *t, tl_span lines)
{
    tl_fault fault;
    tl_exit e = TL_EXIT_OK;

    if (lines.n > 0 && t->inside)
        e = recording_secrets(&t->capture, TL_SECRETS_TYPE, lines, &fault);
    else if (lines.n > 0 && fwrite(lines.p, 1, lines.n, t->secrets) != lines.n)
        e = tl_fault_errno(&fault, TL_EXIT_INTERNAL, "secrets: %.200s: cannot be written", t->secrets_path);
    t->no_secrets = e != TL_EXIT_OK;
    note(t, e, &fault);
}

static void compute_session_lines(tap *t, tl_span message)
{
    if (wants_secrets(t))
        tap_secrets_message(t->spdm_secrets, message);
}

/* What the messages so far have made known. */
static void put_session_lines(tap *t)
{
    if (!wants_secrets(t))
        return;
    put_lines(t, tap_secrets_lines(t->spdm_secrets));
    tap_secrets_forget(t->spdm_secrets);
}

const tl_crypto *tap_crypto(tap *t, const tl_crypto *crypto)
{
    return wants_secrets(t) ? tap_secrets_crypto(t->spdm_secrets, crypto) : crypto;
}

void tap_key(tap *t, const tl_key_source *source, const tl_stream_config *config, uint32_t epoch)
{
    char text[64 + 2 * TL_HASH_MAX];
    uint8_t secret[TL_HASH_MAX];
    size_t n = 0, at;

    /* Without a suite no key is ever made of it. An epoch that cannot be taken is refused by whoever takes it. */
    if (!wants_secrets(t) || config->suite == TL_SUITE_NONE ||
        tl_key_source_secret(source, epoch, secret, &n) != TL_OK)
        return;
    at = (size_t)snprintf(text, sizeof text, "stream %u epoch %u secret ", (unsigned)config->stream,
                          (unsigned)epoch);
    hex_text(tl_span_of(secret, n), text + at, sizeof text - at);
    at += 2 * n;
    text[at++] = '\n';
    put_lines(t, tl_span_of(text, at));
    tl_wipe(secret, sizeof secret);
    tl_wipe(text, sizeof text);
}

tl_exit tap_close(tap *t, tl_fault *fault)
{
    tl_fault closing;
    tl_exit e;

    compute_session_lines(t, tl_span_of(NULL, 0));
    put_session_lines(t);
    t->recorded = recording_is_open(&t->capture);
    e = recording_close(&t->capture, &closing);
    keep(t, e, &closing);
    if (t->secrets != NULL && fclose(t->secrets) != 0) {
        e = tl_fault_errno(&closing, TL_EXIT_INTERNAL, "secrets: %.200s: cannot be written", t->secrets_path);
        keep(t, e, &closing);
    }
    t->secrets = NULL;
    t->inside = false;
    if (t->failed != TL_EXIT_OK)
        *fault = t->fault;
    return t->failed;
}

json_t *tap_json(const tap *t)
{
    return t->recorded ? json_pack("{s:I, s:I}", "packets", (json_int_t)t->capture.packets, "not_recorded",
                                   (json_int_t)t->capture.not_recorded)
                       : NULL;
}

void tap_free(tap *t)
{
    tap_secrets_free(t->spdm_secrets);
    t->spdm_secrets = NULL;
}

static bool records(const tap *t)
{
    return t != NULL && recording_is_open(&t->capture);
}

/* ---- interfaces and packets ---- */

static void add_interface(tap *t, uint32_t link, const char *name, const char *comment, uint32_t *index)
{
    tl_fault fault;

    note(t, recording_interface(&t->capture, link, name, comment, index, &fault), &fault);
}

void tap_stream(tap *t, const stream_file *file)
{
    const tl_stream_config *c = &file->config;
    json_t *object;
    char *text, *comment;

    if (!records(t))
        return;
    object = stream_file_json(file, STREAM_SECRET_HIDDEN);
    text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    if (text != NULL &&
        asprintf(&comment, "layout=%s\nstream=%s\ncarrier=%s\nchannel=%u", recording_layout(), text,
                 protection_carrier_text(c->carrier), (unsigned)c->virtual_channel) >= 0) {
        add_interface(t, PCAP_LINK_CSI2, t->name, comment, &t->csi2);
        free(comment);
    }
    t->has_stream = true;
    free(text);
    json_decref(object);
}

void tap_packets(tap *t, pcap_direction direction, const tl_span *packets, size_t n)
{
    recording_from from = { .direction = direction };
    tl_fault fault;

    if (!records(t) || !t->has_stream)
        return;
    from.index = t->csi2;
    note(t, recording_packets(&t->capture, &from, packets, n, &fault), &fault);
    watch(t);
}

void tap_flush(tap *t)
{
    tl_fault fault;

    if (records(t))
        note(t, recording_flush(&t->capture, &fault), &fault);
}

static void record_message(tap *t, pcap_direction direction, tl_span message)
{
    recording_from from = { .direction = direction, .rare = true };
    char comment[64];
    tl_fault fault;

    if (!t->has_spdm) {
        (void)snprintf(comment, sizeof comment, "layout=%s", recording_layout());
        add_interface(t, PCAP_LINK_SPDM_TCP, "spdm", comment, &t->spdm);
        t->has_spdm = true;
    }
    from.index = t->spdm;
    note(t, recording_packets(&t->capture, &from, &message, 1, &fault), &fault);
}

/* A message and its secrets go to the disk together, for a run that is killed should leave no message without them: so nothing
 * is computed between the two. */
void tap_message(tap *t, pcap_direction direction, tl_span message)
{
    compute_session_lines(t, message);
    if (records(t))
        record_message(t, direction, message);
    put_session_lines(t);
    tap_flush(t);
}
