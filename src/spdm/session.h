/* What the exchanges of a session share: finding and ending sessions, TH, verify data, and the change of keys. */
#ifndef TL_SPDM_SESSION_H
#define TL_SPDM_SESSION_H

#include "spdm/spdm.h"

/* A session that is free, one that was asked for; NULL: there is none. */
tl_spdm_session *tl__session_free(const tl_spdm_connection *c);
tl_spdm_session *tl__session_asked(const tl_spdm_connection *c);
/* True if a session that is under way has this id. */
bool tl__session_known(const tl_spdm_connection *c, uint32_t id);
/* Our own half of an id: random, not 0, not in use. */
tl_err tl__session_half(const tl_spdm_connection *c, uint16_t *half) TL_MUST_USE;
/* Drops the session's handles and wipes it; it is free then. */
void tl__session_end(tl_spdm_connection *c, tl_spdm_session *s);

/* TH from its beginning to the answer's signature, which is not in it. */
tl_err tl__session_th(const tl_spdm_connection *c, tl_spdm_session *s, const uint8_t *chain_digest,
                      tl_span request, tl_span answer_signed) TL_MUST_USE;
/* From the exchanged secret and TH1, which s->th gives now: handshake secrets and record keys. */
tl_err tl__session_handshake(const tl_spdm_connection *c, tl_spdm_session *s, tl_span exchanged) TL_MUST_USE;
/* Verify data of a direction over th as it is now; as many bytes as the hash has. */
tl_err tl__session_verify_data(const tl_spdm_connection *c, const tl_spdm_session *s,
                               const tl_secret *direction, tl_hash th, uint8_t mac[TL_HASH_MAX]) TL_MUST_USE;
/* From TH2, which is th and the last message: data secrets, and the keys next in line. On an error nothing has changed. */
tl_err tl__session_application(const tl_spdm_connection *c, tl_spdm_session *s, tl_hash th,
                               tl_span finish_rsp) TL_MUST_USE;
/* Takes the keys next in line, forgets the handshake: established. */
void tl__session_establish(tl_spdm_connection *c, tl_spdm_session *s);
/* The key after the current one of a direction (KEY_UPDATE); the secret stays. On an error *next is none. */
tl_err tl__session_next(const tl_spdm_session *s, const tl_secret *direction,
                        tl_record_key *next) TL_MUST_USE;
/* Takes the next key in the place of the current one. */
void tl__session_switch(const tl_spdm_connection *c, tl_record_key *key, tl_record_key *next);

/* ---- secured_version.c: the opaque data of KEY_EXCHANGE (DSP0277 1.1, "Secured Messages opaque data") ---- */

enum { TL__SECURED_OPAQUE_MAX = 24 };

/* Writes the versions that we speak. */
void tl__secured_versions_write(tl_wr *out);
/* The highest version of a requester's list that we speak; TL_E_WIRE_*, or TL_E_POLICY: there is none. */
tl_err tl__secured_version_pick(tl_span opaque, uint16_t *version) TL_MUST_USE;
void tl__secured_selection_write(uint16_t version, tl_wr *out);
/* A responder's selection is one that we offered. */
tl_err tl__secured_selection_check(tl_span opaque) TL_MUST_USE;

#endif
