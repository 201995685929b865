/* One writer and one reader of hexadecimal digits. The writer knows its room: what is too long is cut between two bytes. */
#include "hex.h"

#include <stdlib.h>

static const char digits[] = "0123456789abcdef";

void hex_text(tl_span bytes, char *text, size_t room)
{
    for (size_t i = 0; i < bytes.n && room >= 3; i++, room -= 2) {
        *text++ = digits[bytes.p[i] >> 4];
        *text++ = digits[bytes.p[i] & 15];
    }
    *text = '\0';
}

void hex_apart(tl_span bytes, char *text, size_t room)
{
    for (size_t i = 0; i < bytes.n && room >= 4; i++, room -= 3, text += 3) {
        text[0] = ' ';
        hex_text(tl_span_of(bytes.p + i, 1), text + 1, 3);
    }
    *text = '\0';
}

json_t *hex_json(tl_span bytes)
{
    const size_t room = 2 * bytes.n + 1;
    char *text = malloc(room);
    json_t *value = NULL;

    if (text != NULL) {
        hex_text(bytes, text, room);
        value = json_string(text);
    }
    free(text);
    return value;
}

void hex_print(FILE *to, tl_span bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        (void)fputc(digits[bytes.p[i] >> 4], to);
        (void)fputc(digits[bytes.p[i] & 15], to);
    }
}

unsigned hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 16;
}

bool hex_read(const char *text, uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++, text += 2) {
        unsigned high = hex_digit(text[0]), low = high < 16 ? hex_digit(text[1]) : 16;

        if (low > 15)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return *text == '\0';
}
