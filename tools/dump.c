/* Packet by packet: the link's header off, records opened where their keys are known, the message taken
 * apart, told, and checked. Nothing but the packet at hand and what transcripts need is kept, so
 * recordings may be of any length. */
#include "dump.h"

#include "dump_check.h"
#include "dump_fields.h"

#include <stdlib.h>
#include <string.h>

typedef struct dump {
    const dump_options *options;
    tl_openssl *backend;
    pcap file;
    const dump_link *link;
    dump_context context;
    dump_report report;
    dump_keys keys;
    dump_check check;
    uint64_t first_ns;
    bool expects_response; /* of a record: the last message was a request */
} dump;

static bool checking(const dump *d)
{
    return d->options->keys.file != NULL;
}

/* ---- one message ---- */

static void tell_message(dump *d, const dump_message *m, dump_line *line)
{
    char telling[DUMP_TELLING_SIZE];

    dump_telling(&d->context, m, telling);
    line->direction = m->request ? DUMP_REQUEST : DUMP_RESPONSE;
    line->version = m->version;
    line->name = dump_code_name(m->code) != NULL ? dump_code_name(m->code) : "unknown code";
    line->size = m->whole.n;
    line->telling = telling;
    line->fields = d->options->fields ? dump_fields(&d->context, m) : NULL;
    dump_report_line(&d->report, line);
    line->telling = "";
    if (m->error != TL_OK && !checking(d))
        dump_report_failed(&d->report, "%s", telling);
}

/* A chain that has just become whole. */
static void tell_chain(dump *d, const dump_message *m)
{
    const dump_chain *chain = &d->check.chains[m->param1 & (TL_SPDM_SLOTS - 1)];

    if (!d->options->fields || m->error != TL_OK || m->code != TL_SPDM_CERTIFICATE || !chain->whole ||
        m->body.spdm_certificate.remainder_length != 0)
        return;
    dump_report_more(
        &d->report, "chain",
        dump_chain_fields(&d->context, tl_openssl_crypto(d->backend), tl_span_of(chain->bytes, chain->n)));
}

static void on_message(dump *d, tl_span bytes, size_t pad_max, dump_session *session, dump_line *line)
{
    dump_message m;

    dump_message_read(&d->context, bytes, pad_max, &m);
    tell_message(d, &m, line);
    dump_context_learn(&d->context, &m);
    if (checking(d))
        dump_check_message(&d->check, &m, session);
    else
        dump_check_chain(&d->check, &m);
    tell_chain(d, &m);
    d->expects_response = m.request;
}

static void on_application(dump *d, tl_span data, bool request, const dump_session *session, dump_line *line)
{
    line->direction = request ? DUMP_REQUEST : DUMP_RESPONSE;
    line->name = "application data";
    line->size = data.n;
    line->fields = d->options->fields ? json_pack("{s:o}", "bytes", dump_hex(data)) : NULL;
    dump_report_line(&d->report, line);
    dump_check_application(&d->check, data, request, session);
    d->expects_response = request;
}

/* ---- one record ---- */

static void on_closed(dump *d, const dump_unit *unit, dump_line *line)
{
    line->name = "record";
    line->size = unit->n;
    line->fields =
        d->options->fields ? json_pack("{s:o}", "bytes", dump_hex(tl_span_of(unit->p, unit->n))) : NULL;
    dump_report_line(&d->report, line);
    d->expects_response = !d->expects_response;
}

static void on_record(dump *d, dump_unit *unit, dump_line *line)
{
    dump_session *session;
    tl_span application, message;
    bool request = !d->expects_response;

    line->secured = true;
    if (tl_record_session(tl_span_of(unit->p, unit->n), &line->session) != TL_OK) {
        on_closed(d, unit, line);
        dump_report_failed(&d->report, "malformed: a record that is shorter than its header");
        if (checking(d))
            dump_keys_skip(&d->keys);
        return;
    }
    session = dump_session_of(&d->check, line->session);
    if (!checking(d)) {
        on_closed(d, unit, line);
    } else if (!dump_session_open(&d->check, session, unit, &request, &application)) {
        on_closed(d, unit, line);
        dump_keys_skip(&d->keys);
    } else if (!dump_link_inside(d->link, application, &message)) {
        on_application(d, application, request, session, line);
    } else {
        on_message(d, message, d->link->pad_max, session, line);
        if (d->expects_response != request)
            dump_report_failed(&d->report, "the record's direction is not its message's");
    }
}

/* ---- all packets ---- */

