/* The folder that `trueline pki` keeps:
 *     root.pem root-key.pem          the root
 *     ca/KIND.pem ca/KIND-key.pem    an intermediate for each kind of device
 *     NAME/chain.pem NAME/key.pem    root, intermediate and leaf; the leaf's private key
 *     crl.pem                        the revocation lists of the root and of each intermediate
 * Keys have mode 0600, folders 0700. */
#ifndef TL_TOOLS_PKI_STORE_H
#define TL_TOOLS_PKI_STORE_H

#include "file.h"
#include "pki_cert.h"

enum { PKI_KINDS = 4, PKI_PATH_SIZE = 768, PKI_NAME_SIZE = 32, PKI_FILE_MAX = 65536 };

/* A kind of device: its role, and what it proves. */
typedef struct pki_device {
    const char *role;
    tl_chain_use use;
} pki_device;
extern const pki_device pki_devices[PKI_KINDS];
/* The kind of that role; NULL if there is none. */
const pki_device *pki_device_of(const char *role);

typedef struct pki_options {
    const char *dir;
    tl_group curve;
    int days;
    int64_t now;
    tl_file_clash clash;
} pki_options;

/* A leaf. NULL and TL_USE_ANY in the last three: what its role says. */
typedef struct pki_leaf {
    char name[PKI_NAME_SIZE];
    const pki_device *device;
    const pki_device *issuer; /* the kind whose intermediate signs it */
    const char *device_info;  /* "" for none */
    const char *key_usage;
    tl_chain_use use;
    bool without_use;
    bool authority;                /* marked as one, which no leaf may be */
    int64_t not_before, not_after; /* 0: now, and days later */
} pki_leaf;

/* True for a name that may be a folder's: letters, digits, '-' and '_', not "ca". */
bool pki_name_fits(const char *name);

tl_exit pki_make(const pki_options *o, tl_fault *fault) __attribute__((warn_unused_result));
tl_exit pki_make_leaf(const pki_options *o, const pki_leaf *leaf, tl_fault *fault)
    __attribute__((warn_unused_result));
/* name: a leaf's, or "ca/KIND". */
tl_exit pki_revoke_name(const pki_options *o, const char *name, tl_fault *fault)
    __attribute__((warn_unused_result));

/* Writes the path of a file below dir. TL_EXIT_USAGE: it is too long. */
tl_exit pki_path(char path[PKI_PATH_SIZE], tl_fault *fault, const char *format, ...)
    __attribute__((format(printf, 3, 4), warn_unused_result));
/* The certificates of a PEM file, at most TL_CHAIN_CERTIFICATES; the caller frees them. */
tl_exit pki_read_certificates(const char *path, X509 *list[TL_CHAIN_CERTIFICATES], size_t *n, tl_fault *fault)
    __attribute__((warn_unused_result));

#endif
