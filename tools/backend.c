#include "backend.h"

#ifdef TL_TOOLS_LANES
#include <trueline/lanes.h>
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 16, MACS = 16 };

const char *backend_level_name(backend_level level)
{
    static const char *const names[] = { "best", "aesni", "soft", "openssl", "vaes", "armv8" };

    return (unsigned)level < sizeof names / sizeof *names ? names[level] : NULL;
}

#ifdef TL_TOOLS_LANES

/* The kernels' backend and its running MACs; its keys stand behind it. */
typedef struct kernels {
    tl_lanes lanes;
    tl_lanes_mac macs[MACS];
    tl_lanes_key keys[];
} kernels;

static tl_lanes_level wanted(backend_level level)
{
    switch (level) {
    case BACKEND_AESNI: return TL_LANES_AESNI;
    case BACKEND_SOFT: return TL_LANES_SOFT;
    case BACKEND_VAES: return TL_LANES_VAES;
    case BACKEND_ARMV8: return TL_LANES_ARMV8;
    default: return TL_LANES_BEST;
    }
}

bool backend_level_here(backend_level level)
{
    return level == BACKEND_OPENSSL ||
           (backend_level_name(level) != NULL && tl_lanes_level_here(wanted(level)));
}

static tl_err open_kernels(backend *b, backend_level level, uint16_t keys)
{
    size_t size = sizeof(kernels) + keys * sizeof(tl_lanes_key);
    kernels *k = aligned_alloc(TL_LANES_ALIGN, (size + TL_LANES_ALIGN - 1) / TL_LANES_ALIGN * TL_LANES_ALIGN);
    tl_lanes_config config = { .base = b->crypto, .level = wanted(level), .key_n = keys, .mac_n = MACS };

    if (k == NULL)
        return TL_E_BACKEND;
    config.keys = k->keys;
    config.macs = k->macs;
    if (tl_lanes_init(&k->lanes, &config) != TL_OK) {
        free(k);
        return TL_E_BACKEND;
    }
    b->kernels = k;
    b->crypto = tl_lanes_crypto(&k->lanes);
    b->level = tl_lanes_level_name(tl_lanes_level_of(&k->lanes));
    return TL_OK;
}

static void close_kernels(backend *b)
{
    kernels *k = b->kernels;

    if (k != NULL)
        tl_lanes_wipe(&k->lanes);
    free(k);
}

#else

bool backend_level_here(backend_level level)
{
    return level == BACKEND_OPENSSL || level == BACKEND_BEST;
}

/* A build without kernels: OpenSSL's are the best there are. */
static tl_err open_kernels(backend *b, backend_level level, uint16_t keys)
{
    (void)b, (void)keys;
    return level == BACKEND_BEST ? TL_OK : TL_E_BACKEND;
}

static void close_kernels(backend *b)
{
    (void)b;
}

#endif

backend_level backend_level_option(const struct argp_state *state, const char *option, const char *name)
{
    char here[64] = "";

    for (backend_level level = BACKEND_BEST; backend_level_name(level) != NULL; level++) {
        if (!backend_level_here(level))
            continue;
        if (strcmp(name, backend_level_name(level)) == 0)
            return level;
        (void)snprintf(here + strlen(here), sizeof here - strlen(here), "%s%s", here[0] != '\0' ? ", " : "",
                       backend_level_name(level));
    }
    argp_error(state, "%s: '%s' is not to be had here; there is: %s", option, name, here);
    return BACKEND_BEST;
}

tl_err backend_open(backend *b, backend_level level, uint16_t keys)
{
    const tl_openssl_config config = { .key_slots = keys };
    tl_err err;

    *b = (backend){ .level = backend_level_name(BACKEND_OPENSSL) };
    TL_TRY(tl_openssl_open(&config, &b->openssl));
    b->crypto = tl_openssl_crypto(b->openssl);
    err = level == BACKEND_OPENSSL ? TL_OK : open_kernels(b, level, keys > 0 ? keys : KEYS);
    if (err != TL_OK)
        backend_close(b);
    return err;
}

void backend_close(backend *b)
{
    close_kernels(b);
    tl_openssl_close(b->openssl);
    *b = (backend){ 0 };
}

static tl_exit say(tl_err err, tl_fault *fault)
{
    return err == TL_OK ? TL_EXIT_OK : tl_fault_set(fault, TL_EXIT_INTERNAL, "crypto: %s", tl_err_text(err));
}

tl_exit backend_start(backend *b, backend_level level, tl_fault *fault)
{
    return say(backend_open(b, level, 0), fault);
}

tl_exit backend_start_openssl(tl_openssl **openssl, tl_fault *fault)
{
    return say(tl_openssl_open(NULL, openssl), fault);
}
