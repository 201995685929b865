/* The names of SPDM's codes: what is a request, what has no name, and that the requester's steps are called as the table says. */
#include "spdm/spdm.h"
#include "testing.h"

#include <string.h>

static void code_of_every_row_then_its_half_of_the_codes_and_its_name(void **s)
{
    (void)s;
#define SPDM_REQUEST(name, code, step)                                                                       \
    assert_true((code) >= 0x80);                                                                             \
    assert_int_equal(TL_SPDM_##name, code);                                                                  \
    assert_string_equal(tl_spdm_code_text(code), #name);
#define SPDM_RESPONSE(name, code)                                                                            \
    assert_true((code) < 0x80);                                                                              \
    assert_int_equal(TL_SPDM_##name, code);                                                                  \
    assert_string_equal(tl_spdm_code_text(code), #name);
#include <trueline/spdm_codes.def>
#undef SPDM_REQUEST
#undef SPDM_RESPONSE
}

static void code_that_is_in_no_row_then_no_name(void **s)
{
    bool known[256] = { false };

    (void)s;
#define SPDM_REQUEST(name, code, step) known[code] = true;
#define SPDM_RESPONSE(name, code)      known[code] = true;
#include <trueline/spdm_codes.def>
#undef SPDM_REQUEST
#undef SPDM_RESPONSE
    for (unsigned code = 0; code < 256; code++) {
        if (known[code])
            continue;
        assert_null(tl_spdm_code_text((uint8_t)code));
        assert_null(tl_spdm_step_text((uint8_t)code));
    }
    assert_false(known[0] || known[0x08] || known[0x80] || known[0xFB]);
}

static void step_of_a_response_or_of_what_the_requester_never_asks_then_none(void **s)
{
    static const uint8_t codes[] = { TL_SPDM_VERSION,      TL_SPDM_ERROR,
                                     TL_SPDM_FINISH_RSP,   TL_SPDM_CHUNK_SEND,
                                     TL_SPDM_PSK_EXCHANGE, TL_SPDM_GET_ENCAPSULATED_REQUEST,
                                     TL_SPDM_SEND_EVENT };

    (void)s;
    for (size_t i = 0; i < sizeof codes; i++)
        assert_null(tl_spdm_step_text(codes[i]));
}

static void step_of_the_requester_then_named_as_its_request_says(void **s)
{
    static const tl__step *const steps[] = {
        &tl__version_step,     &tl__capabilities_step, &tl__algorithms_step,   &tl__digests_step,
        &tl__certificate_step, &tl__challenge_step,    &tl__measurements_step, &tl__key_exchange_step,
        &tl__finish_step,      &tl__heartbeat_step,    &tl__key_update_step,   &tl__end_session_step,
        &tl__vendor_step,
    };
    const char *verify = tl__key_update_verify_step.name;

    (void)s;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        assert_string_equal(steps[i]->name, tl_spdm_step_text(steps[i]->request));
    assert_memory_equal(verify, "KEY_UPDATE ", 11); /* the same request, with another operation */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_of_every_row_then_its_half_of_the_codes_and_its_name),
        cmocka_unit_test(code_that_is_in_no_row_then_no_name),
        cmocka_unit_test(step_of_a_response_or_of_what_the_requester_never_asks_then_none),
        cmocka_unit_test(step_of_the_requester_then_named_as_its_request_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
