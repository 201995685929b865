/* Reports of segments become the report of the whole. Nothing is verified here: what is checked is that the reports are of one file,
 * one configuration and one division, each segment once, that every segment ended where the next one says it began, and that no
 * limit of a key was in reach which no segment alone could see. Lines are copied as they are, so that the list is the one
 * that a single run writes; a report is read line by line, and may be of any length. */
#include "verify.h"
#include "pcap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One report: what stands behind its events. */
typedef struct part {
    const char *path;
    json_t *tail, *totals, *evidence, *segment;
    int index, of;
    uint64_t right, refused; /* events: frames that verified, and refusals */
} part;

typedef struct join {
    part *parts;
    size_t n;
    report report;
    verify_totals totals;
    account account;
    json_t *counters;
    uint64_t left_out;
} join;

static tl_exit wrong(const part *p, tl_fault *fault, const char *why)
{
    return tl_fault_set(fault, TL_EXIT_USAGE, "join: %.200s: %s", p->path, why);
}

/* ---- reading ---- */

static bool starts_with(const char *line, const char *text)
{
    return strncmp(line, text, strlen(text)) == 0;
}

/* The line behind the events is the rest of an object. */
static json_t *tail_of(const char *line)
{
    size_t n = strlen(line) + sizeof "{\"events\": [";
    char *text = malloc(n);
    json_t *o = NULL;

    if (text != NULL) {
        (void)snprintf(text, n, "{\"events\": [%s", line);
        o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    }
    free(text);
    return o;
}

static bool is_text(const json_t *o, const char *key, const char *text)
{
    const char *value = json_string_value(json_object_get(o, key));

    return value != NULL && strcmp(value, text) == 0;
}

/* An event's line without its end, counted; false: it is none. */
static bool take_event(part *p, char *line)
{
    json_t *o;
    size_t n = strlen(line);
    bool right;

    if (n > 0 && line[n - 1] == '\n')
        line[--n] = '\0';
    if (n > 0 && line[n - 1] == ',')
        line[--n] = '\0';
    o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    n = json_is_string(json_object_get(o, "event"));
    right = is_text(o, "verdict", "ok");
    p->right += right && is_text(o, "event", "frame");
    p->refused += !right && !is_text(o, "event", "unfinished") && !is_text(o, "event", "not_recorded");
    json_decref(o);
    return n != 0;
}

/* Goes through a report: events to the join's report, if `copy`, and the rest to p. */
static tl_exit read_lines(join *j, part *p, FILE *in, bool copy, tl_fault *fault)
{
    char *line = NULL;
    size_t room = 0;
    tl_exit e = TL_EXIT_OK;

    if (getline(&line, &room, in) < 0 || strcmp(line, REPORT_HEAD "\n") != 0)
        e = wrong(p, fault, "no report of this program's layout");
    while (e == TL_EXIT_OK && p->tail == NULL && getline(&line, &room, in) >= 0) {
        if (starts_with(line, REPORT_TAIL)) {
            p->tail = tail_of(line);
            if (p->tail == NULL)
                e = wrong(p, fault, "its end is no JSON");
        } else if (!take_event(p, line)) {
            e = wrong(p, fault, "a line of it is no event");
        } else if (copy) {
            report_line(&j->report, line);
        }
    }
    if (e == TL_EXIT_OK && p->tail == NULL)
        e = wrong(p, fault, "it has no end");
    if (e == TL_EXIT_OK && getline(&line, &room, in) >= 0)
        e = wrong(p, fault, "something stands behind its end");
    free(line);
    return e;
}

static tl_exit read_part(join *j, part *p, bool copy, tl_fault *fault)
{
    FILE *in = fopen(p->path, "rb");
    tl_exit e;

    if (in == NULL)
        return tl_fault_errno(fault, TL_EXIT_USAGE, "join: %.200s", p->path);
    json_decref(p->tail);
    p->tail = NULL;
    p->right = p->refused = 0;
    e = read_lines(j, p, in, copy, fault);
    (void)fclose(in);
    return e;
}

