/* One attack on one frame, with a clean frame behind it, so that the page shows what each has cost. */
#include "demo_view.h"

#include <inttypes.h>

tl_exit demo_view_open(demo_view *v, demo_attacker *attacker, const char *path, tl_fault *fault)
{
    *v = (demo_view){ .attacker = attacker };
    return view_attacks_open(&v->attacks, path, fault);
}

tl_exit demo_view_frame(void *ctx, uint64_t index, tl_wire_frame *frame, tl_fault *fault)
{
    demo_view *v = ctx;
    const tl_attack *attack;
    tl_exit e;

    if (index == 0)
        return demo_attacker_record(v->attacker, frame, fault);
    if (v->made > 0 && index == v->last + 1)
        return TL_EXIT_OK;
    attack = view_attacks_next(&v->attacks);
    if (attack == NULL)
        return TL_EXIT_OK;
    e = demo_attacker_apply(v->attacker, attack, frame, fault);
    v->last = index;
    v->made++;
    v->costly += attack->cost == TL_COSTS_FRAME;
    view_attacks_done(&v->attacks, attack, v->attacker->config.first_frame + (uint32_t)index);
    return e;
}

/* At the end some frames may still have been under way, and whether the last attack was seen is then open. */
tl_exit demo_view_judge(const demo_view *v, const demo_session *s, tl_fault *fault)
{
    const demo_totals *t = &s->totals;
    uint64_t bad = t->frames_bad + t->frames_lost;

    if (t->frames_ok > s->frames_sent - v->costly)
        return tl_fault_set(fault, TL_EXIT_REFUSED, "a frame that was attacked has verified");
    if (bad > v->costly)
        return tl_fault_set(fault, TL_EXIT_REFUSED,
                            "%" PRIu64 " frames were refused, of %" PRIu64 " that were spoiled", bad,
                            v->costly);
    return TL_EXIT_OK;
}

void demo_view_close(demo_view *v)
{
    view_attacks_close(&v->attacks);
}
