/* The words and options of how a stream is protected. Whether they make sense together is the library's to say
 * (tl_stream_config_check): here only their form is checked. */
#include "protection.h"

#include "ui.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Options without a letter; above those of the commands that have these as a child. */
enum {
    OPT_SUITE = 0x200,
    OPT_TAG_MODE,
    OPT_TAG_SIZE,
    OPT_VARIANTS,
    OPT_VARIANT,
    OPT_PATTERN,
    OPT_ENCRYPT,
    OPT_NO_CRC32
};

const char protection_suites[] = "aes128-gmac, aes256-gmac, aes128-cmac, aes256-cmac or none";
const char protection_tag_modes[] = "message, type or frame";

static const struct {
    tl_tag_mode mode;
    const char *text;
} modes[] = {
    { TL_TAG_PER_MESSAGE, "message" },
    { TL_TAG_PER_DATA_TYPE, "type" },
    { TL_TAG_PER_FRAME, "frame" },
};

static const struct {
    tl_suite suite;
    const char *text;
} suites[] = {
    { TL_SUITE_NONE, "none" },
#define HASH(name, id, size, block, text)
#define SUITE(name, id, key_size, text) { TL_SUITE_##name, text },
#include <trueline/algs.def>
#undef HASH
#undef SUITE
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *protection_tag_mode_text(tl_tag_mode mode)
{
    for (size_t i = 0; i < COUNT(modes); i++)
        if (modes[i].mode == mode)
            return modes[i].text;
    return NULL;
}

bool protection_tag_mode(const char *text, tl_tag_mode *mode)
{
    for (size_t i = 0; i < COUNT(modes); i++)
        if (strcmp(modes[i].text, text) == 0) {
            *mode = modes[i].mode;
            return true;
        }
    return false;
}

const char *protection_suite_text(tl_suite suite)
{
    for (size_t i = 0; i < COUNT(suites); i++)
        if (suites[i].suite == suite)
            return suites[i].text;
    return NULL;
}

bool protection_suite(const char *text, tl_suite *suite)
{
    for (size_t i = 0; i < COUNT(suites); i++)
        if (strcmp(suites[i].text, text) == 0) {
            *suite = suites[i].suite;
            return true;
        }
    return false;
}

const char *protection_carrier_text(tl_carrier carrier)
{
    return carrier == TL_CARRIER_FSED ? "fsed" : "sep";
}

/* ---- options ---- */

tl_carrier protection_carrier_option(const struct argp_state *state, const char *option, const char *text)
{
    if (strcmp(text, "sep") != 0 && strcmp(text, "fsed") != 0)
        argp_error(state, "%s: '%s': give sep or fsed", option, text);
    return strcmp(text, "fsed") == 0 ? TL_CARRIER_FSED : TL_CARRIER_SEP;
}

uint8_t protection_channels_option(const struct argp_state *state, const char *option, const char *text,
                                   uint8_t *first)
{
    const size_t n = strlen(text);
    bool right = n % 2 == 1; /* digits, a comma between two */
    unsigned channels = 0;

    for (size_t i = 0; right && i < n; i += 2) {
        right = text[i] >= '0' && text[i] <= '3' && (i + 1 == n || text[i + 1] == ',');
        channels |= right ? 1u << (text[i] - '0') : 0;
    }
    if (!right)
        argp_error(state, "%s: '%s': give 0 to 3, or several such as 0,2", option, text);
    *first = (uint8_t)(text[0] - '0');
    return (uint8_t)channels;
}

static const struct argp_option options[] = {
    { "suite", OPT_SUITE, "NAME", 0,
      "aes128-gmac, aes256-gmac, aes128-cmac, aes256-cmac, or none: checksums and counters without keys, "
      "in stream files only (aes128-gmac)",
      0 },
    { "tag-mode", OPT_TAG_MODE, "message|type|frame", 0,
      "a tag for each message, for each data type of a frame, or for the frame (message)", 0 },
    { "tag-size", OPT_TAG_SIZE, "8|12|16", 0, "bytes of each tag (16)", 0 },
    { "variants", OPT_VARIANTS, "T,M,B", 0,
      "security variants of the lines before, of and behind the pixels: 1 encrypted, 2 in clear, 3 some "
      "lines, "
      "4 some bytes of each line, 5 no integrity",
      0 },
    { "variant", OPT_VARIANT, NULL, OPTION_ALIAS | OPTION_HIDDEN, NULL, 0 },
    { "pattern", OPT_PATTERN, "B:N,N,N", 0,
      "which lines of variant 3, or bytes of variant 4, are protected. B is top, middle or bottom; the "
      "numbers are "
      "first, count, period: so many from the first on, and again every period",
      0 },
    { "encrypt", OPT_ENCRYPT, NULL, 0, "encrypt the pixels: security variant 1 for the middle block", 0 },
    { "no-crc32", OPT_NO_CRC32, NULL, 0, "without the CRC-32 beside the tag", 0 },
    { 0 },
};

static const uint32_t tag_sizes[] = { 8, 12, 16 };
static const char *const blocks[] = { "top", "middle", "bottom" };

/* Three digits with commas. */
static void parse_variants(struct argp_state *state, const char *text, stream_file *f)
{
    static const char form[] = "--variants: '%s': give three of 1 to 5, such as 2,1,2";
    uint32_t *const to[] = { &f->variant_top, &f->variant_middle, &f->variant_bottom };

    if (strlen(text) != 5 || text[1] != ',' || text[3] != ',')
        argp_error(state, form, text);
    for (size_t i = 0; i < COUNT(to); i++) {
        if (text[2 * i] < '1' || text[2 * i] > '5')
            argp_error(state, form, text);
        *to[i] = (uint32_t)(text[2 * i] - '0');
    }
}

/* One number of a pattern; *text moves behind it. */
static uint16_t parse_place(struct argp_state *state, const char **text, char end, const char *all)
{
    char *behind;
    unsigned long v = strtoul(*text, &behind, 10);

    if (**text < '0' || **text > '9' || *behind != end || v > UINT16_MAX)
        argp_error(state, "--pattern: '%s': give a block and three numbers, such as middle:0,1,4", all);
    *text = behind + (end != '\0');
    return (uint16_t)v;
}

static void parse_pattern(struct argp_state *state, const char *text, stream_file *f)
{
    for (size_t i = 0; i < COUNT(blocks); i++) {
        size_t n = strlen(blocks[i]);
        const char *at = text + n + 1;

        if (strncmp(text, blocks[i], n) != 0 || text[n] != ':')
            continue;
        f->pattern[TL_BLOCK_TOP + i].first = parse_place(state, &at, ',', text);
        f->pattern[TL_BLOCK_TOP + i].count = parse_place(state, &at, ',', text);
        f->pattern[TL_BLOCK_TOP + i].period = parse_place(state, &at, '\0', text);
        return;
    }
    argp_error(state, "--pattern: '%s': give a block and three numbers, such as middle:0,1,4", text);
}

/* Without keys there are no tags to choose a size for, and nothing but variant 5. */
static void parse_suite(struct argp_state *state, const char *text, stream_file *f)
{
    if (!protection_suite(text, &f->suite))
        argp_error(state, "--suite: '%s': give %s", text, protection_suites);
    if (f->suite != TL_SUITE_NONE)
        return;
    f->tag_size = 0;
    f->variant_top = f->variant_middle = f->variant_bottom = TL_SV_5;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    protection_choice *choice = state->input;
    stream_file *f = choice->file;
    const struct argp_option *option = options;

    while (option->key != key && option->name != NULL)
        option++;
    if (option->name != NULL && choice->given == NULL)
        choice->given = option->name;
    switch (key) {
    case OPT_SUITE: parse_suite(state, arg, f); return 0;
    case OPT_TAG_MODE:
        if (!protection_tag_mode(arg, &f->tag_mode))
            argp_error(state, "--tag-mode: '%s': give %s", arg, protection_tag_modes);
        return 0;
    case OPT_TAG_SIZE:
        f->tag_size = ui_one_of(state, "--tag-size", arg, tag_sizes, COUNT(tag_sizes));
        return 0;
    case OPT_VARIANT:
    case OPT_VARIANTS: parse_variants(state, arg, f); return 0;
    case OPT_PATTERN: parse_pattern(state, arg, f); return 0;
    case OPT_ENCRYPT: f->variant_middle = TL_SV_1; return 0;
    case OPT_NO_CRC32: f->crc32 = TL_WITHOUT; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp protection_argp = { .options = options, .parser = parse };
