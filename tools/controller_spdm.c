/* Agreements on the controller's side. Each request is a stage of a script: prepare writes the payload, accept reads the
 * answer. A new epoch is in place here before the sensor hears of it, so no frame can come under a key that is not there; the
 * next one is named when a frame under the last has verified. */
#include "controller_spdm.h"
#include "backend.h"
#include "clock.h"
#include "evidence.h"

#include <stdio.h>
#include <string.h>

enum { DIAL_MS = 5000, STREAM = 1 };

/* ---- payloads ---- */

static controller_spdm *owner(spdm_client *c)
{
    return c->ctx;
}

static tl_exit prepare(spdm_client *c, tl_spdm_ask *ask, const agreement *a, tl_fault *fault)
{
    tl_wr w = tl_wr_of(c->payload, sizeof c->payload);
    tl_err e = agreement_write(a, &w);

    if (e != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "agreement: %s: %s", agreement_kind_text(a->kind),
                            tl_err_text(e));
    ask->vendor_standard = TL_VENDOR_STANDARD;
    ask->vendor_id = tl_span_of(agreement_vendor_id, AGREEMENT_VENDOR_SIZE);
    ask->vendor_payload = tl_written(&w);
    return TL_EXIT_OK;
}

/* Reads an answer, which must be of that kind. */
static tl_exit expect(spdm_client *c, uint32_t kind, agreement *a, tl_fault *fault)
{
    tl_err e = agreement_read(tl_requester_vendor(&c->rq), a);

    if (e != TL_OK)
        return tl_fault_set(fault, TL_EXIT_PEER, "agreement: %s: the answer cannot be read: %s", c->link.peer,
                            tl_err_text(e));
    if (a->kind == TL_AGREEMENT_REFUSED)
        return tl_fault_set(fault, TL_EXIT_PEER, "agreement: %s: the sensor refuses: %s", c->link.peer,
                            agreement_reason_text(a->body.refusal.reason));
    if (a->kind != kind)
        return tl_fault_set(fault, TL_EXIT_PEER, "agreement: %s: the sensor answers %s where %s is due",
                            c->link.peer, agreement_kind_text(a->kind), agreement_kind_text(kind));
    return TL_EXIT_OK;
}

static tl_exit accept_done(spdm_client *c, tl_fault *fault)
{
    agreement a;

    return expect(c, TL_AGREEMENT_DONE, &a, fault);
}

/* ---- keys ---- */

static tl_exit key_fault(tl_err e, tl_fault *fault)
{
    return tl_fault_set(fault, TL_EXIT_INTERNAL, "keys: %s", tl_err_text(e));
}

static uint16_t stream_of(const controller_spdm *s)
{
    return (uint16_t)s->choice.stream;
}

static tl_err take_source(controller_spdm *s, tl_digest secret)
{
    return tl_key_source_exported(&s->sources[s->current], s->client.crypto, secret, stream_of(s),
                                  TL_SENSOR_TO_CONTROLLER);
}

/* The first source, and what the data connection begins with. */
static tl_err take_all(controller_spdm *s, tl_digest secret)
{
    const agreement_tie tie = { secret, stream_of(s), s->choice.epoch };

    TL_TRY(agreement_token(s->client.crypto, &tie, TL_CONTROLLER_TO_SENSOR, s->ours));
    TL_TRY(agreement_token(s->client.crypto, &tie, TL_SENSOR_TO_CONTROLLER, s->theirs));
    return take_source(s, secret);
}

/* Calls `use` with the export secret of the session that is there now, and wipes it. */
static tl_err with_secret(controller_spdm *s, tl_err (*use)(controller_spdm *s, tl_digest secret))
{
    tl_secret secret;
    tl_hash_alg hash;
    tl_err e = tl_session_export_secret(tl_requester_session(&s->client.rq), &secret, &hash);

    if (e == TL_OK)
        e = use(s, (tl_digest){ hash, tl_span_of(secret.bytes, tl_hash_size(hash)) });
    tl_wipe(&secret, sizeof secret);
    return e;
}

