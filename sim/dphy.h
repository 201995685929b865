/* How long a CSI-2 packet keeps a D-PHY busy. Each packet is a burst of its own:
 *
 *     LP-01      T_LPX          60 ns
 *     LP-00      T_HS-PREPARE   40 ns + 4 UI
 *     HS-0       T_HS-ZERO      105 ns + 6 UI
 *     sync                      8 UI
 *     bytes                     ceil(bytes / lanes) x 8 UI
 *     trail      T_HS-TRAIL     max(32 UI, 60 ns + 16 UI)
 *     LP-11      T_HS-EXIT      100 ns
 *
 * UI, the unit interval, is one bit on one lane. The times are the least ones that Linux sets for a D-PHY
 * (drivers/phy/phy-core-mipi-dphy.c, phy_mipi_dphy_get_default_config, which names its clause). */
#ifndef TL_SIM_DPHY_H
#define TL_SIM_DPHY_H

#include <stddef.h>
#include <stdint.h>

typedef struct tl_dphy {
    uint8_t lanes; /* 1 to 4; 0: none, and nothing takes time */
    uint32_t mbps; /* of each lane */
} tl_dphy;

/* Nanoseconds, rounded up, from leaving LP-11 until the next packet may leave it. */
uint64_t tl_dphy_packet_ns(const tl_dphy *dphy, size_t bytes);
/* Of these the ones beside the bytes. */
uint64_t tl_dphy_gap_ns(const tl_dphy *dphy);

#endif
