#include "keys_source.h"
#include "pcap.h"

#include <trueline/layout/ids.h>

bool keys_source_add(keys_source *s, tl_span secrets)
{
    return guarded_add(&s->inside, secrets);
}

static void take_secrets(void *ctx, uint32_t type, tl_span secrets)
{
    keys_source *s = ctx;

    if (type == TL_SECRETS_TYPE && !s->full)
        s->full = !keys_source_add(s, secrets);
}

/* All secrets of a capture, up to where it ends or is broken. */
static tl_exit collect(keys_source *s, FILE *in, const char *path, tl_fault *fault)
{
    pcap file;
    pcap_packet packet;
    bool more = true;
    tl_exit e = pcap_open(&file, in, path, fault);

    file.on_secrets = take_secrets;
    file.context = s;
    while (e == TL_EXIT_OK && more)
        e = pcap_next(&file, &packet, &more, fault);
    pcap_close(&file);
    if (s->full)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "%.200s: no memory for its secrets", path);
    return e == TL_EXIT_INTERNAL ? e : TL_EXIT_OK;
}

tl_exit keys_source_open_added(keys_source *s, const char *path, tl_fault *fault)
{
    s->file = fmemopen(s->inside.p, s->inside.n, "r");
    if (s->file == NULL)
        return tl_fault_errno(fault, TL_EXIT_INTERNAL, "%.200s", path);
    (void)setvbuf(s->file, s->buffer, _IOFBF, sizeof s->buffer);
    return TL_EXIT_OK;
}

tl_exit keys_source_open(keys_source *s, const char *path, tl_fault *fault)
{
    FILE *in = fopen(path, "rb");
    tl_exit e;
    int first;

    *s = (keys_source){ 0 };
    if (in == NULL)
        return tl_fault_errno(fault, TL_EXIT_USAGE, "keys: %.200s", path);
    (void)setvbuf(in, s->buffer, _IOFBF, sizeof s->buffer);
    first = getc(in);
    if (first != EOF)
        (void)ungetc(first, in);
    if (first != '\n') { /* with that byte a capture begins, and no line of secrets */
        s->file = in;
        return TL_EXIT_OK;
    }
    e = collect(s, in, path, fault);
    (void)fclose(in);
    if (e == TL_EXIT_OK && s->inside.n == 0)
        e = tl_fault_set(fault, TL_EXIT_USAGE, "%.200s: a capture without secrets of this program", path);
    if (e == TL_EXIT_OK)
        e = keys_source_open_added(s, path, fault);
    if (e != TL_EXIT_OK)
        keys_source_close(s);
    return e;
}

tl_exit keys_source_inside(keys_source *s, const char *recording, tl_fault *fault)
{
    FILE *in = pcap_file(recording);
    tl_exit e;

    *s = (keys_source){ 0 };
    if (in == NULL)
        return tl_fault_errno(fault, TL_EXIT_LINK, "%.200s", recording);
    e = collect(s, in, recording, fault);
    (void)fclose(in);
    if (e == TL_EXIT_OK && s->inside.n > 0)
        e = keys_source_open_added(s, recording, fault);
    if (e != TL_EXIT_OK)
        keys_source_close(s);
    return e;
}

void keys_source_close(keys_source *s)
{
    if (s->file != NULL)
        (void)fclose(s->file);
    guarded_close(&s->inside);
    tl_wipe(s, sizeof *s);
}
