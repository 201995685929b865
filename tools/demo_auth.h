/* The demo's part on authentication: keys and references for its sessions, then everybody who is not who he should be, and the
 * attacker on every message of SPDM. */
#ifndef TL_TOOLS_DEMO_AUTH_H
#define TL_TOOLS_DEMO_AUTH_H

#include "attack_spdm.h"
#include "demo_steps.h"
#include "fault.h"
#include "stream_file.h"

enum { DEMO_AUTH_PATH = 640, DEMO_AUTH_ROWS = 48 };

/* A line of the table: one pretender, or all attacks on one message. */
typedef struct demo_auth_row {
    const char *how; /* "processes", "in process" */
    char text[100], seen[100];
    size_t attacks, noticed, harmless; /* noticed: ended as it must, harmless ones among them */
    int latest;                        /* step that noticed latest, in their order */
} demo_auth_row;

typedef struct demo_auth {
    char folder[DEMO_AUTH_PATH], keys[DEMO_AUTH_PATH], foreign[DEMO_AUTH_PATH], reference[DEMO_AUTH_PATH],
        small_reference[DEMO_AUTH_PATH];
    demo_auth_row rows[DEMO_AUTH_ROWS];
    size_t rows_n, attacks, noticed;
} demo_auth;

/* Makes keys, a second root with keys, bad leaves, and references: of `geometry`, and of a small one. */
tl_exit demo_auth_prepare(demo_auth *a, const char *folder, const stream_file *geometry, const char *version,
                          tl_fault *fault) __attribute__((warn_unused_result));
/* Sensors and controllers as processes, one of them a pretender each time: the other must refuse it, exit code 3. */
tl_exit demo_auth_people(demo_auth *a, demo_steps *steps, tl_fault *fault)
    __attribute__((warn_unused_result));
/* All rows of attacks_spdm.def, on both engines in this process. */
tl_exit demo_auth_messages(demo_auth *a, demo_steps *steps, tl_fault *fault)
    __attribute__((warn_unused_result));
/* The table, and the same for report.json. */
void demo_auth_print(const demo_auth *a, FILE *to);
json_t *demo_auth_json(const demo_auth *a);

#endif
