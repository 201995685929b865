#include "tap_secrets.h"

#include <stdlib.h>
#include <string.h>

/* exchange_end is told its backend's context alone, which is not ours. */
static tap_secrets *listening;

static size_t input(void *ctx, const char *name, uint8_t *value, size_t room)
{
    tap_secrets *s = ctx;
    size_t n = s->exchanged_n;

    if (strcmp(name, "dhe_secret") != 0 || n == 0 || n > room)
        return 0;
    memcpy(value, s->exchanged, n);
    tl_wipe(s->exchanged, sizeof s->exchanged);
    s->exchanged_n = 0;
    return n;
}

tap_secrets *tap_secrets_new(void)
{
    static const tl_openssl_config slots = { .hash_slots = 32, .key_slots = 32 };
    tap_secrets *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->from = (pcap_interface){ .link = PCAP_LINK_SPDM_TCP };
    dump_keys_write(&s->keys, fmemopen(s->text, sizeof s->text, "w"), input, s);
    if (s->keys.to == NULL || tl_openssl_open(&slots, &s->backend) != TL_OK) {
        if (s->keys.to != NULL)
            (void)fclose(s->keys.to);
        free(s);
        return NULL;
    }
    setvbuf(s->keys.to, NULL, _IONBF, 0); /* no copy of a secret that nobody wipes */
    dump_spdm_init(&s->spdm, dump_link_of(PCAP_LINK_SPDM_TCP), s->backend, &s->silent, &s->keys);
    listening = s;
    return s;
}

void tap_secrets_free(tap_secrets *s)
{
    if (s == NULL)
        return;
    listening = NULL;
    dump_spdm_wipe(&s->spdm);
    tl_openssl_close(s->backend);
    (void)fclose(s->keys.to);
    tl_wipe(s, sizeof *s);
    free(s);
}

static tl_err exchange_end(void *ctx, tl_key own, tl_span peer_point, uint8_t *secret)
{
    tap_secrets *s = listening;
    tl_err e = s->exchange_end(ctx, own, peer_point, secret);

    s->exchanged_n = 0;
    if (e == TL_OK && peer_point.n / 2 <= sizeof s->exchanged) {
        s->exchanged_n = peer_point.n / 2; /* the shared x is as long as a coordinate */
        memcpy(s->exchanged, secret, s->exchanged_n);
    }
    return e;
}

const tl_crypto *tap_secrets_crypto(tap_secrets *s, const tl_crypto *crypto)
{
    s->ops = *crypto->ops;
    s->exchange_end = s->ops.exchange_end;
    s->ops.exchange_end = exchange_end;
    s->crypto = (tl_crypto){ &s->ops, crypto->ctx };
    return &s->crypto;
}

/* The requester's end learns the exchanged secret when it has this message, and not before. */
static bool waits_for_secret(const tap_secrets *s)
{
    const pcap_packet packet = {
        .from = &s->from, .p = (uint8_t *)(uintptr_t)s->waiting, .n = s->waiting_n, .wire_n = s->waiting_n
    };
    dump_unit unit;
    const char *why;

    return s->exchanged_n == 0 &&
           dump_link_take(dump_link_of(PCAP_LINK_SPDM_TCP), &packet, &unit, &why) == TL_OK &&
           unit.carried == DUMP_CLEAR && unit.n > 1 && unit.p[1] == TL_SPDM_KEY_EXCHANGE_RSP;
}

/* Computes what follows from the message that waited. */
static void take_waiting(tap_secrets *s)
{
    pcap_packet packet = { .number = ++s->messages, .from = &s->from, .p = s->waiting };
    dump_line line = { .telling = "" };

    packet.n = packet.wire_n = s->waiting_n;
    if (s->waiting_n > 0)
        dump_spdm_packet(&s->spdm, &packet, &line);
    tl_wipe(s->waiting, s->waiting_n); /* records were opened there */
    s->waiting_n = 0;
}

void tap_secrets_message(tap_secrets *s, tl_span message)
{
    take_waiting(s);
    if (message.n == 0 || message.n > sizeof s->waiting)
        return;
    memcpy(s->waiting, message.p, message.n);
    s->waiting_n = message.n;
    if (!waits_for_secret(s))
        take_waiting(s);
}

tl_span tap_secrets_lines(const tap_secrets *s)
{
    long n = ftell(s->keys.to);

    return tl_span_of(s->text, n > 0 ? (size_t)n : 0);
}

void tap_secrets_forget(tap_secrets *s)
{
    rewind(s->keys.to);
    tl_wipe(s->text, sizeof s->text);
}
