/* SPDM on one interface of a capture: messages told, records opened where their keys are known, everything computed again
 * where there is a file of secrets. */
#ifndef TL_TOOLS_DUMP_SPDM_H
#define TL_TOOLS_DUMP_SPDM_H

#include "dump_check.h"
#include "dump_fields.h"

typedef struct dump_spdm {
    /* private */
    const dump_link *link;
    dump_context context;
    dump_check check;
    bool checking;
    bool expects_response; /* of a record: the last message was a request */
} dump_spdm;

/* link: what dump_link_of gave. keys: NULL, nothing is checked. All of them outlive it. */
void dump_spdm_init(dump_spdm *d, const dump_link *link, tl_openssl *backend, dump_report *report,
                    dump_keys *keys);
/* It is told of sessions from now on, and outlives it. */
void dump_spdm_listen(dump_spdm *d, const dump_listener *listener);
/* A packet of the interface; `line` has its offset and time. */
void dump_spdm_packet(dump_spdm *d, const pcap_packet *packet, dump_line *line);
void dump_spdm_wipe(dump_spdm *d);

#endif
