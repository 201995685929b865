/* Messages for people and programs: every field by its row's name, as JSON; and the few that a line of
 * text tells. */
#ifndef TL_TOOLS_DUMP_FIELDS_H
#define TL_TOOLS_DUMP_FIELDS_H

#include "dump_message.h"

#include <jansson.h>

enum { DUMP_TELLING_SIZE = 160 };

/* One object with the fields of a struct, by its rows. */
json_t *dump_object(const tl_message *rows, const tl_env *env, const void *m);
/* All fields of a message, what they hold inside too: tables, blocks, elements. The caller drops it.
 * NULL: no memory. */
json_t *dump_fields(const dump_context *context, const dump_message *message);
/* Bytes of the DER element at the start, 0 if it is none or goes on after the end. */
size_t dump_der_size(tl_span s);
/* A certificate chain in SPDM's format, with size and SHA-256 of each certificate. */
json_t *dump_chain_fields(const dump_context *context, const tl_crypto *crypto, tl_span chain);
/* The fields that say most, in a few words; empty if there are none. */
void dump_telling(const dump_context *context, const dump_message *message, char text[DUMP_TELLING_SIZE]);

#endif
