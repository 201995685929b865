/* Sizes and limits of the default layout, in bytes unless said otherwise. The sizes are checked against the rows. */
#ifndef TRUELINE_LAYOUT_LIMITS_H
#define TRUELINE_LAYOUT_LIMITS_H

enum {
    TL_SEP_HEADER_SIZE = 16,
    TL_SEP_TAG_MAX = 16,
    TL_SEP_FOOTER_MAX = TL_SEP_TAG_MAX + 4,
    TL_SEP_MESSAGES_MAX = 65535, /* messages of one data type in a frame */
    TL_SEP_LIST_MAX = 65535,     /* tags under one accumulated tag */
    TL_SEP_PARTS_MAX = 8,        /* runs of messages in a frame */
    TL_FSED_HEADER_SIZE = 10,
    TL_HELLO_SIZE = 84,
    TL_ANNOUNCEMENT_SIZE = 120,
    TL_ANNOUNCEMENT_PROOF = 32, /* bytes at its end, over all before them */
    TL_DATA_TOKEN_SIZE = 44     /* first bytes of an agreed data connection */
};

#endif
