/* Fields by their rows. A message's struct is walked with the names that belong to its rows, so that
 * there is no second list of fields; what a field holds inside is named in one table, and walked by the
 * rows of that. */
#include "dump_fields.h"
#include "hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 4, OPAQUE_GENERAL = 2, DMTF = 1, SINGLES_MAX = 1024 };

/* ---- rows ---- */

static bool is_int(const tl_field *f)
{
    return f->kind == TL_ROW_INT || f->kind == TL_ROW_INTB;
}

static uint64_t int_at(const uint8_t *m, const tl_field *f)
{
    uint64_t wide;
    uint32_t narrow;

    if (is_int(f) && f->arg == 8) {
        memcpy(&wide, m + f->off, sizeof wide);
        return wide;
    }
    memcpy(&narrow, m + f->off, sizeof narrow);
    return narrow;
}

static tl_span span_at(const uint8_t *m, const tl_field *f)
{
    tl_span s;

    memcpy(&s, m + f->off, sizeof s);
    return s;
}

json_t *dump_object(const tl_message *rows, const tl_env *env, const void *m)
{
    json_t *o = json_object();
    const tl_field *f = rows->rows();

    for (size_t i = 0; f[i].kind != TL_ROW_END; i++) {
        if (env->version < f[i].since)
            continue;
        switch (f[i].kind) {
        case TL_ROW_RSV:
        case TL_ROW_BOX: break;
        case TL_ROW_INT:
        case TL_ROW_INTB:
        case TL_ROW_OPT:
        case TL_ROW_OPTB:
        case TL_ROW_BIT:
            (void)json_object_set_new(o, rows->names[i], json_integer((json_int_t)int_at(m, &f[i])));
            break;
        case TL_ROW_SIZED:
            if (span_at(m, &f[i]).n == 0)
                break;
            (void)json_object_set_new(o, rows->names[i], hex_json(span_at(m, &f[i])));
            break;
        default: (void)json_object_set_new(o, rows->names[i], hex_json(span_at(m, &f[i]))); break;
        }
    }
    return o;
}

/* What was left over after the last of a list. */
static void add_rest(json_t *array, const tl_rd *r)
{
    if (r->n > 0)
        (void)json_array_append_new(array, json_pack("{s:o}", "rest", hex_json(tl_span_of(r->p, r->n))));
}

/* ---- what fields hold inside ---- */

typedef json_t *inside(const dump_context *c, const tl_env *env, tl_span s);

static json_t *versions_inside(const dump_context *c, const tl_env *env, tl_span s)
{
    json_t *array = json_array();
    tl_rd r = tl_rd_of(s);
    tl_spdm_version_entry v;

    (void)c;
    for (size_t i = 0; i < SINGLES_MAX && tl_each_spdm_version_entry(&r, env, &v); i++)
        (void)json_array_append_new(array, dump_object(dump_rows("spdm_version_entry"), env, &v));
    add_rest(array, &r);
    return array;
}

static json_t *tables_inside(const dump_context *c, const tl_env *env, tl_span s)
{
    static const dump_alg_kind kinds[] = { [2] = DUMP_DHE,          [3] = DUMP_AEAD,     [4] = DUMP_ASYM,
                                           [5] = DUMP_KEY_SCHEDULE, [6] = DUMP_PQC_ASYM, [7] = DUMP_KEM };
    json_t *array = json_array();
    tl_rd r = tl_rd_of(s);
    tl_spdm_algorithm_table t;

    (void)c;
    while (tl_each_spdm_algorithm_table(&r, env, &t)) {
        json_t *o = dump_object(dump_rows("spdm_algorithm_table"), env, &t), *names = json_array();

        for (uint32_t bit = 1; bit <= 0x8000 && t.type >= 2 && t.type <= 7; bit <<= 1)
            if ((t.algorithms & bit) != 0)
                (void)json_array_append_new(names, json_string(dump_alg_name(kinds[t.type], bit)));
        (void)json_object_set_new(o, "names", names);
        (void)json_object_set_new(o, "extended", hex_json(tl_get_bytes(&r, 4 * (size_t)t.ext_count)));
        (void)json_array_append_new(array, o);
    }
    add_rest(array, &r);
    return array;
}

static json_t *digests_inside(const dump_context *c, const tl_env *env, tl_span s)
{
    json_t *array = json_array();
    tl_rd r = tl_rd_of(s);

    (void)c;
    while (env->len[TL_LEN_HASH] != 0 && r.n >= env->len[TL_LEN_HASH])
        (void)json_array_append_new(array, hex_json(tl_get_bytes(&r, env->len[TL_LEN_HASH])));
    add_rest(array, &r);
    return array;
}