/* ---- what a part says ---- */

static bool number(const json_t *o, const char *key, uint64_t *value)
{
    const json_t *v = json_object_get(o, key);

    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return false;
    *value = (uint64_t)json_integer_value(v);
    return true;
}

static tl_exit understand(part *p, tl_fault *fault)
{
    uint64_t index, of, code;

    p->totals = json_object_get(p->tail, "totals");
    p->evidence = json_object_get(p->tail, "evidence");
    p->segment = json_object_get(p->evidence, "segment");
    if (!number(p->segment, "index", &index) || !number(p->segment, "of", &of) ||
        !json_is_object(json_object_get(p->segment, "from")) ||
        !json_is_object(json_object_get(p->segment, "to")) ||
        !json_is_object(json_object_get(p->evidence, "file")) || !number(p->totals, "exit", &code))
        return wrong(p, fault, "it is no report of `trueline verify`");
    if (of < 1 || of > VERIFY_SEGMENTS_MAX || index < 1 || index > of)
        return wrong(p, fault, "its segment is none");
    if (json_object_get(p->evidence, "broken") != NULL || code > TL_EXIT_REFUSED)
        return wrong(p, fault, "its segment was not read to its end");
    p->index = (int)index;
    p->of = (int)of;
    return TL_EXIT_OK;
}

static int by_index(const void *a, const void *b)
{
    return ((const part *)a)->index - ((const part *)b)->index;
}

/* The members that must be the same in all. */
static tl_exit compare(const part *first, const part *p, tl_fault *fault)
{
    static const struct {
        const char *key, *text;
    } same[] = { { "program", "another version of the program" },
                 { "file", "another file" },
                 { "stream", "another stream" },
                 { "interface", "another interface" },
                 { "configuration", "another configuration" },
                 { "keys", "other keys" } };

    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        json_t *a = json_object_get(first->evidence, same[i].key),
               *b = json_object_get(p->evidence, same[i].key);

        if (a != b && !json_equal(a, b))
            return tl_fault_set(fault, TL_EXIT_USAGE, "join: %.200s: it is of %s than %.200s", p->path,
                                same[i].text, first->path);
    }
    return TL_EXIT_OK;
}

/* Each segment once, and where one ended the next began. */
static tl_exit check_order(const join *j, tl_fault *fault)
{
    const part *first = &j->parts[0];
    uint64_t from, to, size;

    for (size_t i = 0; i < j->n; i++) {
        const part *p = &j->parts[i];
        tl_exit e = compare(first, p, fault);

        if (e != TL_EXIT_OK)
            return e;
        if (p->of != first->of)
            return tl_fault_set(fault, TL_EXIT_USAGE, "join: %.200s: segment %d of %d; %.200s is one of %d",
                                p->path, p->index, p->of, first->path, first->of);
        if (i > 0 && p->index == j->parts[i - 1].index)
            return tl_fault_set(fault, TL_EXIT_USAGE, "join: %.200s: segment %d, as %.200s", p->path,
                                p->index, j->parts[i - 1].path);
        if (p->index != (int)i + 1)
            return tl_fault_set(fault, TL_EXIT_USAGE, "join: segment %zu of %d is missing", i + 1, first->of);
        if (i > 0 &&
            !json_equal(json_object_get(j->parts[i - 1].segment, "to"), json_object_get(p->segment, "from")))
            return tl_fault_set(fault, TL_EXIT_USAGE,
                                "join: %.200s: it does not begin where %.200s ended, or in another state",
                                p->path, j->parts[i - 1].path);
    }
    if ((int)j->n != first->of)
        return tl_fault_set(fault, TL_EXIT_USAGE, "join: segment %zu of %d is missing", j->n + 1, first->of);
    if (!number(json_object_get(first->segment, "from"), "offset", &from) || from != 0)
        return wrong(first, fault, "it does not begin where the file does");
    if (!number(json_object_get(j->parts[j->n - 1].segment, "to"), "offset", &to) ||
        !number(json_object_get(first->evidence, "file"), "size", &size) || to != size)
        return wrong(&j->parts[j->n - 1], fault, "it does not end where the file does");
    return TL_EXIT_OK;
}

