/* `trueline stream new FILE` makes a stream file with a fresh secret, `trueline stream show FILE` prints one. The
 * digest that `show` prints is what both ends compare in their hellos: two files with the same digest protect alike. */
#include "backend.h"
#include "command.h"
#include "hex.h"
#include "protection.h"
#include "protection_picture.h"
#include "self_check.h"
#include "sheet.h"
#include "ui.h"

#include <trueline/openssl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Options without a letter. */
enum {
    OPT_STREAM = 0x100,
    OPT_WIDTH,
    OPT_HEIGHT,
    OPT_BITS,
    OPT_TOP,
    OPT_BOTTOM,
    OPT_FORCE,
    OPT_JSON,
    OPT_SECRET,
    OPT_ATTACK,
    OPT_CRYPTO,
    OPT_COLUMNS,
    OPT_TITLE
};

typedef struct stream_options {
    const char *path;
    stream_file file;
    protection_choice protection;
    tl_file_clash clash;
    bool json;
    stream_secrecy secrecy;
    backend_level crypto;
} stream_options;

static const struct argp_option new_options[] = {
    { "stream", OPT_STREAM, "ID", 0, "id of the stream, 1 to 65535 (1)", 1 },
    { "width", OPT_WIDTH, "PIXELS", 0, "pixels of a line, a multiple of 4 (1280)", 2 },
    { "height", OPT_HEIGHT, "LINES", 0, "lines of pixels, even (720)", 2 },
    { "bits", OPT_BITS, "10|12", 0, "RAW10 or RAW12 (12)", 2 },
    { "embedded-top", OPT_TOP, "N", 0, "embedded data lines before the pixels (2)", 2 },
    { "embedded-bottom", OPT_BOTTOM, "N", 0, "embedded data lines behind the pixels (2)", 2 },
    { "force", OPT_FORCE, NULL, 0, "write over a file that is there", 4 },
    { 0 },
};

static error_t parse_path(struct argp_state *state, int key, char *arg, const char **path)
{
    if (key == ARGP_KEY_ARG && *path == NULL) {
        *path = arg;
        return 0;
    }
    if (key == ARGP_KEY_ARG)
        argp_error(state, "one FILE only; '%s' is too much", arg);
    if (key == ARGP_KEY_NO_ARGS)
        argp_error(state, "give a FILE");
    return ARGP_ERR_UNKNOWN;
}

static error_t parse_new(int key, char *arg, struct argp_state *state)
{
    stream_options *o = state->input;
    stream_file *f = &o->file;

    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &o->protection; return 0;
    case OPT_STREAM: f->stream = (uint32_t)ui_number(state, "--stream", arg, 1, 65535); return 0;
    case OPT_WIDTH: f->width = (uint32_t)ui_number(state, "--width", arg, 16, 16384); return 0;
    case OPT_HEIGHT: f->height = (uint32_t)ui_number(state, "--height", arg, 2, 16384); return 0;
    case OPT_BITS: f->bits = ui_one_of(state, "--bits", arg, stream_file_bits, 2); return 0;
    case OPT_TOP: f->embedded_top = (uint32_t)ui_number(state, "--embedded-top", arg, 0, 255); return 0;
    case OPT_BOTTOM:
        f->embedded_bottom = (uint32_t)ui_number(state, "--embedded-bottom", arg, 0, 255);
        return 0;
    case OPT_FORCE: o->clash = TL_FILE_REPLACE; return 0;
    default: return parse_path(state, key, arg, &o->path);
    }
}

static const struct argp_child new_children[] = { { &protection_argp, 0, NULL, 3 }, { 0 } };

static const struct argp new_argp = {
    .options = new_options,
    .children = new_children,
    .parser = parse_new,
    .args_doc = "FILE",
    .doc = "Makes a stream file: what to protect and how, and a fresh secret of 32 bytes. Give the same file "
           "to both ends."
           "\vExamples:\n"
           "  trueline stream new cam.json\n"
           "  trueline stream new cam.json --width 1920 --height 1080 --bits 12 --encrypt\n"
           "  trueline stream new small.json --width 64 --height 16 --suite aes256-gmac\n"
           "  trueline stream new partial.json --variants 2,3,2 --pattern middle:0,1,4\n"
           "  trueline stream new frame.json --suite aes128-cmac --tag-mode frame\n"
           "  trueline stream new safety.json --suite none\n",
};