static void on_packet(dump *d, const pcap_packet *p)
{
    dump_unit unit;
    dump_line line = { .telling = "" };
    const char *why = "";

    if (p->number == 1)
        d->first_ns = p->time_ns;
    d->report.message = p->number;
    line.offset = p->offset;
    line.time_ns = p->time_ns >= d->first_ns ? p->time_ns - d->first_ns : 0;
    if (dump_link_take(d->link, p, &unit, &why) != TL_OK) {
        line.name = "malformed packet";
        line.size = p->n;
        dump_report_line(&d->report, &line);
        dump_report_failed(&d->report, "malformed: packet at offset %llu: %s", (unsigned long long)p->offset,
                           why);
    } else if (unit.carried == DUMP_CLEAR) {
        on_message(d, tl_span_of(unit.p, unit.n), d->link->pad_max, NULL, &line);
    } else if (unit.carried == DUMP_SECURED) {
        on_record(d, &unit, &line);
    } else {
        line.name = "no SPDM";
        line.size = unit.n;
        dump_report_line(&d->report, &line);
    }
}

static tl_exit on_watched_packet(dump *d, const pcap_packet *p, tl_fault *fault)
{
    const dump_watch *watch = &d->options->watch;
    uint64_t opened = d->report.records;

    on_packet(d, p);
    return watch->packet != NULL ? watch->packet(watch->ctx, p, d->report.records > opened, fault)
                                 : TL_EXIT_OK;
}

/* The first packet's link is the file's. */
static tl_exit choose_link(dump *d, const pcap_packet *p, tl_fault *fault)
{
    d->link = dump_link_of(p->from->link);
    d->check.link = d->link;
    if (d->link == NULL)
        return tl_fault_set(fault, TL_EXIT_LINK,
                            "%.200s: offset %llu: link type %u; %d (MCTP) and %d (PCI DOE) are known",
                            d->options->recording.name, (unsigned long long)p->offset,
                            (unsigned)p->from->link, (int)PCAP_LINK_MCTP, (int)PCAP_LINK_DOE);
    return TL_EXIT_OK;
}

static tl_exit run_packets(dump *d, tl_fault *fault)
{
    pcap_packet p;
    bool more = true;

    while (more) {
        tl_exit e = pcap_next(&d->file, &p, &more, fault);

        if (e != TL_EXIT_OK)
            return e;
        if (more && d->link == NULL)
            e = choose_link(d, &p, fault);
        if (e != TL_EXIT_OK)
            return e;
        if (more)
            e = on_watched_packet(d, &p, fault);
        if (e != TL_EXIT_OK)
            return e;
        if (checking(d) && d->keys.broken != TL_EXIT_OK)
            return d->keys.broken;
        if (ferror(d->options->out))
            return tl_fault_errno(fault, TL_EXIT_INTERNAL, "output: cannot write");
    }
    return checking(d) ? dump_keys_end(&d->keys) : TL_EXIT_OK;
}

static tl_exit start(dump *d, tl_fault *fault)
{
    static const tl_openssl_config slots = { .hash_slots = 32, .key_slots = 32 };
    const dump_options *o = d->options;
    tl_exit e = pcap_open(&d->file, o->recording.file, o->recording.name, fault);

    if (e != TL_EXIT_OK)
        return e;
    if (tl_openssl_open(&slots, &d->backend) != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "crypto: cannot be opened");
    d->report = (dump_report){ .out = o->out, .format = o->format, .fields = o->fields };
    d->check = (dump_check){ .backend = d->backend,
                             .crypto = tl_openssl_crypto(d->backend),
                             .keys = &d->keys,
                             .report = &d->report,
                             .context = &d->context };
    if (checking(d))
        dump_keys_open(&d->keys, o->keys.file, o->keys.name, &d->report, fault);
    return TL_EXIT_OK;
}

tl_exit dump_run(const dump_options *options, tl_fault *fault)
{
    dump *d = calloc(1, sizeof *d);
    tl_exit e;

    if (d == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "no memory");
    d->options = options;
    e = start(d, fault);
    if (e == TL_EXIT_OK)
        e = run_packets(d, fault);
    if (e == TL_EXIT_OK) {
        dump_report_end(&d->report, checking(d));
        e = d->report.failed != 0 ? TL_EXIT_REFUSED : TL_EXIT_OK;
    }
    if (d->backend != NULL)
        dump_check_wipe(&d->check);
    tl_openssl_close(d->backend);
    pcap_close(&d->file);
    tl_wipe(d, sizeof *d);
    free(d);
    return e;
}
