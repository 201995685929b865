/* One CSI-2 packet with its fields, by the rows of the layout: service header and footer, what begin and end hold, and the
 * packets that have a data type of their own. */
#include "dump_csi2.h"
#include "dump_fields.h"
#include "hex.h"

#include <string.h>

#include <trueline/layout/ids.h>
#include <trueline/messages.h>

enum { NAME = 64 };

bool dump_csi2_service(const tl_csi2_packet *c, tl_sep_header *h, tl_rd *behind)
{
    static const tl_env plain;

    if (c->ecc == TL_CSI2_ECC_BAD || c->header.data_type != TL_SEP_WIRE_TYPE)
        return false;
    *behind = tl_rd_of(c->payload);
    return tl_decode_sep_header(&plain, behind, h) == TL_OK;
}

/* A message of these rows with what is left behind it; as bytes if it is none. */
static json_t *message_of(const char *name, const tl_env *env, tl_span s)
{
    union {
        tl_sep_begin begin;
        tl_sep_end end;
        tl_fsed_packet fsed;
        tl_announcement announcement;
        tl_outline outline;
    } m;
    const tl_message *rows = dump_rows(name);
    tl_rd r = tl_rd_of(s);
    json_t *o;

    if (rows == NULL || rows->size > sizeof m || tl_decode(rows->rows(), env, &r, &m) != TL_OK)
        return json_pack("{s:o}", "bytes", hex_json(s));
    o = dump_object(rows, env, &m);
    if (r.n > 0)
        (void)json_object_set_new(o, "rest", json_integer((json_int_t)r.n));
    return o;
}

/* The parts of begin and end, by rows of their own, in place of their bytes. */
static void open_parts(json_t *message, const char *name, const tl_env *env, tl_span parts)
{
    union {
        tl_sep_begin_part begin;
        tl_sep_end_part end;
    } m;
    const tl_message *rows = dump_rows(name);
    tl_rd r = tl_rd_of(parts);
    json_t *array = json_array();

    while (rows != NULL && rows->size <= sizeof m && tl_each(rows->rows(), &r, env, &m))
        (void)json_array_append_new(array, dump_object(rows, env, &m));
    (void)json_object_set_new(message, "parts", array);
}

static json_t *edge_fields(const tl_sep_header *h, tl_span payload)
{
    static const tl_env plain;
    tl_rd r = tl_rd_of(payload);
    json_t *o = message_of(h->message == TL_SEP_BEGIN ? "sep_begin" : "sep_end", &plain, payload);
    tl_sep_begin begin;
    tl_sep_end end;

    if (h->message == TL_SEP_BEGIN && tl_decode_sep_begin(&plain, &r, &begin) == TL_OK)
        open_parts(o, "sep_begin_part", &plain, begin.parts);
    else if (h->message == TL_SEP_END && tl_decode_sep_end(&plain, &r, &end) == TL_OK)
        open_parts(o, "sep_end_part", &plain, end.parts);
    return o;
}

/* Tag and CRC-32, whose sizes the configuration says. */
static json_t *footer_fields(const dump_csi2 *d, const tl_sep_header *h, tl_span s)
{
    tl_env env = { 0 };
    tl_rd r = tl_rd_of(s);
    tl_sep_footer footer;

    if (d->known) {
        env.len[TL_LEN_TAG] = (uint16_t)tl_stream_tag_bytes(&d->file.config, (tl_block)h->block);
        env.len[TL_LEN_CRC] = d->file.crc32 == TL_WITH ? 4 : 0;
        if (tl_decode_sep_footer(&env, &r, &footer) == TL_OK && r.n == 0)
            return dump_object(dump_rows("sep_footer"), &env, &footer);
    }
    return json_pack("{s:o}", "bytes", hex_json(s));
}

static void service_fields(const dump_csi2 *d, const tl_sep_header *h, tl_rd behind, json_t *o)
{
    static const tl_env plain;
    tl_span payload = tl_get_bytes(&behind, h->length);

    (void)json_object_set_new(o, "service header", dump_object(dump_rows("sep_header"), &plain, h));
    if (behind.bad) /* the length is more than there is */
        return;
    if (h->data_type == TL_SEP_SERVICE_TYPE)
        (void)json_object_set_new(o, h->message == TL_SEP_BEGIN ? "begin" : "end", edge_fields(h, payload));
    (void)json_object_set_new(o, "service footer", footer_fields(d, h, tl_rd_rest(&behind)));
}

/* Packets of data types of their own. */
static void other_fields(const tl_csi2_packet *c, json_t *o)
{
    static const struct {
        uint8_t type;
        const char *name, *rows;
    } others[] = { { TL_FSED_WIRE_TYPE, "metadata", "fsed_packet" },
                   { TL_ANNOUNCEMENT_WIRE_TYPE, "announcement", "announcement" },
                   { TL_OUTLINE_WIRE_TYPE, "outline", "outline" } };
    static const tl_env plain;

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (c->header.data_type == others[i].type)
            (void)json_object_set_new(o, others[i].name, message_of(others[i].rows, &plain, c->payload));
}

static json_t *packet_fields(const dump_csi2 *d, const tl_csi2_packet *c)
{
    static const char *const ecc[] = { "right", "corrected", "bad" };
    json_t *o =
        json_pack("{s:i,s:i,s:s,s:i,s:s}", "virtual channel", (int)c->header.virtual_channel, "data type",
                  (int)c->header.data_type, "data type name", tl_data_type_text(c->header.data_type),
                  "word count", (int)c->header.word_count, "ecc", ecc[c->ecc]);
    tl_sep_header h;
    tl_rd behind;

    if (c->ecc == TL_CSI2_ECC_BAD)
        return o;
    if (dump_csi2_service(c, &h, &behind))
        service_fields(d, &h, behind, o);
    else
        other_fields(c, o);
    if (!tl_csi2_is_short(c->header.data_type)) {
        (void)json_object_set_new(o, "crc16", json_integer(c->crc));
        (void)json_object_set_new(o, "crc16 is", json_string(c->crc_right ? "right" : "bad"));
    }
    return o;
}

static void packet_name(const tl_csi2_packet *c, char name[NAME])
{
    tl_sep_header h;
    tl_rd behind;

    if (c->ecc == TL_CSI2_ECC_BAD)
        (void)snprintf(name, NAME, "bad header");
    else if (!dump_csi2_service(c, &h, &behind))
        (void)snprintf(name, NAME, "%s", tl_data_type_text(c->header.data_type));
    else if (h.data_type == TL_SEP_SERVICE_TYPE)
        (void)snprintf(name, NAME, "frame %u %s", (unsigned)h.frame,
                       h.message == TL_SEP_BEGIN ? "begin" : "end");
    else
        (void)snprintf(name, NAME, "frame %u %s %u", (unsigned)h.frame, tl_data_type_text(h.data_type),
                       (unsigned)h.message);
}

void dump_csi2_tell(const dump_csi2 *d, const tl_csi2_packet *c, dump_line *line)
{
    char name[NAME], place[8];

    packet_name(c, name);
    (void)snprintf(place, sizeof place, "vc%u", d->channel);
    line->name = name;
    line->channel = place;
    line->telling = c->ecc == TL_CSI2_ECC_BAD         ? "ECC is bad"
                    : !c->crc_right                   ? "CRC-16 is bad"
                    : c->ecc == TL_CSI2_ECC_CORRECTED ? "corrected by ECC"
                                                      : "";
    line->fields = packet_fields(d, c);
    dump_report_line(d->report, line);
    line->name = "";
    line->channel = NULL;
}
