/* Headers of requests to the live page: whatever is taken for this machine's own must be one of few texts, and an origin that is
 * taken must be that of its host. */
#include "view_http.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int right)
{
    if (!right)
        abort();
}

/* The same question, asked another way. */
static int is_own(const char *host)
{
    static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };
    const char *colon = strrchr(host, ':');
    size_t n = colon != NULL && strchr(host, ']') < colon ? (size_t)(colon - host) : strlen(host);
    int known = 0;

    for (int i = 0; i < 3; i++)
        known |= strlen(names[i]) == n && strncasecmp(names[i], host, n) == 0;
    if (!known || host[n] == 0)
        return known;
    return host[n + 1] != 0 && strlen(host + n + 1) <= 9 &&
           host[n + 1 + strspn(host + n + 1, "0123456789")] == 0 && strtoul(host + n + 1, NULL, 10) < 65536;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *host;
    size_t n, number;

    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    check(view_http_host_is_own(text) == (is_own(text) != 0));
    n = strcspn(text, "\n");
    host = text[n] == '\n' ? text + n + 1 : text + n;
    text[n] = 0;
    if (view_http_origin_is_own(text, host))
        check(strlen(text) == strlen(host) + 7 && is_own(host));
    if (view_http_number(text, 107, &number))
        check(number < 107);
    free(text);
    return 0;
}
