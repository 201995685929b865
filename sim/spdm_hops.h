/* A controller and a sensor that speak SPDM over two hops of a world: the duel's ends, in the world's time. While they speak
 * everything else in the world goes on, too. */
#ifndef TL_SIM_SPDM_HOPS_H
#define TL_SIM_SPDM_HOPS_H

#include "spdm_duel.h"
#include "world.h"

/* What a parcel of these hops is (tl_parcel.kind). */
enum { TL_SPDM_SECURED = 1, TL_SPDM_MARK = 2 }; /* a record; times the mark of a hand's own request */

/* Zero, then delays, faults and hands as the test needs them, then open. */
typedef struct tl_spdm_hops {
    tl_hop requests, responses;
    /* private */
    tl_world *world;
    tl_duel *duel;
    tl_duel_link link;
} tl_spdm_hops;

void tl_spdm_hops_open(tl_spdm_hops *hops, tl_world *world);
/* Runs a script over the hops, as tl_duel_run does; who->link does not matter. The world's time is then when it ended. */
tl_err tl_spdm_hops_run(tl_spdm_hops *hops, tl_duel *duel, const tl_duel_world *who, tl_duel_script script,
                        tl_duel_result *result) TL_MUST_USE;
/* The name of a message in clear by its code ("KEY_EXCHANGE"), "?" if it has none. */
const char *tl_spdm_hops_name(uint8_t code);

#endif
