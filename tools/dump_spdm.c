/* Packet by packet: the link's header off, records opened, the message taken apart, told, and checked. Nothing but the packet
 * at hand and what transcripts need is kept, so captures may be of any length. */
#include "dump_spdm.h"
#include "hex.h"

#include <string.h>

void dump_spdm_init(dump_spdm *d, const dump_link *link, tl_openssl *backend, dump_report *report,
                    dump_keys *keys)
{
    memset(d, 0, sizeof *d);
    d->link = link;
    d->checking = keys != NULL;
    d->check.backend = backend;
    d->check.crypto = tl_openssl_crypto(backend);
    d->check.keys = keys;
    d->check.report = report;
    d->check.context = &d->context;
    d->check.link = link;
}

void dump_spdm_listen(dump_spdm *d, const dump_listener *listener)
{
    d->check.listener = listener;
}

void dump_spdm_wipe(dump_spdm *d)
{
    dump_check_wipe(&d->check);
    tl_wipe(d, sizeof *d);
}

/* ---- one message ---- */

static void tell_message(dump_spdm *d, const dump_message *m, dump_line *line)
{
    char telling[DUMP_TELLING_SIZE];

    dump_telling(&d->context, m, telling);
    line->direction = m->request ? DUMP_REQUEST : DUMP_RESPONSE;
    line->version = m->version;
    line->name = tl_spdm_code_text(m->code) != NULL ? tl_spdm_code_text(m->code) : "unknown code";
    line->size = m->whole.n;
    line->telling = telling;
    line->fields = d->check.report->fields ? dump_fields(&d->context, m) : NULL;
    dump_report_line(d->check.report, line);
    line->telling = "";
    if (m->error != TL_OK && !d->checking)
        dump_report_failed(d->check.report, "%s", telling);
}

/* A chain that has just become whole. */
static void tell_chain(dump_spdm *d, const dump_message *m)
{
    const dump_chain *chain = &d->check.chains[m->param1 & (TL_SPDM_SLOTS - 1)];

    if (!d->check.report->fields || m->error != TL_OK || m->code != TL_SPDM_CERTIFICATE || !chain->whole ||
        m->body.spdm_certificate.remainder_length != 0)
        return;
    dump_report_more(d->check.report, "chain",
                     dump_chain_fields(&d->context, d->check.crypto, tl_span_of(chain->bytes, chain->n)));
}

static void on_message(dump_spdm *d, tl_span bytes, size_t pad_max, dump_session *session, dump_line *line)
{
    dump_message m;

    dump_message_read(&d->context, bytes, pad_max, &m);
    tell_message(d, &m, line);
    dump_context_learn(&d->context, &m);
    if (d->checking)
        dump_check_message(&d->check, &m, session);
    else
        dump_check_chain(&d->check, &m);
    tell_chain(d, &m);
    d->expects_response = m.request;
}

static void on_application(dump_spdm *d, tl_span data, bool request, const dump_session *session,
                           dump_line *line)
{
    line->direction = request ? DUMP_REQUEST : DUMP_RESPONSE;
    line->name = "application data";
    line->size = data.n;
    line->fields = d->check.report->fields ? json_pack("{s:o}", "bytes", hex_json(data)) : NULL;
    dump_report_line(d->check.report, line);
    dump_check_application(&d->check, data, request, session);
    d->expects_response = request;
}

/* ---- one record ---- */

static void on_closed(dump_spdm *d, const dump_unit *unit, dump_line *line)
{
    line->name = "record";
    line->size = unit->n;
    line->fields =
        d->check.report->fields ? json_pack("{s:o}", "bytes", hex_json(tl_span_of(unit->p, unit->n))) : NULL;
    dump_report_line(d->check.report, line);
    d->expects_response = !d->expects_response;
}

static void on_record(dump_spdm *d, dump_unit *unit, dump_line *line)
{
    dump_session *session;
    tl_span application, message;
    bool request = !d->expects_response;

    line->secured = true;
    if (tl_record_session(tl_span_of(unit->p, unit->n), &line->session) != TL_OK) {
        on_closed(d, unit, line);
        dump_report_failed(d->check.report, "malformed: a record that is shorter than its header");
        if (d->checking)
            dump_keys_skip(d->check.keys);
        return;
    }
    session = dump_session_of(&d->check, line->session);
    if (!d->checking) {
        on_closed(d, unit, line);
    } else if (!dump_session_open(&d->check, session, unit, &request, &application)) {
        on_closed(d, unit, line);
        dump_keys_skip(d->check.keys);
    } else if (!dump_link_inside(d->link, application, &message)) {
        on_application(d, application, request, session, line);
    } else {
        on_message(d, message, d->link->pad_max, session, line);
        if (d->expects_response != request)
            dump_report_failed(d->check.report, "the record's direction is not its message's");
    }
}

/* ---- one packet ---- */

void dump_spdm_packet(dump_spdm *d, const pcap_packet *p, dump_line *line)
{
    dump_report *r = d->check.report;
    dump_unit unit;
    const char *why = "";

    if (dump_link_take(d->link, p, &unit, &why) != TL_OK) {
        line->name = "malformed packet";
        line->size = p->n;
        dump_report_line(r, line);
        dump_report_failed(r, "malformed: packet at offset %llu: %s", (unsigned long long)p->offset, why);
    } else if (unit.carried == DUMP_CLEAR) {
        on_message(d, tl_span_of(unit.p, unit.n), d->link->pad_max, NULL, line);
    } else if (unit.carried == DUMP_SECURED) {
        on_record(d, &unit, line);
    } else {
        line->name = "no SPDM";
        line->size = unit.n;
        dump_report_line(r, line);
    }
}
