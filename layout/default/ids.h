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
    TL_SEP_PURPOSE_MESSAGE = 1, /* nonce purposes */
    TL_HELLO_VERSION = 1,
    TL_HELLO_SENDER = 1, /* hello roles */
    TL_HELLO_RECEIVER = 2
};

#endif
