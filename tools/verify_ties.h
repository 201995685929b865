/* Does a stream's secret follow from a session of the same recording? Whoever has the session's secrets can compute it: the two
 * ends agreed on stream and epoch inside of the session, and the stream's secret is made of the session's export secret. What
 * sessions say is kept beside the epochs under which frames were opened, and at the end both are compared. */
#ifndef TL_TOOLS_VERIFY_TIES_H
#define TL_TOOLS_VERIFY_TIES_H

#include "agreement.h"
#include "dump_check.h"
#include "guarded.h"
#include "replay.h"

enum { VERIFY_TIES_MAX = 65536 }; /* agreements in a recording */

typedef enum verify_tie {
    VERIFY_GIVEN = 0, /* no session says anything of it */
    VERIFY_TIED,
    VERIFY_CONTRADICTS /* a session says another one */
} verify_tie;

/* An epoch under which a frame was opened. */
typedef struct verify_epoch {
    replay_border at;
    verify_tie tie;
    size_t session; /* which one says so, unless it is GIVEN */
} verify_epoch;

typedef struct verify_ties {
    verify_epoch *epochs; /* in the order of the file */
    size_t epoch_n;
    bool full; /* more agreements, or epochs, than there is room for */
    /* private */
    guarded said;
    size_t epoch_room;
} verify_ties;

/* Where something was said. */
typedef struct verify_session {
    size_t number; /* among the sessions of the recording */
    uint32_t section;
    const dump_session *from;
    const tl_crypto *crypto;
} verify_session;

/* A message of a session about a stream. */
void verify_ties_said(verify_ties *t, const verify_session *session, const agreement *a);
/* A frame was opened. */
void verify_ties_opened(verify_ties *t, const replay_border *at);
/* Compares each epoch's secret with what sessions say. */
void verify_ties_settle(verify_ties *t, const stream_keys *keys, uint16_t stream);
/* Wipes them. */
void verify_ties_close(verify_ties *t);

#endif
