/* Comparing with a file of session secrets. The file is read with one line in hand: a value that has
 * another name than what was computed fails and is passed; a message ends what can be compared before it,
 * so that one missing line fails alone. */
#include "dump_keys.h"
#include "hex.h"

#include <string.h>

enum { SHOWN = 40 }; /* bytes of a value in a line about failure */

/* Secrets of streams are nothing that an exchange of SPDM could be compared with. */
static void advance(dump_keys *k)
{
    if (k->broken != TL_EXIT_OK)
        return;
    do {
        k->broken = keys_next(&k->file, &k->line, k->fault);
    } while (k->broken == TL_EXIT_OK && k->line.kind == KEYS_STREAM);
    if (k->broken != TL_EXIT_OK)
        k->line.kind = KEYS_END;
}

void dump_keys_open(dump_keys *k, FILE *in, const char *name, dump_report *report, tl_fault *fault)
{
    keys_open(&k->file, in, name);
    k->report = report;
    k->fault = fault;
    k->broken = TL_EXIT_OK;
    advance(k);
}

void dump_keys_write(dump_keys *k, FILE *to, dump_keys_input_of *input, void *context)
{
    *k = (dump_keys){ .to = to, .input = input, .context = context };
}

static void write_value(const dump_keys *k, const char *name, tl_span value)
{
    (void)fprintf(k->to, "%s: ", name);
    hex_print(k->to, value);
    (void)fputc('\n', k->to);
}

static bool write_input(const dump_keys *k, const char *name, uint8_t *value, size_t room, size_t *n)
{
    *n = k->input(k->context, name, value, room);
    if (*n > 0)
        write_value(k, name, tl_span_of(value, *n));
    return *n > 0;
}

/* Hex of the first bytes, for whom it is to be shown. */
static const char *shown(const dump_keys *k, tl_span s, char text[2 * SHOWN + 4])
{
    if (k->report->discreet)
        return "(not shown)";
    hex_text(s, text, 2 * SHOWN + 1);
    if (s.n > SHOWN)
        memcpy(text + 2 * SHOWN, "...", 4);
    return text;
}

static unsigned long long number(const dump_keys *k)
{
    return (unsigned long long)k->line.number;
}

void dump_keys_expect(dump_keys *k, const char *name, tl_span value)
{
    char computed[2 * SHOWN + 4], said[2 * SHOWN + 4];
    tl_span in_file = tl_span_of(k->line.value, k->line.value_n);

    if (k->to != NULL) {
        write_value(k, name, value);
        return;
    }
    if (k->line.kind != KEYS_VALUE) {
        dump_report_failed(k->report, "%s: computed %s, the file has no line for it before line %llu", name,
                           shown(k, value, computed), number(k));
        return;
    }
    if (strcmp(k->line.name, name) != 0)
        dump_report_failed(k->report, "%s: computed %s, line %llu is %s", name, shown(k, value, computed),
                           number(k), k->line.name);
    else if (!tl_equal(value, in_file))
        dump_report_failed(k->report, "%s: computed %s, line %llu says %s", name, shown(k, value, computed),
                           number(k), shown(k, in_file, said));
    advance(k);
}

bool dump_keys_input(dump_keys *k, const char *name, uint8_t *value, size_t room, size_t *n)
{
    if (k->to != NULL)
        return write_input(k, name, value, room, n);
    *n = 0;
    if (k->line.kind != KEYS_VALUE || strcmp(k->line.name, name) != 0 || k->line.value_n > room) {
        dump_report_failed(k->report, "%s: needed, line %llu has not got it", name, number(k));
        if (k->line.kind == KEYS_VALUE)
            advance(k);
        return false;
    }
    memcpy(value, k->line.value, k->line.value_n);
    *n = k->line.value_n;
    advance(k);
    return true;
}

/* Values that nothing was compared with. */
static void pass_values(dump_keys *k)
{
    for (; k->line.kind == KEYS_VALUE; advance(k))
        dump_report_failed(k->report, "not checked: line %llu, %s", number(k), k->line.name);
}

void dump_keys_message(dump_keys *k, const keys_message *m)
{
    const keys_message *l = &k->line.message;

    if (k->to != NULL) {
        (void)fprintf(k->to, "# %s %s 0x%x size %u session %x\n", m->request ? "->" : "<-", m->name, m->code,
                      m->size, m->session);
        return;
    }
    pass_values(k);
    if (k->line.kind == KEYS_END) {
        if (k->broken == TL_EXIT_OK)
            dump_report_failed(k->report, "%s: the file ends before it", m->name);
        return;
    }
    if (l->request != m->request || l->code != m->code || l->size != m->size || l->session != m->session ||
        strcmp(l->name, m->name) != 0)
        dump_report_failed(k->report,
                           "read %s %s 0x%x size %u session %x, line %llu says %s %s 0x%x size %u session %x",
                           m->request ? "->" : "<-", m->name, m->code, m->size, m->session, number(k),
                           l->request ? "->" : "<-", l->name, l->code, l->size, l->session);
    advance(k);
}

void dump_keys_skip(dump_keys *k)
{
    if (k->to != NULL)
        return;
    pass_values(k);
    advance(k);
}

tl_exit dump_keys_end(dump_keys *k)
{
    pass_values(k);
    for (; k->line.kind != KEYS_END; advance(k))
        dump_report_failed(k->report, "not checked: line %llu, %s: the recording has no such message",
                           number(k), k->line.message.name);
    return k->broken;
}
