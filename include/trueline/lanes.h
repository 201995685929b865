/* The data plane's crypto backend: stream keys, tags, encryption and checksums by kernels of our own, everything
 * else by another backend behind it.
 *
 * It lives in the caller's memory, with no heap and no globals, and needs mem* alone, so that it serves firmware
 * too. What does the work is a level: one set of kernels for one kind of processor. No level has a branch or a
 * table that depends on a key or on an encrypted payload. */
#ifndef TRUELINE_LANES_H
#define TRUELINE_LANES_H

#include <trueline/crypto.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Levels. One that was not built in, or that this processor or its operating system lacks, is not here. */
typedef enum tl_lanes_level {
    TL_LANES_BEST = 0, /* the fastest that is here */
    TL_LANES_SOFT,     /* portable C, constant time */
    TL_LANES_ARMV8,    /* ARMv8 with AES and PMULL */
    TL_LANES_AESNI,    /* x86-64 with AES-NI and PCLMULQDQ */
    TL_LANES_VAES,     /* x86-64 with AVX-512, VAES, VPCLMULQDQ, GFNI */
    TL_LANES_LEVELS    /* how many values there are */
} tl_lanes_level;

/* "soft", "armv8", "aesni", "vaes"; of TL_LANES_BEST that of the level it stands for. NULL if it is none. */
const char *tl_lanes_level_name(tl_lanes_level level);
/* Can it be had here? TL_LANES_BEST: always. */
bool tl_lanes_level_here(tl_lanes_level level);

enum {
    TL_LANES_KEY_STATE = 3200, /* bytes of a key as a level expands it */
    TL_LANES_MAC_ROOM = 1024,  /* bytes that a running MAC gathers before it works */
    TL_LANES_WIDTH = 16,       /* messages that are worked on side by side, at most */
    TL_LANES_STAGE = 256,      /* bytes of a message gathered at once where it lies in pieces */
    TL_LANES_ALIGN = 64        /* of tl_lanes_key and tl_lanes: the objects' addresses are multiples of it */
};

#if defined(__GNUC__)
#define TL_LANES_ALIGNED __attribute__((aligned(64)))
#else
#define TL_LANES_ALIGNED
#endif

/* A slot for one stream key. */
typedef struct TL_LANES_ALIGNED tl_lanes_key {
    /* private */
    uint8_t state[TL_LANES_KEY_STATE];
    uint8_t subkey[2][16]; /* K1 and K2 of SP 800-38B */
    tl_suite suite;        /* TL_SUITE_NONE: the slot is free */
    uint16_t generation;
} tl_lanes_key;

/* A slot for one running MAC. */
typedef struct tl_lanes_mac {
    /* private */
    uint8_t room[TL_LANES_MAC_ROOM];
    size_t room_n;
    uint64_t n; /* bytes so far, those in `room` too */
    uint8_t chain[16], nonce[TL_NONCE_SIZE];
    tl_key key;
    uint16_t generation;
    bool taken;
} tl_lanes_mac;

typedef struct tl_lanes_config {
    const tl_crypto
        *base; /* does what is no part of the data plane; NULL: those operations give TL_E_BACKEND */
    tl_lanes_level level;
    tl_lanes_key
        *keys;    /* the caller's, as long as the backend is used; how many an end needs: stream.h, "keys" */
    size_t key_n; /* 1..TL_LANES_SLOTS */
    tl_lanes_mac *macs;
    size_t mac_n; /* 0..TL_LANES_SLOTS */
} tl_lanes_config;

enum { TL_LANES_SLOTS = 65535 };

/* The covered bytes of one message on their way to a kernel, as runs of whole blocks that lie together. */
typedef struct tl_lanes_place {
    /* private */
    uint8_t stage[TL_LANES_STAGE]; /* blocks gathered from pieces */
    const tl_lanes_key *key;
    tl_sealed *message;
    const uint8_t *run;
    size_t run_n;  /* blocks */
    tl_span piece; /* covered bytes that lie together, not yet in a run */
    size_t next;   /* where the payload's next piece is looked for */
    size_t left;   /* covered bytes not yet in a run */
    uint8_t hold;  /* bytes that a run in place leaves to a staged one */
    bool last;     /* this run is the last */
} tl_lanes_place;

/* The backend. It must not be moved or copied after tl_lanes_init. One thread at a time may use it, several
 * backends are independent of each other if their bases are. */
typedef struct TL_LANES_ALIGNED tl_lanes {
    /* private */
    tl_lanes_place place[TL_LANES_WIDTH];
    uint8_t chain[TL_LANES_WIDTH][16];
    tl_crypto_ops ops;
    tl_crypto crypto, base;
    const struct tl__level *level;
    tl_lanes_level level_id;
    tl_lanes_key *keys;
    size_t key_n;
    tl_lanes_mac *macs;
    size_t mac_n;
} tl_lanes;

/* TL_E_USAGE: an address is not aligned, or a number is out of bounds. TL_E_BACKEND: the level is not here. */
tl_err tl_lanes_init(tl_lanes *l, const tl_lanes_config *config) TL_MUST_USE;
/* The interface to hand to the core. It lives as long as the backend.
 *
 * Stream keys and running MACs are this backend's own. Keys of other kinds, and running hashes, are the base's:
 * a handle that the base gave out serves here too, and the other way round. */
const tl_crypto *tl_lanes_crypto(const tl_lanes *l);
/* The level at work; never TL_LANES_BEST. */
tl_lanes_level tl_lanes_level_of(const tl_lanes *l);
/* Wipes all keys and running MACs. The base is left alone. */
void tl_lanes_wipe(tl_lanes *l);

#ifdef __cplusplus
}
#endif

#endif
