/* Finding the stream in a recording. What the first packets are says how the stream travels (carrier, virtual channel), where
 * nobody else does: whatever an attacker puts there, a protected stream is expected, and nothing else verifies. */
#include "keys_source.h"
#include "tape.h"

#include "recording.h"
#include "ui.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LOOK_AHEAD = 65536 }; /* packets that are read to find the stream */

static bool is_csi2(const pcap_packet *p)
{
    return p->from->link == PCAP_LINK_CSI2;
}

static bool is_chosen(const tape *t, const pcap_packet *p)
{
    return is_csi2(p) && t->chosen && strncmp(p->from->name, t->name, sizeof t->name - 1) == 0;
}

const char *tape_interface(const tape *t)
{
    return t->name;
}

static void on_secrets(void *context, uint32_t type, tl_span secrets)
{
    tape *t = context;

    if (type != TL_SECRETS_TYPE || t->o.keys != NULL || t->secrets != TL_EXIT_OK || secrets.n == 0)
        return;
    t->secrets = stream_keys_take(&t->keys, secrets, t->o.path, &t->secrets_fault);
    if (t->on_secrets != NULL)
        t->on_secrets(t->context, secrets);
}

static tl_exit rewind_to_start(tape *t, tl_fault *fault)
{
    tl_exit e;

    if (t->pcap_open)
        pcap_close(&t->pcap);
    t->pcap_open = false;
    t->last = NULL;
    if (t->o.keys == NULL)
        stream_keys_close(&t->keys);
    if (fseek(t->in, 0, SEEK_SET) != 0)
        return tl_fault_errno(fault, TL_EXIT_LINK, "%.200s", t->o.path);
    e = pcap_open(&t->pcap, t->in, t->o.path, fault);
    t->pcap_open = true; /* one that could not be read is closed, too */
    t->pcap.on_secrets = on_secrets;
    t->pcap.context = t;
    return e;
}

static tl_exit next(tape *t, pcap_packet *p, bool *more, tl_fault *fault)
{
    tl_exit e = pcap_next(&t->pcap, p, more, fault);

    if (e == TL_EXIT_OK && t->secrets != TL_EXIT_OK) {
        *fault = t->secrets_fault;
        e = t->secrets;
    }
    return e;
}

/* ---- looking ahead ---- */

static tl_exit check_layout(const tape *t, const pcap_interface *from, tl_fault *fault)
{
    size_t n;
    const char *layout = pcap_comment_value(from, "layout", &n);

    if (layout == NULL || pcap_comment_says(from, "layout", recording_layout()))
        return TL_EXIT_OK;
    return tl_fault_set(fault, TL_EXIT_USAGE,
                        "%.200s: interface '%.60s' was recorded with layout '%.*s'; this program has '%s'",
                        t->o.path, from->name, (int)(n < 60 ? n : 60), layout, recording_layout());
}

/* What the interface says of its stream. */
static tl_exit read_comment(tape *t, const pcap_interface *from, stream_file *file, bool *there,
                            tl_fault *fault)
{
    size_t n;
    const char *text = pcap_comment_value(from, "stream", &n);

    *there = text != NULL;
    return text == NULL
               ? TL_EXIT_OK
               : stream_file_parse_public(file, t->o.path, tl_span_of((const uint8_t *)text, n), fault);
}

/* The stream file that was given: with its secret, if it has one. */
static tl_exit read_given(tape *t, tl_fault *fault)
{
    static uint8_t text[STREAM_FILE_MAX];
    size_t n;
    tl_exit e = tl_file_read(t->o.stream, TL_FILE_PUBLIC, text, sizeof text, &n, fault);

    if (e == TL_EXIT_OK && memmem(text, n, "\"secret\"", 8) != NULL)
        e = stream_file_read(&t->file, t->o.stream, fault);
    else if (e == TL_EXIT_OK)
        e = stream_file_parse_public(&t->file, t->o.stream, tl_span_of(text, n), fault);
    tl_wipe(text, sizeof text);
    return e;
}

