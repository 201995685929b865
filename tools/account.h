/* What every byte of a recording is, and whether a change of it must show: the classes of account.def. Who verifies a
 * recording counts all of them, so that what was not protected stands in the evidence beside what was. Where a byte stands
 * decides, not what became of its packet: a refused packet's bytes are of the same classes. */
#ifndef TL_TOOLS_ACCOUNT_H
#define TL_TOOLS_ACCOUNT_H

#include <trueline/stream.h>

#include <jansson.h>

typedef enum account_class {
#define CLASS(name, protected, text, why) ACCOUNT_##name,
#include "account.def"
#undef CLASS
    ACCOUNT_CLASSES
} account_class;

/* Bytes of a footer: in front of the tag, of the tag, and all. */
typedef struct account_footer {
    size_t before, tag, all;
} account_footer;

typedef struct account {
    uint64_t bytes[ACCOUNT_CLASSES], packets[ACCOUNT_CLASSES];
    bool announced; /* announcements of the stream are proven; set it behind account_open */
    /* private */
    const tl_stream_config *config;
    tl_stream_plan plan;
    account_footer footers[TL_BLOCK_BOTTOM + 1]; /* of each block's messages */
    uint16_t rows[TL_SEP_PARTS_MAX]; /* FSED: lines of each of the plan's data type since the frame start */
    uint64_t tags, checks;           /* FSED: bytes of the lists at a whole frame's bottom, */
    size_t begin, end;               /* and of begin and end, in front of their footers */
} account;

/* Bytes from..to, not including, of the packet. */
typedef struct account_range {
    size_t from, to;
    account_class class;
} account_range;

typedef void account_each(void *ctx, const account_range *range);

/* config NULL: there is no stream. It has passed its check, and outlives the account. */
void account_open(account *a, const tl_stream_config *config);
/* A packet of the stream's link, in the order of the file. Each range of it is told, from its first byte to its last, and
 * counted. each NULL: nobody is told. */
void account_packet(account *a, tl_span packet, account_each *each, void *ctx);
/* Bytes that are of one class. */
void account_whole(account *a, account_class class, uint64_t bytes, uint64_t packets);
/* What was counted as one class is of another. */
void account_move(account *a, account_class from, account_class to);
void account_add(account *sum, const account *more);

bool account_is_protected(account_class class);
const char *account_name(account_class class);
const char *account_text(account_class class);
/* An array of the classes that occur; NULL without memory. */
json_t *account_json(const account *a);
/* The class of that name; ACCOUNT_CLASSES: there is none. */
account_class account_of_name(const char *name);

#endif
