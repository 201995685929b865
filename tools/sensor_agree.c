/* Stream agreements on the sensor's side. One function for each kind of request: it changes the stream's state last, and
 * gives the reason if the answer is no. In clear nothing is taken but the controller's certificates, which prove nothing
 * before its signature does. */
#include "sensor_agree.h"
#include "self_check.h"

#include <stdio.h>
#include <string.h>

#include <trueline/layout/ids.h>

/* ---- keys ---- */

/* Marks a session without showing its secret: what a token of no stream would be. */
static tl_err mark_of(const sensor_spdm *s, tl_digest secret, uint8_t mark[TL_DATA_TOKEN_SIZE])
{
    const agreement_tie tie = { .secret = secret };

    return agreement_token(s->crypto, &tie, TL_SENSOR_TO_CONTROLLER, mark);
}

/* Calls `use` with the session's export secret, and wipes it. */
static agreement_reason with_secret(sensor_spdm *s, const tl_spdm_session *session,
                                    tl_err (*use)(sensor_spdm *s, tl_digest secret),
                                    agreement_reason otherwise)
{
    tl_secret secret;
    tl_hash_alg hash;
    tl_err e = tl_session_export_secret(session, &secret, &hash);

    if (e == TL_OK)
        e = use(s, (tl_digest){ hash, tl_span_of(secret.bytes, tl_hash_size(hash)) });
    tl_wipe(&secret, sizeof secret);
    return e == TL_OK ? AGREEMENT_FINE : otherwise;
}

/* A chosen stream: its first key source, and the tokens of its data connection. Both follow from session, stream and epoch
 * alone, and frames are numbered anew: an epoch that this session has had already would give every nonce twice. */
static tl_err take_keys(sensor_spdm *s, tl_digest secret)
{
    sensor_stream *stream = &s->stream;
    const agreement_tie tie = { secret, (uint16_t)stream->file.stream, stream->epoch };
    uint8_t mark[TL_DATA_TOKEN_SIZE];

    TL_TRY(mark_of(s, secret, mark));
    if (tl_equal(tl_span_of(mark, sizeof mark), tl_span_of(stream->session, sizeof mark)) &&
        stream->epoch <= stream->used)
        return TL_E_EPOCH;
    memcpy(stream->session, mark, sizeof mark);
    stream->used = stream->epoch;
    TL_TRY(agreement_token(s->crypto, &tie, TL_SENSOR_TO_CONTROLLER, stream->join.ours));
    TL_TRY(agreement_token(s->crypto, &tie, TL_CONTROLLER_TO_SENSOR, stream->join.theirs));
    stream->current = 0;
    return tl_key_source_exported(&stream->sources[0], s->crypto, secret, tie.stream,
                                  TL_SENSOR_TO_CONTROLLER);
}

static tl_err rekey(sensor_spdm *s, tl_key_source *source)
{
    tap_key(s->o.tap, source, &s->stream.file.config, s->stream.epoch);
    return tl_stream_tx_rekey(&s->stream.tx, source, s->stream.epoch);
}

/* The next epoch: of the source at hand, or of a newer session's, which takes its place. */
static tl_err take_epoch(sensor_spdm *s, tl_digest secret)
{
    sensor_stream *stream = &s->stream;
    tl_key_source *now = &stream->sources[stream->current], *next = &stream->sources[1 - stream->current];
    uint8_t mark[TL_DATA_TOKEN_SIZE];
    tl_err e;

    TL_TRY(mark_of(s, secret, mark));
    if (tl_equal(tl_span_of(mark, sizeof mark), tl_span_of(stream->session, sizeof mark)))
        return rekey(s, now);
    e = tl_key_source_exported(next, s->crypto, secret, (uint16_t)stream->file.stream,
                               TL_SENSOR_TO_CONTROLLER);
    if (e == TL_OK)
        e = rekey(s, next);
    if (e != TL_OK) {
        tl_key_source_wipe(next);
        return e;
    }
    tl_key_source_wipe(now);
    stream->current = 1 - stream->current;
    memcpy(stream->session, mark, sizeof mark);
    return TL_OK;
}

/* ---- requests ---- */

