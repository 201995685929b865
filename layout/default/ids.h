/* Codes of the default layout. Everything here is the open layout's own choice; a member replaces this folder. */
#ifndef TRUELINE_LAYOUT_IDS_H
#define TRUELINE_LAYOUT_IDS_H

#define TL_LAYOUT_NAME "trueline-default"

enum {
    TL_LAYOUT_ID = 0x0001,   /* in hellos and configuration digests */
    TL_SEP_VERSION = 1,      /* service header's version field */
    TL_SEP_WIRE_TYPE = 0x30, /* CSI-2 data type of a packet with service header, which holds the real one */
    TL_SEP_SERVICE_TYPE = 0x37, /* data type, in the header, of begin and end */
    TL_SEP_BEGIN = 0,           /* message numbers of the service data type */
    TL_SEP_END = 1,
    TL_SEP_PURPOSE_MESSAGE = 1, /* nonce purposes: a message, the list of a data type's tags, of a frame's */
    TL_SEP_PURPOSE_DATA_TYPE = 2,
    TL_SEP_PURPOSE_FRAME = 3,
    TL_FSED_WIRE_TYPE = 0x35, /* CSI-2 data type of a packet with a frame's metadata */
    TL_FSED_VERSION = 1,
    TL_FSED_TOP = 1, /* positions: in front of the frame's lines, behind them */
    TL_FSED_BOTTOM = 2,
    TL_OUTLINE_WIRE_TYPE =
        0x34, /* CSI-2 data type of the packet that says the parts of a frame of pictures */
    TL_HELLO_VERSION = 1,
    TL_HELLO_SENDER = 1, /* hello roles */
    TL_HELLO_RECEIVER = 2,
    TL_ANNOUNCEMENT_VERSION = 1,
    TL_ANNOUNCEMENT_WIRE_TYPE = 0x36, /* CSI-2 data type of the packet that announces a one-way stream */
    TL_AGREEMENT_VERSION = 1,         /* of VENDOR_DEFINED payloads and data tokens */
    TL_AGREEMENT_CHAIN = 1,           /* kinds of payloads */
    TL_AGREEMENT_ASK = 2,
    TL_AGREEMENT_OFFER = 3,
    TL_AGREEMENT_CHOICE = 4,
    TL_AGREEMENT_PORT = 5,
    TL_AGREEMENT_START = 6,
    TL_AGREEMENT_STOP = 7,
    TL_AGREEMENT_REKEY = 8,
    TL_AGREEMENT_DONE = 9,
    TL_AGREEMENT_REFUSED = 10,
    TL_VENDOR_STANDARD = 4,      /* VENDOR_DEFINED: the registry of IANA, */
    TL_VENDOR_ID = 32473,        /* and its number for examples in documents */
    TL_SECRETS_TYPE = 0x544C5345 /* of a capture's decryption secrets: lines of text; no registered code */
};

#endif
