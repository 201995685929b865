/* The texts of verdicts and of events: reports are read by them, so each is one of its own, and stays what it is. */
#include "testing.h"

#include <trueline/stream.h>

#include <string.h>

static void event_of_each_kind_then_the_word_that_reports_use(void **s)
{
    static const char *const texts[] = { "message", "opened", "frame", "lost", "key", "limit", "silent" };

    (void)s;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_string_equal(tl_event_text((tl_event_kind)i), texts[i]);
    assert_int_equal(sizeof texts / sizeof *texts, TL_EVENT_SILENT + 1);
}

static void event_of_no_kind_then_unknown(void **s)
{
    static const int none[] = { -1, TL_EVENT_SILENT + 1, 255, 0x7FFFFFFF };

    (void)s;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_string_equal(tl_event_text((tl_event_kind)none[i]), "unknown");
}

static void verdict_of_each_row_then_a_word_of_its_own(void **s)
{
    (void)s;
    for (int i = 0; i < TL_VERDICTS; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(tl_verdict_text((tl_verdict)i), tl_verdict_text((tl_verdict)k));
    assert_string_equal(tl_verdict_text(TL_VERDICT_OK), "ok");
    assert_string_equal(tl_verdict_text(TL_VERDICT_CUT), "cut");
}

static void verdict_of_no_row_then_unknown(void **s)
{
    static const int none[] = { -1, TL_VERDICTS, 255, 0x7FFFFFFF };

    (void)s;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_string_equal(tl_verdict_text((tl_verdict)none[i]), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(event_of_each_kind_then_the_word_that_reports_use),
        cmocka_unit_test(event_of_no_kind_then_unknown),
        cmocka_unit_test(verdict_of_each_row_then_a_word_of_its_own),
        cmocka_unit_test(verdict_of_no_row_then_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
