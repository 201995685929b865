/* Runs the self-test and names what failed. */
#include "self_check.h"

#include <stdlib.h>

tl_exit self_check(const tl_stream_config *config, const tl_crypto *crypto, tl_self_test_counts *counts,
                   tl_fault *fault)
{
    tl_self_test *test = malloc(sizeof *test);
    const tl_self_test_counts *found;
    unsigned stage = 0;
    tl_err e;

    if (test == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "self-test: no memory");
    e = tl_self_test_init(test, config, crypto);
    if (e == TL_OK)
        e = tl_self_test_run(test);
    found = tl_self_test_counted(test);
    if (counts != NULL)
        *counts = *found;
    while (stage < TL_STAGES && found->injected[stage] == found->detected[stage])
        stage++;
    free(test);
    if (e == TL_E_SELF_TEST && stage < TL_STAGES)
        return tl_fault_set(fault, TL_EXIT_INTERNAL,
                            "self-test: an error injected at stage '%s' was not noticed",
                            tl_stage_text((tl_stage)stage));
    return e == TL_OK ? TL_EXIT_OK : tl_fault_set(fault, TL_EXIT_INTERNAL, "self-test: %s", tl_err_text(e));
}
