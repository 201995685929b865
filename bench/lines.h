/* Lines in memory as a batch of messages: header and payload of each side by side, the lines at a stride. */
#ifndef TL_BENCH_LINES_H
#define TL_BENCH_LINES_H

#include <trueline/crypto.h>

enum { LINES_HEADER = 16, LINES_MOST = 64 };

typedef enum lines_kind { LINES_CMAC = 0, LINES_GMAC, LINES_GCM } lines_kind;

typedef struct lines {
    lines_kind kind;
    uint8_t *memory;
    size_t memory_n, stride, payload_n;
    unsigned n;
    uint8_t nonces[LINES_MOST][TL_NONCE_SIZE];
    tl_sealed sealed[LINES_MOST]; /* views of it */
} lines;

/* The key of all comparisons: a suite takes as many bytes of it as it needs. */
extern const uint8_t lines_key[64];

/* stride: from a line's header to the next one's; 0: packed. false: no memory. */
bool lines_open(lines *l, lines_kind kind, size_t payload_n, size_t stride);
/* Writes headers and payloads afresh: the same bytes each time. */
void lines_fill(lines *l);
void lines_close(lines *l);
/* Header and payload of a line, as one. */
static inline uint8_t *lines_at(const lines *l, unsigned i)
{
    return l->memory + i * l->stride;
}
tl_suite lines_suite(lines_kind kind);

/* A library that ours is compared with, on the same lines. `tags` are its own results; verify compares with them. */
typedef struct peer {
    const char *name;
    lines *lines;
    uint8_t tags[LINES_MOST][TL_TAG_MAX];
    unsigned right; /* tags that the last verify found right */
    bool failed;    /* a call of the library failed */
    void *state;
    void (*protect)(void *peer), (*verify)(void *peer); /* all lines once */
    void (*close)(struct peer *p);
} peer;

/* false: the library fails, or is not there. */
bool peer_openssl_open(peer *p, lines *l);
/* The library at AVX-512, or held down to AES-NI. */
bool peer_ipsec_open(peer *p, lines *l, bool aesni);

#endif
