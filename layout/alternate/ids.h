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
    TL_FSED_WIRE_TYPE = 0x33,
    TL_FSED_VERSION = 11,
    TL_FSED_TOP = 6,
    TL_FSED_BOTTOM = 3,
    TL_OUTLINE_WIRE_TYPE = 0x35,
    TL_HELLO_VERSION = 7,
    TL_HELLO_SENDER = 0x53,
    TL_HELLO_RECEIVER = 0x52,
    TL_ANNOUNCEMENT_VERSION = 9,
    TL_ANNOUNCEMENT_WIRE_TYPE = 0x32,
    TL_AGREEMENT_VERSION = 7,
    TL_AGREEMENT_CHAIN = 0x91,
    TL_AGREEMENT_ASK = 0x94,
    TL_AGREEMENT_OFFER = 0x97,
    TL_AGREEMENT_CHOICE = 0x9A,
    TL_AGREEMENT_PORT = 0x9D,
    TL_AGREEMENT_START = 0xA0,
    TL_AGREEMENT_STOP = 0xA3,
    TL_AGREEMENT_REKEY = 0xA6,
    TL_AGREEMENT_DONE = 0xA9,
    TL_AGREEMENT_REFUSED = 0xAC,
    TL_VENDOR_STANDARD = 4,
    TL_VENDOR_ID = 32473
};

#endif