static json_t *blocks_inside(const dump_context *c, const tl_env *env, tl_span s)
{
    json_t *array = json_array();
    tl_rd r = tl_rd_of(s);
    tl_spdm_measurement_block b;

    (void)c;
    while (tl_each_spdm_measurement_block(&r, env, &b)) {
        json_t *o = dump_object(dump_rows("spdm_measurement_block"), env, &b);
        tl_rd inner = tl_rd_of(b.measurement);
        tl_spdm_dmtf_measurement d;

        if (b.specification == DMTF && tl_decode_spdm_dmtf_measurement(env, &inner, &d) == TL_OK &&
            tl_rd_end(&inner))
            (void)json_object_set_new(o, "measurement",
                                      dump_object(dump_rows("spdm_dmtf_measurement"), env, &d));
        (void)json_array_append_new(array, o);
    }
    add_rest(array, &r);
    return array;
}

/* An element of DSP0277: versions of secured messages. */
static json_t *secured_element(const tl_env *env, tl_span data)
{
    tl_rd r = tl_rd_of(data), again = r;
    tl_spdm_secured_supported_versions supported;
    tl_spdm_secured_selected_version selected;
    json_t *o;

    if (tl_decode_spdm_secured_supported_versions(env, &r, &supported) == TL_OK &&
        supported.element_version == 1 && supported.element == 1) {
        o = dump_object(dump_rows("spdm_secured_supported_versions"), env, &supported);
        (void)json_object_set_new(o, "versions", versions_inside(NULL, env, supported.versions));
        return o;
    }
    if (tl_decode_spdm_secured_selected_version(env, &again, &selected) == TL_OK &&
        selected.element_version == 1 && selected.element == 0 && tl_rd_end(&again))
        return dump_object(dump_rows("spdm_secured_selected_version"), env, &selected);
    return NULL;
}

static json_t *opaque_inside(const dump_context *c, const tl_env *env, tl_span s)
{
    tl_rd r = tl_rd_of(s);
    tl_spdm_opaque opaque;
    tl_spdm_opaque_element e;
    json_t *o, *array;

    if (s.n == 0 || (c->chosen.other_params & 0x0F) != OPAQUE_GENERAL ||
        tl_decode_spdm_opaque(env, &r, &opaque) != TL_OK)
        return hex_json(s);
    o = dump_object(dump_rows("spdm_opaque"), env, &opaque);
    array = json_array();
    r = tl_rd_of(opaque.elements);
    for (size_t before = r.n; tl_each_spdm_opaque_element(&r, env, &e); before = r.n) {
        json_t *element = dump_object(dump_rows("spdm_opaque_element"), env, &e), *inner;

        inner = e.standard == 0 && e.vendor_id.n == 0 ? secured_element(env, e.data) : NULL;
        if (inner != NULL)
            (void)json_object_set_new(element, "data", inner);
        (void)json_array_append_new(array, element);
        (void)tl_take(&r, (4 - (before - r.n) % 4) % 4);
    }
    add_rest(array, &r);
    (void)json_object_set_new(o, "elements", array);
    return o;
}

static json_t *error_inside(const dump_context *c, const tl_env *env, tl_span s)
{
    tl_rd r = tl_rd_of(s);
    tl_spdm_not_ready n;

    (void)c;
    if (s.n == 4 && tl_decode_spdm_not_ready(env, &r, &n) == TL_OK)
        return dump_object(dump_rows("spdm_not_ready"), env, &n);
    return hex_json(s);
}

static const struct {
    const char *message; /* NULL: any */
    const char *field;
    inside *inside;
} insides[] = {
    { "spdm_version", "entries", versions_inside },
    { "spdm_negotiate_algorithms", "tables", tables_inside },
    { "spdm_algorithms", "tables", tables_inside },
    { "spdm_digests", "digests", digests_inside },
    { "spdm_measurements", "record", blocks_inside },
    { "spdm_error", "extended", error_inside },
    { NULL, "opaque", opaque_inside },
};

static void open_fields(const dump_context *c, const dump_message *m, json_t *o)
{
    const tl_field *f = m->rows->rows();

    for (size_t i = 0; f[i].kind != TL_ROW_END; i++) {
        for (size_t k = 0; k < sizeof insides / sizeof *insides; k++) {
            if (strcmp(insides[k].field, m->rows->names[i]) != 0 ||
                json_object_get(o, insides[k].field) == NULL ||
                (insides[k].message != NULL && strcmp(insides[k].message, m->rows->name) != 0))
                continue;
            (void)json_object_set_new(
                o, insides[k].field,
                insides[k].inside(c, &m->env, span_at((const uint8_t *)&m->body, &f[i])));
        }
    }
}