static tl_exit digest_of(const stream_file *file, const tl_crypto *crypto, uint8_t *digest, tl_fault *fault)
{
    tl_err e = tl_stream_config_digest(&file->config, crypto, digest);

    return e == TL_OK ? TL_EXIT_OK
                      : tl_fault_set(fault, TL_EXIT_INTERNAL, "stream: no digest: %s", tl_err_text(e));
}

/* The configuration: the stream file's if there is one, and then the recording's has to agree, or that is said. */
static tl_exit configure(tape *t, const pcap_interface *from, const tl_crypto *crypto, tl_fault *fault)
{
    uint8_t digest[TL_CONFIG_DIGEST_SIZE];
    stream_file recorded;
    tl_exit e = read_comment(t, from, &recorded, &t->recorded, fault);

    if (e == TL_EXIT_OK && t->recorded)
        e = digest_of(&recorded, crypto, digest, fault);
    if (e == TL_EXIT_OK && t->o.stream != NULL)
        e = read_given(t, fault);
    else if (e == TL_EXIT_OK && t->recorded)
        t->file = recorded;
    else if (e == TL_EXIT_OK)
        e = tl_fault_set(fault, TL_EXIT_USAGE,
                         "%.200s: it does not say what its stream is: give the stream file, --stream",
                         t->o.path);
    if (e == TL_EXIT_OK)
        e = digest_of(&t->file, crypto, t->digest, fault);
    if (e == TL_EXIT_OK)
        t->disagrees = t->recorded && memcmp(digest, t->digest, sizeof digest) != 0;
    return e;
}

/* An interface of the name that says another stream than the first one did: a stream file would count for all of them, but
 * without one it is another stream, of which nobody may believe that it was judged. */
static tl_exit check_interface(tape *t, const pcap_interface *from, tl_fault *fault)
{
    uint8_t *seen = &t->seen[from->index / 8], bit = (uint8_t)(1 << from->index % 8);
    uint8_t digest[TL_CONFIG_DIGEST_SIZE] = { 0 };
    stream_file *recorded;
    bool there = false;
    tl_exit e;

    if ((*seen & bit) != 0)
        return TL_EXIT_OK;
    *seen |= bit;
    e = check_layout(t, from, fault);
    if (e != TL_EXIT_OK || t->o.stream != NULL)
        return e;
    recorded = malloc(sizeof *recorded);
    if (recorded == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "%.200s: no memory", t->o.path);
    e = read_comment(t, from, recorded, &there, fault);
    if (e == TL_EXIT_OK && there)
        e = digest_of(recorded, t->crypto, digest, fault);
    free(recorded);
    if (e != TL_EXIT_OK || !there || memcmp(digest, t->digest, sizeof digest) == 0)
        return e;
    t->others[from->index / 8] |= bit;
    if (t->o.interface != NULL)
        return TL_EXIT_OK;
    return tl_fault_set(fault, TL_EXIT_USAGE,
                        "%.200s: interface '%.60s' comes again and says another stream than before: to judge "
                        "what is of the first stream alone, --interface %.60s",
                        t->o.path, from->name, from->name);
}

/* That nothing is protected is nothing that an attacker may say: who has secrets of streams expects that something is. */
static tl_exit check_suite(const tape *t, tl_fault *fault)
{
    if (t->o.stream != NULL || t->file.config.suite != TL_SUITE_NONE || t->keys.n == 0)
        return TL_EXIT_OK;
    return tl_fault_set(fault, TL_EXIT_USAGE,
                        "%.200s: it says that its stream has no suite, and there are secrets of streams: if "
                        "that is right, give the stream file, --stream",
                        t->o.path);
}

/* How the stream travels, where the interface says it. */
static void take_said_way(tape *t, const pcap_interface *from)
{
    tl_stream_config *c = &t->file.config;
    size_t n;
    const char *channel = pcap_comment_value(from, "channel", &n);

    t->way_said = pcap_comment_says(from, "carrier", "sep") || pcap_comment_says(from, "carrier", "fsed");
    if (pcap_comment_says(from, "carrier", "fsed"))
        c->carrier = TL_CARRIER_FSED;
    if (channel != NULL && n == 1 && *channel >= '0' && *channel <= '3')
        c->virtual_channel = (uint8_t)(*channel - '0');
}

