/* Texts of faults. The first one wins nothing here: a caller that got a fault hands it on and does not write
 * another. Bytes of a peer or of a file name that are no printing characters become '?', so that no message can
 * play with the terminal. */
#include "fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void make_printing(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            *text = '?';
}

tl_exit tl_fault_set(tl_fault *fault, tl_exit code, const char *format, ...)
{
    va_list list;

    fault->code = code;
    va_start(list, format);
    (void)vsnprintf(fault->text, sizeof fault->text, format, list);
    va_end(list);
    make_printing(fault->text);
    return code;
}

tl_exit tl_fault_errno(tl_fault *fault, tl_exit code, const char *format, ...)
{
    const char *why = strerror(errno);
    va_list list;
    size_t n;

    fault->code = code;
    va_start(list, format);
    (void)vsnprintf(fault->text, sizeof fault->text, format, list);
    va_end(list);
    n = strlen(fault->text);
    (void)snprintf(fault->text + n, sizeof fault->text - n, ": %s", why);
    make_printing(fault->text);
    return code;
}
