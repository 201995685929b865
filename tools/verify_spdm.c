/* The dump says what it sees of each packet in lines of JSON; what belongs into evidence is picked out of them at once. */
#include "verify_spdm.h"

#include "reference.h"

#include <openssl/x509.h>

#include <stdlib.h>
#include <string.h>

/* ---- what transcripts cover ---- */

bool verify_spdm_covers(const pcap_packet *p)
{
    static const uint8_t covered[] = {
        TL_SPDM_GET_VERSION,          TL_SPDM_VERSION,    TL_SPDM_GET_CAPABILITIES,
        TL_SPDM_CAPABILITIES,         TL_SPDM_CHALLENGE,  TL_SPDM_CHALLENGE_AUTH,
        TL_SPDM_NEGOTIATE_ALGORITHMS, TL_SPDM_ALGORITHMS, TL_SPDM_KEY_EXCHANGE,
        TL_SPDM_KEY_EXCHANGE_RSP,     TL_SPDM_FINISH,     TL_SPDM_FINISH_RSP,
    };
    const dump_link *link = dump_link_of(p->from->link);
    const char *why;
    dump_unit unit;

    if (link == NULL || dump_link_take(link, p, &unit, &why) != TL_OK)
        return false;
    if (unit.carried == DUMP_SECURED)
        return true;
    return unit.carried == DUMP_CLEAR && unit.n > 1 && memchr(covered, unit.p[1], sizeof covered) != NULL;
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

/* The last certificate of a chain in SPDM's format: its certificates stand at the end, one after the other. */
static void leaf_of(const dump_chain *chain, json_t *certificates, char *text, size_t room)
{
    json_t *last = json_array_get(certificates, json_array_size(certificates) - 1);
    json_int_t n = json_integer_value(json_object_get(last, "size"));

    text[0] = '\0';
    if (n > 0 && (size_t)n <= chain->n)
        subject_of(chain->bytes + chain->n - (size_t)n, (size_t)n, text, room);
}

/* A chain has become whole. */
static void on_chain(verify_spdm *v, const dump_spdm *spdm, json_t *fields)
{
    char subject[512] = "", digest[2 * TL_HASH_MAX + 1];
    json_t *certificates = json_object_get(fields, "certificates");

    for (unsigned slot = 0; slot < TL_SPDM_SLOTS; slot++) {
        const dump_chain *chain = &spdm->check.chains[slot];

        if (!chain->whole || json_integer_value(json_object_get(fields, "length")) != (json_int_t)chain->n)
            continue;
        leaf_of(chain, certificates, subject, sizeof subject);
        reference_hex(tl_span_of(chain->digest, tl_hash_size(spdm->check.algs.hash)), digest);
        json_decref(v->peer);
        v->peer = json_pack("{s:i, s:s, s:s, s:O}", "slot", (int)slot, "subject", subject, "chain_digest",
                            digest, "certificates", certificates);
    }
}

/* ---- sessions ---- */

static json_t *session_of(const verify_spdm *v, const char *id)
{
    for (size_t i = json_array_size(v->sessions); id != NULL && i-- > 0;) {
        json_t *s = json_array_get(v->sessions, i);

        if (strcmp(json_string_value(json_object_get(s, "id")), id) == 0)
            return s;
    }
    return NULL;
}

/* A session stands when its finish is answered. */
static void on_session(verify_spdm *v, const json_t *line, const char *id)
{
    json_t *o;

    if (json_array_size(v->sessions) >= VERIFY_SPDM_SESSIONS)
        return;
    o = json_pack("{s:s, s:O?, s:O?, s:O?}", "id", id, "version", json_object_get(line, "version"), "offset",
                  json_object_get(line, "offset"), "peer", v->peer);
    (void)json_array_append_new(v->sessions, o);
}

static void on_line(verify_spdm *v, const dump_spdm *spdm, const json_t *line)
{
    const char *name = json_string_value(json_object_get(line, "name")),
               *id = json_string_value(json_object_get(line, "session")),
               *failed = json_string_value(json_object_get(line, "failed"));
    json_t *chain = json_object_get(line, "chain"), *fields = json_object_get(line, "fields");

    if (failed != NULL && v->first.text[0] == '\0')
        v->first.code = tl_fault_set(&v->first, TL_EXIT_REFUSED, "SPDM: message %lld: %.300s",
                                     (long long)json_integer_value(json_object_get(line, "message")), failed);
    if (json_is_object(chain))
        on_chain(v, spdm, chain);
    if (name == NULL || id == NULL)
        return;
    if (strcmp(name, "FINISH_RSP") == 0 || strcmp(name, "PSK_FINISH_RSP") == 0)
        on_session(v, line, id);
    if (strcmp(name, "MEASUREMENTS") == 0 && session_of(v, id) != NULL)
        (void)json_object_set(session_of(v, id), "measurements", json_object_get(fields, "record"));
}

/* The lines of the packet at hand. Records may stand there in clear. */
static void pick(verify_spdm *v, const dump_spdm *spdm)
{
    const char *at = (const char *)v->said.p, *behind = at + v->said.n, *end;

    for (; at < behind; at = end + 1) {
        json_t *line;

        end = memchr(at, '\n', (size_t)(behind - at));
        if (end == NULL)
            break;
        line = json_loadb(at, (size_t)(end - at), 0, NULL);
        if (line != NULL)
            on_line(v, spdm, line);
        json_decref(line);
    }
    guarded_clear(&v->said);
}

/* ---- packets ---- */

static tl_exit no_memory(tl_fault *fault)
{
    return tl_fault_set(fault, TL_EXIT_INTERNAL, "SPDM: no memory");
}

static tl_exit port_of(verify_spdm *v, const pcap_interface *from, size_t *port, tl_fault *fault)
{
    dump_spdm **spdm;
    size_t i = 0;

    while (i < v->port_n && v->ports[i].index != from->index)
        i++;
    if (i == VERIFY_SPDM_PORTS)
        return tl_fault_set(fault, TL_EXIT_LINK, "SPDM: more than %d interfaces with it", VERIFY_SPDM_PORTS);
    *port = i;
    spdm = &v->ports[i].spdm;
    if (i == v->port_n) {
        *spdm = malloc(sizeof **spdm);
        if (*spdm == NULL)
            return no_memory(fault);
        dump_spdm_init(*spdm, dump_link_of(from->link), v->backend, &v->report,
                       v->computed ? &v->keys : NULL);
        v->ports[i].index = from->index;
        v->port_n++;
    }
    return TL_EXIT_OK;
}

/* A message in clear that a transcript is to cover waits for what proves it; GET_VERSION begins anew, and what waited until
 * then waits for ever. */
static void wait_for_proof(verify_spdm *v, size_t port, const pcap_packet *p)
{
    const dump_link *link = dump_link_of(p->from->link);
    const char *why;
    dump_unit unit;

    if (!verify_spdm_covers(p) || dump_link_take(link, p, &unit, &why) != TL_OK || unit.carried != DUMP_CLEAR)
        return;
    if (unit.p[1] == TL_SPDM_GET_VERSION) {
        v->loose += v->ports[port].open;
        v->ports[port].open = 0;
    }
    v->ports[port].open++;
}

static uint64_t loose(const verify_spdm *v)
{
    uint64_t n = v->loose;

    for (size_t i = 0; i < v->port_n; i++)
        n += v->ports[i].open;
    return n;
}

tl_exit verify_spdm_packet(verify_spdm *v, const pcap_packet *p, tl_fault *fault)
{
    dump_line line = { .telling = "", .offset = p->offset };
    const uint64_t proofs = v->report.signatures + v->report.records;
    size_t port = 0;
    tl_exit e = port_of(v, p->from, &port, fault);

    if (e != TL_EXIT_OK)
        return e;
    wait_for_proof(v, port, p);
    v->report.message = p->number;
    dump_spdm_packet(v->ports[port].spdm, p, &line);
    if (v->report.signatures + v->report.records > proofs)
        v->ports[port].open = 0;
    pick(v, v->ports[port].spdm);
    if (v->computed && v->keys.broken != TL_EXIT_OK) {
        *fault = v->keys_fault;
        return v->keys.broken;
    }
    return TL_EXIT_OK;
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

bool verify_spdm_speaks(const char *keys)
{
    keys_source secrets = { 0 };
    tl_fault ignored;
    bool found = keys != NULL && keys_source_open(&secrets, keys, &ignored) == TL_EXIT_OK &&
                 speaks_of_spdm(secrets.file);

    keys_source_close(&secrets);
    return found;
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
    if (keys == NULL)
        return TL_EXIT_OK;
    e = keys_source_open(&v->secrets, keys, fault);
    if (e != TL_EXIT_OK)
        return e;
    v->computed = speaks_of_spdm(v->secrets.file);
    if (v->computed)
        dump_keys_open(&v->keys, v->secrets.file, keys, &v->report, &v->keys_fault);
    return TL_EXIT_OK;
}

tl_exit verify_spdm_end(verify_spdm *v, tl_fault *fault)
{
    tl_exit e = v->computed && v->port_n > 0 ? dump_keys_end(&v->keys) : TL_EXIT_OK;

    if (v->port_n > 0)
        pick(v, v->ports[0].spdm);
    if (e != TL_EXIT_OK)
        *fault = v->keys_fault;
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
    json_decref(v->peer);
    json_decref(v->sessions);
    tl_wipe(v, sizeof *v);
}