/* The epoch after the last one, of the current source, or of a newer session's. Numbers run on from source to source as far
 * as a new one reaches; `key` in a header is the low byte, which must always change. */
static uint32_t next_epoch(const controller_spdm *s)
{
    uint32_t next = s->epoch + 1;

    return s->renewed && next > TL_EPOCH_JUMP_MAX ? next & 0xFF : next;
}

static tl_err key_next(controller_spdm *s)
{
    uint32_t epoch = next_epoch(s);
    tl_err e = TL_OK;

    if (s->renewed) {
        s->current = 1 - s->current;
        e = with_secret(s, take_source);
    }
    if (e == TL_OK) {
        tap_key(s->o.client.tap, &s->sources[s->current], &s->file->config, epoch);
        e = tl_stream_rx_rekey(s->rx, &s->sources[s->current], epoch);
    }
    if (e != TL_OK)
        return e;
    if (s->renewed)
        tl_key_source_wipe(&s->sources[1 - s->current]);
    s->renewed = false;
    s->epoch = epoch;
    return TL_OK;
}

/* ---- stages ---- */

static tl_exit prepare_ask(spdm_client *c, tl_spdm_ask *ask, tl_fault *fault)
{
    const agreement a = { .kind = TL_AGREEMENT_ASK };

    return prepare(c, ask, &a, fault);
}

/* The choice is made when the offer is there: spans of the answer do not last. */
static tl_exit accept_offer(spdm_client *c, tl_fault *fault)
{
    controller_spdm *s = owner(c);
    agreement a;
    tl_err err;
    tl_exit e = expect(c, TL_AGREEMENT_OFFER, &a, fault);

    if (e != TL_EXIT_OK)
        return e;
    agreement_choose(&s->o.wanted, STREAM, &s->choice);
    if (agreement_build(&a.body.offer, &s->choice, &s->agreed, fault) != AGREEMENT_FINE)
        return TL_EXIT_PEER;
    err = tl_stream_config_digest(&s->agreed.config, c->crypto, s->digest);
    s->choice.configuration = tl_span_of(s->digest, sizeof s->digest);
    return err == TL_OK ? TL_EXIT_OK : key_fault(err, fault);
}

static tl_exit prepare_choice(spdm_client *c, tl_spdm_ask *ask, tl_fault *fault)
{
    const agreement a = { .kind = TL_AGREEMENT_CHOICE, .body.choice = owner(c)->choice };

    return prepare(c, ask, &a, fault);
}

static tl_exit accept_port(spdm_client *c, tl_fault *fault)
{
    controller_spdm *s = owner(c);
    agreement a;
    tl_err err;
    tl_exit e = expect(c, TL_AGREEMENT_PORT, &a, fault);

    if (e != TL_EXIT_OK)
        return e;
    s->port = (uint16_t)a.body.port.port;
    s->epoch = s->choice.epoch;
    err = with_secret(s, take_all);
    return err == TL_OK ? TL_EXIT_OK : key_fault(err, fault);
}

static tl_exit prepare_stream(spdm_client *c, tl_spdm_ask *ask, uint32_t kind, tl_fault *fault)
{
    const controller_spdm *s = owner(c);
    const agreement a = { .kind = kind, .body.stream = { .stream = s->choice.stream, .epoch = s->epoch } };

    return prepare(c, ask, &a, fault);
}

static tl_exit prepare_start(spdm_client *c, tl_spdm_ask *ask, tl_fault *fault)
{
    return prepare_stream(c, ask, TL_AGREEMENT_START, fault);
}

static tl_exit prepare_stop(spdm_client *c, tl_spdm_ask *ask, tl_fault *fault)
{
    return prepare_stream(c, ask, TL_AGREEMENT_STOP, fault);
}

static tl_exit prepare_rekey(spdm_client *c, tl_spdm_ask *ask, tl_fault *fault)
{
    controller_spdm *s = owner(c);
    tl_err err = key_next(s);

    s->key_due = false;
    s->key_named = true;
    return err == TL_OK ? prepare_stream(c, ask, TL_AGREEMENT_REKEY, fault) : key_fault(err, fault);
}