static tl_exit make_new(stream_options *o, tl_fault *fault)
{
    tl_openssl *openssl = NULL;
    const tl_crypto *crypto;
    struct stat st;
    tl_err err;
    tl_exit e = stream_file_build(&o->file, o->path, fault);

    /* Writing it would refuse, too, but does not know the way out. */
    if (e == TL_EXIT_OK && o->clash == TL_FILE_REFUSE && stat(o->path, &st) == 0)
        return tl_fault_set(fault, TL_EXIT_USAGE,
                            "file: %s: is there already and stays as it is; --force replaces it", o->path);
    if (e == TL_EXIT_OK)
        e = backend_start_openssl(&openssl, fault);
    if (e != TL_EXIT_OK)
        return e;
    crypto = tl_openssl_crypto(openssl);
    err = crypto->ops->random(crypto->ctx, o->file.secret, sizeof o->file.secret);
    tl_openssl_close(openssl);
    if (err != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "secret: %s", tl_err_text(err));
    return stream_file_write(&o->file, o->path, o->clash, fault);
}

static int cmd_new(int argc, char **argv)
{
    stream_options o = { .clash = TL_FILE_REFUSE };
    tl_fault fault;
    tl_exit e;

    o.protection.file = &o.file;
    stream_file_init(&o.file);
    if (ui_parse(&new_argp, argc, argv, &o) != TL_EXIT_OK)
        return TL_EXIT_USAGE;
    e = make_new(&o, &fault);
    stream_file_wipe(&o.file);
    return e == TL_EXIT_OK ? TL_EXIT_OK : ui_fail("stream new", &fault);
}

static const struct argp_option show_options[] = {
    { "json", OPT_JSON, NULL, 0, "one JSON object in place of the table", 1 },
    { "secret", OPT_SECRET, NULL, 0, "show the secret too", 1 },
    { 0 },
};

static error_t parse_show(int key, char *arg, struct argp_state *state)
{
    stream_options *o = state->input;

    switch (key) {
    case OPT_JSON: o->json = true; return 0;
    case OPT_SECRET: o->secrecy = STREAM_SECRET_SHOWN; return 0;
    default: return parse_path(state, key, arg, &o->path);
    }
}

static const struct argp show_argp = {
    .options = show_options,
    .parser = parse_show,
    .args_doc = "FILE",
    .doc = "Prints a stream file and its configuration digest. Both ends compare the digest before the first "
           "packet."
           "\vExamples:\n"
           "  trueline stream show cam.json\n"
           "  trueline stream show cam.json --json | jq -r .digest\n",
};

static tl_exit add_digest(json_t *object, const stream_file *file, tl_fault *fault)
{
    uint8_t digest[TL_CONFIG_DIGEST_SIZE];
    tl_openssl *openssl = NULL;
    tl_err err;
    tl_exit e = backend_start_openssl(&openssl, fault);

    if (e != TL_EXIT_OK)
        return e;
    err = tl_stream_config_digest(&file->config, tl_openssl_crypto(openssl), digest);
    tl_openssl_close(openssl);
    if (err != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "digest: %s", tl_err_text(err));
    if (json_object_set_new(object, "digest", hex_json(tl_span_of(digest, sizeof digest))) != 0)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "digest: no memory");
    return TL_EXIT_OK;
}

static void print_pattern(const json_t *pattern)
{
    (void)printf(
        "%" JSON_INTEGER_FORMAT " from %" JSON_INTEGER_FORMAT " on, every %" JSON_INTEGER_FORMAT "\n",
        json_integer_value(json_array_get(pattern, 1)), json_integer_value(json_array_get(pattern, 0)),
        json_integer_value(json_array_get(pattern, 2)));
}

static void print_table(json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        (void)printf("%-16s ", key);
        if (json_is_string(value))
            (void)printf("%s\n", json_string_value(value));
        else if (json_is_boolean(value))
            (void)printf("%s\n", json_is_true(value) ? "with" : "without");
        else if (json_is_array(value)) /* a pattern */
            print_pattern(value);
        else
            (void)printf("%" JSON_INTEGER_FORMAT "\n", json_integer_value(value));
    }
}