json_t *dump_fields(const dump_context *c, const dump_message *m)
{
    json_t *o = json_object(), *body;

    if (o == NULL)
        return NULL;
    (void)json_object_set_new(o, "param1", json_integer(m->param1));
    (void)json_object_set_new(o, "param2", json_integer(m->param2));
    if (m->error != TL_OK || (m->rows == NULL && m->whole.n > HEADER)) {
        size_t header = m->whole.n < HEADER ? m->whole.n : HEADER;

        (void)json_object_set_new(o, "bytes", hex_json(tl_span_of(m->whole.p + header, m->whole.n - header)));
    } else if (m->rows != NULL) {
        body = dump_object(m->rows, &m->env, &m->body);
        open_fields(c, m, body);
        (void)json_object_update(o, body);
        json_decref(body);
    }
    return o;
}

/* ---- chains ---- */

size_t dump_der_size(tl_span s)
{
    tl_rd r = tl_rd_of(s);
    uint64_t tag = tl_get(&r, 1, TL_BIG), length = tl_get(&r, 1, TL_BIG);

    if (tag != 0x30)
        return 0;
    if (length == 0x81 || length == 0x82 || length == 0x83)
        length = tl_get(&r, (unsigned)(length - 0x80), TL_BIG);
    else if (length >= 0x80)
        return 0;
    return r.bad || length > r.n ? 0 : s.n - r.n + (size_t)length;
}

static json_t *fingerprint(const tl_crypto *crypto, tl_span s)
{
    uint8_t digest[TL_HASH_MAX] = { 0 };
    tl_hash h = { 0 };

    if (crypto->ops->hash_start(crypto->ctx, TL_HASH_SHA256, &h) != TL_OK)
        return json_null();
    if (crypto->ops->hash_add(crypto->ctx, h, s) != TL_OK ||
        crypto->ops->hash_end(crypto->ctx, h, digest) != TL_OK) {
        crypto->ops->hash_drop(crypto->ctx, h);
        return json_null();
    }
    return hex_json(tl_span_of(digest, tl_hash_size(TL_HASH_SHA256)));
}

json_t *dump_chain_fields(const dump_context *c, const tl_crypto *crypto, tl_span chain)
{
    tl_env env = c->env;
    tl_rd r = tl_rd_of(chain);
    tl_spdm_certificate_chain parts;
    json_t *o, *array = json_array();
    tl_span left;
    size_t n;

    env.version = c->version;
    if (tl_decode_spdm_certificate_chain(&env, &r, &parts) != TL_OK) {
        json_decref(array);
        return hex_json(chain);
    }
    o = dump_object(dump_rows("spdm_certificate_chain"), &env, &parts);
    for (left = parts.certificates; (n = dump_der_size(left)) != 0; left = tl_span_of(left.p + n, left.n - n))
        (void)json_array_append_new(array, json_pack("{s:I,s:o}", "size", (json_int_t)n, "sha256",
                                                     fingerprint(crypto, tl_span_of(left.p, n))));
    r = tl_rd_of(left);
    add_rest(array, &r);
    (void)json_object_set_new(o, "certificates", array);
    return o;
}

/* ---- a few words ---- */

static void tell_versions(const dump_message *m, char *text)
{
    tl_rd r = tl_rd_of(m->body.spdm_version.entries);
    tl_spdm_version_entry v;
    size_t n = 0;

    text[0] = '\0';
    while (n < DUMP_TELLING_SIZE - 16 && tl_each_spdm_version_entry(&r, &m->env, &v))
        n += (size_t)snprintf(text + n, DUMP_TELLING_SIZE - n, "%s%u.%u", n > 0 ? " " : "", v.major, v.minor);
}

static void tell_algorithms(const dump_context *c, const dump_message *m, char *text)
{
    dump_context next = *c;

    dump_context_learn(&next, m);
    (void)snprintf(text, DUMP_TELLING_SIZE, "%s %s %s %s %s", dump_alg_name(DUMP_HASH, next.chosen.hash),
                   next.chosen.asym != 0 ? dump_alg_name(DUMP_ASYM, next.chosen.asym)
                                         : dump_alg_name(DUMP_PQC_ASYM, next.chosen.pqc_asym),
                   next.chosen.dhe != 0 ? dump_alg_name(DUMP_DHE, next.chosen.dhe)
                                        : dump_alg_name(DUMP_KEM, next.chosen.kem),
                   dump_alg_name(DUMP_AEAD, next.chosen.aead),
                   dump_alg_name(DUMP_MEASUREMENT_HASH, next.chosen.measurement_hash));
}

