/* Who stands between the hops: sensors, aggregators, bridges between the carriers, a controller. Each is the library's own
 * end, fed by the world. They stay where they are once they are open. */
#ifndef TL_SIM_NODES_H
#define TL_SIM_NODES_H

#include <trueline/bridge.h>
#include <trueline/group.h>

#include "books.h"
#include "dma.h"

/* Describes a CSI-2 packet for the trace. */
void tl_describe_csi2(const tl_parcel *parcel, char *text, size_t room);

/* Bytes of the longest line of that data type; 0: of any. */
size_t tl_sim_longest(const tl_stream_config *config, uint8_t data_type);

/* ---- sensor ---- */

/* A clock that runs by its own quartz. */
typedef struct tl_sim_clock {
    uint64_t ahead_us; /* of the world's time when that began */
    int32_t drift_ppm;
} tl_sim_clock;

uint64_t tl_sim_clock_us(const tl_sim_clock *clock, const tl_world *world);

/* Fill in what stands above the line. */
typedef struct tl_sim_sensor {
    tl_hop *out;
    tl_stream_config config;
    uint32_t frames;      /* that it sends, then it is silent */
    uint64_t start_ns;    /* of the first one */
    uint64_t interval_ns; /* from begin to begin */
    uint64_t line_ns;     /* from line to line, blanking included; 0: as fast as the hop is */
    tl_sim_clock clock;
    /* ---- */
    tl_world *world;
    tl_books *books;
    tl_book *book;
    tl_book_frame *open;
    tl_stream_tx tx;
    tl_tx_edge edge;
    uint8_t *metadata, *buffer;
    uint32_t sent, place;
    unsigned part;
    uint32_t row;
} tl_sim_sensor;

/* Takes epoch `epoch` of the source; frames begin to come when the world reaches start_ns. */
tl_err tl_sim_sensor_open(tl_sim_sensor *sensor, tl_books *books, tl_key_source *source,
                          uint32_t epoch) TL_MUST_USE;
void tl_sim_sensor_close(tl_sim_sensor *sensor);

/* ---- aggregator ---- */

enum { TL_AGGREGATED_MOST = 16 };

struct tl_sim_aggregator;

/* One of its inputs: virtual channel n becomes channels[n]. */
typedef struct tl_sim_input {
    struct tl_sim_aggregator *aggregator;
    uint8_t channels[TL_CSI2_CHANNELS];
} tl_sim_input;

/* Several links become one, packets in the order in which they come. It knows no protection. A packet whose header it cannot
 * read goes nowhere, as such hardware has it. */
typedef struct tl_sim_aggregator {
    tl_hop *out;
    tl_sim_input inputs[TL_AGGREGATED_MOST];
    size_t n;
} tl_sim_aggregator;

/* One more input, a hop that is not open yet: all of its packets leave on that virtual channel. */
void tl_sim_aggregator_input(tl_sim_aggregator *aggregator, tl_hop *in, uint8_t channel);

/* ---- bridge between the carriers ---- */

typedef struct tl_sim_bridge {
    tl_hop *out;
    tl_bridge bridge;
    uint8_t *memory;
    unsigned taint; /* what was done to any packet of the frame at hand: all that it gives may come of it */
} tl_sim_bridge;

tl_err tl_sim_bridge_open(tl_sim_bridge *bridge, const tl_stream_config *config, tl_bridge_way way,
                          tl_hop *in) TL_MUST_USE;
void tl_sim_bridge_close(tl_sim_bridge *bridge);

/* ---- controller ---- */

/* One stream of it. */
typedef struct tl_sim_sink {
    struct tl_sim_controller *controller;
    tl_book *book;
    tl_stream_config config;
    tl_stream_rx rx;
    uint8_t *memory;
    /* FSED: the unaware receiver in front of it */
    tl_dma dma;
    uint8_t *rows;
} tl_sim_sink;

/* A group for SEP; for FSED a plain CSI-2 receiver in front of each stream. */
typedef struct tl_sim_controller {
    tl_world *world;
    tl_books *books;
    uint64_t tick_ns;  /* how often time is told; 0: 1 ms */
    uint64_t until_ns; /* and until when */
    tl_stream_group group;
    tl_group_slot slots[2 * TL_BOOKS_STREAMS];
    tl_sim_sink *sinks[TL_BOOKS_STREAMS];
    size_t n;
    /* NULL, or: sees each event after the books */
    void *ctx;
    void (*event)(void *ctx, tl_sim_sink *sink, const tl_stream_event *event);
    tl_err err; /* the first one that a call gave */
} tl_sim_controller;

tl_err tl_sim_controller_open(tl_sim_controller *controller, tl_books *books, const tl_crypto *crypto,
                              tl_hop *in) TL_MUST_USE;
/* One more stream. Its book must be there: the sensor is opened first. */
tl_err tl_sim_controller_add(tl_sim_controller *controller, const tl_stream_config *config,
                             tl_key_source *source, uint32_t epoch) TL_MUST_USE;
tl_sim_sink *tl_sim_controller_find(const tl_sim_controller *controller, uint16_t stream);
void tl_sim_controller_close(tl_sim_controller *controller);

#endif
