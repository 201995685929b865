/* What an SPDM session is made of, usable on its own: the key schedule of DSP0274 and the records of DSP0277.
 *
 * A requester or a responder uses these inside; an analyser that has the secrets uses them to compute everything again.
 * Secrets are bytes in the caller's structs, and the caller wipes them. */
#ifndef TRUELINE_SESSION_H
#define TRUELINE_SESSION_H

#include <trueline/crypto.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- key schedule (DSP0274 1.3, "Session key derivation") ---- */

/* What every derivation depends on. version is the negotiated one: 0x12 for 1.2. */
typedef struct tl_schedule {
    const tl_crypto *crypto;
    uint8_t version;
    tl_hash_alg hash;
    tl_suite aead; /* AES-GCM suites of algs.def */
} tl_schedule;

/* A secret of the schedule: as many bytes as the hash has. */
typedef struct tl_secret {
    uint8_t bytes[TL_HASH_MAX];
} tl_secret;

typedef struct tl_handshake_secrets {
    tl_secret handshake, request, response;
} tl_handshake_secrets;

typedef struct tl_application_secrets {
    tl_secret master, request, response, export_master;
} tl_application_secrets;

/* From the exchanged secret and TH1. On an error the result is zeroized, here and below. */
tl_err tl_schedule_handshake(const tl_schedule *s, tl_span exchanged, tl_span th1,
                             tl_handshake_secrets *secrets) TL_MUST_USE;
/* From the handshake secret and TH2. */
tl_err tl_schedule_application(const tl_schedule *s, const tl_secret *handshake, tl_span th2,
                               tl_application_secrets *secrets) TL_MUST_USE;
/* One direction's finished key, from its handshake secret. */
tl_err tl_schedule_finished_key(const tl_schedule *s, const tl_secret *direction, tl_secret *key) TL_MUST_USE;
/* ResponderVerifyData or RequesterVerifyData: HMAC under the direction's finished key over a transcript hash.
 * mac takes as many bytes as the hash has. */
tl_err tl_schedule_verify_data(const tl_schedule *s, const tl_secret *direction, tl_span transcript_hash,
                               uint8_t *mac) TL_MUST_USE;
/* The next secret of a direction, in place (KEY_UPDATE). Unchanged on an error. */
tl_err tl_schedule_update(const tl_schedule *s, tl_secret *direction) TL_MUST_USE;

/* ---- records (DSP0277 1.1, "Secured Message format") ---- */

/* What a transport binding decides. */
typedef struct tl_record_binding {
    uint8_t sequence_size; /* bytes of the sequence number in a record: 0 or 2 */
    uint8_t pad_max;       /* a sender adds 1..pad_max random bytes; 0: none. A receiver takes any number */
} tl_record_binding;

/* One direction's key with its sequence number. Moved, never copied, as all that sends under a key. */
typedef struct tl_record_key {
    /* private */
    tl_key handle;
    uint8_t iv[TL_NONCE_SIZE];
    uint64_t sequence; /* of the next record */
    bool held;
} tl_record_key;

/* Key and IV of a direction, from its handshake or data secret; the sequence number starts at 0. An older key in *key
 * must have been dropped. */
tl_err tl_record_key_derive(const tl_schedule *s, const tl_secret *direction, tl_record_key *key) TL_MUST_USE;
/* The bytes of key (as many as the suite's) and IV (12), for analysers that show them. */
tl_err tl_record_key_bytes(const tl_schedule *s, const tl_secret *direction, uint8_t *key,
                           uint8_t iv[TL_NONCE_SIZE]) TL_MUST_USE;
void tl_record_key_drop(tl_record_key *key, const tl_crypto *crypto);

enum {
    TL_RECORD_TAG = 16,
    TL_RECORD_PAD_MAX = 32,
    TL_RECORD_OVERHEAD =
        4 + 2 + 2 + 2 + TL_RECORD_PAD_MAX + TL_RECORD_TAG, /* at most, around application data */
    TL_RECORD_APPLICATION_MAX = 65535 - 2 - TL_RECORD_PAD_MAX - TL_RECORD_TAG
};

/* Writes a record around the application data, which must not overlap out. TL_E_LIMIT: the sequence numbers are used up.
 * TL_E_ROOM and TL_E_USAGE spend no number; after a backend's error the number is spent. */
tl_err tl_record_seal(const tl_schedule *s, tl_record_key *key, const tl_record_binding *binding,
                      uint32_t session_id, tl_span application, tl_wr *out) TL_MUST_USE;
/* The same in two steps, for application data that is written in place: begin writes the record's head to out, the caller
 * writes the application data behind it, end pads and encrypts. On end's error all of it is wiped and out is at start. */
tl_err tl_record_begin(const tl_record_key *key, const tl_record_binding *binding, uint32_t session_id,
                       tl_wr *out, size_t *start) TL_MUST_USE;
tl_err tl_record_end(const tl_schedule *s, tl_record_key *key, const tl_record_binding *binding, size_t start,
                     tl_wr *out) TL_MUST_USE;
/* Reads the session id that a record names; TL_E_WIRE_SHORT. */
tl_err tl_record_session(tl_span record, uint32_t *session_id) TL_MUST_USE;
/* Opens a whole record, decrypted in place; *application is a view of it. The sequence number moves on only if the tag is
 * right. TL_E_WIRE_*: malformed, TL_E_WIRE_VALUE: another session or another sequence number, TL_E_TAG: the tag is wrong. */
tl_err tl_record_open(const tl_schedule *s, tl_record_key *key, const tl_record_binding *binding,
                      uint32_t session_id, tl_buffer record, tl_span *application) TL_MUST_USE;

#ifdef __cplusplus
}
#endif

#endif
