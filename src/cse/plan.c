/* The plan of a configuration: numbers, offsets and sizes that each packet would otherwise ask for again.
 *
 * Lists of accumulated tags: per data type, one for each that the configuration names, also where it is empty; per
 * frame, one, in the order of the parts and inside them of the messages. */
#include "cse/plan.h"

#include "cse/keys.h"

size_t tl_stream_tag_bytes(const tl_stream_config *c, tl_block block)
{
    if (!tl_cse_is_sealed(c, block))
        return 0;
    if (block == TL_BLOCK_SERVICE)
        return TL_TAG_MAX;
    return c->tag_mode == TL_TAG_PER_MESSAGE ? c->tag_size : 0;
}

static uint8_t footer_bytes(const tl_stream_config *c, unsigned block)
{
    return (uint8_t)(tl_stream_tag_bytes(c, (tl_block)block) + (c->crc32 == TL_WITH ? 4 : 0));
}

static uint8_t type_place(tl_stream_plan *plan, uint8_t data_type)
{
    const uint8_t type = tl_stream_plan_type(plan, data_type);

    if (type == plan->type_count)
        plan->types[plan->type_count++] = data_type;
    return type;
}

static uint8_t list_of(const tl_stream_config *c, unsigned block, uint8_t type)
{
    if (c->tag_mode == TL_TAG_PER_MESSAGE || !tl_cse_is_sealed(c, block))
        return TL_PLAN_NO_LIST;
    return c->tag_mode == TL_TAG_PER_FRAME ? 0 : type;
}

static void plan_part(tl_stream_plan *plan, const tl_stream_config *c, unsigned part)
{
    const tl_stream_part *own = &c->parts[part];
    tl_part_plan *p = &plan->parts[part];

    p->offset = (uint32_t)plan->bytes;
    p->position = plan->messages;
    for (unsigned i = 0; i < part; i++) {
        if (c->parts[i].data_type != own->data_type)
            continue;
        p->first = (uint16_t)(p->first + c->parts[i].count);
        if (c->parts[i].block == own->block)
            p->line = (uint16_t)(p->line + c->parts[i].count);
    }
    p->type = type_place(plan, own->data_type);
    p->list = list_of(c, own->block, p->type);
    p->tag_n = (uint8_t)tl_stream_tag_bytes(c, (tl_block)own->block);
    p->footer_n = footer_bytes(c, own->block);
    plan->messages += own->count;
    plan->bytes += (size_t)own->count * own->length;
}

void tl_stream_plan_of(tl_stream_plan *plan, const tl_stream_config *c)
{
    *plan = (tl_stream_plan){ .tag_n = (uint8_t)tl_stream_tag_bytes(c, TL_BLOCK_SERVICE),
                              .footer_n = footer_bytes(c, TL_BLOCK_SERVICE),
                              .limits = tl_cse_limits(c) };
    for (unsigned i = 0; i < c->part_count; i++)
        plan_part(plan, c, i);
    if (c->tag_mode == TL_TAG_PER_DATA_TYPE)
        plan->list_count = plan->type_count;
    else if (c->tag_mode == TL_TAG_PER_FRAME)
        plan->list_count = 1;
}

tl_place tl_cse_place(const tl_stream_config *c, const tl_stream_plan *plan, uint32_t data_type,
                      uint32_t message)
{
    for (unsigned i = 0; i < c->part_count; i++)
        if (c->parts[i].data_type == data_type && message - plan->parts[i].first < c->parts[i].count)
            return (tl_place){ .named = true,
                               .part = (uint8_t)i,
                               .row = (uint16_t)(message - plan->parts[i].first) };
    return (tl_place){ .named = false };
}

tl_cover tl_cse_cover(const tl_stream_config *c, const tl_stream_plan *plan, tl_place place)
{
    unsigned block = c->parts[place.part].block;

    switch (c->variant[block]) {
    case TL_SV_1: return TL_COVER_ENCRYPTED;
    case TL_SV_3:
        return tl_pattern_has(c->pattern[block], (uint32_t)plan->parts[place.part].line + place.row)
                   ? TL_COVER_PAYLOAD
                   : TL_COVER_HEADER;
    case TL_SV_4: return TL_COVER_PATTERN;
    default: return TL_COVER_PAYLOAD;
    }
}
