/* Reading whole files with a bound, and cutting them into PEM or DER blocks.
 *
 * POSIX is asked for two things that C does not have: who may read a file, and not to wait for a pipe. */
#define _POSIX_C_SOURCE 200809L
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

tl_err tl__input_refuse(const tl__input *in, const char *format, ...)
{
    va_list list;
    if (in->why != NULL) {
        int n = snprintf(in->why->text, sizeof in->why->text, "%.255s: ", in->name);
        va_start(list, format);
        if (n >= 0)
            (void)vsnprintf(in->why->text + n, sizeof in->why->text - (size_t)n, format, list);
        va_end(list);
    }
    ERR_clear_error();
    return TL_E_FILE;
}

static tl_err check_file(const tl__input *in, int file, tl__secrecy secrecy)
{
    struct stat about;
    if (fstat(file, &about) != 0)
        return tl__input_refuse(in, "%s", strerror(errno));
    if (!S_ISREG(about.st_mode))
        return tl__input_refuse(in, "is no file");
    if (secrecy == TL__SECRET_FILE && (about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return tl__input_refuse(in, "others may read it: chmod 600 %.255s", in->name);
    if (about.st_size > TL_OPENSSL_INPUT_MAX)
        return tl__input_refuse(in, "longer than %d bytes", (int)TL_OPENSSL_INPUT_MAX);
    return TL_OK;
}

static tl_err read_all(tl__input *in, int file)
{
    size_t n = 0;
    for (;;) {
        ssize_t got = read(file, in->owned + n, TL_OPENSSL_INPUT_MAX + 1 - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return tl__input_refuse(in, "%s", strerror(errno));
        n += (size_t)got;
        if (n > TL_OPENSSL_INPUT_MAX)
            return tl__input_refuse(in, "longer than %d bytes", (int)TL_OPENSSL_INPUT_MAX);
        if (got == 0)
            break;
    }
    in->bytes = tl_span_of(in->owned, n);
    return TL_OK;
}

static tl_err open_file(tl__input *in, tl__secrecy secrecy)
{
    int file = open(in->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0)
        return tl__input_refuse(in, "%s", strerror(errno));
    tl_err e = check_file(in, file, secrecy);
    if (e == TL_OK) {
        in->owned = OPENSSL_zalloc(TL_OPENSSL_INPUT_MAX + 1);
        e = in->owned != NULL ? read_all(in, file) : tl__openssl_failed();
    }
    (void)close(file);
    return e;
}

tl_err tl__input_open(tl__input *in, const tl_openssl_input *from, tl__secrecy secrecy, tl_openssl_why *why)
{
    *in = (tl__input){ .name = from->name != NULL ? from->name : "input", .why = why, .bytes = from->bytes };
    if (why != NULL)
        why->text[0] = '\0';
    if (from->bytes.p == NULL && from->name == NULL)
        return TL_E_USAGE;
    if (from->bytes.p == NULL)
        TL_TRY(open_file(in, secrecy));
    if (in->bytes.n > TL_OPENSSL_INPUT_MAX)
        return tl__input_refuse(in, "longer than %d bytes", (int)TL_OPENSSL_INPUT_MAX);
    return in->bytes.n != 0 ? TL_OK : tl__input_refuse(in, "empty");
}

void tl__input_close(tl__input *in)
{
    OPENSSL_clear_free(in->owned, TL_OPENSSL_INPUT_MAX + 1);
    in->owned = NULL;
}

/* ---- blocks ---- */

/* DER of what is read here begins with a SEQUENCE; no text does. */
bool tl__input_is_pem(const tl__input *in)
{
    return in->bytes.n != 0 && in->bytes.p[0] != 0x30;
}

static tl_err pem_blocks(const tl__input *in, const char *label, tl__take_block *take, void *ctx)
{
    BIO *bio = BIO_new_mem_buf(in->bytes.p, (int)in->bytes.n);
    tl_err e = bio != NULL ? TL_OK : tl__openssl_failed();
    size_t n = 0;
    while (e == TL_OK) {
        char *name = NULL, *header = NULL;
        uint8_t *der = NULL;
        long length = 0;
        if (PEM_read_bio(bio, &name, &header, &der, &length) != 1) {
            bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
            if (!end || n == 0)
                e = tl__input_refuse(in, end ? "no PEM and no DER" : "broken PEM block %zu", n + 1);
            ERR_clear_error();
            break;
        }
        n++;
        if (strcmp(name, label) != 0)
            e = tl__input_refuse(in, "PEM block %zu is a %.40s, not a %s", n, name, label);
        else
            e = take(ctx, in, tl_span_of(der, (size_t)length));
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(der, length > 0 ? (size_t)length : 0);
    }
    BIO_free(bio);
    return e;
}

/* Bytes of the DER value that `rest` begins with, 0 if it does not fit in. */
static size_t der_size(tl_span rest)
{
    const uint8_t *p = rest.p;
    long length;
    int tag, class;
    int form = ASN1_get_object(&p, &length, &tag, &class, (long)rest.n);
    if ((form & 0x81) != 0 || length < 0 || (size_t)(p - rest.p) + (size_t)length > rest.n)
        return 0;
    return (size_t)(p - rest.p) + (size_t)length;
}

tl_err tl__input_blocks(const tl__input *in, const char *label, tl__take_block *take, void *ctx)
{
    if (tl__input_is_pem(in))
        return pem_blocks(in, label, take, ctx);
    tl_span rest = in->bytes;
    while (rest.n != 0) {
        size_t n = der_size(rest);
        if (n == 0)
            return tl__input_refuse(in, "broken DER at byte %zu", in->bytes.n - rest.n);
        TL_TRY(take(ctx, in, tl_span_of(rest.p, n)));
        rest = tl_span_of(rest.p + n, rest.n - n);
    }
    return TL_OK;
}
