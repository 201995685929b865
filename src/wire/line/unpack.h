/* Pass: tl_unpack_NAME. box holds the bits that no row has taken yet. */
#define MSG(name, code)                                                                                      \
    static inline tl_err tl_unpack_##name(const tl_env *e, tl_rd *r, tl_##name *m)                           \
    {                                                                                                        \
        size_t size = tl__size_##name(e);                                                                    \
        const uint8_t *p = tl_take(r, size);                                                                 \
        uint32_t box = 0, odd = 0;                                                                           \
                                                                                                             \
        if (p == NULL) {                                                                                     \
            *m = (tl_##name){ 0 };                                                                           \
            if (r->bad)                                                                                      \
                return size < TL__NEVER ? TL_E_WIRE_SHORT : TL_E_USAGE;                                      \
            return TL_OK;                                                                                    \
        }
#define U8(id, s)        m->id = (uint32_t)tl__load(&p, tl__if(e, s, 1), TL_LITTLE);
#define U16(id, s)       m->id = (uint32_t)tl__load(&p, tl__if(e, s, 2), TL_LITTLE);
#define U24(id, s)       m->id = (uint32_t)tl__load(&p, tl__if(e, s, 3), TL_LITTLE);
#define U32(id, s)       m->id = (uint32_t)tl__load(&p, tl__if(e, s, 4), TL_LITTLE);
#define U64(id, s)       m->id = tl__load(&p, tl__if(e, s, 8), TL_LITTLE);
#define U16B(id, s)      m->id = (uint32_t)tl__load(&p, tl__if(e, s, 2), TL_BIG);
#define U24B(id, s)      m->id = (uint32_t)tl__load(&p, tl__if(e, s, 3), TL_BIG);
#define U32B(id, s)      m->id = (uint32_t)tl__load(&p, tl__if(e, s, 4), TL_BIG);
#define U64B(id, s)      m->id = tl__load(&p, tl__if(e, s, 8), TL_BIG);
#define OPT(id, c, s)    m->id = (uint32_t)tl__load(&p, tl__if(e, s, e->len[TL_LEN_##c]), TL_LITTLE);
#define OPTB(id, c, s)   m->id = (uint32_t)tl__load(&p, tl__if(e, s, e->len[TL_LEN_##c]), TL_BIG);
#define RSV(b, s)        p += tl__if(e, s, b);
#define RAW(id, b, s)    m->id = tl__view(&p, tl__if(e, s, b));
#define SIZED(id, c, s)  m->id = tl__view(&p, tl__if(e, s, e->len[TL_LEN_##c]));
#define BOX8(s)          odd |= box; box = (uint32_t)tl__load(&p, tl__if(e, s, 1), TL_LITTLE);
#define BOX16(s)         odd |= box; box = (uint32_t)tl__load(&p, tl__if(e, s, 2), TL_LITTLE);
#define BOX32(s)         odd |= box; box = (uint32_t)tl__load(&p, tl__if(e, s, 4), TL_LITTLE);
#define BIT(id, sh, w)   m->id = tl__bits(&box, sh, w);
#define END(name)                                                                                            \
        if ((odd | box) == 0)                                                                                \
            return TL_OK;                                                                                    \
        *m = (tl_##name){ 0 };                                                                               \
        r->bad = true;                                                                                       \
        return TL_E_WIRE_VALUE;                                                                              \
    }