static tl_exit accept_again(spdm_client *c, tl_fault *fault)
{
    controller_spdm *s = owner(c);
    tl_exit e = accept_done(c, fault);

    if (e == TL_EXIT_OK)
        s->again++;
    return e;
}

static const spdm_stage agree[] = {
    { .flow = &tl_flow_vendor, .label = "offer", .prepare = prepare_ask, .accept = accept_offer },
    { .flow = &tl_flow_vendor, .label = "choice", .prepare = prepare_choice, .accept = accept_port },
    { 0 },
};
static const spdm_stage start[] = {
    { .flow = &tl_flow_vendor, .label = "start", .prepare = prepare_start, .accept = accept_done },
    { 0 },
};
static const spdm_stage stop[] = {
    { .flow = &tl_flow_vendor, .label = "stop", .prepare = prepare_stop, .accept = accept_done },
    { .flow = &tl_flow_end_session },
    { 0 },
};
static const spdm_stage rekey[] = {
    { .flow = &tl_flow_vendor, .label = "re-key", .prepare = prepare_rekey, .accept = accept_done },
    { 0 },
};
/* What follows a new session: the stream goes on under its keys. */
static const spdm_stage take_over[] = {
    { .flow = &tl_flow_vendor, .label = "take over", .prepare = prepare_rekey, .accept = accept_again },
    { 0 },
};

/* ---- from dialling to frames ---- */

tl_exit controller_spdm_open(controller_spdm *s, const controller_spdm_options *o, const struct backend *with,
                             tl_fault *fault)
{
    tl_exit e;

    memset(s, 0, sizeof *s);
    s->o = *o;
    s->file = &s->agreed;
    e = spdm_client_open(&s->client, &o->client, with, fault);
    s->client.ctx = s;
    if (e == TL_EXIT_OK)
        spdm_identity_note(&s->client.own, with->openssl, o->client.files.pki, "controller", "sensor");
    return e;
}

/* Shows our token and looks at the sensor's. */
static tl_exit tie(controller_spdm *s, int fd, tl_fault *fault)
{
    uint64_t deadline_ms = tl_clock_ms() + SPDM_LINK_PATIENCE_MS;
    uint8_t theirs[TL_DATA_TOKEN_SIZE];
    tl_exit e = tl_net_send(fd, s->ours, sizeof s->ours, deadline_ms, "data connection", fault);

    if (e == TL_EXIT_OK)
        e = tl_net_receive(fd, theirs, sizeof theirs, deadline_ms, "data connection", fault);
    if (e == TL_EXIT_OK && !tl_equal(tl_span_of(theirs, sizeof theirs), tl_span_of(s->theirs, sizeof theirs)))
        e = tl_fault_set(fault, TL_EXIT_PEER,
                         "data connection: its token is not the session's: this is not the sensor");
    return e;
}

tl_exit controller_spdm_join(controller_spdm *s, int *fd, tl_fault *fault)
{
    tl_address at = s->client.address;
    tl_net_name peer;
    tl_exit e = TL_EXIT_OK;

    (void)snprintf(at.port, sizeof at.port, "%u", s->port);
    if (s->o.data != NULL)
        e = tl_address_parse(s->o.data, &at, fault);
    if (e == TL_EXIT_OK)
        e = tl_net_connect(&at, tl_clock_ms() + DIAL_MS, fd, &peer, fault);
    if (e != TL_EXIT_OK)
        return e;
    e = tie(s, *fd, fault);
    if (e != TL_EXIT_OK)
        tl_net_close(*fd, 0);
    return e;
}

tl_exit controller_spdm_agree(controller_spdm *s, tl_fault *fault)
{
    tl_exit e = spdm_client_dial(&s->client, tl_clock_ms() + DIAL_MS, fault);

    if (e == TL_EXIT_OK)
        e = spdm_client_run(&s->client, spdm_script_session, fault);
    return e == TL_EXIT_OK ? spdm_client_run(&s->client, agree, fault) : e;
}

