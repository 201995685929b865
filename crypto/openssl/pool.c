/* The slots behind the handles of hashes, keys and running MACs.
 *
 * A handle holds the slot's number plus one in its low half, so that 0 is none, and the slot's generation
 * above it, in 15 bits: the top bit is left to others. A generation comes back after 32,768 uses of the same
 * slot; a handle kept that long is not noticed. */
#include "backend.h"

#include <openssl/crypto.h>

bool tl__pool_init(tl__pool *pool, size_t n)
{
    pool->slots = OPENSSL_zalloc(n * sizeof *pool->slots);
    pool->n = pool->slots != NULL ? n : 0;
    return pool->slots != NULL;
}

void tl__pool_free(tl__pool *pool)
{
    OPENSSL_free(pool->slots);
    *pool = (tl__pool){ NULL, 0 };
}

tl_err tl__pool_take(tl__pool *pool, size_t *slot)
{
    for (size_t i = 0; i < pool->n; i++) {
        if (!pool->slots[i].taken) {
            pool->slots[i].taken = true;
            *slot = i;
            return TL_OK;
        }
    }
    return TL_E_POOL;
}

void tl__pool_give(tl__pool *pool, size_t slot)
{
    pool->slots[slot].taken = false;
    pool->slots[slot].generation = (pool->slots[slot].generation + 1) & 0x7FFF;
}

uint32_t tl__pool_handle(const tl__pool *pool, size_t slot)
{
    return (uint32_t)pool->slots[slot].generation << 16 | (uint32_t)(slot + 1);
}

tl_err tl__pool_find(const tl__pool *pool, uint32_t handle, size_t *slot)
{
    size_t number = handle & 0xFFFF;
    if (number == 0 || number > pool->n)
        return TL_E_USAGE;
    const tl__slot *s = &pool->slots[number - 1];
    if (!s->taken || s->generation != handle >> 16)
        return TL_E_USAGE;
    *slot = number - 1;
    return TL_OK;
}
