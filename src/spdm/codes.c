/* The names of requests and responses, from spdm_codes.def. A file of its own, so that a program that names none does not
 * carry them. */
#include <trueline/spdm.h>

const char *tl_spdm_code_text(uint8_t code)
{
    switch (code) {
#define SPDM_REQUEST(name, number, step)                                                                     \
    case number:                                                                                             \
        return #name;
#define SPDM_RESPONSE(name, number) SPDM_REQUEST(name, number, NULL)
#include <trueline/spdm_codes.def>
#undef SPDM_REQUEST
#undef SPDM_RESPONSE
    default: return NULL;
    }
}

const char *tl_spdm_step_text(uint8_t request)
{
    switch (request) {
#define SPDM_REQUEST(name, number, step)                                                                     \
    case number:                                                                                             \
        return step;
#define SPDM_RESPONSE(name, number)
#include <trueline/spdm_codes.def>
#undef SPDM_REQUEST
#undef SPDM_RESPONSE
    default: return NULL;
    }
}
