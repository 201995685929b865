#include "lines.h"

#include "bench.h"

#include <string.h>

const uint8_t lines_key[64] = { 0x2B, 0x7E, 0x15, 0x16, 0x28, 0xAE, 0xD2, 0xA6, 0xAB, 0xF7, 0x15, 0x88,
                                0x09, 0xCF, 0x4F, 0x3C, 0x60, 0x3D, 0xEB, 0x10, 0x15, 0xCA, 0x71, 0xBE };

void lines_fill(lines *l)
{
    for (unsigned i = 0; i < l->n; i++)
        bench_fill(lines_at(l, i), LINES_HEADER + l->payload_n, i + 1);
}

bool lines_open(lines *l, lines_kind kind, size_t payload_n, size_t stride)
{
    *l = (lines){ .kind = kind, .payload_n = payload_n, .n = LINES_MOST };
    l->stride = stride > 0 ? stride : LINES_HEADER + payload_n;
    l->memory_n = l->stride * l->n;
    l->memory = bench_pages(l->memory_n, false);
    if (l->memory == NULL)
        return false;
    lines_fill(l);
    for (unsigned i = 0; i < l->n; i++) {
        uint8_t *line = lines_at(l, i);

        memset(l->nonces[i], (int)i, TL_NONCE_SIZE);
        l->sealed[i] = (tl_sealed){ .header = tl_span_of(line, LINES_HEADER),
                                    .payload = line + LINES_HEADER,
                                    .payload_n = payload_n,
                                    .cover = kind == LINES_GCM ? TL_COVER_ENCRYPTED : TL_COVER_PAYLOAD,
                                    .tag_n = TL_TAG_MAX };
        memcpy(l->sealed[i].nonce, l->nonces[i], TL_NONCE_SIZE);
    }
    return true;
}

void lines_close(lines *l)
{
    bench_pages_free(l->memory, l->memory_n);
    *l = (lines){ 0 };
}

tl_suite lines_suite(lines_kind kind)
{
    return kind == LINES_CMAC ? TL_SUITE_AES128_CMAC : TL_SUITE_AES128_GMAC;
}