static agreement_reason on_chain(sensor_spdm *s, const agreement *a, const tl_spdm_session *session)
{
    tl_span chain = a->body.chain.certificates;

    if (session != NULL)
        return AGREEMENT_ORDER;
    if (chain.n > sizeof s->peer_chain)
        return AGREEMENT_PAYLOAD;
    memcpy(s->peer_chain, chain.p, chain.n);
    s->config.peer_chain = tl_span_of(s->peer_chain, chain.n);
    return AGREEMENT_FINE;
}

/* Both ends come to the same configuration, or to none. */
static agreement_reason check_choice(sensor_spdm *s, const tl_agreement_choice *choice, stream_file *file)
{
    uint8_t suites[AGREEMENT_SUITES_MAX], digest[TL_CONFIG_DIGEST_SIZE];
    tl_agreement_offer offer;
    tl_fault why;
    agreement_reason reason;

    agreement_offer_make(&s->geometry, s->o.rate, suites, &offer);
    reason = agreement_build(&offer, choice, file, &why);
    if (reason != AGREEMENT_FINE)
        return reason;
    file->config.virtual_channel = s->geometry.config.virtual_channel;
    file->config.carrier = s->geometry.config.carrier;
    if (tl_stream_config_digest(&file->config, s->crypto, digest) != TL_OK ||
        !tl_equal(tl_span_of(digest, sizeof digest), choice->configuration))
        return AGREEMENT_CONFIGURATION;
    if (choice->epoch > TL_EPOCH_JUMP_MAX)
        return AGREEMENT_EPOCH;
    return self_check(&file->config, s->crypto, NULL, &why) == TL_EXIT_OK ? AGREEMENT_FINE
                                                                          : AGREEMENT_SELF_TEST;
}

static agreement_reason on_choice(sensor_spdm *s, const agreement *a, const tl_spdm_session *session)
{
    sensor_stream *stream = &s->stream;
    agreement_reason reason;
    tl_fault fault;

    if (stream->state != SENSOR_STREAM_NONE)
        return AGREEMENT_ORDER;
    reason = check_choice(s, &a->body.choice, &stream->file);
    if (reason != AGREEMENT_FINE)
        return reason;
    stream->epoch = a->body.choice.epoch;
    reason = with_secret(s, session, take_keys, AGREEMENT_EPOCH);
    if (reason != AGREEMENT_FINE)
        return reason;
    if (sensor_join_open(&stream->join, &s->o.data, &fault) != TL_EXIT_OK) {
        sensor_join_close(&stream->join, 0);
        tl_key_source_wipe(&stream->sources[0]);
        return AGREEMENT_PORT;
    }
    if (s->o.tell_port) {
        (void)printf("data on %s\n", stream->join.at.text);
        (void)fflush(stdout);
    }
    memcpy(stream->controller, tl_responder_peer(&s->r)->facts.fingerprint, sizeof stream->controller);
    stream->state = SENSOR_STREAM_CHOSEN;
    return AGREEMENT_FINE;
}

/* A stream is steered by whoever chose it, in whatever session. */
static agreement_reason check_stream(const sensor_spdm *s, const agreement *a)
{
    const sensor_stream *stream = &s->stream;
    const tl_chain_facts *facts = &tl_responder_peer(&s->r)->facts;

    if (!tl_equal(tl_span_of(facts->fingerprint, sizeof facts->fingerprint),
                  tl_span_of(stream->controller, sizeof stream->controller)))
        return AGREEMENT_AUTHENTICATION;
    return a->body.stream.stream == stream->file.stream ? AGREEMENT_FINE : AGREEMENT_STREAM;
}

static agreement_reason on_start(sensor_spdm *s, const agreement *a, const tl_spdm_session *session)
{
    sensor_stream *stream = &s->stream;
    agreement_reason reason;

    (void)session;
    if (stream->state != SENSOR_STREAM_JOINED)
        return AGREEMENT_ORDER;
    reason = check_stream(s, a);
    if (reason != AGREEMENT_FINE)
        return reason;
    tap_key(s->o.tap, &stream->sources[stream->current], &stream->file.config, stream->epoch);
    if (a->body.stream.epoch != stream->epoch ||
        tl_stream_tx_init(&stream->tx, &stream->file.config, &stream->sources[stream->current],
                          stream->epoch) != TL_OK)
        return AGREEMENT_EPOCH;
    stream->stop = false;
    stream->state = SENSOR_STREAM_STARTED;
    return AGREEMENT_FINE;
}

