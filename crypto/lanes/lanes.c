/* Setting up the backend, its table of operations, and wiping it.
 *
 * The checksums have no context to find their level by, so the table is made for each backend when its level is
 * chosen. */
#include "inner.h"

/* Through an integer: an address is looked at, nothing is read there. */
static bool aligned(const void *p)
{
    return (uintptr_t)p % TL_LANES_ALIGN == 0;
}

static tl_err check(const tl_lanes *l, const tl_lanes_config *config)
{
    if (!aligned(l) || config->keys == NULL || !aligned(config->keys))
        return TL_E_USAGE;
    if (config->key_n == 0 || config->key_n > TL_LANES_SLOTS || config->mac_n > TL_LANES_SLOTS)
        return TL_E_USAGE;
    return config->mac_n != 0 && config->macs == NULL ? TL_E_USAGE : TL_OK;
}

static void make_ops(tl_crypto_ops *ops, const tl__level *level)
{
    tl__lanes_pass_on(ops);
    ops->key_load = tl__lanes_key_load;
    ops->key_drop = tl__lanes_key_drop;
    ops->protect = tl__lanes_protect;
    ops->verify = tl__lanes_verify;
    ops->open = tl__lanes_open;
    ops->mac_start = tl__lanes_mac_start;
    ops->mac_add = tl__lanes_mac_add;
    ops->mac_end = tl__lanes_mac_end;
    ops->mac_drop = tl__lanes_mac_drop;
    ops->crc16 = level->crc16;
    ops->crc32 = level->crc32;
}

tl_err tl_lanes_init(tl_lanes *l, const tl_lanes_config *config)
{
    TL_TRY(check(l, config));
    tl_lanes_level id = config->level != TL_LANES_BEST ? config->level : tl__level_best();
    const tl__level *level = tl__level_of(id);
    memset(l, 0, sizeof *l);
    if (level == NULL)
        return TL_E_BACKEND;
    l->level = level;
    l->level_id = id;
    if (config->base != NULL)
        l->base = *config->base;
    l->keys = config->keys;
    l->key_n = config->key_n;
    l->macs = config->macs;
    l->mac_n = config->mac_n;
    memset(l->keys, 0, l->key_n * sizeof *l->keys);
    if (l->mac_n != 0)
        memset(l->macs, 0, l->mac_n * sizeof *l->macs);
    make_ops(&l->ops, level);
    l->crypto = (tl_crypto){ &l->ops, l };
    return TL_OK;
}

const tl_crypto *tl_lanes_crypto(const tl_lanes *l)
{
    return &l->crypto;
}

tl_lanes_level tl_lanes_level_of(const tl_lanes *l)
{
    return l->level_id;
}

void tl_lanes_wipe(tl_lanes *l)
{
    if (l->key_n != 0)
        tl__forget(l->keys, l->key_n * sizeof *l->keys);
    if (l->mac_n != 0)
        tl__forget(l->macs, l->mac_n * sizeof *l->macs);
    tl__forget(l, sizeof *l);
}
