/* A whole set-up in a few lines: sensors, what is between, a controller; built from a description, run from a seed.
 *
 *     tl_rig_plan plan = tl_rig_plan_default(crypto);
 *     plan.sensors = 4;
 *     plan.far.loss = 1000;                    one of a thousand packets is lost behind the aggregator
 *     tl_rig *rig = tl_rig_new(&plan, seed);   rig->err says whether all of it could be opened
 *     tl_rig_run(rig);
 *     if (!tl_rig_holds(rig)) puts(rig->books.wrong);
 *     tl_rig_free(rig);
 *
 *     sensor 1 --near--> aggregator --far--> controller            with one sensor there is no aggregator, and no near
 *     sensor 2 --near-->     |                                     hop: the sensor stands on the far one
 *     sensor 3 --near-->     |
 *
 * Bridges between the carriers, if there are any, stand on the far side: far--> to FSED --last--> or
 * far--> to FSED --middle--> to SEP --last--> controller. */
#ifndef TL_SIM_RIG_H
#define TL_SIM_RIG_H

#include "nodes.h"

/* The bridges of a rig with one sensor, whose stream is SEP. */
typedef enum tl_rig_bridges { TL_RIG_NONE = 0, TL_RIG_TO_FSED, TL_RIG_TO_FSED_AND_BACK } tl_rig_bridges;

/* Sensor n (from 0) sends stream config.stream + n, on virtual channel config.virtual_channel; behind the aggregator on channel
 * n % 4. */
typedef struct tl_rig_plan {
    const tl_crypto *crypto;
    unsigned sensors; /* 1 to 16 */
    tl_rig_bridges bridges;
    tl_stream_config config;                /* of each stream */
    uint32_t frames;                        /* of each sensor */
    uint64_t interval_ns, line_ns, skew_ns; /* sensor n begins n times the skew later */
    tl_dphy near_dphy, far_dphy;
    uint64_t near_delay_ns, far_delay_ns;
    tl_faults near, far, middle, last;
    tl_hand near_hand, far_hand; /* the near one is on all near hops */
    tl_sim_clock clock;          /* of the sensors */
    bool anchored; /* the controller knows the sensors' clocks at the beginning, to anchor_error_us */
    uint32_t anchor_error_us;
    uint64_t tick_ns;
    tl_digest
        session;   /* the keys come from the export master secret of a session; empty: from a fixed secret */
    uint64_t salt; /* another session: other fresh bytes, and other pictures */
    /* each stream changes its key, inside of frames: after so many of them, and again after so many; 0: never */
    uint32_t rekey_frames;
    FILE *trace;
} tl_rig_plan;

/* Small frames: two embedded lines, 20 lines of RAW12, one embedded line, each message with a tag, pixels encrypted; 10 frames,
 * one each 33 ms, over two lanes of 800 Mbit/s. */
tl_rig_plan tl_rig_plan_default(const tl_crypto *crypto);

struct tl_rig;

/* The keys of one stream, at both ends: first the controller has the next one, then the sensor. No other is put in place before
 * a frame under it has begun there. */
typedef struct tl_rig_keys {
    struct tl_rig *rig;
    unsigned n;
    tl_key_source sender, receiver;
    uint32_t epoch; /* the last one that was put in place */
    tl_err err;     /* the first one of putting it there */
} tl_rig_keys;

typedef struct tl_rig {
    tl_rig_plan plan;
    tl_world *world;
    tl_books books;
    tl_err err; /* of opening it */
    tl_sim_sensor sensors[TL_AGGREGATED_MOST];
    tl_sim_aggregator aggregator;
    tl_sim_bridge bridges[2];
    tl_sim_controller controller;
    tl_hop near[TL_AGGREGATED_MOST], far, middle, last;
    tl_rig_keys keys[TL_AGGREGATED_MOST];
    char names[TL_AGGREGATED_MOST][32];
} tl_rig;

/* Never NULL. */
tl_rig *tl_rig_new(const tl_rig_plan *plan, uint64_t seed);
/* To the end: all frames sent and whatever comes of them over, time-outs included. */
void tl_rig_run(tl_rig *rig);
/* The secret of stream n's keys from the beginning, once more: what somebody has who learned it. */
tl_err tl_rig_source(const tl_rig *rig, unsigned n, tl_key_source *source) TL_MUST_USE;
/* The controller holds a next key of stream n, and no frame has begun under it: its change is under way. */
bool tl_rig_changes_keys(const tl_rig *rig, unsigned n);
/* Whether all that was said was true (books.h), and no call failed. */
bool tl_rig_holds(tl_rig *rig);
/* The sum of a counter over all streams: tl_rig_verdicts(rig, TL_VERDICT_CRC16). */
uint64_t tl_rig_verdicts(const tl_rig *rig, tl_verdict verdict);
void tl_rig_free(tl_rig *rig);

#endif
