/* Sessions and what is agreed inside are heard from the dump's computation; what failed, and what was measured, is picked out of the
 * lines of JSON in which it tells of each packet. */
#include "verify_spdm.h"
#include "hex.h"

#include <openssl/x509.h>

#include <stdlib.h>
#include <string.h>

/* ---- what transcripts cover ---- */

/* A message in clear that a transcript is to cover. */
static bool is_covered(const dump_unit *unit)
{
    static const uint8_t covered[] = {
        TL_SPDM_GET_VERSION,          TL_SPDM_VERSION,    TL_SPDM_GET_CAPABILITIES,
        TL_SPDM_CAPABILITIES,         TL_SPDM_CHALLENGE,  TL_SPDM_CHALLENGE_AUTH,
        TL_SPDM_NEGOTIATE_ALGORITHMS, TL_SPDM_ALGORITHMS, TL_SPDM_KEY_EXCHANGE,
        TL_SPDM_KEY_EXCHANGE_RSP,     TL_SPDM_FINISH,     TL_SPDM_FINISH_RSP,
    };

    return unit->carried == DUMP_CLEAR && unit->n > 1 && memchr(covered, unit->p[1], sizeof covered) != NULL;
}

static bool unit_of(const pcap_packet *p, dump_unit *unit)
{
    const dump_link *link = dump_link_of(p->from->link);
    const char *why;

    return link != NULL && dump_link_take(link, p, unit, &why) == TL_OK;
}

bool verify_spdm_covers(const pcap_packet *p)
{
    dump_unit unit;

    return unit_of(p, &unit) && (unit.carried == DUMP_SECURED || is_covered(&unit));
}

/* ---- certificates ---- */

/* "CN=..., O=..." of a certificate; empty: it cannot be read. */
static void subject_of(const uint8_t *der, size_t n, char *text, size_t room)
{
    X509 *cert = d2i_X509(NULL, &der, (long)n);
    BIO *out = BIO_new(BIO_s_mem());
    int got = 0;

    text[0] = '\0';
    if (cert != NULL && out != NULL &&
        X509_NAME_print_ex(out, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253) >= 0)
        got = BIO_read(out, text, (int)room - 1);
    text[got > 0 ? got : 0] = '\0';
    BIO_free(out);
    X509_free(cert);
}

/* Whose chain it is. Its certificates stand at the end, one after the other; nobody here judges what its root is worth. */
static json_t *peer_json(const dump_check *c, const dump_chain *chain)
{
    const size_t hash = tl_hash_size(c->algs.hash);
    json_t *fields = dump_chain_fields(c->context, c->crypto, tl_span_of(chain->bytes, chain->n)),
           *certificates = json_object_get(fields, "certificates"),
           *leaf = json_array_get(certificates, json_array_size(certificates) - 1);
    const size_t n = (size_t)json_integer_value(json_object_get(leaf, "size"));
    char subject[512] = "";
    json_t *o;

    if (n > 0 && n <= chain->n)
        subject_of(chain->bytes + chain->n - n, n, subject, sizeof subject);
    o = json_pack("{s:s, s:o, s:O?, s:o?, s:O?}", "subject", subject, "chain_digest",
                  hex_json(tl_span_of(chain->digest, hash)), "leaf_sha256", json_object_get(leaf, "sha256"),
                  "root_digest", chain->n >= 4 + hash ? hex_json(tl_span_of(chain->bytes + 4, hash)) : NULL,
                  "certificates", certificates);
    json_decref(fields);
    return o;
}

/* ---- sessions ---- */

/* The interface's last session of that id; its number in the list. */
static json_t *session_of(const verify_spdm_port *port, const char *id, size_t *number)
{
    const json_t *sessions = port->owner->sessions;

    for (size_t i = json_array_size(sessions); id != NULL && i-- > 0;) {
        json_t *s = json_array_get(sessions, i);

        if (strcmp(json_string_value(json_object_get(s, "id")), id) != 0 ||
            json_integer_value(json_object_get(s, "interface")) != (json_int_t)port->index)
            continue;
        *number = i;
        return s;
    }
    return NULL;
}

static void id_of(const dump_session *s, char id[16])
{
    (void)snprintf(id, 16, "%08x", (unsigned)s->id);
}