static uint64_t sum_of(const join *j, const char *key)
{
    uint64_t sum = 0, n;

    for (size_t i = 0; i < j->n; i++)
        if (number(j->parts[i].segment, key, &n))
            sum = sum > UINT64_MAX - n ? UINT64_MAX : sum + n;
        else
            return UINT64_MAX;
    return sum;
}

/* A key's limit that all segments together could have reached would have changed what came after. */
static tl_exit check_limits(const join *j, tl_fault *fault)
{
    static const char *const sums[][2] = { { "messages_at_most", "messages" },
                                           { "bytes_at_most", "bytes" },
                                           { "wrong_tags_at_most", "wrong_tags" },
                                           { "lists_at_most", "lists" } };

    for (size_t k = 0; k < sizeof sums / sizeof *sums; k++) {
        uint64_t limit = UINT64_MAX, own;

        for (size_t i = 0; i < j->n; i++)
            if (number(json_object_get(j->parts[i].evidence, "key_limits"), sums[k][1], &own) && own > 0 &&
                own < limit)
                limit = own;
        if (sum_of(j, sums[k][0]) >= limit - limit / 16)
            return tl_fault_set(fault, TL_EXIT_USAGE,
                                "join: a key may have come near its limit of %s, which no segment can judge: "
                                "verify the file whole",
                                sums[k][1]);
    }
    return TL_EXIT_OK;
}

/* ---- adding up ---- */

static tl_exit add_bytes(join *j, const part *p, tl_fault *fault)
{
    const json_t *row;
    size_t i;

    json_array_foreach(json_object_get(p->evidence, "bytes"), i, row)
    {
        const char *name = json_string_value(json_object_get(row, "class"));
        account_class class = name != NULL ? account_of_name(name) : ACCOUNT_CLASSES;
        uint64_t bytes, packets;

        if (class == ACCOUNT_CLASSES || !number(row, "bytes", &bytes) || !number(row, "packets", &packets))
            return wrong(p, fault, "its bytes are of no class that is known");
        account_whole(&j->account, class, bytes, packets);
    }
    return TL_EXIT_OK;
}

/* Numbers are added, objects of numbers too; all else is not for totals. */
static void add_numbers(json_t *sum, json_t *more)
{
    const char *key;
    json_t *value;

    json_object_foreach(more, key, value)
    {
        json_t *own = json_object_get(sum, key);

        if (own == NULL)
            (void)json_object_set_new(sum, key, json_deep_copy(value));
        else if (json_is_integer(own))
            (void)json_integer_set(own, json_integer_value(own) + json_integer_value(value));
        else if (json_is_real(own))
            (void)json_real_set(own, json_real_value(own) + json_real_value(value));
        else if (json_is_object(own) && json_is_object(value)) {
            const char *inner;
            json_t *n;

            json_object_foreach(value, inner, n)
            {
                json_t *before = json_object_get(own, inner);

                if (before == NULL)
                    (void)json_object_set(own, inner, n);
                else
                    (void)json_integer_set(before, json_integer_value(before) + json_integer_value(n));
            }
        }
    }
}

/* What a report lists is what it counts, and every byte between its ends is of some class. Who has edited one of these
 * has to have edited the others. */
