/* A world in virtual time. Things happen one after the other, at moments that are nanoseconds since the world began; between
 * two of them no time passes in reality. Everything that is left to chance comes from one seed, so a world that was built in
 * the same way does the same again.
 *
 * What travels in it are parcels: the bytes of a packet or of a message, with a note of what they were when they were sent. A
 * hop carries parcels from one neighbour to the next, in one direction, and may lose, repeat, delay and damage them; whoever
 * has a hand on the hop sees each of them, and may do as he likes. The note is the world's own: no end reads it, and in the
 * end it tells whether what the ends said was true.
 *
 * Without memory the program ends with a message. */
#ifndef TL_SIM_WORLD_H
#define TL_SIM_WORLD_H

#include <stdio.h>

#include <trueline/base.h>

#include "dphy.h"

enum { TL_MS = 1000000, TL_US = 1000 }; /* in nanoseconds */
enum { TL_MILLION = 1000000 };

typedef struct tl_world tl_world;

tl_world *tl_world_new(uint64_t seed);
/* What has not happened by now will not; parcels under way are given back. */
void tl_world_free(tl_world *world);

uint64_t tl_world_ns(const tl_world *world);
uint64_t tl_world_ms(const tl_world *world);

/* Calls `call` when the time has come; at once, behind what happens now, if it has passed. */
void tl_world_at(tl_world *world, uint64_t ns, void (*call)(void *ctx), void *ctx);
/* Lets the next thing happen. False: nothing is left. */
bool tl_world_step(tl_world *world);
/* Lets everything happen until then; the time is then `until_ns`. */
void tl_world_run(tl_world *world, uint64_t until_ns);
/* Lets everything happen until then or until `until` says so, whatever comes first. */
void tl_world_wait(tl_world *world, uint64_t until_ns, bool (*until)(void *ctx), void *ctx);

/* Memory that is zero, for whoever is in a world; free gives it back. */
void *tl_world_get(size_t n);

/* Chance. */
uint64_t tl_world_random(tl_world *world);
size_t tl_world_below(tl_world *world, size_t limit); /* limit is not 0 */
bool tl_world_chance(tl_world *world, uint32_t per_million);

/* Prints a line for each parcel on each hop: moment, hop, bytes, what it is, what became of it. NULL: nothing. */
void tl_world_trace(tl_world *world, FILE *out);
/* A line of somebody else's in the same list, with the moment in front. */
void tl_world_say(tl_world *world, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* ---- parcels ---- */

/* What was done to a parcel, by chance or by a hand. */
enum {
    TL_FATE_LOST = 1,
    TL_FATE_TWICE = 2,   /* this one is the copy */
    TL_FATE_MOVED = 4,   /* came so late that others overtook it */
    TL_FATE_DAMAGED = 8, /* bits of it are wrong */
    TL_FATE_FORGED = 16  /* a hand has changed it, put it there or taken it */
};

/* What the bytes were when they were sent. Whoever hands a parcel on keeps the note. */
typedef struct tl_note {
    uint16_t stream; /* 0: of no stream */
    uint32_t frame;
    uint32_t place; /* among the frame's packets */
    uint8_t data_type, virtual_channel;
    uint16_t word_count;
    uint64_t digest; /* of the payload */
} tl_note;

typedef struct tl_parcel {
    uint8_t *p;
    size_t n;
    uint32_t kind; /* the sender's own word about it; travels unharmed */
    unsigned fate;
    unsigned told; /* the part of its fate that the books know */
    tl_note note;
} tl_parcel;

/* ---- hops ---- */

/* What chance does: so many of a million parcels each. */
typedef struct tl_faults {
    uint32_t loss, twice;
    uint32_t moved; /* held back for moved_ns */
    uint32_t flips; /* one to three bits, anywhere */
    uint32_t burst; /* up to 32 neighbouring bits are random */
    uint64_t moved_ns;
    uint64_t jitter_ns; /* each is up to so much later, but overtakes none */
} tl_faults;

struct tl_hop;

/* A hand sees each parcel in place of the hop, and calls for what shall go on: tl_hop_pass for the parcel as it is now,
 * tl_hop_put for one of its own. */
typedef struct tl_hand {
    void *ctx;
    void (*parcel)(void *ctx, struct tl_hop *hop, tl_parcel *parcel);
} tl_hand;

/* Fill in what stands above the line. */
typedef struct tl_hop {
    const char *name;  /* "sensor 1 > aggregator" */
    uint64_t delay_ns; /* from the last bit sent to the last bit there */
    tl_dphy dphy;      /* lanes 0: bits take no time */
    tl_faults faults;
    tl_hand hand;
    void *ctx; /* of the next neighbour, who may change the bytes and does not keep them */
    void (*take)(void *ctx, const tl_parcel *parcel);
    /* NULL, or: who keeps the books of what is done to parcels */
    void *books;
    void (*fate)(void *books, const tl_parcel *parcel, unsigned fate);
    /* writes what the bytes are, for the trace; NULL: nothing is written */
    void (*describe)(const tl_parcel *parcel, char *text, size_t room);
    /* ---- the hop's own ---- */
    tl_world *world;
    uint64_t free_ns; /* the wire is busy until then */
    uint64_t last_ns; /* when the last one arrives */
    uint64_t sent, arrived;
} tl_hop;

void tl_hop_open(tl_hop *hop, tl_world *world);
/* Sends a copy of the bytes. */
void tl_hop_send(tl_hop *hop, tl_span bytes, uint32_t kind, const tl_note *note);
/* Sends on what came over another hop, with its note and what was done to it there. */
void tl_hop_pass_on(tl_hop *hop, const tl_parcel *parcel);
/* For hands. A parcel that is passed on changed must say so in its fate. */
void tl_hop_pass(tl_hop *hop, const tl_parcel *parcel);
/* A parcel of the hand's own, `later_ns` after its turn. note NULL: of no stream. */
void tl_hop_put(tl_hop *hop, tl_span bytes, uint32_t kind, const tl_note *note, uint64_t later_ns);
/* Tells the books, and the trace, what a hand has done to a parcel that it does not pass on. */
void tl_hop_taken(tl_hop *hop, const tl_parcel *parcel);

#endif
