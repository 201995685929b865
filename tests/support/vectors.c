/* Vector files, read whole and cut into records in place. */
#include "vectors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tl_vectors_open(tl_vectors *v, const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s: %s", path, strerror(errno));
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long n = ftell(file);
    assert_true(n > 0);
    rewind(file);
    v->text = v->next = malloc((size_t)n + 1);
    assert_non_null(v->text);
    assert_int_equal(fread(v->text, 1, (size_t)n, file), (size_t)n);
    fclose(file);
    v->text[n] = '\0';
}

void tl_vectors_close(tl_vectors *v)
{
    free(v->text);
    v->text = v->next = NULL;
}

/* Cuts the next line off. NULL at the end. */
static char *next_line(tl_vectors *v)
{
    char *line = v->next;
    if (*line == '\0')
        return NULL;
    char *end = strchr(line, '\n');
    v->next = end != NULL ? end + 1 : line + strlen(line);
    if (end != NULL)
        *end = '\0';
    return line;
}

static void add_field(tl_vector *record, char *line)
{
    char *sign = strstr(line, " =");
    if (sign == NULL || record->n == TL_VECTOR_FIELDS_MAX)
        fail_msg("not a field: %s", line);
    *sign = '\0';
    record->name[record->n] = line;
    record->value[record->n] = sign[2] == ' ' ? sign + 3 : sign + 2;
    record->n++;
}

bool tl_vectors_next(tl_vectors *v, tl_vector *record)
{
    record->n = 0;
    for (char *line = next_line(v); line != NULL; line = next_line(v)) {
        if (line[0] == '#')
            continue;
        if (line[0] != '\0')
            add_field(record, line);
        else if (record->n != 0)
            break;
    }
    return record->n != 0;
}

const char *tl_vector_text(const tl_vector *record, const char *name)
{
    for (size_t i = 0; i < record->n; i++) {
        if (strcmp(record->name[i], name) == 0)
            return record->value[i];
    }
    return NULL;
}

size_t tl_vector_hex(const tl_vector *record, const char *name, uint8_t *out, size_t room)
{
    const char *text = tl_vector_text(record, name);
    if (text == NULL)
        fail_msg("the vector has no field %s", name);
    return tl_hex(text, out, room);
}

void tl_gcm_vector_read(const tl_vector *r, tl_gcm_vector *v)
{
    const char *result = tl_vector_text(r, "result");
    v->key_n = tl_vector_hex(r, "key", v->key, sizeof v->key);
    assert_int_equal(tl_vector_hex(r, "iv", v->nonce, sizeof v->nonce), TL_NONCE_SIZE);
    v->aad_n = tl_vector_hex(r, "aad", v->aad, sizeof v->aad);
    v->text_n = tl_vector_hex(r, "cipher", v->cipher, sizeof v->cipher);
    v->tag_n = tl_vector_hex(r, "tag", v->tag, sizeof v->tag);
    v->right = result == NULL || strcmp(result, "right") == 0;
    assert_true(v->right || strcmp(result, "wrong") == 0);
    if (v->right)
        assert_int_equal(tl_vector_hex(r, "plain", v->plain, sizeof v->plain), v->text_n);
}
