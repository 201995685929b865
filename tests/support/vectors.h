/* Reading test vectors: text files of records, one `name = value` a line, with an empty line between records;
 * # begins a comment. */
#ifndef TL_TESTS_VECTORS_H
#define TL_TESTS_VECTORS_H

#include "testing.h"

enum { TL_VECTOR_FIELDS_MAX = 12 };

typedef struct tl_vector {
    const char *name[TL_VECTOR_FIELDS_MAX];
    const char *value[TL_VECTOR_FIELDS_MAX];
    size_t n;
} tl_vector;

typedef struct tl_vectors {
    char *text, *next;
} tl_vectors;

/* Opens folder/name; a test's folder is TL_TEST_DATA. Fails the test if it is not there. */
void tl_vectors_open(tl_vectors *v, const char *folder, const char *name);
void tl_vectors_close(tl_vectors *v);
/* The next record, which lives until close. False at the end of the file. */
bool tl_vectors_next(tl_vectors *v, tl_vector *record);

/* The text of a field; NULL if the record has none of that name. */
const char *tl_vector_text(const tl_vector *record, const char *name);
/* A field of hex digits; fails the test if it is not there. Gives the number of bytes. */
size_t tl_vector_hex(const tl_vector *record, const char *name, uint8_t *out, size_t room);

/* A record of the files of AES-GCM; `right` is what its tag is. */
enum { TL_GCM_TEXT_MAX = 128 };

typedef struct tl_gcm_vector {
    uint8_t key[32], nonce[TL_NONCE_SIZE], tag[TL_TAG_MAX];
    uint8_t aad[TL_GCM_TEXT_MAX], plain[TL_GCM_TEXT_MAX], cipher[TL_GCM_TEXT_MAX];
    size_t key_n, aad_n, text_n, tag_n;
    bool right;
} tl_gcm_vector;

void tl_gcm_vector_read(const tl_vector *r, tl_gcm_vector *v);

#endif
