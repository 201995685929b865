/* Pass: tl__size_NAME, the bytes of a message; TL__NEVER and above if a negotiated size is wrong. */
#define MSG(name, code)                                                                                      \
    static inline size_t tl__size_##name(const tl_env *e)                                                    \
    {                                                                                                        \
        size_t n = 0;
#define U8(id, s)        n += tl__if(e, s, 1);
#define U16(id, s)       n += tl__if(e, s, 2);
#define U24(id, s)       n += tl__if(e, s, 3);
#define U32(id, s)       n += tl__if(e, s, 4);
#define U64(id, s)       n += tl__if(e, s, 8);
#define U16B(id, s)      n += tl__if(e, s, 2);
#define U24B(id, s)      n += tl__if(e, s, 3);
#define U32B(id, s)      n += tl__if(e, s, 4);
#define U64B(id, s)      n += tl__if(e, s, 8);
#define OPT(id, c, s)    n += tl__if(e, s, tl__opt(e->len[TL_LEN_##c]));
#define OPTB(id, c, s)   n += tl__if(e, s, tl__opt(e->len[TL_LEN_##c]));
#define RSV(b, s)        n += tl__if(e, s, b);
#define RAW(id, b, s)    n += tl__if(e, s, b);
#define SIZED(id, c, s)  n += tl__if(e, s, e->len[TL_LEN_##c]);
#define BOX8(s)          n += tl__if(e, s, 1);
#define BOX16(s)         n += tl__if(e, s, 2);
#define BOX32(s)         n += tl__if(e, s, 4);
#define BIT(id, sh, w)
#define END(name)                                                                                            \
        return n;                                                                                            \
    }
