/* What each byte of a recording is, run by run, in the order of the file: for whoever checks that a change of any byte shows or lies
 * where nothing is protected. */
#include "verify.h"
#include "verify_spdm.h"

typedef struct map {
    FILE *to;
    uint64_t from, at; /* the run at hand */
    account_class class, spdm;
    uint64_t packet_at; /* of the packet's first byte */
} map;

/* The run ends at `end`, and the next one is of that class. */
static void go_on(map *m, uint64_t end, account_class next)
{
    m->at = end;
    if (next == m->class)
        return;
    if (end > m->from)
        (void)fprintf(m->to, "%llu %llu %s\n", (unsigned long long)m->from, (unsigned long long)end,
                      account_name(m->class));
    m->from = end;
    m->class = next;
}

static void on_range(void *ctx, const account_range *range)
{
    map *m = ctx;

    go_on(m, m->packet_at + range->from, range->class);
    m->at = m->packet_at + range->to;
}

static account_class class_of(const map *m, const pcap_packet *p, tape_kind kind)
{
    if (kind != TAPE_SPDM)
        return kind == TAPE_UNKNOWN ? ACCOUNT_unknown : ACCOUNT_other;
    return verify_spdm_covers(p) ? m->spdm : ACCOUNT_spdm_clear;
}

static void take(map *m, account *a, const pcap_packet *p, tape_kind kind)
{
    m->packet_at = p->bytes_at;
    if (p->bytes_at > m->at)
        go_on(m, m->at, ACCOUNT_container);
    if (kind == TAPE_STREAM)
        account_packet(a, tl_span_of(p->p, p->n), on_range, m);
    else {
        go_on(m, p->bytes_at, class_of(m, p, kind));
        m->at = p->bytes_at + p->n;
    }
}

static tl_exit walk(map *m, tape *t, tl_fault *fault)
{
    account a;
    bool more = true;
    tl_exit e = TL_EXIT_OK;

    account_open(&a, &t->file.config);
    a.announced = tape_is_announced(t);
    while (e == TL_EXIT_OK && more) {
        pcap_packet p;
        tape_kind kind;

        e = tape_next(t, &p, &kind, &more, fault);
        if (e == TL_EXIT_OK && more)
            take(m, &a, &p, kind);
    }
    if (e == TL_EXIT_OK && fseek(t->in, 0, SEEK_END) == 0 && ftell(t->in) >= 0) {
        uint64_t size = (uint64_t)ftell(t->in);

        if (size > m->at)
            go_on(m, m->at, ACCOUNT_container);
        go_on(m, size, ACCOUNT_CLASSES);
    }
    return e;
}

tl_exit verify_map(const verify_options *o, const char *path, tl_fault *fault)
{
    map m = { .class = ACCOUNT_container, .spdm = ACCOUNT_spdm_unchecked };
    backend b = { 0 };
    tape t = { 0 };
    tl_file file;
    tl_exit e;

    if (backend_open(&b, o->tape.crypto, 0) != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "crypto: no backend");
    e = tape_open(&t, &o->tape, b.crypto, fault);
    if (e == TL_EXIT_OK) {
        e = tl_file_begin(&file, path, 0644, fault);
        if (e == TL_EXIT_OK) {
            m.to = file.stream;
            if (verify_spdm_speaks(&o->tape))
                m.spdm = ACCOUNT_spdm;
            e = walk(&m, &t, fault);
            if (e == TL_EXIT_OK)
                e = tl_file_commit(&file, TL_FILE_REPLACE, fault);
            else
                tl_file_abandon(&file);
        }
        tape_close(&t);
    }
    backend_close(&b);
    return e;
}
