/* The properties that both elements share, and the stream configuration that comes of them. */
#include "policy.h"

#include "protection.h"

#include <string.h>

/* Reading stream files goes through one static buffer. */
static GMutex reading;

#define SUITE_NOT_KNOWN "suite: \"%s\" is none of this version: %s"

static GType tag_mode_type(void)
{
    static gsize type;
    static const GEnumValue values[] = {
        { 0, "As the stream file says", "file" },
        { TL_TAG_PER_MESSAGE, "A tag in each packet: what is wrong is known line by line", "message" },
        { TL_TAG_PER_DATA_TYPE, "A tag for the pixels of a frame", "data-type" },
        { TL_TAG_PER_FRAME, "One tag for the whole frame", "frame" },
        { 0, NULL, NULL },
    };

    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_enum_register_static("TlTagMode", values));
    return (GType)type;
}

void policy_install(GObjectClass *object, const char *state)
{
    const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

    g_object_class_install_property(
        object, POLICY_KEYS,
        g_param_spec_string(
            "keys", "Stream file",
            "The stream file with the secret, made by `trueline stream new FILE`, the same at both "
            "ends. Nobody but its owner may have a right to it (mode 0600). Its width, height and "
            "bits are not used: the caps say them",
            NULL, flags));
    g_object_class_install_property(object, POLICY_STATE,
                                    g_param_spec_string("state", "State file", state, NULL, flags));
    g_object_class_install_property(
        object, POLICY_SUITE,
        g_param_spec_string("suite", "Suite",
                            "Instead of the stream file's, at both ends: aes128-gmac and others", NULL,
                            flags));
    g_object_class_install_property(
        object, POLICY_TAG_MODE,
        g_param_spec_enum("tag-mode", "Tag mode",
                          "What a tag covers, instead of the stream file's; at both ends", tag_mode_type(), 0,
                          flags));
    g_object_class_install_property(
        object, POLICY_TAG_SIZE,
        g_param_spec_uint("tag-size", "Tag size",
                          "Bytes of a tag, instead of the stream file's; at both ends. 0: as there", 0,
                          TL_TAG_MAX, 0, flags));
    g_object_class_install_property(
        object, POLICY_VARIANT,
        g_param_spec_uint(
            "variant", "Security variant",
            "Of the pixels, instead of the stream file's; at both ends. 1 encrypted with full integrity, 2 "
            "full integrity, 3 and 4 the file's pattern of lines or bytes alone. 0: as there",
            0, TL_SV_4, 0, flags));
    g_object_class_install_property(
        object, POLICY_ENCRYPT,
        g_param_spec_boolean("encrypt", "Encrypt",
                             "Encrypt pixels, format and times (security variant 1), whatever the "
                             "stream file says; at both ends",
                             FALSE, flags));
}

gboolean policy_set(policy *p, guint id, const GValue *value)
{
    char **text = id == POLICY_KEYS ? &p->keys : id == POLICY_STATE ? &p->state : &p->suite;

    switch (id) {
    case POLICY_KEYS:
    case POLICY_STATE:
    case POLICY_SUITE:
        g_free(*text);
        *text = g_value_dup_string(value);
        return TRUE;
    case POLICY_TAG_MODE: p->tag_mode = g_value_get_enum(value); return TRUE;
    case POLICY_TAG_SIZE: p->tag_size = g_value_get_uint(value); return TRUE;
    case POLICY_VARIANT: p->variant = g_value_get_uint(value); return TRUE;
    case POLICY_ENCRYPT: p->encrypt = g_value_get_boolean(value); return TRUE;
    default: return FALSE;
    }
}

