/* Bytes as hexadecimal digits, small ones, and back. */
#ifndef TL_TOOLS_HEX_H
#define TL_TOOLS_HEX_H

#include <trueline/base.h>

#include <jansson.h>
#include <stdio.h>

/* As many bytes as there is room for, with a final zero: n bytes need 2 * n + 1. */
void hex_text(tl_span bytes, char *text, size_t room);
/* The same with a blank before each byte, " 16 03 01": n bytes need 3 * n + 1. */
void hex_apart(tl_span bytes, char *text, size_t room);
/* NULL: no memory. */
json_t *hex_json(tl_span bytes);
void hex_print(FILE *to, tl_span bytes);

/* The value of a digit, small or capital; 16 if it is none. */
unsigned hex_digit(char c);
/* Exactly n bytes of a text that ends behind them. False: it is anything else; what is in bytes then is of no use. */
bool hex_read(const char *text, uint8_t *bytes, size_t n);

#endif