/* Whose the chain is, and whether it leads to an anchor, at the time of the packet. */
static json_t *judged_json(const verify_spdm_port *port, const dump_check *c, const dump_chain *chain,
                           tl_chain_use use)
{
    const size_t head = 4 + tl_hash_size(c->algs.hash);
    const bool sensor = use == TL_USE_RESPONDER;
    json_t *o = peer_json(c, chain);
    tl_chain_rules rules = port->owner->trust.rules;
    tl_chain_facts facts = { 0 };
    tl_err e;

    if (!port->owner->trust.has_rules || chain->n < head)
        return o;
    rules.now = port->time_ns / 1000000000u;
    rules.role = sensor ? "sensor" : "controller";
    rules.use = use;
    rules.hash = c->algs.hash;
    rules.alg = sensor ? c->algs.sign : c->algs.req_sign;
    e = c->crypto->ops->chain_check(c->crypto->ctx, &rules, tl_span_of(chain->bytes + head, chain->n - head),
                                    &facts);
    c->crypto->ops->key_drop(c->crypto->ctx, facts.key);
    if (e == TL_OK &&
        !tl_equal(tl_span_of(chain->bytes + 4, head - 4), tl_span_of(facts.root_hash, head - 4)))
        e = TL_E_CHAIN;
    if (e != TL_OK)
        dump_report_failed(c->report, "the %s's chain is not trusted: %s", rules.role,
                           facts.why != NULL ? facts.why : tl_err_text(e));
    (void)json_object_set_new(o, "trusted", json_boolean(e == TL_OK));
    return o;
}

/* A session stands when its finish is answered. */
static void on_session(void *ctx, const dump_check *c, const dump_session *s)
{
    const verify_spdm_port *port = ctx;
    verify_spdm *v = port->owner;
    char id[16], version[8];
    json_t *o;

    if (json_array_size(v->sessions) >= VERIFY_SPDM_SESSIONS) {
        v->ties.full = true;
        return;
    }
    id_of(s, id);
    (void)snprintf(version, sizeof version, "%u.%u", (unsigned)c->context->version >> 4,
                   c->context->version & 15u);
    o = json_pack("{s:s, s:s, s:I, s:I, s:i, s:o?}", "id", id, "version", version, "interface",
                  (json_int_t)port->index, "offset", (json_int_t)port->at, "slot", (int)s->slot, "peer",
                  judged_json(port, c, &c->chains[s->slot], TL_USE_RESPONDER));
    if (o != NULL && s->mutual)
        (void)json_object_set_new(o, "requester",
                                  judged_json(port, c, &c->chains[DUMP_REQUESTER_CHAIN], TL_USE_REQUESTER));
    (void)json_array_append_new(v->sessions, o);
}

/* Is the exchanged secret under a signature? Nobody here can compute it from what was exchanged in clear, and the signature of
 * KEY_EXCHANGE_RSP does not cover it: who has seen an exchange could put a secret of his own into a copy. What covers it is the
 * signature of FINISH, over the verify data of KEY_EXCHANGE_RSP, which there is none of if the handshake is in clear. */
static bool is_bound(const dump_session *s)
{
    return s->mutual && !s->clear;
}

static void on_agreement(void *ctx, const dump_session *s, const agreement *a)
{
    const verify_spdm_port *port = ctx;
    verify_session from = { .section = port->section,
                            .from = s,
                            .crypto = tl_openssl_crypto(port->owner->backend) };
    char id[16];

    id_of(s, id);
    if (is_bound(s) && session_of(port, id, &from.number) != NULL)
        verify_ties_said(&port->owner->ties, &from, a);
}

/* A session that has only begun is none of those that are listed, whatever its id is. */
static bool stands(const verify_spdm_port *port, const char *id)
{
    const dump_session *s = dump_session_of(&port->spdm->check, (uint32_t)strtoul(id, NULL, 16));

    return s != NULL && s->known && !s->handshake;
}

static void on_line(verify_spdm_port *port, const json_t *line)
{
    verify_spdm *v = port->owner;
    const char *name = json_string_value(json_object_get(line, "name")),
               *id = json_string_value(json_object_get(line, "session")),
               *failed = json_string_value(json_object_get(line, "failed"));
    json_t *session;
    size_t number;

    if (failed != NULL && v->first.text[0] == '\0')
        v->first.code = tl_fault_set(&v->first, TL_EXIT_REFUSED, "SPDM: message %lld: %.300s",
                                     (long long)json_integer_value(json_object_get(line, "message")), failed);
    if (name == NULL || strcmp(name, "MEASUREMENTS") != 0)
        return;
    session = session_of(port, id, &number);
    if (session != NULL && stands(port, id))
        (void)json_object_set(session, "measurements",
                              json_object_get(json_object_get(line, "fields"), "record"));
}

