/* Reference measurements: what a sensor must measure, as a JSON file, and the comparison with what it did measure. */
#ifndef TL_TOOLS_REFERENCE_H
#define TL_TOOLS_REFERENCE_H

#include "fault.h"

#include <trueline/requester.h>

#include <jansson.h>

enum {
    REFERENCE_BLOCKS_MAX = 16,
    REFERENCE_RAW_MAX = 256,
    REFERENCE_FILE_MAX = 64 * 1024,
    REFERENCE_NAME = 32
};

/* A block, either raw bytes or a digest for each hash of algs.def. */
typedef struct reference_block {
    uint8_t index;
    char name[REFERENCE_NAME]; /* for people: "set-up" */
    bool raw;
    size_t n; /* bytes of value, raw */
    uint8_t value[REFERENCE_RAW_MAX];
    uint8_t sha256[32], sha384[48];
} reference_block;

typedef struct reference {
    size_t n;
    reference_block blocks[REFERENCE_BLOCKS_MAX]; /* in the order of rising index */
} reference;

/* Reads the text of a file; strict. TL_EXIT_USAGE with what and why. `name` is for the fault. */
tl_exit reference_parse(reference *r, const char *name, tl_span text, tl_fault *fault)
    __attribute__((warn_unused_result));
/* The same from a path. */
tl_exit reference_read(reference *r, const char *path, tl_fault *fault) __attribute__((warn_unused_result));
/* The file's object; NULL without memory. The caller's to json_decref. */
json_t *reference_json(const reference *r);

/* Compares with a record of measurements whose digests are of `alg`. TL_EXIT_PEER names the first block that is changed,
 * missing, or not in the reference. */
tl_exit reference_compare(const reference *r, tl_hash_alg alg, tl_span record, tl_fault *fault)
    __attribute__((warn_unused_result));
/* True if one block was measured as the reference says. */
bool reference_holds(const reference_block *block, tl_hash_alg alg, const tl_spdm_measurement *measured);
/* The reference's digest of a block; empty if the block is raw, or the hash is another. */
tl_span reference_digest(const reference_block *block, tl_hash_alg alg);

#endif
