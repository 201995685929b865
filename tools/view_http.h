/* Which requests the page's process answers at all: those of a browser on this machine that was sent here by this machine's own
 * name. */
#ifndef TL_TOOLS_VIEW_HTTP_H
#define TL_TOOLS_VIEW_HTTP_H

#include <stdbool.h>
#include <stddef.h>

/* True if a Host header names this machine as itself, with or without a port: another name that leads here is an attack by
 * rebinding. NULL is false. */
bool view_http_host_is_own(const char *host);
/* True if an Origin header is the page's own, as it was asked for by that host. */
bool view_http_origin_is_own(const char *origin, const char *host);
/* A number written in digits alone, below `end`. */
bool view_http_number(const char *text, size_t end, size_t *number);

#endif