/* The lines of the packet at hand. Records may stand there in clear. */
static void pick(verify_spdm *v, verify_spdm_port *port)
{
    const char *at = (const char *)v->said.p, *behind = at + v->said.n, *end;

    for (; at < behind; at = end + 1) {
        json_t *line;

        end = memchr(at, '\n', (size_t)(behind - at));
        if (end == NULL)
            break;
        line = json_loadb(at, (size_t)(end - at), 0, NULL);
        if (line != NULL)
            on_line(port, line);
        json_decref(line);
    }
    guarded_clear(&v->said);
}

/* ---- packets ---- */

static tl_exit no_memory(tl_fault *fault)
{
    return tl_fault_set(fault, TL_EXIT_INTERNAL, "SPDM: no memory");
}

static tl_exit port_of(verify_spdm *v, const pcap_interface *from, verify_spdm_port **port, tl_fault *fault)
{
    verify_spdm_port *p;
    size_t i = 0;

    while (i < v->port_n && v->ports[i].index != from->index)
        i++;
    if (i == VERIFY_SPDM_PORTS)
        return tl_fault_set(fault, TL_EXIT_LINK, "SPDM: more than %d interfaces with it", VERIFY_SPDM_PORTS);
    p = *port = &v->ports[i];
    if (i < v->port_n)
        return TL_EXIT_OK;
    *p = (verify_spdm_port){ .owner = v,
                             .spdm = malloc(sizeof *p->spdm),
                             .listener = { p, on_session, on_agreement },
                             .index = from->index,
                             .section = from->section };
    if (p->spdm == NULL)
        return no_memory(fault);
    dump_spdm_init(p->spdm, dump_link_of(from->link), v->backend, &v->report, v->computed ? &v->keys : NULL);
    dump_spdm_listen(p->spdm, &p->listener);
    v->port_n++;
    return TL_EXIT_OK;
}

/* Such a message waits for what proves it; GET_VERSION begins anew, and what waited until then waits for ever. */
static void wait_for_proof(verify_spdm_port *port, const pcap_packet *p)
{
    dump_unit unit;

    if (!unit_of(p, &unit) || !is_covered(&unit))
        return;
    if (unit.p[1] == TL_SPDM_GET_VERSION) {
        port->owner->loose += port->open;
        port->open = 0;
    }
    port->open++;
}

static uint64_t loose(const verify_spdm *v)
{
    uint64_t n = v->loose;

    for (size_t i = 0; i < v->port_n; i++)
        n += v->ports[i].open;
    return n;
}

static tl_exit compute(verify_spdm *v, const pcap_packet *p, tl_fault *fault)
{
    dump_line line = { .telling = "", .offset = p->offset };
    const uint64_t proofs = v->report.signatures + v->report.records;
    verify_spdm_port *port = NULL;
    tl_exit e = port_of(v, p->from, &port, fault);

    if (e != TL_EXIT_OK)
        return e;
    wait_for_proof(port, p);
    v->report.message = p->number;
    port->at = p->offset;
    port->time_ns = p->time_ns;
    dump_spdm_packet(port->spdm, p, &line);
    if (v->report.signatures + v->report.records > proofs)
        port->open = 0;
    pick(v, port);
    if (v->computed && v->keys.broken != TL_EXIT_OK) {
        *fault = v->keys_fault;
        return v->keys.broken;
    }
    return TL_EXIT_OK;
}

/* ---- packets that wait for secrets ---- */

enum { ALIGN = 8 };

/* The packet, then its bytes. */
static bool keep(verify_spdm *v, const pcap_packet *p)
{
    static const uint8_t zeros[ALIGN];
    pcap_packet head = *p;

    head.p = NULL;
    head.comment = tl_span_of(NULL, 0);
    return guarded_add(&v->kept, tl_span_of((const uint8_t *)&head, sizeof head)) &&
           guarded_add(&v->kept, tl_span_of(p->p, p->n)) &&
           guarded_add(&v->kept, tl_span_of(zeros, (ALIGN - p->n % ALIGN) % ALIGN));
}

static tl_exit compute_kept(verify_spdm *v, tl_fault *fault)
{
    tl_exit e = TL_EXIT_OK;

    for (size_t at = 0; at < v->kept.n && e == TL_EXIT_OK;) {
        pcap_packet p;

        memcpy(&p, v->kept.p + at, sizeof p);
        p.p = v->kept.p + at + sizeof p;
        at += sizeof p + (p.n + ALIGN - 1) / ALIGN * ALIGN;
        e = compute(v, &p, fault);
    }
    return e;
}

tl_exit verify_spdm_packet(verify_spdm *v, const pcap_packet *p, tl_fault *fault)
{
    if (!v->waits)
        return compute(v, p, fault);
    v->no_room |= !keep(v, p);
    return v->no_room ? no_memory(fault) : TL_EXIT_OK;
}