static const char *update_name(uint8_t operation)
{
    static const char *const names[] = { "of no kind", "UpdateKey", "UpdateAllKeys", "VerifyNewKey" };

    return names[operation < 4 ? operation : 0];
}

static void tell_session(const dump_message *m, char *text)
{
    const dump_body *b = &m->body;

    switch (m->code) {
    case TL_SPDM_KEY_EXCHANGE:
        (void)snprintf(text, DUMP_TELLING_SIZE, "half %04x slot %u summary %02x",
                       b->spdm_key_exchange.session_id, m->param2, m->param1);
        break;
    case TL_SPDM_KEY_EXCHANGE_RSP:
        (void)snprintf(text, DUMP_TELLING_SIZE, "half %04x heartbeat %u s mutual %u",
                       b->spdm_key_exchange_rsp.session_id, m->param1,
                       b->spdm_key_exchange_rsp.mut_auth_requested);
        break;
    case TL_SPDM_KEY_UPDATE:
    case TL_SPDM_KEY_UPDATE_ACK:
        (void)snprintf(text, DUMP_TELLING_SIZE, "%s tag %02x", update_name(m->param1), m->param2);
        break;
    case TL_SPDM_VENDOR_DEFINED_REQUEST:
    case TL_SPDM_VENDOR_DEFINED_RESPONSE:
        (void)snprintf(text, DUMP_TELLING_SIZE, "standard %u payload %zu", b->spdm_vendor_defined.standard,
                       b->spdm_vendor_defined.payload.n);
        break;
    case TL_SPDM_ERROR:
        (void)snprintf(text, DUMP_TELLING_SIZE, "code %02x data %02x", m->param1, m->param2);
        break;
    default: break;
    }
}

void dump_telling(const dump_context *c, const dump_message *m, char text[DUMP_TELLING_SIZE])
{
    const dump_body *b = &m->body;

    text[0] = '\0';
    if (m->error != TL_OK) {
        (void)snprintf(text, DUMP_TELLING_SIZE, "malformed: %s", tl_err_text(m->error));
        return;
    }
    switch (m->code) {
    case TL_SPDM_VERSION: tell_versions(m, text); break;
    case TL_SPDM_GET_CAPABILITIES:
        (void)snprintf(text, DUMP_TELLING_SIZE, "flags %08x", b->spdm_get_capabilities.flags);
        break;
    case TL_SPDM_CAPABILITIES:
        (void)snprintf(text, DUMP_TELLING_SIZE, "flags %08x", b->spdm_capabilities.flags);
        break;
    case TL_SPDM_ALGORITHMS: tell_algorithms(c, m, text); break;
    case TL_SPDM_DIGESTS: (void)snprintf(text, DUMP_TELLING_SIZE, "slots %02x", m->param2); break;
    case TL_SPDM_GET_CERTIFICATE:
        (void)snprintf(text, DUMP_TELLING_SIZE, "slot %u offset %u length %u", m->param1 & 0x0Fu,
                       b->spdm_get_certificate.offset, b->spdm_get_certificate.length);
        break;
    case TL_SPDM_CERTIFICATE:
        (void)snprintf(text, DUMP_TELLING_SIZE, "slot %u portion %u remainder %u", m->param1 & 0x0Fu,
                       b->spdm_certificate.portion_length, b->spdm_certificate.remainder_length);
        break;
    case TL_SPDM_CHALLENGE:
        (void)snprintf(text, DUMP_TELLING_SIZE, "slot %u summary %02x", m->param1, m->param2);
        break;
    case TL_SPDM_GET_MEASUREMENTS:
        (void)snprintf(text, DUMP_TELLING_SIZE, "%s operation %02x",
                       (m->param1 & 1) != 0 ? "signed" : "unsigned", m->param2);
        break;
    case TL_SPDM_MEASUREMENTS:
        (void)snprintf(text, DUMP_TELLING_SIZE, "blocks %u record %u signature %zu",
                       b->spdm_measurements.blocks, b->spdm_measurements.record_length,
                       b->spdm_measurements.signature.n);
        break;
    default: tell_session(m, text); break;
    }
}
