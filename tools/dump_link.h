/* What a packet of a capture carries: the message of MCTP or of SPDM over TCP, or the data object of PCIe DOE, without its
 * header. */
#ifndef TL_TOOLS_DUMP_LINK_H
#define TL_TOOLS_DUMP_LINK_H

#include "pcap.h"

#include <trueline/session.h>

typedef enum dump_carried { DUMP_OTHER = 0, DUMP_CLEAR, DUMP_SECURED } dump_carried;

typedef struct dump_unit {
    dump_carried carried;
    uint8_t type; /* as the link writes it */
    uint8_t *p;
    size_t n;
} dump_unit;

/* What the link decides of records and messages. */
typedef struct dump_link {
    uint32_t link;
    const char *name;
    tl_record_binding record;
    size_t pad_max;    /* zero bytes that may follow a message */
    bool typed_inside; /* application data of a record begins with a message type */
} dump_link;

/* NULL: a link type that carries no SPDM that is known. */
const dump_link *dump_link_of(uint32_t link);
/* Takes the headers off. On failure `why` says why: a static text. */
tl_err dump_link_take(const dump_link *link, const pcap_packet *packet, dump_unit *unit,
                      const char **why) TL_MUST_USE;
/* The SPDM message inside of a record's application data; false: it is something else. */
bool dump_link_inside(const dump_link *link, tl_span application, tl_span *message);

#endif