void verify_spdm_secrets(verify_spdm *v, tl_span secrets)
{
    if (v->waits)
        v->no_room |= !keys_source_add(&v->secrets, secrets);
}

/* ---- beginning and end ---- */

/* A file of secrets may hold those of streams alone. */
static bool speaks_of_spdm(FILE *in)
{
    char first[3] = "";
    bool found = false;
    int c;

    while (!found && fgets(first, sizeof first, in) != NULL) {
        found = strcmp(first, "# ") == 0;
        for (c = first[strlen(first) - 1]; c != '\n' && c != EOF;)
            c = getc(in);
    }
    rewind(in);
    return found;
}

bool verify_spdm_speaks(const tape_options *o)
{
    keys_source secrets = { 0 };
    tl_fault ignored;
    tl_exit e = o->keys != NULL ? keys_source_open(&secrets, o->keys, &ignored)
                                : keys_source_inside(&secrets, o->path, &ignored);
    bool found = e == TL_EXIT_OK && secrets.file != NULL && speaks_of_spdm(secrets.file);

    keys_source_close(&secrets);
    return found;
}

static void begin(verify_spdm *v, const char *name)
{
    v->computed = speaks_of_spdm(v->secrets.file);
    if (v->computed)
        dump_keys_open(&v->keys, v->secrets.file, name, &v->report, &v->keys_fault);
}

tl_exit verify_spdm_open(verify_spdm *v, const char *keys, tl_fault *fault)
{
    static const tl_openssl_config slots = { .hash_slots = 32, .key_slots = 32 };
    tl_exit e;

    *v = (verify_spdm){ .sessions = json_array() };
    v->lines = guarded_stream(&v->said);
    if (v->sessions == NULL || v->lines == NULL)
        return no_memory(fault);
    if (tl_openssl_open(&slots, &v->backend) != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "SPDM: no backend");
    v->report = (dump_report){ .out = v->lines, .format = DUMP_JSON, .fields = true, .discreet = true };
    v->waits = keys == NULL;
    if (v->waits)
        return TL_EXIT_OK;
    e = keys_source_open(&v->secrets, keys, fault);
    if (e == TL_EXIT_OK)
        begin(v, keys);
    return e;
}

tl_exit verify_spdm_trust(verify_spdm *v, const char *anchors, tl_fault *fault)
{
    const spdm_identity_files files = { .trust = anchors };

    return spdm_identity_load(&v->trust, &files, v->backend, fault);
}

/* All that the recording has of secrets is there. */
static tl_exit stop_waiting(verify_spdm *v, tl_fault *fault)
{
    static const char name[] = "secrets in the recording";
    tl_exit e = TL_EXIT_OK;

    v->waits = false;
    if (v->no_room)
        return no_memory(fault);
    if (v->secrets.inside.n > 0)
        e = keys_source_open_added(&v->secrets, name, fault);
    if (e == TL_EXIT_OK && v->secrets.file != NULL)
        begin(v, name);
    return e == TL_EXIT_OK ? compute_kept(v, fault) : e;
}

tl_exit verify_spdm_end(verify_spdm *v, tl_fault *fault)
{
    tl_exit e = v->waits ? stop_waiting(v, fault) : TL_EXIT_OK;

    if (e != TL_EXIT_OK)
        return e;
    if (v->computed && v->port_n > 0)
        e = dump_keys_end(&v->keys);
    if (v->port_n > 0)
        pick(v, &v->ports[0]);
    if (e != TL_EXIT_OK)
        *fault = v->keys_fault;
    else if (v->trust.has_rules && json_array_size(v->sessions) == 0 &&
             !(v->computed && v->report.failed > 0))
        e = tl_fault_set(
            fault, TL_EXIT_USAGE,
            "--trust: the recording has no session whose secrets are here: nobody proves who he is");
    else if (v->ties.full)
        e = tl_fault_set(fault, TL_EXIT_LINK, "SPDM: more than %d sessions, or %d agreements or epochs",
                         VERIFY_SPDM_SESSIONS, VERIFY_TIES_MAX);
    return e;
}

bool verify_spdm_right(const verify_spdm *v)
{
    return v->computed && v->port_n > 0 && v->report.failed == 0 && loose(v) == 0;
}

json_t *verify_spdm_json(const verify_spdm *v)
{
    json_t *o =
        json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:O}", "computed", (int)(v->computed && v->port_n > 0),
                  "records", (json_int_t)v->report.records, "signatures", (json_int_t)v->report.signatures,
                  "messages", (json_int_t)v->report.messages, "failed", (json_int_t)v->report.failed,
                  "without_proof", (json_int_t)loose(v), "sessions", v->sessions);

    if (v->first.text[0] != '\0')
        (void)json_object_set_new(o, "first", json_string(v->first.text));
    return o;
}