/* Does the packet tell how its stream travels? */
static bool tells_way(const pcap_packet *p, tl_csi2_header *h)
{
    tl_csi2_packet packet;

    tl_csi2_read_header(tl_span_of(p->p, p->n), &packet);
    *h = packet.header;
    return packet.ecc != TL_CSI2_ECC_BAD && packet.crc_right &&
           (h->data_type == TL_SEP_WIRE_TYPE || h->data_type == TL_FSED_WIRE_TYPE);
}

static bool may_choose(const tape *t, const pcap_packet *p)
{
    return is_csi2(p) && !t->chosen && (t->o.interface == NULL || strcmp(t->o.interface, p->from->name) == 0);
}

static void take_way(tape *t, const tl_csi2_header *h)
{
    tl_stream_config *c = &t->file.config;

    c->carrier = h->data_type == TL_FSED_WIRE_TYPE ? TL_CARRIER_FSED : TL_CARRIER_SEP;
    c->virtual_channel = h->virtual_channel;
}

/* The first interface with packets of CSI-2, or the one that was named, and how its stream travels. */
static tl_exit look_ahead(tape *t, const tl_crypto *crypto, tl_fault *fault)
{
    tl_csi2_header h = { 0 };
    bool more = true, way = false;
    pcap_packet p;
    tl_exit e = TL_EXIT_OK;

    for (unsigned i = 0; i < LOOK_AHEAD && more && !way && e == TL_EXIT_OK; i++) {
        e = next(t, &p, &more, fault);
        if (e != TL_EXIT_OK || !more)
            break;
        if (may_choose(t, &p)) {
            (void)snprintf(t->name, sizeof t->name, "%s", p.from->name);
            t->chosen = true;
            e = check_layout(t, p.from, fault);
            if (e == TL_EXIT_OK)
                e = configure(t, p.from, crypto, fault);
            if (e == TL_EXIT_OK)
                take_said_way(t, p.from);
        }
        if (t->way_said)
            break;
        way = e == TL_EXIT_OK && is_chosen(t, &p) && tells_way(&p, &h);
    }
    if (way)
        take_way(t, &h);
    /* A file that breaks off is read again, and told of when all before that was judged. */
    return e == TL_EXIT_LINK && t->chosen ? TL_EXIT_OK : e;
}

/* ---- opening ---- */

static tl_exit read_keys(tape *t, tl_fault *fault)
{
    keys_source keys;
    tl_exit e = keys_source_open(&keys, t->o.keys, fault);

    if (e == TL_EXIT_OK)
        e = stream_keys_read(&t->keys, keys.file, t->o.keys, fault);
    keys_source_close(&keys);
    return e;
}

/* The receiver's own part, where somebody says it. */
static tl_exit take_options(tape *t, tl_fault *fault)
{
    tl_stream_config *c = &t->file.config;
    const char *why;

    if (t->o.carrier != TAPE_AUTO)
        c->carrier = (tl_carrier)t->o.carrier;
    if (t->o.virtual_channel != TAPE_AUTO)
        c->virtual_channel = (uint8_t)t->o.virtual_channel;
    c->channels_accepted = t->o.channels;
    c->release = c->carrier == TL_CARRIER_FSED ? TL_RELEASE_FRAME : t->o.release;
    c->frame_timeout_ms = TAPE_FRAME_TIMEOUT_MS;
    return tl_stream_config_check(c, &why) == TL_OK ? TL_EXIT_OK
                                                    : tl_fault_set(fault, TL_EXIT_USAGE, "stream: %s", why);
}

/* It is read twice, and evidence is about something that stays. */
static tl_exit check_file(const tape *t, tl_fault *fault)
{
    struct stat is;

    if (t->in == NULL || fstat(fileno(t->in), &is) != 0)
        return tl_fault_errno(fault, TL_EXIT_LINK, "%.200s", t->o.path);
    return S_ISREG(is.st_mode) ? TL_EXIT_OK
                               : tl_fault_set(fault, TL_EXIT_LINK, "%.200s: is no file on disk", t->o.path);
}

