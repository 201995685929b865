/* Bindings as recordings show them.
 *
 *   MCTP      packet header 4 | message type 1 | message; types 5 and 6 are SPDM and records (DSP0275, 0276)
 *   PCIe DOE  vendor 2 | object type 1 | reserved 1 | dwords 4 | object, padded to dwords; types 1 and 2
 *   TCP       DSP0287's header | message */
#include "dump_link.h"

#include <trueline/transport.h>

enum {
    MCTP_HEADER = 4,
    MCTP_SPDM = 5,
    MCTP_SECURED = 6,
    DOE_HEADER = 8,
    DOE_SPDM = 1,
    DOE_SECURED = 2,
    PCI_SIG = 1
};

static const dump_link links[] = {
    { PCAP_LINK_MCTP, "MCTP", { .sequence_size = 2, .pad_max = 0 }, 0, true },
    { PCAP_LINK_DOE, "PCIe DOE", { .sequence_size = 0, .pad_max = 0 }, 3, false },
    { PCAP_LINK_SPDM_TCP, "SPDM over TCP", { .sequence_size = 0, .pad_max = 0 }, 0, false },
};

const dump_link *dump_link_of(uint32_t link)
{
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (links[i].link == link)
            return &links[i];
    return NULL;
}

static tl_err take_mctp(tl_rd *r, dump_unit *unit, const char **why)
{
    (void)tl_take(r, MCTP_HEADER);
    unit->type = (uint8_t)tl_get(r, 1, TL_LITTLE);
    *why = "shorter than an MCTP header";
    if (unit->type == MCTP_SPDM || unit->type == MCTP_SECURED)
        unit->carried = unit->type == MCTP_SPDM ? DUMP_CLEAR : DUMP_SECURED;
    return r->bad ? TL_E_WIRE_SHORT : TL_OK;
}

static tl_err take_doe(tl_rd *r, size_t n, dump_unit *unit, const char **why)
{
    uint64_t vendor = tl_get(r, 2, TL_LITTLE), dwords;

    unit->type = (uint8_t)tl_get(r, 1, TL_LITTLE);
    (void)tl_get(r, 1, TL_LITTLE);
    dwords = tl_get(r, 4, TL_LITTLE);
    *why = "shorter than a DOE header";
    if (r->bad)
        return TL_E_WIRE_SHORT;
    if (dwords == 0) /* the field has 18 bits */
        dwords = 1 << 18;
    *why = "a DOE length that is not the packet's";
    if (dwords * 4 != n)
        return TL_E_WIRE_VALUE;
    if (vendor == PCI_SIG && (unit->type == DOE_SPDM || unit->type == DOE_SECURED))
        unit->carried = unit->type == DOE_SPDM ? DUMP_CLEAR : DUMP_SECURED;
    return TL_OK;
}

/* A record says how long it is; what pads it to dwords goes. */
static void trim_record(const dump_link *link, dump_unit *unit)
{
    tl_rd r = tl_rd_of(tl_span_of(unit->p, unit->n));
    uint64_t length;

    (void)tl_take(&r, 4 + (size_t)link->record.sequence_size);
    length = tl_get(&r, 2, TL_LITTLE);
    if (!r.bad && r.n >= length && r.n - length <= link->pad_max)
        unit->n -= r.n - (size_t)length;
}

static tl_err take_tcp(const pcap_packet *packet, dump_unit *unit, const char **why)
{
    tl_carried m;
    tl_err e = tl_tcp_decode(packet->p, packet->n, &m);

    *why = "no message of SPDM over TCP";
    if (e != TL_OK)
        return e;
    unit->type = (uint8_t)m.kind;
    if (m.kind == TL_CARRIED_CLEAR || m.kind == TL_CARRIED_SECURED)
        unit->carried = m.kind == TL_CARRIED_CLEAR ? DUMP_CLEAR : DUMP_SECURED;
    unit->p = m.p;
    unit->n = m.n;
    return TL_OK;
}

tl_err dump_link_take(const dump_link *link, const pcap_packet *packet, dump_unit *unit, const char **why)
{
    tl_rd r = tl_rd_of(tl_span_of(packet->p, packet->n));

    *unit = (dump_unit){ 0 };
    *why = "it was not recorded whole";
    if (packet->n < packet->wire_n)
        return TL_E_WIRE_SHORT;
    if (link->link == PCAP_LINK_SPDM_TCP)
        return take_tcp(packet, unit, why);
    if (link->link == PCAP_LINK_MCTP)
        TL_TRY(take_mctp(&r, unit, why));
    else
        TL_TRY(take_doe(&r, packet->n, unit, why));
    unit->n = r.n;
    unit->p = packet->p + (packet->n - r.n);
    if (unit->carried == DUMP_SECURED)
        trim_record(link, unit);
    return TL_OK;
}

bool dump_link_inside(const dump_link *link, tl_span application, tl_span *message)
{
    tl_rd r = tl_rd_of(application);

    if (link->link == PCAP_LINK_SPDM_TCP) /* the header stands inside of the record, too */
        return tl_transport_tcp.binding.unwrap(application, message) == TL_OK;
    if (link->typed_inside && tl_get(&r, 1, TL_LITTLE) != MCTP_SPDM)
        return false;
    *message = tl_rd_rest(&r);
    return message->n > 0 && message->p[0] >> 4 == 1;
}