/* ---- ties ---- */

static const char *id_at(const verify_spdm *v, size_t session)
{
    return json_string_value(json_object_get(json_array_get(v->sessions, session), "id"));
}

/* An exchange that did not come out right proves nothing of what was said in it. */
static bool is_believed(const verify_spdm *v)
{
    return v->computed && v->port_n > 0 && v->report.failed == 0;
}

static bool is_refused(const verify_spdm *v, const verify_epoch *e)
{
    return e->tie == VERIFY_CONTRADICTS || (e->tie == VERIFY_GIVEN && v->trust.has_rules);
}

tl_exit verify_spdm_settle(verify_spdm *v, const stream_keys *keys, uint16_t stream, size_t *n,
                           tl_fault *fault)
{
    tl_exit code = TL_EXIT_OK;

    *n = 0;
    if (is_believed(v))
        verify_ties_settle(&v->ties, keys, stream);
    for (size_t i = 0; i < v->ties.epoch_n; i++) {
        const verify_epoch *e = &v->ties.epochs[i];

        if (!is_refused(v, e))
            continue;
        if (*n == 0)
            code = tl_fault_set(fault, TL_EXIT_REFUSED, "stream %u, start %u, epoch %u: its secret %s%s%s",
                                stream, (unsigned)e->at.start, (unsigned)e->at.epoch,
                                e->tie == VERIFY_GIVEN ? "follows from no session, and --trust asks for one"
                                                       : "does not follow from session ",
                                e->tie == VERIFY_GIVEN ? "" : id_at(v, e->session),
                                e->tie == VERIFY_GIVEN ? "" : ", in which the stream was agreed");
        ++*n;
    }
    return code;
}

/* Session, and who is behind it. */
static void add_session(const verify_spdm *v, const verify_epoch *e, json_t *o)
{
    static const char *const who[] = { "subject", "leaf_sha256", "chain_digest" };
    const json_t *session = json_array_get(v->sessions, e->session), *peer = json_object_get(session, "peer");
    json_t *named = json_object();

    (void)json_object_set(o, "session", json_object_get(session, "id"));
    (void)json_object_set(o, "session_offset", json_object_get(session, "offset"));
    for (size_t i = 0; i < sizeof who / sizeof *who; i++)
        (void)json_object_set(named, who[i], json_object_get(peer, who[i]));
    (void)json_object_set_new(o, "peer", named);
}

static const char *why(const verify_spdm *v, const verify_epoch *e)
{
    if (e->tie == VERIFY_CONTRADICTS)
        return "the stream was agreed in that session, and the secret does not follow from it";
    if (!v->computed || v->port_n == 0)
        return "no exchange of SPDM was computed";
    return v->report.failed > 0 ? "the exchange of SPDM did not come out right"
                                : "no session of the recording says anything of it";
}

json_t *verify_spdm_epochs(const verify_spdm *v)
{
    json_t *list = json_array();

    for (size_t i = 0; i < v->ties.epoch_n; i++) {
        const verify_epoch *e = &v->ties.epochs[i];
        json_t *o = json_pack("{s:I, s:I, s:I, s:I, s:b}", "start", (json_int_t)e->at.start, "epoch",
                              (json_int_t)e->at.epoch, "packet", (json_int_t)e->at.packet.number, "offset",
                              (json_int_t)e->at.packet.offset, "tied", (int)(e->tie == VERIFY_TIED));

        if (e->tie == VERIFY_CONTRADICTS)
            (void)json_object_set_new(o, "contradicts", json_true());
        if (is_refused(v, e))
            (void)json_object_set_new(o, "refused", json_true());
        if (e->tie != VERIFY_GIVEN)
            add_session(v, e, o);
        if (e->tie != VERIFY_TIED)
            (void)json_object_set_new(o, "why", json_string(why(v, e)));
        (void)json_array_append_new(list, o);
    }
    return list;
}

void verify_spdm_close(verify_spdm *v)
{
    for (size_t i = 0; i < v->port_n; i++) {
        dump_spdm_wipe(v->ports[i].spdm);
        free(v->ports[i].spdm);
    }
    if (v->backend != NULL)
        tl_openssl_close(v->backend);
    keys_source_close(&v->secrets);
    if (v->lines != NULL)
        (void)fclose(v->lines);
    guarded_close(&v->said);
    verify_ties_close(&v->ties);
    guarded_close(&v->kept);
    json_decref(v->sessions);
    tl_wipe(v, sizeof *v);
}
