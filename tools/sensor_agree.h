/* The sensor's side of a stream agreement: what it says to each VENDOR_DEFINED request. */
#ifndef TL_TOOLS_SENSOR_AGREE_H
#define TL_TOOLS_SENSOR_AGREE_H

#include "sensor_spdm.h"

/* For tl_responder_config.vendor; ctx is a sensor_spdm. What it refuses, it says in the answer and in s->reason. */
tl_err sensor_agree(void *ctx, const tl_spdm_vendor *request, tl_wr *payload);

#endif
