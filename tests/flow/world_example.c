/* The scenario that docs/SIMULATION.md shows, whole. tests/cli/world.sh compares the two. */
#include "one_backend.h"

/* SIMULATION begin */
#include "rig.h"

/* Somebody behind the aggregator takes each begin of camera 2's frames away. */
static void take_begins(void *ctx, tl_hop *hop, tl_parcel *parcel)
{
    (void)ctx;
    if (parcel->note.stream == 0x1002 && parcel->note.place == 1)
        tl_hop_taken(hop, parcel);
    else
        tl_hop_pass(hop, parcel);
}

static void cameras_when_one_has_no_begins_then_the_others_are_ok(void **state)
{
    tl_rig_plan plan = tl_rig_plan_default(crypto);
    tl_rig *rig;

    (void)state;
    plan.sensors = 4;
    plan.frames = 25;
    plan.skew_ns = 5 * TL_US;             /* the cameras begin one after the other */
    plan.far_dphy = (tl_dphy){ 4, 1500 }; /* lanes, Mbit/s on each */
    plan.near.flips = 300;                /* of a million packets so many have wrong bits */
    plan.far_hand.parcel = take_begins;

    rig = tl_rig_new(&plan, 42);
    tl_rig_run(rig);
    if (!tl_rig_holds(rig))
        fail_msg("%s", rig->books.wrong);
    for (unsigned i = 0; i < plan.sensors; i++) {
        const tl_stream_counters *n = tl_stream_rx_counters(&rig->controller.sinks[i]->rx);

        if (i == 1)
            assert_int_equal(n->frames_ok, 0);
        else
            assert_true(n->frames_ok >= plan.frames - 3);
    }
    tl_rig_free(rig);
}
/* SIMULATION end */

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(cameras_when_one_has_no_begins_then_the_others_are_ok),
    };
    backend_config.key_slots = 64;
    return cmocka_run_group_tests_name("world_example", tests, open_backend, close_backend);
}
