/* Pass: tl_pack_NAME. A box is written when its last bit is known. */
#define MSG(name, code)                                                                                      \
    static inline tl_err tl_pack_##name(const tl_env *e, const tl_##name *m, tl_wr *w)                       \
    {                                                                                                        \
        tl__box box = { NULL, 0, 0 };                                                                        \
        uint8_t *p = NULL;                                                                                   \
        tl_err err = tl__make_room(w, tl__size_##name(e), tl__odd_##name(e, m), &p);                         \
                                                                                                             \
        if (err != TL_OK || p == NULL)                                                                       \
            return err;
#define U8(id, s)        tl__store(&p, tl__if(e, s, 1), TL_LITTLE, m->id);
#define U16(id, s)       tl__store(&p, tl__if(e, s, 2), TL_LITTLE, m->id);
#define U24(id, s)       tl__store(&p, tl__if(e, s, 3), TL_LITTLE, m->id);
#define U32(id, s)       tl__store(&p, tl__if(e, s, 4), TL_LITTLE, m->id);
#define U64(id, s)       tl__store(&p, tl__if(e, s, 8), TL_LITTLE, m->id);
#define U16B(id, s)      tl__store(&p, tl__if(e, s, 2), TL_BIG, m->id);
#define U24B(id, s)      tl__store(&p, tl__if(e, s, 3), TL_BIG, m->id);
#define U32B(id, s)      tl__store(&p, tl__if(e, s, 4), TL_BIG, m->id);
#define U64B(id, s)      tl__store(&p, tl__if(e, s, 8), TL_BIG, m->id);
#define OPT(id, c, s)    tl__store(&p, tl__if(e, s, e->len[TL_LEN_##c]), TL_LITTLE, m->id);
#define OPTB(id, c, s)   tl__store(&p, tl__if(e, s, e->len[TL_LEN_##c]), TL_BIG, m->id);
#define RSV(b, s)        tl__clear(&p, tl__if(e, s, b));
#define RAW(id, b, s)    tl__copy(&p, tl__if(e, s, b), m->id);
#define SIZED(id, c, s)  tl__copy(&p, tl__if(e, s, e->len[TL_LEN_##c]), m->id);
#define BOX8(s)          tl__close(&box); box = tl__open(&p, tl__if(e, s, 1));
#define BOX16(s)         tl__close(&box); box = tl__open(&p, tl__if(e, s, 2));
#define BOX32(s)         tl__close(&box); box = tl__open(&p, tl__if(e, s, 4));
#define BIT(id, sh, w)   box.bits |= m->id << (sh);
#define END(name)                                                                                            \
        tl__close(&box);                                                                                     \
        return TL_OK;                                                                                        \
    }
