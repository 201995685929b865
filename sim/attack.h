/* The attacker with a hand on the wire: he sees, changes, drops, adds and replays packets, knows everything that is
 * public (layout, configuration, checksums), and has no key. His moves are the rows of attacks.def. */
#ifndef TL_SIM_ATTACK_H
#define TL_SIM_ATTACK_H

#include "wire_frame.h"

/* What is done: one function each in attack.c. */
typedef enum tl_attack_action {
#define ACTION(name) TL_ATTACK_##name,
#define ATTACK(name, action, part, place, repair, event, verdict, cost, judge, text)
#include "attacks.def"
#undef ACTION
#undef ATTACK
    TL_ATTACK_ACTIONS
} tl_attack_action;

/* The part of a packet that is changed. */
typedef enum tl_attack_part {
    TL_PART_NONE = 0,
    TL_PART_PACKET_HEADER, /* CSI-2 header */
    TL_PART_PAYLOAD,
    TL_PART_TAG,
    TL_PART_CRC32,
    TL_PART_BEGIN_TIME,
    TL_PART_BEGIN_CONFIGURATION,
    /* fields of the service header */
    TL_PART_VERSION,
    TL_PART_BLOCK,
    TL_PART_FLAGS,
    TL_PART_STREAM,
    TL_PART_DATA_TYPE,
    TL_PART_KEY,
    TL_PART_MESSAGE,
    TL_PART_FRAME,
    TL_PART_LENGTH,
    TL_PART_COUNT
} tl_attack_part;

/* Which packet of the frame. */
typedef enum tl_attack_place {
    TL_AT_FRAME = 0, /* all of them */
    TL_AT_BEGIN,
    TL_AT_TOP,    /* a line in front of the pixels */
    TL_AT_MIDDLE, /* the line in the middle of the pixels */
    TL_AT_BOTTOM, /* a line behind the pixels */
    TL_AT_END,
    TL_AT_OUTSIDE /* between this frame and the one before */
} tl_attack_place;

/* What is put right behind the change, so that it does not show. */
typedef enum tl_attack_repair {
    TL_REPAIR_RAW = 0, /* nothing */
    TL_REPAIR_CRC16,   /* the packet's ECC and CRC-16 */
    TL_REPAIR_ALL      /* these and the footer's CRC-32 */
} tl_attack_repair;

typedef enum tl_attack_cost { TL_COSTS_NOTHING = 0, TL_COSTS_FRAME } tl_attack_cost;

/* Which check finds it. Rows that only the tag can judge must go wrong in a build without tags. */
typedef enum tl_attack_judge { TL_JUDGE_ANY = 0, TL_JUDGE_TAG } tl_attack_judge;

typedef struct tl_attack {
    const char *name; /* in kebab-case; name and repair together are unique */
    const char *text; /* for people */
    tl_attack_action action;
    tl_attack_part part;
    tl_attack_place place;
    tl_attack_repair repair;
    /* What a receiver must make of it. */
    tl_event_kind
        event; /* which event tells: MESSAGE, FRAME (of the attacked frame), LOST (which names it) */
    tl_verdict verdict;
    tl_attack_cost cost; /* the attacked frame, or nothing; never more */
    tl_attack_judge judge;
} tl_attack;

extern const tl_attack tl_attacks[];
extern const size_t tl_attack_count;

/* "raw", "crc16", "all". */
const char *tl_attack_repair_text(tl_attack_repair repair);

/* What the attacker has seen and knows. */
typedef struct tl_attack_world {
    const tl_stream_config *config;     /* public: geometry and sizes */
    const tl_wire_frame *earlier;       /* a frame of this session, before the attacked one */
    const tl_wire_frame *other_session; /* a frame of another session of the same stream */
    const tl_wire_frame *other_stream;  /* a frame of another stream of the same geometry */
    const tl_wire_frame *plain;         /* a frame of the attacker's own, without protection */
} tl_attack_world;

/* Makes a frame without protection: the pixels' packets between frame start and frame end. `line` of `n` bytes is every
 * line's payload. *frame is empty before. */
tl_err tl_attack_plain_frame(const tl_stream_config *config, tl_span line, tl_wire_frame *frame) TL_MUST_USE;

/* Number, among the messages of its data type, of the line that a row with place TOP, MIDDLE or BOTTOM changes. */
uint16_t tl_attack_line(const tl_attack *attack, const tl_stream_config *config);

/* Does it to a frame as the sender made it. TL_E_USAGE if the frame or the world lacks what the attack needs,
 * TL_E_ROOM without memory. */
tl_err tl_attack_apply(const tl_attack *attack, const tl_attack_world *world,
                       tl_wire_frame *frame) TL_MUST_USE;

/* What somebody without the key can do with a packet that he has changed: sets its word count and checksums to what its bytes
 * need, as far as `repair` says. What is too short to have any stays as it is. */
void tl_attack_mend(const tl_stream_config *config, tl_buffer packet, tl_attack_repair repair);

/* A rectangle of bytes of one data type's lines: rows by message number, `value` into `bytes` bytes from `first` on. */
typedef struct tl_attack_paint {
    uint8_t data_type, value;
    uint16_t row, rows, first, bytes;
} tl_attack_paint;

/* Writes over it in every packet that carries a part of it, and puts all checksums right. TL_E_USAGE: it is wider than a
 * line. */
tl_err tl_attack_paint_over(const tl_stream_config *config, const tl_attack_paint *paint,
                            tl_wire_frame *frame) TL_MUST_USE;
/* True if a packet is a protected line of that data type, as far as its header says. */
bool tl_attack_is_line(const tl_stream_config *config, tl_buffer packet, uint8_t data_type);

#endif
