/* In picoseconds, as a unit interval is less than a nanosecond. */
#include "dphy.h"

enum { PS = 1000, BITS = 8 };
enum { LPX = 60, PREPARE = 40, PREPARE_UI = 4, ZERO = 105, ZERO_UI = 6, SYNC_UI = 8 };
enum { TRAIL_LEAST_UI = 32, TRAIL = 60, TRAIL_UI = 16, EXIT = 100 };

static uint64_t unit_ps(const tl_dphy *d)
{
    return (1000000 + d->mbps - 1) / d->mbps;
}

static uint64_t around_ps(uint64_t ui)
{
    const uint64_t least = TRAIL_LEAST_UI * ui, trail = (uint64_t)TRAIL * PS + TRAIL_UI * ui;

    return (uint64_t)(LPX + PREPARE + ZERO + EXIT) * PS + (PREPARE_UI + ZERO_UI + SYNC_UI) * ui +
           (trail > least ? trail : least);
}

static uint64_t ns_of(uint64_t ps)
{
    return (ps + PS - 1) / PS;
}

uint64_t tl_dphy_gap_ns(const tl_dphy *d)
{
    return d->lanes == 0 || d->mbps == 0 ? 0 : ns_of(around_ps(unit_ps(d)));
}

uint64_t tl_dphy_packet_ns(const tl_dphy *d, size_t bytes)
{
    uint64_t ui;

    if (d->lanes == 0 || d->mbps == 0)
        return 0;
    ui = unit_ps(d);
    return ns_of(around_ps(ui) + (bytes + d->lanes - 1) / d->lanes * BITS * ui);
}