tl_exit tape_open(tape *t, const tape_options *o, const tl_crypto *crypto, tl_fault *fault)
{
    tl_exit e;

    *t = (tape){ .o = *o, .in = pcap_file(o->path), .crypto = crypto };
    e = check_file(t, fault);
    if (e == TL_EXIT_OK && o->keys != NULL)
        e = read_keys(t, fault);
    if (e == TL_EXIT_OK)
        e = rewind_to_start(t, fault);
    if (e == TL_EXIT_OK)
        e = look_ahead(t, crypto, fault);
    if (e == TL_EXIT_OK && !t->chosen)
        e = tl_fault_set(fault, TL_EXIT_LINK, "%.200s: no CSI-2 packets%s%.60s%s", o->path,
                         o->interface != NULL ? " of an interface '" : "",
                         o->interface != NULL ? o->interface : "", o->interface != NULL ? "'" : "");
    if (e == TL_EXIT_OK)
        e = check_suite(t, fault);
    if (e == TL_EXIT_OK)
        e = take_options(t, fault);
    if (e == TL_EXIT_OK)
        e = rewind_to_start(t, fault);
    if (e != TL_EXIT_OK)
        tape_close(t);
    return e;
}

static tl_exit kind_of(tape *t, const pcap_packet *p, tape_kind *kind, tl_fault *fault)
{
    tl_exit e;

    switch (p->from->link) {
    case PCAP_LINK_CSI2: *kind = is_chosen(t, p) ? TAPE_STREAM : TAPE_OTHER_CSI2; break;
    case PCAP_LINK_SPDM_TCP:
    case PCAP_LINK_MCTP:
    case PCAP_LINK_DOE: *kind = TAPE_SPDM; break;
    default: *kind = TAPE_UNKNOWN;
    }
    if (*kind == TAPE_OTHER_CSI2 && t->o.interface == NULL)
        return tl_fault_set(
            fault, TL_EXIT_USAGE,
            "%.200s: CSI-2 packets of two interfaces, '%.60s' and '%.60s': say which, --interface", t->o.path,
            t->name, p->from->name);
    if (*kind != TAPE_STREAM)
        return TL_EXIT_OK;
    e = check_interface(t, p->from, fault);
    if ((t->others[p->from->index / 8] >> p->from->index % 8 & 1) != 0)
        *kind = TAPE_OTHER_CSI2;
    return e;
}

tl_exit tape_next(tape *t, pcap_packet *p, tape_kind *kind, bool *more, tl_fault *fault)
{
    tl_exit e = next(t, p, more, fault);

    if (e == TL_EXIT_OK && *more && p->from != t->last) {
        e = kind_of(t, p, &t->last_kind, fault);
        t->last = e == TL_EXIT_OK ? p->from : NULL;
    }
    *kind = t->last_kind;
    return e;
}

uint64_t tape_lost(const tape *t)
{
    return pcap_lost(&t->pcap);
}

bool tape_is_announced(const tape *t)
{
    uint8_t any = 0;

    for (size_t i = 0; i < sizeof t->file.secret; i++)
        any |= t->file.secret[i];
    return t->o.oneway && t->o.keys == NULL && any != 0;
}

void tape_warn(const tape *t, const char *command)
{
    const stream_file *f = &t->file;

    if (t->disagrees)
        ui_note(command, "the recording says that its stream is another than %s says; %s is what counts",
                t->o.stream, t->o.stream);
    if (f->suite == TL_SUITE_NONE)
        ui_note(command, "the stream has no suite: checksums are right or wrong, and nothing is proven");
    else if (f->variant_middle == TL_SV_5)
        ui_note(command, "the stream's pixels are under no tag: nothing of them is proven");
}

void tape_close(tape *t)
{
    if (t->pcap_open)
        pcap_close(&t->pcap);
    if (t->in != NULL)
        (void)fclose(t->in);
    stream_keys_close(&t->keys);
    stream_file_wipe(&t->file);
    *t = (tape){ 0 };
}