static tl_exit show(const stream_options *o, const stream_file *file, tl_fault *fault)
{
    json_t *object = stream_file_json(file, o->secrecy);
    tl_exit e;

    if (object == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "stream file: no memory");
    e = add_digest(object, file, fault);
    if (e == TL_EXIT_OK) {
        if (!o->json)
            print_table(object);
        else if (json_dumpf(object, stdout, 0) == 0)
            (void)putchar('\n');
        e = ui_flush(fault);
    }
    json_decref(object);
    return e;
}

static int cmd_show(int argc, char **argv)
{
    stream_options o = { .secrecy = STREAM_SECRET_HIDDEN };
    tl_fault fault;
    tl_exit e;

    if (ui_parse(&show_argp, argc, argv, &o) != TL_EXIT_OK)
        return TL_EXIT_USAGE;
    e = stream_file_read(&o.file, o.path, &fault);
    if (e == TL_EXIT_OK)
        e = show(&o, &o.file, &fault);
    stream_file_wipe(&o.file);
    return e == TL_EXIT_OK ? TL_EXIT_OK : ui_fail("stream show", &fault);
}

/* ---- self-test ---- */

static const struct argp_option test_options[] = {
    { "crypto", OPT_CRYPTO, "NAME", 0, BACKEND_OPTION_TEXT, 1 },
    { 0 },
};

static error_t parse_test(int key, char *arg, struct argp_state *state)
{
    stream_options *o = state->input;

    if (key != OPT_CRYPTO)
        return parse_path(state, key, arg, &o->path);
    o->crypto = backend_level_option(state, "--crypto", arg);
    return 0;
}

static const struct argp test_argp = {
    .options = test_options,
    .parser = parse_test,
    .args_doc = "FILE",
    .doc = "Runs the built-in self-test of a stream's protection: an error is injected at each stage of a "
           "small frame in "
           "memory, and must be noticed. Sensor and controller do the same before they start."
           "\vExamples:\n"
           "  trueline stream test cam.json\n"
           "  trueline stream test cam.json --crypto openssl\n",
};

static void print_counts(const tl_self_test_counts *counts)
{
    for (unsigned stage = 0; stage < TL_STAGES; stage++) {
        const char *found = counts->skipped[stage] > 0                           ? "this stream has none"
                            : counts->detected[stage] == counts->injected[stage] ? "noticed"
                                                                                 : "NOT NOTICED";

        (void)printf("%-12s %s\n", tl_stage_text((tl_stage)stage),
                     stage == TL_STAGE_NONE ? "clean frames are ok" : found);
    }
}

static int cmd_test(int argc, char **argv)
{
    stream_options o = { .crypto = BACKEND_BEST };
    tl_self_test_counts counts = { 0 };
    backend b = { 0 };
    tl_fault fault;
    tl_exit e;

    if (ui_parse(&test_argp, argc, argv, &o) != TL_EXIT_OK)
        return TL_EXIT_USAGE;
    e = stream_file_read(&o.file, o.path, &fault);
    if (e != TL_EXIT_OK)
        return ui_fail("stream test", &fault);
    e = backend_start(&b, o.crypto, &fault);
    if (e == TL_EXIT_OK) {
        e = self_check(&o.file.config, b.crypto, &counts, &fault);
        print_counts(&counts);
    }
    backend_close(&b);
    stream_file_wipe(&o.file);
    if (e == TL_EXIT_OK)
        e = ui_flush(&fault);
    return e == TL_EXIT_OK ? TL_EXIT_OK : ui_fail("stream test", &fault);
}

/* ---- pictures ---- */

enum { PICTURES_MAX = 16, CELL_WIDTH = 640 };

typedef struct picture_options {
    const char *files[PICTURES_MAX], *out, *title;
    unsigned n, columns;
    protection_wire wire;
} picture_options;

static const struct argp_option picture_options_table[] = {
    { "out", 'o', "FILE", 0, "the PNG file to write", 1 },
    { "attack", OPT_ATTACK, NULL, 0,
      "somebody on the wire paints a bar over the road, and puts all checksums right", 1 },
    { "columns", OPT_COLUMNS, "N", 0, "pictures side by side, 1 to 8 (2)", 2 },
    { "title", OPT_TITLE, "TEXT", 0, "what stands above them", 2 },
    { 0 },
};

