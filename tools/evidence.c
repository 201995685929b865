/* Evidence: nothing here judges, it only writes down what the requester has accepted or refused. */
#include "evidence.h"
#include "hex.h"

#include <stdlib.h>
#include <string.h>

#include <trueline/messages.h>

enum { HEADER = 4, LENGTH = 4, CODE_AT = 1 };

/* The next kept message. */
static bool each(tl_rd *r, tl_span *message)
{
    size_t n = (size_t)tl_get(r, LENGTH, TL_LITTLE);

    *message = tl_get_bytes(r, n);
    return !r->bad && n >= HEADER;
}

/* The last message in clear of that code that the client kept; empty: none. */
static tl_span last_message(const spdm_client *c, uint8_t code)
{
    tl_rd r = tl_rd_of(tl_span_of(c->kept, c->kept_n));
    tl_span message, found = { NULL, 0 };

    while (each(&r, &message))
        if (message.p[CODE_AT] == code)
            found = message;
    return found;
}

evidence_proof evidence_proof_of(const spdm_client *c)
{
    const tl_spdm_algs *algs = tl_requester_algs(&c->rq);
    tl_env env = { .version = tl_requester_version(&c->rq) };
    tl_span asked = last_message(c, TL_SPDM_GET_MEASUREMENTS), got = last_message(c, TL_SPDM_MEASUREMENTS);
    tl_spdm_get_measurements request;
    tl_spdm_measurements answer;
    evidence_proof proof = { { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };
    tl_rd r;

    if (asked.n == 0 || got.n == 0)
        return proof;
    env.len[TL_LEN_NONCE] = TL_SPDM_NONCE;
    env.len[TL_LEN_SLOT] = 1;
    env.len[TL_LEN_SIG] = (uint16_t)tl_sign_size(algs->sign);
    r = tl_rd_of(tl_span_of(asked.p + HEADER, asked.n - HEADER));
    if (tl_decode_spdm_get_measurements(&env, &r, &request) != TL_OK)
        return proof;
    r = tl_rd_of(tl_span_of(got.p + HEADER, got.n - HEADER));
    if (tl_decode_spdm_measurements(&env, &r, &answer) != TL_OK)
        return proof;
    return (evidence_proof){ request.nonce, answer.nonce, answer.signature };
}

/* ---- JSON ---- */

json_t *evidence_identity(const spdm_client *c)
{
    const tl_spdm_peer *p = tl_requester_peer(&c->rq);
    const tl_chain_facts *f = &p->facts;
    tl_hash_alg hash = tl_requester_algs(&c->rq)->hash;
    size_t n = tl_hash_size(hash);

    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:o, s:s, s:o, s:o}", "device", f->device_info, "role",
                     f->role, "subject", f->subject, "serial", f->serial, "certificates",
                     (json_int_t)f->certificates, "leaf_sha256",
                     hex_json(tl_span_of(f->fingerprint, sizeof f->fingerprint)), "hash",
                     n > 0 ? tl_hash_name(hash) : "", "root_digest", hex_json(tl_span_of(f->root_hash, n)),
                     "chain_digest", hex_json(tl_span_of(p->chain_digest, n)));
}

json_t *evidence_algorithms(const spdm_client *c)
{
    const tl_spdm_algs *a = tl_requester_algs(&c->rq);
    const char *hash = tl_hash_name(a->hash), *measured = tl_hash_name(a->measurement_hash),
               *sign = tl_sign_name(a->sign), *own = tl_sign_name(a->req_sign),
               *group = tl_group_name(a->group), *aead = tl_suite_name(a->aead);

    return json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*, s:s*}", "hash", hash, "measurement_hash", measured,
                     "signature", sign, "own_signature", own, "group", group, "records", aead);
}

static json_t *block_json(const spdm_client *c, const tl_spdm_measurement *m)
{
    json_t *o = json_pack("{s:i, s:i, s:b, s:o}", "index", m->index, "type", m->type, "raw", (int)m->raw,
                          "value", hex_json(m->value));

    for (size_t i = 0; i < c->reference.n; i++)
        if (c->reference.blocks[i].index == m->index)
            (void)json_object_set_new(o, "name", json_string(c->reference.blocks[i].name));
    return o;
}

json_t *evidence_measurements(const spdm_client *c)
{
    tl_rd r = tl_rd_of(spdm_client_record(c));
    json_t *list = json_array();
    tl_spdm_measurement m;

    while (tl_spdm_each_measurement(&r, &m))
        (void)json_array_append_new(list, block_json(c, &m));
    return list;
}

json_t *evidence_messages(const spdm_client *c)
{
    tl_rd r = tl_rd_of(tl_span_of(c->kept, c->kept_n));
    json_t *list = json_array();
    tl_span message;

    while (each(&r, &message))
        (void)json_array_append_new(list, hex_json(message));
    return list;
}

const char *evidence_version(const spdm_client *c)
{
    switch (tl_requester_version(&c->rq)) {
    case TL_SPDM_12: return "1.2";
    case TL_SPDM_13: return "1.3";
    default: return "none";
    }
}
