/* The built-in self-test of a stream's protection: a small frame is sent and received in memory, an error is injected at
 * each stage, and each must be noticed with the verdict that it deserves. At start-up and whenever it is asked for.
 *
 * It has a sender, a receiver and keys of its own, with the stream's suite, tag mode, tag size, CRC-32 and variants, and
 * goes through the code and the backend that the stream uses; it neither sees nor touches the stream itself. */
#ifndef TRUELINE_SELF_TEST_H
#define TRUELINE_SELF_TEST_H

#include <trueline/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where an error is injected, and what must come of it. */
typedef enum tl_stage {
    TL_STAGE_NONE = 0,    /* nothing is injected: the frame must be ok */
    TL_STAGE_HOP,         /* two bits of a CSI-2 header: ecc */
    TL_STAGE_CRC16,       /* a bit of a line: crc16 */
    TL_STAGE_HEADER,      /* a bit of the service header's version: header */
    TL_STAGE_KEY_NUMBER,  /* the key number in the service header: key */
    TL_STAGE_LENGTH,      /* the length in the service header: length */
    TL_STAGE_CRC32,       /* a bit of a line, the hop's checksum made right: crc32 */
    TL_STAGE_PAYLOAD,     /* the same with the CRC-32 made right too: tag */
    TL_STAGE_TAG,         /* a bit of a tag, the checksums made right: tag */
    TL_STAGE_COUNTER,     /* a line is left out: gap */
    TL_STAGE_REPEAT,      /* the whole frame comes again: repeat */
    TL_STAGE_END,         /* the end is left out: cut */
    TL_STAGE_UNPROTECTED, /* a line without its service header: unprotected */
    TL_STAGE_KEY,         /* a sender with another key: tag */
    TL_STAGES
} tl_stage;

const char *tl_stage_text(tl_stage stage);

/* What the tests so far have found. skipped: the stream has no such stage (no CRC-32, no keys, no tags of lines). */
typedef struct tl_self_test_counts {
    uint32_t injected[TL_STAGES], detected[TL_STAGES], skipped[TL_STAGES];
} tl_self_test_counts;

enum {
    TL_SELF_TEST_LINES = 3, /* lines of each part, at most */
    TL_SELF_TEST_LINE = 64, /* bytes of a line, at most */
    TL__SELF_TEST_ALL_LINES = TL_SEP_PARTS_MAX * TL_SELF_TEST_LINES,
    TL__SELF_TEST_SLOT = TL_SELF_TEST_LINE + TL_SEP_OVERHEAD_MAX
};

/* All that a self-test needs; some kilobytes of the caller's, and no more while it runs. */
typedef struct tl_self_test {
    /* private */
    tl_stream_config config;
    const tl_crypto *crypto;
    tl_stream_tx tx, other; /* other: with a key that the receiver does not have */
    tl_stream_rx rx;
    tl_tx_edge begin, end;
    uint8_t lines[TL__SELF_TEST_ALL_LINES][TL__SELF_TEST_SLOT];
    uint8_t memory[TL__SELF_TEST_ALL_LINES * TL_SELF_TEST_LINE];
    tl_buffer packets[TL__SELF_TEST_ALL_LINES + 4];
    uint32_t packet_count, target; /* target: the packet of a line that a tag covers, if there is one */
    bool covered;
    uint32_t seen; /* bit v set: verdict v was given since the frame began */
    uint32_t frames_ok;
    tl_self_test_counts counts;
} tl_self_test;

/* Makes the test of streams with this configuration and backend (NULL for one without keys). The backend must outlive
 * the test, and needs room for the keys of two senders and a receiver while a test runs, with accumulated tags for the running
 * MACs of their frames too. TL_E_CONFIGURATION. */
tl_err tl_self_test_init(tl_self_test *test, const tl_stream_config *config,
                         const tl_crypto *crypto) TL_MUST_USE;
/* Runs one stage. TL_OK: noticed as it must be, or the stream has no such stage. TL_E_SELF_TEST: it was not, or the
 * clean frame behind it was not ok. Errors of the backend. */
tl_err tl_self_test_stage(tl_self_test *test, tl_stage stage) TL_MUST_USE;
/* Runs all stages, also after one has failed; gives the first error. */
tl_err tl_self_test_run(tl_self_test *test) TL_MUST_USE;
const tl_self_test_counts *tl_self_test_counted(const tl_self_test *test);

#ifdef __cplusplus
}
#endif

#endif