gboolean policy_get(const policy *p, guint id, GValue *value)
{
    switch (id) {
    case POLICY_KEYS: g_value_set_string(value, p->keys); return TRUE;
    case POLICY_STATE: g_value_set_string(value, p->state); return TRUE;
    case POLICY_SUITE: g_value_set_string(value, p->suite); return TRUE;
    case POLICY_TAG_MODE: g_value_set_enum(value, p->tag_mode); return TRUE;
    case POLICY_TAG_SIZE: g_value_set_uint(value, p->tag_size); return TRUE;
    case POLICY_VARIANT: g_value_set_uint(value, p->variant); return TRUE;
    case POLICY_ENCRYPT: g_value_set_boolean(value, p->encrypt); return TRUE;
    default: return FALSE;
    }
}

void policy_copy(policy *to, const policy *from)
{
    *to = *from;
    to->keys = g_strdup(from->keys);
    to->state = g_strdup(from->state);
    to->suite = g_strdup(from->suite);
}

void policy_clear(policy *p)
{
    g_free(p->keys);
    g_free(p->state);
    g_free(p->suite);
    memset(p, 0, sizeof *p);
}

/* ---- loading ---- */

static tl_exit apply_suite(const policy *p, tl_stream_config *c, tl_fault *fault)
{
    if (p->suite == NULL || protection_suite(p->suite, &c->suite))
        return TL_EXIT_OK;
    return tl_fault_set(fault, TL_EXIT_USAGE, SUITE_NOT_KNOWN, p->suite, protection_suites);
}

/* What a picture needs beside what any stream needs. */
static tl_exit check_config(const tl_stream_config *c, tl_fault *fault)
{
    if (c->suite == TL_SUITE_NONE)
        return tl_fault_set(fault, TL_EXIT_USAGE,
                            "suite: none: these elements do not pass pictures on without a proof");
    if (c->variant[TL_BLOCK_TOP] != TL_SV_1 && c->variant[TL_BLOCK_TOP] != TL_SV_2)
        return tl_fault_set(
            fault, TL_EXIT_USAGE,
            "variant: the top block holds the format of the pictures and needs full integrity "
            "(1 or 2)");
    if (c->variant[TL_BLOCK_MIDDLE] == TL_SV_5)
        return tl_fault_set(fault, TL_EXIT_USAGE, "variant: 5 leaves the pixels without any proof");
    return TL_EXIT_OK;
}

static tl_exit apply(const policy *p, tl_stream_config *c, tl_fault *fault)
{
    tl_exit e = apply_suite(p, c, fault);

    if (e != TL_EXIT_OK)
        return e;
    if (p->tag_mode != 0)
        c->tag_mode = (tl_tag_mode)p->tag_mode;
    if (p->tag_size != 0)
        c->tag_size = (uint8_t)p->tag_size;
    if (p->variant != 0)
        c->variant[TL_BLOCK_MIDDLE] = (uint8_t)p->variant;
    if (p->encrypt)
        c->variant[TL_BLOCK_TOP] = c->variant[TL_BLOCK_MIDDLE] = TL_SV_1;
    c->part_count = 0;
    return check_config(c, fault);
}

tl_exit policy_load(const policy *p, stream_file *file, tl_fault *fault)
{
    tl_exit e;

    memset(file, 0, sizeof *file);
    if (p->keys == NULL || p->keys[0] == '\0')
        return tl_fault_set(fault, TL_EXIT_USAGE,
                            "keys: no stream file was given: keys=FILE, made by `trueline stream new FILE`");
    g_mutex_lock(&reading);
    e = stream_file_read(file, p->keys, fault);
    g_mutex_unlock(&reading);
    if (e == TL_EXIT_OK)
        e = apply(p, &file->config, fault);
    if (e != TL_EXIT_OK)
        stream_file_wipe(file);
    return e;
}

void policy_post_fault(GstElement *element, const tl_fault *fault)
{
    if (fault->code == TL_EXIT_USAGE)
        GST_ELEMENT_ERROR(element, RESOURCE, SETTINGS, ("%s", fault->text), (NULL));
    else
        GST_ELEMENT_ERROR(element, LIBRARY, FAILED, ("%s", fault->text), (NULL));
}
