/* Codes of the alternate layout: as different from the default's as can be, so that nothing outside this folder
 * can depend on them. */
#ifndef TRUELINE_LAYOUT_IDS_H
#define TRUELINE_LAYOUT_IDS_H

#define TL_LAYOUT_NAME "trueline-alternate"

enum {
    TL_LAYOUT_ID = 0xA17E,
    TL_SEP_VERSION = 5,
    TL_SEP_WIRE_TYPE = 0x36,
    TL_SEP_SERVICE_TYPE = 0x31,
    TL_SEP_BEGIN = 0,
    TL_SEP_END = 1,
    TL_SEP_PURPOSE_MESSAGE = 0x4D,
    TL_HELLO_VERSION = 7,
    TL_HELLO_SENDER = 0x53,
    TL_HELLO_RECEIVER = 0x52
};

#endif