static tl_exit check_sums(const part *p, tl_fault *fault)
{
    const json_t *spdm = json_object_get(p->evidence, "spdm"), *row;
    uint64_t untied = 0;
    uint64_t ok = 0, refused = 0, left_out = 0, failed = 0, from = 0, to = 0, n, sum = 0;
    size_t i;

    (void)number(p->totals, "frames_ok", &ok);
    (void)number(p->totals, "refused", &refused);
    (void)number(p->tail, "left_out", &left_out);
    if (json_is_true(json_object_get(spdm, "computed")))
        (void)number(spdm, "failed", &failed);
    json_array_foreach(json_object_get(p->evidence, "epochs"), i, row) untied +=
        json_is_true(json_object_get(row, "refused")) || json_is_true(json_object_get(row, "contradicts"));
    if (left_out == 0 && (p->right != ok || p->refused + failed + untied != refused))
        return wrong(p, fault, "its events are not those that its totals count");
    json_array_foreach(json_object_get(p->evidence, "bytes"), i, row) sum += number(row, "bytes", &n) ? n : 0;
    if (!number(json_object_get(p->segment, "from"), "offset", &from) ||
        !number(json_object_get(p->segment, "to"), "offset", &to) || to < from || sum != to - from)
        return wrong(p, fault, "its bytes are not those between its ends");
    return TL_EXIT_OK;
}

static tl_exit add_part(join *j, part *p, tl_fault *fault)
{
    uint64_t ok, bad, lost, unfinished, refused, left_out, not_recorded, frames_not_recorded;
    tl_exit e;

    if (!number(p->totals, "frames_ok", &ok) || !number(p->totals, "frames_bad", &bad) ||
        !number(p->totals, "frames_lost", &lost) || !number(p->totals, "frames_unfinished", &unfinished) ||
        !number(p->totals, "not_recorded", &not_recorded) ||
        !number(p->totals, "frames_not_recorded", &frames_not_recorded) ||
        !number(p->totals, "refused", &refused) || !number(p->tail, "left_out", &left_out))
        return wrong(p, fault, "its totals are not there");
    j->totals.frames_ok += ok;
    j->totals.frames_bad += bad;
    j->totals.frames_lost += lost;
    j->totals.unfinished += unfinished;
    j->totals.not_recorded = pcap_lost_sum(j->totals.not_recorded, not_recorded);
    j->totals.frames_not_recorded += frames_not_recorded;
    j->totals.refused += refused;
    j->report.left_out += left_out;
    add_numbers(j->counters, p->totals);
    e = add_bytes(j, p, fault);
    return e == TL_EXIT_OK ? check_sums(p, fault) : e;
}

/* The last segment has computed the SPDM exchange of the whole file. */
static void take_spdm(join *j)
{
    const json_t *spdm = json_object_get(j->parts[j->n - 1].evidence, "spdm");

    if (json_is_true(json_object_get(spdm, "computed")) &&
        json_integer_value(json_object_get(spdm, "failed")) == 0 &&
        json_integer_value(json_object_get(spdm, "without_proof")) == 0 &&
        j->account.bytes[ACCOUNT_spdm_unchecked] > 0)
        account_move(&j->account, ACCOUNT_spdm_unchecked, ACCOUNT_spdm);
}

static json_t *whole_evidence(const join *j)
{
    static const char *const of_the_last[] = { "spdm", "epochs" };
    json_t *o = json_deep_copy(j->parts[0].evidence), *last = j->parts[j->n - 1].evidence;
    const verify_part all = { .index = 1,
                              .of = 1,
                              .from = json_incref(json_object_get(j->parts[0].segment, "from")),
                              .to = json_incref(json_object_get(j->parts[j->n - 1].segment, "to")),
                              .messages = sum_of(j, "messages_at_most"),
                              .bytes = sum_of(j, "bytes_at_most"),
                              .wrong_tags = sum_of(j, "wrong_tags_at_most"),
                              .lists = sum_of(j, "lists_at_most") };
    json_t *segment = verify_part_json(&all);

    if (o == NULL) {
        json_decref(segment);
        return NULL;
    }
    (void)json_object_set_new(o, "segment", segment);
    for (size_t i = 0; i < sizeof of_the_last / sizeof *of_the_last; i++)
        if (json_object_get(last, of_the_last[i]) != NULL)
            (void)json_object_set(o, of_the_last[i], json_object_get(last, of_the_last[i]));
    (void)json_object_set_new(o, "not_recorded", json_integer((json_int_t)j->totals.not_recorded));
    (void)json_object_set_new(o, "joined", json_integer((json_int_t)j->n));
    (void)json_object_set_new(o, "bytes", account_json(&j->account));
    return o;
}

