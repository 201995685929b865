/* What both elements are told in the same words: the stream file with the secret, and what of it a pipeline overrides. Each
 * end has its own policy; what a packet says changes none of it. */
#ifndef TL_GSTREAMER_POLICY_H
#define TL_GSTREAMER_POLICY_H

#include "backend.h"
#include "stream_file.h"

#include <gst/gst.h>

/* Ids of the properties; an element's own begin at POLICY_PROPERTIES. */
enum {
    POLICY_KEYS = 1,
    POLICY_STATE,
    POLICY_SUITE,
    POLICY_TAG_MODE,
    POLICY_TAG_SIZE,
    POLICY_VARIANT,
    POLICY_ENCRYPT,
    POLICY_PROPERTIES
};

typedef struct policy {
    char *keys, *state, *suite; /* NULL: not given */
    gint tag_mode;              /* 0: as in the stream file */
    guint tag_size, variant;    /* the same */
    gboolean encrypt;
} policy;

/* Installs the properties; `state` is the text of the one whose use differs. */
void policy_install(GObjectClass *object, const char *state);
/* FALSE: not a property of the policy. Call with the object's lock held. */
gboolean policy_set(policy *p, guint id, const GValue *value);
gboolean policy_get(const policy *p, guint id, GValue *value);
/* The copy is the caller's to clear. */
void policy_copy(policy *to, const policy *from);
void policy_clear(policy *p);

/* Reads the stream file and applies the rest: file->config has no parts yet. On a fault *file is wiped. */
tl_exit policy_load(const policy *p, stream_file *file, tl_fault *fault) G_GNUC_WARN_UNUSED_RESULT;

/* Posts the fault as an error of the element. */
void policy_post_fault(GstElement *element, const tl_fault *fault);

#endif
