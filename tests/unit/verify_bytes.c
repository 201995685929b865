/* Every byte of a recording, changed: it is noticed, or the evidence lists it as unprotected. And files that break off. */
#define _GNU_SOURCE
#include "recorded.h"

/* ---- every byte ---- */

static const char *map_of(size_t *n)
{
    static char class[1 << 16][16];
    verify_options o = options_of(1, 1, NULL);
    unsigned long from, to;
    char name[16];
    tl_fault fault;
    FILE *in;

    assert_int_equal(verify_map(&o, path(5, "map.txt"), &fault), TL_EXIT_OK);
    in = fopen(names[5], "r");
    assert_non_null(in);
    *n = 0;
    while (fscanf(in, "%lu %lu %15s", &from, &to, name) == 3) {
        assert_int_equal(from, *n); /* no hole, nothing twice */
        assert_true(to > from && to <= sizeof class / sizeof *class);
        for (; *n < to; ++*n)
            memcpy(class[*n], name, sizeof name);
    }
    (void)fclose(in);
    return class[0];
}

/* Anything but all frames right, and no packet that was mended. */
static bool is_noticed(void)
{
    tl_exit e;
    json_t *o, *totals;
    bool clean;
    const verify_options options = options_of(1, 1, path(3, "whole.json"));
    tl_fault fault;

    e = verify_run(&options, NULL, &fault);
    if (e != TL_EXIT_OK)
        return true;
    o = json_load_file(names[3], 0, NULL);
    totals = json_object_get(o, "totals");
    clean = json_integer_value(json_object_get(totals, "frames_ok")) == (json_int_t)frame_n;
    json_decref(o);
    return !clean;
}

/* The packet that holds the byte of the file; repaired, if the file still has it. */
static bool change(char *bytes, size_t at, bool put_right)
{
    size_t packet = 24;

    bytes[at] ^= 0x21;
    for (size_t i = 0; i < flat.n; packet += 16 + flat.v[i++].n) {
        tl_buffer p = { (uint8_t *)bytes + packet + 16, flat.v[i].n };

        if (at < packet + 16 || at >= packet + 16 + p.n)
            continue;
        return put_right && p.n > TL_CSI2_HEADER_SIZE + 6 && tl_loop_repair(&loop.config, p) == TL_OK;
    }
    return false;
}

static void check_bytes(const scenario *s, size_t step, bool put_right, size_t *unnoticed)
{
    size_t n, size;
    const char *class;
    char *kept, *bytes;
    FILE *out;

    make(s);
    for (size_t i = 2; i < frame_n; i++)
        tl_packets_free(&frames[i]);
    memset(frames + 2, 0, sizeof frames - 2 * sizeof *frames);
    frame_n = 2;
    record();
    class = map_of(&n);
    kept = text_of(names[0]);
    bytes = malloc(n);
    assert_non_null(bytes);
    size = 24 + flat.n * 16;
    for (size_t i = 0; i < flat.n; i++)
        size += flat.v[i].n;
    assert_int_equal(size, n);
    for (size_t at = 0; at < n; at += step) {
        const char *name = class + at * 16;
        bool is_protected;

        memcpy(bytes, kept, n);
        if ((!change(bytes, at, put_right) && put_right) || memcmp(bytes, kept, n) == 0)
            continue; /* nothing to put right, or it was a checksum */
        out = fopen(names[0], "wb");
        assert_non_null(out);
        (void)fwrite(bytes, 1, n, out);
        assert_int_equal(fclose(out), 0);
        assert_true(account_of_name(name) < ACCOUNT_CLASSES);
        is_protected = account_is_protected(account_of_name(name));
        if (is_noticed())
            continue;
        ++*unnoticed;
        if (is_protected)
            fail_msg("%s: byte %zu, %s: nobody noticed", s->name, at, name);
    }
    free(kept);
    free(bytes);
    drop_all();
}

static void byte_when_any_is_changed_then_noticed_or_listed_as_unprotected(void **state)
{
    size_t unnoticed = 0;

    (void)state;
    check_bytes(&scenarios[0], 1, false, &unnoticed);
    assert_true(unnoticed > 0); /* times, to begin with */
    for (unsigned s = 1; s < SCENARIOS; s++)
        check_bytes(&scenarios[s], 19, false, &unnoticed);
}

static void byte_when_changed_and_all_checksums_put_right_then_noticed_or_listed(void **state)
{
    (void)state;
    for (unsigned s = 0; s < SCENARIOS; s++) {
        size_t unnoticed = 0;
        bool leaves_out = scenarios[s].suite == TL_SUITE_NONE || scenarios[s].variant[1] > 2 ||
                          scenarios[s].variant[2] > 2 || scenarios[s].variant[3] > 2;

        if (scenarios[s].carrier == TL_CARRIER_FSED)
            continue; /* its checksums stand in other packets */
        check_bytes(&scenarios[s], 11, true, &unnoticed);
        assert_int_equal(unnoticed > 0, leaves_out);
    }
}

/* ---- broken files ---- */

static void file_when_cut_anywhere_then_what_was_before_is_judged_and_the_rest_is_said(void **state)
{
    verify_options o;
    tl_fault fault;
    size_t n = 24;

    (void)state;
    make(&scenarios[0]);
    record();
    for (size_t i = 0; i < flat.n; i++)
        n += 16 + flat.v[i].n;
    for (size_t at = n - 1; at > n / 2; at -= 61) {
        json_t *v;

        assert_int_equal(truncate(path(0, "t.pcap"), (off_t)at), 0);
        o = options_of(1, 1, path(3, "whole.json"));
        if (verify_run(&o, NULL, &fault) == TL_EXIT_OK) /* between two packets */
            continue;
        assert_int_equal(fault.code, TL_EXIT_LINK);
        v = json_load_file(names[3], 0, NULL);
        assert_non_null(json_object_get(json_object_get(v, "evidence"), "broken"));
        assert_true(json_integer_value(json_object_get(json_object_get(v, "totals"), "frames_ok")) >=
                    FRAMES / 2 - 1);
        json_decref(v);
    }
    drop_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(byte_when_any_is_changed_then_noticed_or_listed_as_unprotected),
        cmocka_unit_test(byte_when_changed_and_all_checksums_put_right_then_noticed_or_listed),
        cmocka_unit_test(file_when_cut_anywhere_then_what_was_before_is_judged_and_the_rest_is_said),
    };

    return cmocka_run_group_tests_name("verify_bytes", tests, set_up, tear_down);
}
