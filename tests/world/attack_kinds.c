/* Keys under way: what must have happened while he was at work, and whether it did. */
#include "attack.h"

/* One row each: what it is, whose cases have it, and the manners that it can have. */
enum {
    CHANGED = 1 << ATTACK_CHANGED,
    REPLAYED = 1 << ATTACK_REPLAYED,
    DROPPED = 1 << ATTACK_DROPPED,
    REORDERED = 1 << ATTACK_REORDERED,
    SEALED = 1 << ATTACK_SEALED,
    ANY = CHANGED | REPLAYED | DROPPED | REORDERED
};

static const struct {
    const char *name;
    bool spdm;
    bool goes_through; /* it has an end of its own that can be counted */
    unsigned manners;
} kinds[ATTACK_KINDS] = {
    [ATTACK_NEXT_KEY] = { "a stream's next key", false, true, ANY },
    [ATTACK_OLD_KEY] = { "a stream's key that was given up", false, false, CHANGED | REPLAYED | SEALED },
    [ATTACK_HEARTBEAT] = { "HEARTBEAT", true, true, ANY },
    [ATTACK_UPDATE_KEY] = { "KEY_UPDATE UpdateKey", true, true, ANY },
    [ATTACK_UPDATE_ALL_KEYS] = { "KEY_UPDATE UpdateAllKeys", true, true, ANY },
    [ATTACK_VERIFY_NEW_KEY] = { "KEY_UPDATE VerifyNewKey", true, true, ANY },
};

static void print_count(bool has, uint64_t n)
{
    if (has)
        printf("%12llu", (unsigned long long)n);
    else
        printf("%12s", "-");
}

void attack_print_kinds(const attack_tally *t)
{
    printf("%-34s%12s%12s%12s%12s%12s%12s\n", "keys under way", "through", "changed", "replayed", "dropped",
           "reordered", "sealed");
    for (unsigned k = 0; k < ATTACK_KINDS; k++) {
        printf("  %-32s", kinds[k].name);
        print_count(kinds[k].goes_through, t->went_through[k]);
        for (unsigned m = 0; m < ATTACK_MANNERS; m++)
            print_count((kinds[k].manners & 1u << m) != 0, t->under_way[k][m]);
        printf("\n");
    }
}

bool attack_had_all_kinds(const attack_tally *t, bool streams, bool spdm)
{
    for (unsigned k = 0; k < ATTACK_KINDS; k++) {
        if (kinds[k].spdm ? !spdm : !streams)
            continue;
        if (kinds[k].goes_through && t->went_through[k] == 0)
            return false;
        for (unsigned m = 0; m < ATTACK_MANNERS; m++)
            if ((kinds[k].manners & 1u << m) != 0 && t->under_way[k][m] == 0)
                return false;
    }
    return true;
}
