/* tlverify's own properties: their values and ids, and how they are told to GStreamer. */
#ifndef TL_GSTREAMER_VERIFY_PROPERTIES_H
#define TL_GSTREAMER_VERIFY_PROPERTIES_H

#include "policy.h"

enum { ON_BAD_DROP = 0, ON_BAD_MARK };
enum { TELL_NONE = 0, TELL_BAD, TELL_ALL };

/* Ids, behind those of the policy. */
enum {
    PROP_ON_BAD = POLICY_PROPERTIES,
    PROP_TIMEOUT,
    PROP_MESSAGES,
    PROP_OK,
    PROP_BAD,
    PROP_LOST,
    PROP_STATS
};

enum { VERIFY_TIMEOUT_MS = 1000 }; /* the default of "timeout" */

/* Installs them in the class, which sets and gets them itself. */
void verify_properties_install(GObjectClass *object);

#endif
