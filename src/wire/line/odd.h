/* Pass: tl__odd_NAME, not 0 if a value is wider than its field, or a span not as long as it. */
#define MSG(name, code)                                                                                      \
    static inline uint64_t tl__odd_##name(const tl_env *e, const tl_##name *m)                               \
    {                                                                                                        \
        uint64_t odd = 0;                                                                                    \
        bool boxed = false;                                                                                  \
                                                                                                             \
        (void)boxed;
#define U8(id, s)        odd |= tl__here(e, s) ? tl__over(m->id, 1) : 0;
#define U16(id, s)       odd |= tl__here(e, s) ? tl__over(m->id, 2) : 0;
#define U24(id, s)       odd |= tl__here(e, s) ? tl__over(m->id, 3) : 0;
#define U32(id, s)       odd |= tl__here(e, s) ? tl__over(m->id, 4) : 0;
#define U64(id, s)       odd |= tl__here(e, s) ? tl__over(m->id, 8) : 0;
#define U16B(id, s)      odd |= tl__here(e, s) ? tl__over(m->id, 2) : 0;
#define U24B(id, s)      odd |= tl__here(e, s) ? tl__over(m->id, 3) : 0;
#define U32B(id, s)      odd |= tl__here(e, s) ? tl__over(m->id, 4) : 0;
#define U64B(id, s)      odd |= tl__here(e, s) ? tl__over(m->id, 8) : 0;
#define OPT(id, c, s)    odd |= tl__here(e, s) ? tl__over(m->id, e->len[TL_LEN_##c]) : 0;
#define OPTB(id, c, s)   odd |= tl__here(e, s) ? tl__over(m->id, e->len[TL_LEN_##c]) : 0;
#define RSV(b, s)
#define RAW(id, b, s)    odd |= tl__here(e, s) ? m->id.n ^ (b) : 0;
#define SIZED(id, c, s)  odd |= tl__here(e, s) ? m->id.n ^ e->len[TL_LEN_##c] : 0;
#define BOX8(s)          boxed = tl__here(e, s);
#define BOX16(s)         boxed = tl__here(e, s);
#define BOX32(s)         boxed = tl__here(e, s);
#define BIT(id, sh, w)   odd |= boxed ? (uint64_t)m->id >> (w) : 0;
#define END(name)                                                                                            \
        return odd;                                                                                          \
    }