static agreement_reason on_stop(sensor_spdm *s, const agreement *a, const tl_spdm_session *session)
{
    sensor_stream *stream = &s->stream;
    agreement_reason reason;

    (void)session;
    /* A stream that has ended by itself is stopped already. */
    if (stream->state == SENSOR_STREAM_NONE)
        return AGREEMENT_FINE;
    reason = check_stream(s, a);
    if (reason != AGREEMENT_FINE)
        return reason;
    stream->stop = true;
    return AGREEMENT_FINE;
}

static agreement_reason on_rekey(sensor_spdm *s, const agreement *a, const tl_spdm_session *session)
{
    sensor_stream *stream = &s->stream;
    uint32_t before = stream->epoch;
    agreement_reason reason;

    if (stream->file.stream == 0 ||
        (stream->state != SENSOR_STREAM_STARTED && stream->state != SENSOR_STREAM_NONE))
        return AGREEMENT_ORDER;
    reason = check_stream(s, a);
    if (reason != AGREEMENT_FINE)
        return reason;
    /* A stream that has just ended by itself needs no key, and its controller cannot know yet. */
    if (stream->state == SENSOR_STREAM_NONE)
        return AGREEMENT_FINE;
    stream->epoch = a->body.stream.epoch;
    reason = with_secret(s, session, take_epoch, AGREEMENT_EPOCH);
    if (reason == AGREEMENT_FINE)
        stream->used = stream->epoch;
    else
        stream->epoch = before;
    return reason;
}

static agreement_reason on_ask(sensor_spdm *s, const agreement *a, const tl_spdm_session *session)
{
    (void)s, (void)a, (void)session;
    return AGREEMENT_FINE;
}

/* What is asked, what does it, and what a yes is called. */
static const struct request_row {
    uint32_t kind, yes;
    agreement_reason (*take)(sensor_spdm *s, const agreement *a, const tl_spdm_session *session);
} requests[] = {
    { TL_AGREEMENT_CHAIN, TL_AGREEMENT_DONE, on_chain },
    { TL_AGREEMENT_ASK, TL_AGREEMENT_OFFER, on_ask },
    { TL_AGREEMENT_CHOICE, TL_AGREEMENT_PORT, on_choice },
    { TL_AGREEMENT_START, TL_AGREEMENT_DONE, on_start },
    { TL_AGREEMENT_STOP, TL_AGREEMENT_DONE, on_stop },
    { TL_AGREEMENT_REKEY, TL_AGREEMENT_DONE, on_rekey },
};

static agreement_reason take(sensor_spdm *s, const tl_spdm_vendor *request, agreement *a, uint32_t *yes)
{
    if (agreement_read(request->payload, a) != TL_OK)
        return AGREEMENT_PAYLOAD;
    if (a->kind != TL_AGREEMENT_CHAIN &&
        (request->session == NULL || !tl_responder_peer(&s->r)->authenticated))
        return AGREEMENT_AUTHENTICATION;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        if (requests[i].kind != a->kind)
            continue;
        *yes = requests[i].yes;
        return requests[i].take(s, a, request->session);
    }
    return AGREEMENT_PAYLOAD;
}

tl_err sensor_agree(void *ctx, const tl_spdm_vendor *request, tl_wr *payload)
{
    sensor_spdm *s = ctx;
    uint8_t suites[AGREEMENT_SUITES_MAX];
    agreement a, answer = { 0 };
    agreement_reason reason;

    if (!agreement_is_ours(request->standard, request->vendor_id))
        return TL_E_REPLY_UNSUPPORTED_REQUEST;
    reason = take(s, request, &a, &answer.kind);
    if (reason != AGREEMENT_FINE) {
        s->reason = agreement_reason_text(reason);
        answer.kind = TL_AGREEMENT_REFUSED;
        answer.body.refusal.reason = reason;
    } else if (answer.kind == TL_AGREEMENT_OFFER) {
        agreement_offer_make(&s->geometry, s->o.rate, suites, &answer.body.offer);
    } else if (answer.kind == TL_AGREEMENT_PORT) {
        answer.body.port.port = s->stream.join.port;
    }
    return agreement_write(&answer, payload);
}
