#include "guarded.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1 << 16 };

static bool make_room(guarded *g, size_t n)
{
    size_t room = g->room == 0 ? FIRST_ROOM : g->room;
    uint8_t *grown;

    if (n <= g->room)
        return true;
    if (n > GUARDED_MAX)
        return false;
    while (room < n)
        room *= 2;
    grown = malloc(room);
    if (grown == NULL)
        return false;
    if (g->n > 0)
        memcpy(grown, g->p, g->n);
    if (g->p != NULL)
        tl_wipe(g->p, g->n);
    free(g->p);
    g->p = grown;
    g->room = room;
    return true;
}

bool guarded_add(guarded *g, tl_span more)
{
    if (more.n > GUARDED_MAX - g->n || !make_room(g, g->n + more.n))
        return false;
    if (more.n > 0)
        memcpy(g->p + g->n, more.p, more.n);
    g->n += more.n;
    return true;
}

void guarded_clear(guarded *g)
{
    if (g->p != NULL)
        tl_wipe(g->p, g->n);
    g->n = 0;
}

void guarded_close(guarded *g)
{
    guarded_clear(g);
    free(g->p);
    *g = (guarded){ 0 };
}

static ssize_t write_more(void *cookie, const char *p, size_t n)
{
    return guarded_add(cookie, tl_span_of((const uint8_t *)p, n)) ? (ssize_t)n : 0;
}

FILE *guarded_stream(guarded *g)
{
    FILE *out = fopencookie(g, "w", (cookie_io_functions_t){ .write = write_more });

    if (out != NULL)
        (void)setvbuf(out, NULL, _IONBF, 0);
    return out;
}
