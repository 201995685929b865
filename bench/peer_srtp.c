/* libsrtp2 comes in builds that differ in what computes AES for them, and that decides their speed. The name of this peer
 * says which one is loaded. */
#include "peer_srtp.h"

#include <srtp2/srtp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 12, SSRC = 0x54524C4E };

/* Only libsrtp2 asks for NSS in this program, so if it is there it is libsrtp2's. */
static const char *name(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    bool nss = false;

    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        nss |= strstr(line, "/libnss3.so") != NULL;
    if (maps != NULL)
        (void)fclose(maps);
    return nss ? "libsrtp2-nss" : "libsrtp2";
}

static srtp_t session(srtp_ssrc_type_t type)
{
    static uint8_t key[SRTP_AES_GCM_128_KEY_LEN_WSALT] = { 1, 2, 3 };
    srtp_policy_t policy;
    srtp_t s = NULL;

    memset(&policy, 0, sizeof policy);
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    policy.ssrc.type = type;
    policy.key = key;
    return srtp_create(&s, &policy) == srtp_err_status_ok ? s : NULL;
}

/* The next packet's header: version 2, payload type 96, sequence number, source. */
static uint8_t *next_packet(peer_srtp *p, unsigned i)
{
    const uint8_t header[HEADER] = {
        0x80, 96, (uint8_t)(p->sequence >> 8), (uint8_t)p->sequence, 0, 0, 0, 0, 0x54, 0x52, 0x4C, 0x4E
    };

    p->sequence++;
    return memcpy(p->memory + i * p->slot, header, HEADER);
}

void peer_srtp_protect(void *peer)
{
    peer_srtp *p = peer;

    for (unsigned i = 0; i < p->n; i++) {
        int n = HEADER + (int)p->payload_n;

        p->failed |= srtp_protect(p->session, next_packet(p, i), &n) != srtp_err_status_ok;
    }
}

bool peer_srtp_works(peer_srtp *p)
{
    uint8_t *packet = p->memory, *text = malloc(p->slot);
    srtp_t other = session(ssrc_any_inbound);
    int n = HEADER + (int)p->payload_n;
    bool good = text != NULL && other != NULL;

    if (good) {
        memcpy(text, next_packet(p, 0), (size_t)n);
        good = srtp_protect(p->session, packet, &n) == srtp_err_status_ok &&
               memcmp(packet + HEADER, text + HEADER, p->payload_n) != 0 &&
               srtp_unprotect(other, packet, &n) == srtp_err_status_ok && n == HEADER + (int)p->payload_n &&
               memcmp(packet, text, (size_t)n) == 0;
    }
    if (other != NULL)
        (void)srtp_dealloc(other);
    free(text);
    return good;
}

bool peer_srtp_open(peer_srtp *p, size_t payload_n, unsigned n)
{
    *p = (peer_srtp){ .name = name(), .payload_n = payload_n, .n = n };
    p->slot = (HEADER + payload_n + SRTP_MAX_TRAILER_LEN + 63) / 64 * 64;
    p->memory = calloc(n, p->slot);
    if (srtp_init() == srtp_err_status_ok)
        p->session = session(ssrc_any_outbound);
    if (p->session != NULL && p->memory != NULL)
        return true;
    peer_srtp_close(p);
    return false;
}

void peer_srtp_close(peer_srtp *p)
{
    if (p->session != NULL)
        (void)srtp_dealloc(p->session);
    (void)srtp_shutdown();
    free(p->memory);
    p->session = NULL;
    p->memory = NULL;
}
