/* Pass: the rows, and the functions that walk them. S is the struct of the message at hand. */
#define MSG(name, code)                                                                                      \
    const tl_field *tl_rows_##name(void)                                                                     \
    {                                                                                                        \
        typedef tl_##name S;                                                                                 \
        static const tl_field rows[] = {
#define U8(id, s)        { TL_ROW_INT, s, 1, offsetof(S, id) },
#define U16(id, s)       { TL_ROW_INT, s, 2, offsetof(S, id) },
#define U24(id, s)       { TL_ROW_INT, s, 3, offsetof(S, id) },
#define U32(id, s)       { TL_ROW_INT, s, 4, offsetof(S, id) },
#define U64(id, s)       { TL_ROW_INT, s, 8, offsetof(S, id) },
#define U16B(id, s)      { TL_ROW_INTB, s, 2, offsetof(S, id) },
#define U24B(id, s)      { TL_ROW_INTB, s, 3, offsetof(S, id) },
#define U32B(id, s)      { TL_ROW_INTB, s, 4, offsetof(S, id) },
#define U64B(id, s)      { TL_ROW_INTB, s, 8, offsetof(S, id) },
#define OPT(id, c, s)    { TL_ROW_OPT, s, TL_LEN_##c, offsetof(S, id) },
#define OPTB(id, c, s)   { TL_ROW_OPTB, s, TL_LEN_##c, offsetof(S, id) },
#define RSV(b, s)        { TL_ROW_RSV, s, b, 0 },
#define RAW(id, b, s)    { TL_ROW_RAW, s, b, offsetof(S, id) },
#define SIZED(id, c, s)  { TL_ROW_SIZED, s, TL_LEN_##c, offsetof(S, id) },
#define LV8(id, s)       { TL_ROW_LV, s, 1, offsetof(S, id) },
#define LV16(id, s)      { TL_ROW_LV, s, 2, offsetof(S, id) },
#define BY(id, f, s)     { TL_ROW_BY, s, offsetof(S, f), offsetof(S, id) },
#define REST(id, s)      { TL_ROW_REST, s, 0, offsetof(S, id) },
#define BODY(id, c, x)   { TL_ROW_BODY, 0, (x) << 8 | TL_LEN_##c, offsetof(S, id) },
#define BOX8(s)          { TL_ROW_BOX, s, 1, 0 },
#define BOX16(s)         { TL_ROW_BOX, s, 2, 0 },
#define BOX32(s)         { TL_ROW_BOX, s, 4, 0 },
#define BIT(id, sh, w)   { TL_ROW_BIT, 0, (sh) << 8 | (w), offsetof(S, id) },
#define END(name)                                                                                            \
            { TL_ROW_END, 0, 0, sizeof(S) }                                                                  \
        };                                                                                                   \
        return rows;                                                                                         \
    }                                                                                                        \
    tl_err tl_decode_##name(const tl_env *e, tl_rd *r, tl_##name *m)                                         \
    {                                                                                                        \
        return tl_decode(tl_rows_##name(), e, r, m);                                                         \
    }                                                                                                        \
    tl_err tl_encode_##name(const tl_env *e, const tl_##name *m, tl_wr *w)                                   \
    {                                                                                                        \
        return tl_encode(tl_rows_##name(), e, m, w);                                                         \
    }                                                                                                        \
    bool tl_each_##name(tl_rd *r, const tl_env *e, tl_##name *m)                                             \
    {                                                                                                        \
        return tl_each(tl_rows_##name(), r, e, m);                                                           \
    }