static error_t parse_picture(int key, char *arg, struct argp_state *state)
{
    picture_options *o = state->input;

    switch (key) {
    case 'o': o->out = arg; return 0;
    case OPT_ATTACK: o->wire = PROTECTION_PAINTED; return 0;
    case OPT_COLUMNS: o->columns = (unsigned)ui_number(state, "--columns", arg, 1, 8); return 0;
    case OPT_TITLE: o->title = arg; return 0;
    case ARGP_KEY_ARG:
        if (o->n == PICTURES_MAX)
            argp_error(state, "'%s': no more than %d files", arg, PICTURES_MAX);
        o->files[o->n++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (o->n == 0)
            argp_error(state, "give a FILE");
        if (o->out == NULL)
            argp_error(state, "say where to: --out FILE");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp picture_argp = {
    .options = picture_options_table,
    .parser = parse_picture,
    .args_doc = "FILE...",
    .doc =
        "Draws what stream files protect: the test scene as it travels. What no tag covers is grey and "
        "hatched. "
        "With --attack, lines that the receiver refuses are orange, and pixels that were changed without "
        "being noticed are magenta. Around a picture, orange says that the receiver refused the frame, blue "
        "that all of it is under a tag and verified, grey that a part is outside of what tags cover."
        "\vExamples:\n"
        "  trueline stream picture cam.json --out cam.png\n"
        "  trueline stream picture cam.json --attack --out attacked.png\n",
};

static tl_exit add_picture(tl_sheet *sheet, const char *path, protection_wire wire, tl_fault *fault)
{
    protection_picture picture;
    stream_file file;
    bool added;
    tl_exit e = stream_file_read(&file, path, fault);

    if (e == TL_EXIT_OK)
        e = protection_picture_draw(&picture, &file, wire, fault);
    if (e != TL_EXIT_OK) {
        stream_file_wipe(&file);
        return e;
    }
    added = tl_sheet_add(sheet, picture.rgb, file.width, file.height,
                         (const char *[3]){ picture.title, picture.line, picture.verdict }, picture.mark);
    free(picture.rgb);
    stream_file_wipe(&file);
    return added ? TL_EXIT_OK : tl_fault_set(fault, TL_EXIT_INTERNAL, "picture: no memory");
}

static int cmd_picture(int argc, char **argv)
{
    picture_options o = { .columns = 2, .title = "What is protected" };
    char why[256];
    tl_fault fault;
    tl_sheet *sheet;
    ui_progress progress;
    tl_exit e = TL_EXIT_OK;

    if (ui_parse(&picture_argp, argc, argv, &o) != TL_EXIT_OK)
        return TL_EXIT_USAGE;
    sheet = tl_sheet_open(o.columns < o.n ? o.columns : o.n, CELL_WIDTH, o.title);
    if (sheet == NULL)
        e = tl_fault_set(&fault, TL_EXIT_INTERNAL, "picture: no memory");
    ui_progress_begin(&progress);
    for (unsigned i = 0; i < o.n && e == TL_EXIT_OK; i++) {
        ui_progress_say(&progress, "drawing %u of %u: %s", i + 1, o.n, o.files[i]);
        e = add_picture(sheet, o.files[i], o.wire, &fault);
    }
    ui_progress_clear(&progress);
    if (e == TL_EXIT_OK && !tl_sheet_write(sheet, o.out, why, sizeof why))
        e = tl_fault_set(&fault, TL_EXIT_INTERNAL, "%s", why);
    tl_sheet_close(sheet);
    return e == TL_EXIT_OK ? TL_EXIT_OK : ui_fail("stream picture", &fault);
}

static const char usage[] = "Usage: trueline stream new FILE [OPTION...]\n"
                            "  or:  trueline stream show FILE [OPTION...]\n"
                            "  or:  trueline stream test FILE [OPTION...]\n"
                            "  or:  trueline stream picture FILE... --out FILE [OPTION...]\n"
                            "Stream files: what both ends of a stream agree on, and its secret.\n\n"
                            "Examples:\n"
                            "  trueline stream new cam.json --width 1920 --height 1080 --encrypt\n"
                            "  trueline stream show cam.json\n"
                            "  trueline stream picture cam.json --out cam.png\n\n"
                            "`trueline stream new --help` lists all options.\n";

static const ui_word words[] = {
    { "new", cmd_new }, { "show", cmd_show }, { "test", cmd_test }, { "picture", cmd_picture }, { 0 },
};

int cmd_stream(int argc, char **argv)
{
    stream_file_guard_json();
    return ui_run_word(&(ui_words){ "stream", usage, words }, argc, argv);
}
