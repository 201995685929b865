/* The properties of tlverify as GStreamer's tools show them: names, ranges, defaults and texts. What they do stands in
 * tlverify.c; those that it shares with tlprotect are policy.c's. */
#include "verify_properties.h"

static GType on_bad_type(void)
{
    static gsize type;
    static const GEnumValue values[] = {
        { ON_BAD_DROP, "Drop the frame", "drop" },
        { ON_BAD_MARK, "Pass it on, painted over where nothing verified, and flagged as corrupted", "mark" },
        { 0, NULL, NULL },
    };

    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_enum_register_static("TlOnBad", values));
    return (GType)type;
}

static GType messages_type(void)
{
    static gsize type;
    static const GEnumValue values[] = {
        { TELL_NONE, "No messages", "none" },
        { TELL_BAD, "Frames that fail or are lost, and starts of the stream", "bad" },
        { TELL_ALL, "Good frames too", "all" },
        { 0, NULL, NULL },
    };

    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_enum_register_static("TlMessages", values));
    return (GType)type;
}

static void install_counters(GObjectClass *object)
{
    const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

    g_object_class_install_property(object, PROP_OK,
                                    g_param_spec_uint64("frames-ok", "Good frames",
                                                        "Frames that verified as a whole", 0, G_MAXUINT64, 0,
                                                        flags));
    g_object_class_install_property(
        object, PROP_BAD,
        g_param_spec_uint64("frames-bad", "Bad frames",
                            "Frames that began, and of which something failed or is missing", 0, G_MAXUINT64,
                            0, flags));
    g_object_class_install_property(object, PROP_LOST,
                                    g_param_spec_uint64("frames-lost", "Lost frames",
                                                        "Frames of which not even the beginning came", 0,
                                                        G_MAXUINT64, 0, flags));
    g_object_class_install_property(
        object, PROP_STATS,
        g_param_spec_boxed("stats", "Statistics",
                           "All counters, and the packets that were refused, by verdict", GST_TYPE_STRUCTURE,
                           flags));
}

void verify_properties_install(GObjectClass *object)
{
    const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

    g_object_class_install_property(
        object, PROP_ON_BAD,
        g_param_spec_enum("on-bad", "On a bad frame",
                          "What to do with a frame that does not verify as a whole", on_bad_type(),
                          ON_BAD_DROP, flags | GST_PARAM_MUTABLE_PLAYING));
    g_object_class_install_property(object, PROP_TIMEOUT,
                                    g_param_spec_uint("timeout", "Time-out",
                                                      "Milliseconds that a frame may stay open before its "
                                                      "rest counts as missing. 0: until the next one "
                                                      "begins",
                                                      0, G_MAXINT, VERIFY_TIMEOUT_MS,
                                                      flags | GST_PARAM_MUTABLE_READY));
    g_object_class_install_property(
        object, PROP_MESSAGES,
        g_param_spec_enum("messages", "Messages",
                          "Which element messages (structure \"trueline\") go to the bus", messages_type(),
                          TELL_BAD, flags | GST_PARAM_MUTABLE_PLAYING));
    install_counters(object);
}
