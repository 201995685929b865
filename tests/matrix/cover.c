/* A covering array of strength two over the factors, greedy and deterministic: the product is gone through again and
 * again, and what brings at least so many new pairs is taken, fewer each time. */
#include "ends.h"

#include <string.h>

enum { LEVELS_MAX = KINDS, PAIRS_OF_ONE = FACTORS * (FACTORS - 1) / 2 };

typedef struct pairs {
    bool has[FACTORS][FACTORS][LEVELS_MAX][LEVELS_MAX];
} pairs;

static unsigned new_pairs(const pairs *p, const combination *c)
{
    unsigned n = 0;

    for (unsigned a = 0; a < FACTORS; a++)
        for (unsigned b = a + 1; b < FACTORS; b++)
            n += !p->has[a][b][c->level[a]][c->level[b]];
    return n;
}

static void add_pairs(pairs *p, const combination *c)
{
    for (unsigned a = 0; a < FACTORS; a++)
        for (unsigned b = a + 1; b < FACTORS; b++)
            p->has[a][b][c->level[a]][c->level[b]] = true;
}

size_t cover_make(combination *rows, size_t room)
{
    static pairs covered;
    size_t n = 0;

    memset(&covered, 0, sizeof covered);
    for (unsigned least = PAIRS_OF_ONE; least > 0; least--) {
        combination c = { { 0 } };
        do {
            if (new_pairs(&covered, &c) < least || !combination_is_valid(&c))
                continue;
            if (n == room)
                return 0;
            rows[n++] = c;
            add_pairs(&covered, &c);
        } while (combination_next(&c));
    }
    return n;
}

/* Looked at the other way round: each pair that any valid combination has is looked for among the rows. */
size_t cover_missing(const combination *rows, size_t n)
{
    static pairs possible, covered;
    size_t missing = 0;
    combination c = { { 0 } };

    memset(&possible, 0, sizeof possible);
    memset(&covered, 0, sizeof covered);
    do {
        if (combination_is_valid(&c))
            add_pairs(&possible, &c);
    } while (combination_next(&c));
    for (size_t i = 0; i < n; i++)
        add_pairs(&covered, &rows[i]);
    for (unsigned a = 0; a < FACTORS; a++)
        for (unsigned b = a + 1; b < FACTORS; b++)
            for (unsigned i = 0; i < LEVELS_MAX; i++)
                for (unsigned k = 0; k < LEVELS_MAX; k++)
                    missing += possible.has[a][b][i][k] && !covered.has[a][b][i][k];
    return missing;
}
