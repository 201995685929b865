/* Streams in the simulated world: over hops that lose, repeat, hold back and damage packets, through aggregators and bridges,
 * with clocks that drift. The world knows what it did, and each verdict must be true. */
#include "one_backend.h"
#include "rig.h"
#include "testing.h"

#include <trueline/openssl.h>

static tl_rig *run(const tl_rig_plan *plan, uint64_t seed)
{
    tl_rig *rig = tl_rig_new(plan, seed);

    tl_assert_ok(rig->err);
    tl_rig_run(rig);
    if (!tl_rig_holds(rig))
        fail_msg("seed 0x%llx: %s", (unsigned long long)seed, rig->books.wrong);
    return rig;
}

static void sensor_when_nothing_is_done_then_all_ok(void **state)
{
    tl_rig_plan plan = tl_rig_plan_default(crypto);
    tl_rig *rig = run(&plan, 1);

    (void)state;
    assert_int_equal(rig->books.ok, plan.frames);
    assert_int_equal(rig->books.bad + rig->books.lost, 0);
    tl_rig_free(rig);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sensor_when_nothing_is_done_then_all_ok),
    };
    return cmocka_run_group_tests_name("world_streams", tests, open_backend, close_backend);
}
