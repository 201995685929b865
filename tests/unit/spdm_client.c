/* The controller's end of SPDM by what it accepts when it authenticates again. */
#include "testing.h"

#include "spdm_client.h"

#include <string.h>

static spdm_client c;

/* What the last stage of authentication makes of a sensor with this leaf. */
static tl_exit judge(const spdm_stage *script, uint8_t leaf, tl_fault *fault)
{
    const spdm_stage *last = script;

    while (last[1].flow != NULL)
        last++;
    memset(c.rq.c.peer.facts.fingerprint, leaf, TL_FINGERPRINT_SIZE);
    return last->accept(&c, fault);
}

static void peer_when_authenticated_again_then_it_must_be_the_same(void **state)
{
    tl_fault fault = { 0 };
    (void)state;
    memset(&c, 0, sizeof c);
    assert_int_equal(judge(spdm_script_session, 1, &fault), TL_EXIT_OK);
    assert_int_equal(judge(spdm_script_session, 1, &fault), TL_EXIT_OK);
    assert_int_equal(judge(spdm_script_session, 2, &fault), TL_EXIT_PEER);
    assert_non_null(strstr(fault.text, "another sensor"));
    assert_int_equal(judge(spdm_script_session, 1, &fault), TL_EXIT_OK);
}

/* With a reference, too: the same measurements make no other device the same. */
static void peer_when_another_has_the_same_measurements_then_refused(void **state)
{
    tl_fault fault = { 0 };
    (void)state;
    memset(&c, 0, sizeof c);
    c.has_reference = true;
    assert_int_equal(judge(spdm_script_session, 1, &fault), TL_EXIT_OK);
    assert_int_equal(judge(spdm_script_session, 2, &fault), TL_EXIT_PEER);
    assert_non_null(strstr(fault.text, "another sensor"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peer_when_authenticated_again_then_it_must_be_the_same),
        cmocka_unit_test(peer_when_another_has_the_same_measurements_then_refused),
    };
    return cmocka_run_group_tests_name("spdm_client", tests, NULL, NULL);
}