static tl_exit write_whole(join *j, FILE *out, tl_fault *fault)
{
    tl_exit code = TL_EXIT_OK, e;
    tl_fault other;
    json_t *totals, *evidence;

    if (j->totals.refused > 0)
        code = tl_fault_set(fault, TL_EXIT_REFUSED, "%llu refusal%s", (unsigned long long)j->totals.refused,
                            j->totals.refused == 1 ? "" : "s");
    else if (verify_judge_missing(&j->totals, fault) != TL_EXIT_OK)
        code = TL_EXIT_LINK;
    else if (j->totals.frames_ok == 0)
        code = tl_fault_set(fault, TL_EXIT_LINK, "join: no frame is whole in any segment");
    totals = json_deep_copy(j->counters);
    (void)json_object_update_new(
        totals, verify_totals_json(&j->totals, NULL, code, code == TL_EXIT_OK ? "" : fault->text));
    take_spdm(j);
    evidence = whole_evidence(j);
    e = report_close_with(&j->report, totals, evidence, &other);
    if (e == TL_EXIT_OK && out != NULL)
        verify_print(out, &j->totals, &j->account, json_object_get(evidence, "epochs"));
    json_decref(totals);
    json_decref(evidence);
    if (e != TL_EXIT_OK) {
        *fault = other;
        return e;
    }
    return code;
}

/* Two passes: first all is checked, then the lines are copied. */
static tl_exit run(join *j, const char *path, FILE *out, tl_fault *fault)
{
    tl_exit e = TL_EXIT_OK;

    for (size_t i = 0; i < j->n && e == TL_EXIT_OK; i++) {
        e = read_part(j, &j->parts[i], false, fault);
        if (e == TL_EXIT_OK)
            e = understand(&j->parts[i], fault);
    }
    if (e != TL_EXIT_OK)
        return e;
    qsort(j->parts, j->n, sizeof *j->parts, by_index);
    e = check_order(j, fault);
    if (e == TL_EXIT_OK)
        e = check_limits(j, fault);
    if (e == TL_EXIT_OK)
        e = report_open(&j->report, path, fault);
    for (size_t i = 0; i < j->n && e == TL_EXIT_OK; i++) {
        e = read_part(j, &j->parts[i], true, fault);
        if (e == TL_EXIT_OK)
            e = understand(&j->parts[i], fault);
        if (e == TL_EXIT_OK)
            e = add_part(j, &j->parts[i], fault);
    }
    return e == TL_EXIT_OK ? write_whole(j, out, fault) : e;
}

tl_exit verify_join(const char *const *paths, size_t n, const char *to, FILE *out, tl_fault *fault)
{
    join j = { .n = n, .counters = json_object() };
    tl_exit e;

    if (n == 0 || n > VERIFY_SEGMENTS_MAX) {
        json_decref(j.counters);
        return tl_fault_set(fault, TL_EXIT_USAGE, "join: 1 to %d reports", VERIFY_SEGMENTS_MAX);
    }
    j.parts = calloc(n, sizeof *j.parts);
    if (j.parts == NULL || j.counters == NULL) {
        e = tl_fault_set(fault, TL_EXIT_INTERNAL, "join: no memory");
    } else {
        for (size_t i = 0; i < n; i++)
            j.parts[i].path = paths[i];
        e = run(&j, to, out, fault);
    }
    report_abandon(&j.report);
    for (size_t i = 0; j.parts != NULL && i < n; i++)
        json_decref(j.parts[i].tail);
    free(j.parts);
    json_decref(j.counters);
    return e;
}