tl_exit controller_spdm_receiver(controller_spdm *s, const tl_stream_config *config, tl_stream_rx *rx,
                                 tl_buffer memory, tl_stream_sink sink, tl_fault *fault)
{
    tl_err err;

    tap_key(s->o.client.tap, &s->sources[s->current], config, s->epoch);
    err = tl_stream_rx_init(rx, config, &s->sources[s->current], s->epoch, memory, sink);
    s->rx = rx;
    return err == TL_OK ? TL_EXIT_OK
                        : tl_fault_set(fault, TL_EXIT_INTERNAL, "stream: cannot start: %s", tl_err_text(err));
}

tl_exit controller_spdm_start(controller_spdm *s, tl_fault *fault)
{
    s->reauth_at_ms = s->o.reauth_ms > 0 ? tl_clock_ms() + s->o.reauth_ms : TL_NEVER;
    return spdm_client_run(&s->client, start, fault);
}

/* ---- while frames flow ---- */

/* What to do next, if anything: a new session's keys come before all else. */
static tl_exit begin_due(controller_spdm *s, tl_fault *fault)
{
    if (s->key_named)
        return TL_EXIT_OK;
    if (s->renewed)
        return spdm_client_begin(&s->client, take_over, fault);
    if (tl_clock_ms() >= s->reauth_at_ms) {
        s->reauth_at_ms = tl_clock_ms() + s->o.reauth_ms;
        s->renewed = true; /* as soon as the script is through; if it fails, all is over */
        return spdm_client_begin(&s->client, spdm_script_session, fault);
    }
    return s->key_due ? spdm_client_begin(&s->client, rekey, fault) : TL_EXIT_OK;
}

tl_exit controller_spdm_turn(controller_spdm *s, tl_fault *fault)
{
    tl_exit e = spdm_client_turn(&s->client, 0, fault);

    return e == TL_EXIT_OK && !spdm_client_busy(&s->client) ? begin_due(s, fault) : e;
}

bool controller_spdm_busy(const controller_spdm *s)
{
    return spdm_client_busy(&s->client);
}

void controller_spdm_event(controller_spdm *s, const tl_stream_event *event)
{
    if (event->kind == TL_EVENT_KEY) {
        s->keys++;
        s->key_named = s->key_due = false;
        s->frames_at_key = s->frames;
    }
    if (event->kind == TL_EVENT_FRAME)
        s->frames++;
    if (event->kind == TL_EVENT_LIMIT ||
        (s->o.rekey_frames > 0 && s->frames - s->frames_at_key >= s->o.rekey_frames && !s->key_named))
        s->key_due = true;
}

/* ---- the end ---- */

tl_exit controller_spdm_stop(controller_spdm *s, tl_fault *fault)
{
    tl_exit e = TL_EXIT_OK;

    while (e == TL_EXIT_OK && spdm_client_busy(&s->client))
        e = spdm_client_turn(&s->client, TL_NEVER, fault);
    return e == TL_EXIT_OK ? spdm_client_run(&s->client, stop, fault) : e;
}

void controller_spdm_close(controller_spdm *s)
{
    tl_key_source_wipe(&s->sources[0]);
    tl_key_source_wipe(&s->sources[1]);
    spdm_client_close(&s->client);
    tl_wipe(s, sizeof *s);
    s->client.link.fd = -1;
}

json_t *controller_spdm_json(const controller_spdm *s)
{
    const spdm_client *c = &s->client;

    return json_pack("{s:s, s:o, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:o}", "peer", c->link.peer, "identity",
                     evidence_identity(c), "version", evidence_version(c), "algorithms",
                     evidence_algorithms(c), "measurements", evidence_measurements(c), "keys",
                     (json_int_t)s->keys, "again", (json_int_t)s->again, "messages",
                     (json_int_t)c->link.messages, "bytes", (json_int_t)c->link.bytes, "steps",
                     spdm_client_steps(c));
}
