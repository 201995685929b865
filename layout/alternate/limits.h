/* Sizes and limits of the alternate layout, in bytes unless said otherwise. */
#ifndef TRUELINE_LAYOUT_LIMITS_H
#define TRUELINE_LAYOUT_LIMITS_H

enum {
    TL_SEP_HEADER_SIZE = 22,
    TL_SEP_TAG_MAX = 16,
    TL_SEP_FOOTER_MAX = 4 + TL_SEP_TAG_MAX,
    TL_SEP_MESSAGES_MAX = 65535,
    TL_SEP_LIST_MAX = 65535,
    TL_SEP_PARTS_MAX = 8,
    TL_FSED_HEADER_SIZE = 14,
    TL_HELLO_SIZE = 86,
    TL_ANNOUNCEMENT_SIZE = 124,
    TL_ANNOUNCEMENT_PROOF = 32,
    TL_DATA_TOKEN_SIZE = 45
};

#endif
