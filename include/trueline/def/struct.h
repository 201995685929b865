/* Pass: the struct of each message, and the declarations that go with it. */
#define MSG(name, code)  typedef struct tl_##name {
#define U8(id, s)        uint32_t id;
#define U16(id, s)       uint32_t id;
#define U24(id, s)       uint32_t id;
#define U32(id, s)       uint32_t id;
#define U64(id, s)       uint64_t id;
#define U16B(id, s)      uint32_t id;
#define U24B(id, s)      uint32_t id;
#define U32B(id, s)      uint32_t id;
#define U64B(id, s)      uint64_t id;
#define OPT(id, c, s)    uint32_t id;
#define OPTB(id, c, s)   uint32_t id;
#define RSV(b, s)
#define RAW(id, b, s)    tl_span id;
#define SIZED(id, c, s)  tl_span id;
#define LV8(id, s)       tl_span id;
#define LV16(id, s)      tl_span id;
#define BY(id, f, s)     tl_span id;
#define REST(id, s)      tl_span id;
#define BODY(id, c, x)   tl_span id;
#define BOX8(s)
#define BOX16(s)
#define BOX32(s)
#define BIT(id, sh, w)   uint32_t id;
#define END(name)                                                                                            \
    } tl_##name;                                                                                             \
    const tl_field *tl_rows_##name(void);                                                                    \
    tl_err tl_decode_##name(const tl_env *e, tl_rd *r, tl_##name *m) TL_MUST_USE;                            \
    tl_err tl_encode_##name(const tl_env *e, const tl_##name *m, tl_wr *w) TL_MUST_USE;                      \
    bool tl_each_##name(tl_rd *r, const tl_env *e, tl_##name *m);
