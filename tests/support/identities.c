/* Identities for tests: one record each. */
#include "identities.h"

#include "vectors.h"

#include <stdlib.h>
#include <string.h>

static void load(tl_test_identity *id, tl_openssl *backend, const tl_vector *v)
{
    uint8_t key[512];
    size_t n = tl_vector_hex(v, "key", key, sizeof key);
    tl_openssl_input in = { "key", { key, n } };
    tl_openssl_why why = { "" };

    id->chain_n = tl_vector_hex(v, "chain", id->chain, sizeof id->chain);
    id->root_n = (size_t)strtoul(tl_vector_text(v, "root_bytes"), NULL, 10);
    if (tl_openssl_load_key(backend, &in, &id->key, &why) != TL_OK)
        fail_msg("%s", why.text);
    id->alg = tl_openssl_key_alg(backend, id->key);
    in = (tl_openssl_input){ "root", { id->chain, id->root_n } };
    if (tl_openssl_load_trust(backend, &in, &id->root, &why) != TL_OK)
        fail_msg("%s", why.text);
}

void tl_test_identity_load(tl_test_identity *id, tl_openssl *backend, const char *folder, const char *name)
{
    tl_vectors file;
    tl_vector v;
    bool found = false;

    memset(id, 0, sizeof *id);
    tl_vectors_open(&file, folder, "identities.txt");
    while (!found && tl_vectors_next(&file, &v)) {
        found = strcmp(tl_vector_text(&v, "name"), name) == 0;
        if (found)
            load(id, backend, &v);
    }
    tl_vectors_close(&file);
    if (!found)
        fail_msg("no identity %s", name);
}
