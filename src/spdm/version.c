/* GET_VERSION and VERSION. They begin a connection: what was negotiated before is gone, on both sides. Keys of streams are
 * not of the connection and stay.
 *
 * The requester takes the highest version that both its policy and the peer have. That nobody took one off the list is
 * proved later: the list is in VCA, and VCA is in everything that is signed. */
#include "spdm/spdm.h"

enum { ENTRIES_MAX = 16, VERSION_FIRST = TL_SPDM_12 };

static bool allowed(const tl_spdm_policy *p, uint8_t version)
{
    return version >= p->version_min && version <= p->version_max;
}

/* ---- requester ---- */

static tl_err build(tl_requester *rq, tl_wr *out)
{
    tl__connection_reset(&rq->c);
    tl__message_begin(&rq->c, TL_SPDM_GET_VERSION, 0, 0, out);
    return TL_OK;
}

/* DSP0274 1.3, VERSION response message: updates do not change the format, alpha tells drafts; neither matters here. */
static uint8_t highest(const tl_spdm_connection *c, tl_rd *entries)
{
    tl_spdm_version_entry entry;
    uint8_t best = 0;

    while (tl_each_spdm_version_entry(entries, &c->env, &entry)) {
        uint8_t version = (uint8_t)(entry.major << 4 | entry.minor);

        if (allowed(c->policy, version) && version > best)
            best = version;
    }
    return best;
}

static tl_err accept(tl_requester *rq, const tl__message *a)
{
    tl_spdm_connection *c = &rq->c;
    tl_rd r = tl_rd_of(a->body), entries;
    tl_spdm_version m;
    uint8_t version;

    TL_TRY(tl_decode_spdm_version(&c->env, &r, &m));
    if (m.count == 0 || m.count > ENTRIES_MAX || m.entries.n != 2 * (size_t)m.count)
        return tl__blame(rq, TL_E_WIRE, "the count does not fit the entries", "count");
    entries = tl_rd_of(m.entries);
    version = highest(c, &entries);
    if (version == 0)
        return tl__blame(rq, TL_E_POLICY, "the peer has no version that the policy allows", "entries");
    TL_TRY(tl__vca_add(c, tl__sent(rq), a->whole));
    c->env.version = version;
    c->state = TL_SPDM_AFTER_VERSION;
    return TL_OK;
}

const tl__step tl__version_step = {
    .name = "VERSION",
    .clause = "DSP0274 1.3, VERSION response message",
    .request = TL_SPDM_GET_VERSION,
    .response = TL_SPDM_VERSION,
    .where = TL__IN_CLEAR,
    .build = build,
    .accept = accept,
};

/* ---- responder ---- */

tl_err tl__on_get_version(tl_responder *r, const tl__message *q, tl_wr *out)
{
    tl_spdm_connection *c = &r->c;
    uint8_t entries[2 * (TL_SPDM_13 - VERSION_FIRST + 1)];
    tl_wr w = tl_wr_of(entries, sizeof entries);
    tl_spdm_version m = { 0 };
    size_t start = out->n;

    if (q->version != TL_SPDM_10)
        return TL_E_REPLY_VERSION_MISMATCH;
    if (q->body.n != 0)
        return TL_E_WIRE_TRAILING;
    for (uint8_t v = c->policy->version_min; v <= c->policy->version_max; v++) {
        const tl_spdm_version_entry entry = { v >> 4, v & 0x0F, 0, 0 };

        TL_TRY(tl_encode_spdm_version_entry(&c->env, &entry, &w));
        m.count++;
    }
    m.entries = tl_written(&w);
    tl__connection_reset(c);
    tl__message_begin(c, TL_SPDM_VERSION, 0, 0, out);
    TL_TRY(tl_encode_spdm_version(&c->env, &m, out));
    TL_TRY(tl__vca_add(c, q->whole, tl_since(out, start)));
    c->state = TL_SPDM_AFTER_VERSION;
    return TL_OK;
}
