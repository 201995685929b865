/* The options of a command in the order in which --help shows them, and the words that they take. A placeholder says most
 * ("frame|line|early", FILE, DIR); where it is a name, the table that the program compares with does. */
#include "page.h"

#include "backend.h"
#include "pki_store.h"
#include "protection.h"

#include <ctype.h>
#include <string.h>

static void add(option_row rows[ROWS_MAX], size_t *n, option_row row)
{
    size_t at = *n;

    if (*n == ROWS_MAX)
        return;
    /* Stable by group; argp shows negative ones last. */
    while (at > 0 && (unsigned)rows[at - 1].group > (unsigned)row.group) {
        rows[at] = rows[at - 1];
        at--;
    }
    rows[at] = row;
    (*n)++;
}

static void add_table(const struct argp_option *o, int child_group, option_row rows[ROWS_MAX], size_t *n)
{
    int group = 0;

    for (; o != NULL && (o->name != NULL || o->key != 0 || o->doc != NULL || o->group != 0); o++) {
        bool heading = o->name == NULL && o->key == 0;

        group = o->group != 0 ? o->group : heading ? group + 1 : group;
        if ((o->flags & OPTION_HIDDEN) == 0 && !(heading && o->doc == NULL))
            add(rows, n,
                (option_row){ .option = heading ? NULL : o,
                              .heading = heading ? o->doc : NULL,
                              .group = child_group != 0 ? child_group : group });
    }
}

size_t page_rows(const struct argp *argp, option_row rows[ROWS_MAX])
{
    size_t n = 0;

    add_table(argp->options, 0, rows, &n);
    for (const struct argp_child *c = argp->children; c != NULL && c->argp != NULL; c++) {
        if (c->header != NULL)
            add(rows, &n, (option_row){ .heading = c->header, .group = c->group });
        add_table(c->argp->options, c->group, rows, &n);
    }
    return n;
}

value_kind page_kind(const char *placeholder)
{
    static const char *const files[] = { "FILE", "INPUT", "KEYS", "REPORT", ".json" };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strstr(placeholder, files[i]) != NULL)
            return VALUE_FILE;
    return strstr(placeholder, "DIR") != NULL ? VALUE_FOLDER : VALUE_TEXT;
}

/* ---- words ---- */

static const char *level_name(size_t i)
{
    return backend_level_name((backend_level)i);
}

static const char *suite_name(size_t i)
{
    return protection_suite_text((tl_suite)i);
}

static const char *role_name(size_t i)
{
    return i < PKI_KINDS ? pki_devices[i].role : NULL;
}

static const struct {
    const char *option;
    const char *(*word)(size_t i);
} tables[] = {
    { "crypto", level_name }, { "suite", suite_name },          { "role", role_name },
    { "ca", role_name },      { "controller-role", role_name },
};

/* Is it a word to type, not one that stands for something (N, FILE)? Small letters, digits and signs, and no "..". */
static bool literal(const char *word, size_t n)
{
    if (n == 0 || n >= LINE_NAME_SIZE || memchr(word, '[', n) != NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        if (isupper((unsigned char)word[i]) || (i > 0 && word[i] == '.' && word[i - 1] == '.'))
            return false;
    return true;
}

static const char *from_placeholder(const char *text, size_t i, char room[LINE_NAME_SIZE])
{
    if (strchr(text, '|') == NULL)
        return NULL;
    for (const char *at = text; at != NULL; at = *at == '|' ? at + 1 : NULL) {
        size_t n = strcspn(at, "|");

        if (literal(at, n) && i-- == 0) {
            memcpy(room, at, n);
            room[n] = '\0';
            return room;
        }
        at += n;
    }
    return NULL;
}

const char *page_value(const struct argp_option *option, size_t i, char room[LINE_NAME_SIZE])
{
    const char *word = option->arg != NULL ? from_placeholder(option->arg, i, room) : NULL;

    if (word != NULL || option->arg == NULL || option->name == NULL || strchr(option->arg, '|') != NULL)
        return word;
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        if (strcmp(tables[t].option, option->name) == 0)
            return tables[t].word(i);
    return NULL;
}
