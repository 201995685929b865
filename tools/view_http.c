/* Headers of requests, judged by exact comparison: nothing is normalised, so nothing can be smuggled in. */
#include "view_http.h"

#include <string.h>
#include <strings.h>

bool view_http_number(const char *text, size_t end, size_t *number)
{
    size_t n = 0;

    if (text == NULL || text[0] == 0 || strlen(text) > 9 || strspn(text, "0123456789") != strlen(text))
        return false;
    for (; *text != 0; text++)
        n = n * 10 + (size_t)(*text - '0');
    *number = n;
    return n < end;
}

bool view_http_host_is_own(const char *host)
{
    static const char *const own[] = { "localhost", "127.0.0.1", "[::1]" };
    size_t port;

    for (size_t i = 0; host != NULL && i < sizeof own / sizeof own[0]; i++) {
        size_t n = strlen(own[i]);

        if (strncasecmp(host, own[i], n) == 0)
            return host[n] == 0 || (host[n] == ':' && view_http_number(host + n + 1, 65536, &port));
    }
    return false;
}

bool view_http_origin_is_own(const char *origin, const char *host)
{
    static const char scheme[] = "http://";

    return origin != NULL && view_http_host_is_own(host) && strncmp(origin, scheme, strlen(scheme)) == 0 &&
           strcmp(origin + strlen(scheme), host) == 0;
}
