/* Totals, borders and the table of bytes, as a run and a join write them. */
#include "verify.h"

#include <stdlib.h>
#include <string.h>

tl_exit verify_judge_missing(const verify_totals *n, tl_fault *fault)
{
    if (n->not_recorded == 0 && n->frames_not_recorded == 0)
        return TL_EXIT_OK;
    return tl_fault_set(
        fault, TL_EXIT_LINK,
        "%llu packet%s not recorded, as the recording says itself: %llu frame%s cannot be judged",
        (unsigned long long)n->not_recorded, n->not_recorded == 1 ? " was" : "s were",
        (unsigned long long)n->frames_not_recorded, n->frames_not_recorded == 1 ? "" : "s");
}

json_t *verify_text_json(const char *text)
{
    json_t *o = json_string(text);
    char *copy = o == NULL ? strdup(text) : NULL;

    for (char *at = copy; at != NULL && *at != '\0'; at++)
        if ((unsigned char)*at > 0x7F)
            *at = '?';
    if (copy != NULL)
        o = json_string(copy);
    free(copy);
    return o;
}

json_t *verify_totals_json(const verify_totals *n, json_t *counters, tl_exit code, const char *why)
{
    json_t *o =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:o}", "frames_ok", (json_int_t)n->frames_ok,
                  "frames_bad", (json_int_t)n->frames_bad, "frames_lost", (json_int_t)n->frames_lost,
                  "frames_unfinished", (json_int_t)n->unfinished, "refused", (json_int_t)n->refused,
                  "not_recorded", (json_int_t)n->not_recorded, "frames_not_recorded",
                  (json_int_t)n->frames_not_recorded, "exit", (int)code, "fault", verify_text_json(why));

    if (counters != NULL)
        (void)json_object_update(o, counters);
    json_decref(counters);
    return o;
}

json_t *verify_border_json(const replay_border *b)
{
    json_t *o = json_pack("{s:I}", "offset", (json_int_t)b->packet.offset);

    if (b->set)
        (void)json_object_update_new(
            o, json_pack("{s:I, s:I, s:I, s:I}", "packet", (json_int_t)b->packet.number, "opens_frame",
                         (json_int_t)b->frame, "epoch", (json_int_t)b->epoch, "start", (json_int_t)b->start));
    return o;
}

json_t *verify_part_json(const verify_part *p)
{
    return json_pack("{s:i, s:i, s:o, s:o, s:I, s:I, s:I, s:I}", "index", (int)p->index, "of", (int)p->of,
                     "from", p->from, "to", p->to, "messages_at_most", (json_int_t)p->messages,
                     "bytes_at_most", (json_int_t)p->bytes, "wrong_tags_at_most", (json_int_t)p->wrong_tags,
                     "lists_at_most", (json_int_t)p->lists);
}

/* Where the secrets of the frames came from. */
static void print_epochs(FILE *out, const json_t *epochs)
{
    const size_t all = json_array_size(epochs);
    const char *subject = NULL;
    const json_t *epoch;
    size_t tied = 0, i;

    json_array_foreach(epochs, i, epoch)
    {
        if (!json_is_true(json_object_get(epoch, "tied")))
            continue;
        subject = json_string_value(json_object_get(json_object_get(epoch, "peer"), "subject"));
        tied++;
    }
    if (tied > 0)
        (void)fprintf(out, "secrets of %zu of %zu epoch%s follow from sessions of the recording, with %s\n",
                      tied, all, all == 1 ? "" : "s", subject != NULL ? subject : "nobody that is named");
    else if (all > 0)
        (void)fprintf(out, "secrets of %zu epoch%s are tied to no session of the recording\n", all,
                      all == 1 ? "" : "s");
}

void verify_print(FILE *out, const verify_totals *n, const account *a, const json_t *epochs)
{
    if (a != NULL) {
        (void)fprintf(out, "%16s %9s  %-22s\n", "bytes", "packets", "what they are");
        for (unsigned i = 0; i < ACCOUNT_CLASSES; i++)
            if (a->bytes[i] > 0)
                (void)fprintf(out, "%16llu %9llu  %-24s %s\n", (unsigned long long)a->bytes[i],
                              (unsigned long long)a->packets[i], account_text((account_class)i),
                              account_is_protected((account_class)i) ? "protected" : "not protected");
        print_epochs(out, epochs);
    }
    (void)fprintf(out, "frames_ok=%llu frames_bad=%llu frames_lost=%llu frames_unfinished=%llu",
                  (unsigned long long)n->frames_ok, (unsigned long long)n->frames_bad,
                  (unsigned long long)n->frames_lost, (unsigned long long)n->unfinished);
    if (n->not_recorded > 0)
        (void)fprintf(out, " frames_not_recorded=%llu", (unsigned long long)n->frames_not_recorded);
    (void)fprintf(out, "\n");
}
