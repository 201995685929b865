/* Lists of tags, each a running MAC of the backend under the outer key. */
#include "cse/lists.h"

#include "cse/sep.h"
#include "wire/line.h"

static tl_sep_header header_of(const tl_list_frame *f, unsigned which, uint32_t n)
{
    return (tl_sep_header){
        .version = TL_SEP_VERSION,
        .flags = f->config->tag_mode == TL_TAG_PER_FRAME ? TL_SEP_PURPOSE_FRAME : TL_SEP_PURPOSE_DATA_TYPE,
        .block = TL_BLOCK_SERVICE,
        .stream = f->config->stream,
        .data_type = tl_cse_list_type(f->config, f->plan, which),
        .key = f->key->epoch & 0xFF,
        .frame = f->frame,
        .count = n,
    };
}

static tl_err start(const tl_list_frame *f, tl_tag_list *list, unsigned which)
{
    const tl_sep_header a = header_of(f, which, 0);
    uint8_t nonce[TL_NONCE_SIZE];

    if (list->mac.slot != 0)
        return TL_OK;
    TL_TRY(tl_cse_nonce(f->key, &a, a.flags, nonce));
    return f->crypto->ops->mac_start(f->crypto->ctx, f->key->outer, nonce, &list->mac);
}

tl_err tl_cse_list_add(const tl_list_frame *f, tl_tag_list *lists, unsigned which,
                       const uint8_t tag[TL_TAG_MAX])
{
    TL_TRY(start(f, &lists[which], which));
    TL_TRY(f->crypto->ops->mac_add(f->crypto->ctx, lists[which].mac, tl_span_of(tag, TL_TAG_MAX)));
    lists[which].n++;
    return TL_OK;
}

tl_err tl_cse_list_end(const tl_list_frame *f, tl_tag_list *lists, unsigned which, uint8_t tag[TL_TAG_MAX])
{
    const tl_env env = { 0 };
    const tl_sep_header a = header_of(f, which, lists[which].n);
    uint8_t bytes[TL_SEP_HEADER_SIZE];
    tl_wr w = tl_wr_of(bytes, sizeof bytes);

    TL_TRY(tl_pack_sep_header(&env, &a, &w));
    TL_TRY(start(f, &lists[which], which));
    TL_TRY(f->crypto->ops->mac_add(f->crypto->ctx, lists[which].mac, tl_written(&w)));
    TL_TRY(f->crypto->ops->mac_end(f->crypto->ctx, lists[which].mac, tag));
    lists[which].mac.slot = 0;
    return TL_OK;
}

void tl_cse_lists_drop(const tl_crypto *crypto, tl_tag_list lists[TL_SEP_PARTS_MAX])
{
    for (unsigned i = 0; i < TL_SEP_PARTS_MAX; i++) {
        if (lists[i].mac.slot != 0)
            crypto->ops->mac_drop(crypto->ctx, lists[i].mac);
        lists[i] = (tl_tag_list){ { 0 }, 0, 0, 0, false };
    }
}
