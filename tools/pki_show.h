/* Certificates as people and scripts read them. */
#ifndef TL_TOOLS_PKI_SHOW_H
#define TL_TOOLS_PKI_SHOW_H

#include "fault.h"

#include <jansson.h>
#include <stdint.h>

/* Rows for a folder of `trueline pki` (its authorities and leaves, checked against its own root and lists), or for
 * every certificate of a PEM file; an array of objects. The caller drops it. */
tl_exit pki_rows(const char *path, int64_t now, json_t **rows, tl_fault *fault)
    __attribute__((warn_unused_result));
/* Prints the rows as a table to stdout. */
void pki_print(const json_t *rows);

#endif
