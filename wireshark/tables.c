/* Prints what Wireshark's dissectors know of bytes and numbers: the rows of every message of the layout, its codes, and
 * the tables of algorithms, data types, verdicts and checksums, as one table of Lua. Nothing of it is written twice. */
#include "agreement.h"
#include "annotate.h"
#include "dump_algs.h"
#include "dump_message.h"
#include "hello.h"
#include "hex.h"

#include <trueline/csi2.h>
#include <trueline/stream.h>
#include <trueline/transport.h>

#include <stdio.h>
#include <string.h>

static void number(const char *name, long value)
{
    (void)printf("  %s = %ld,\n", name, value);
}

static void named(unsigned value, const char *text)
{
    (void)printf("    [%u] = \"%s\",\n", value, text);
}

static void open_table(const char *name)
{
    (void)printf("  %s = {\n", name);
}

static void close_table(void)
{
    (void)puts("  },");
}

/* ---- messages ---- */

static const char *class_name(unsigned class)
{
    static const char *const names[TL_LEN_N] = {
        [TL_LEN_HASH] = "HASH", [TL_LEN_SIG] = "SIG",     [TL_LEN_KEX] = "KEX", [TL_LEN_KEXR] = "KEXR",
        [TL_LEN_MSH] = "MSH",   [TL_LEN_HMAC] = "HMAC",   [TL_LEN_TAG] = "TAG", [TL_LEN_CRC] = "CRC",
        [TL_LEN_SLOT] = "SLOT", [TL_LEN_NONCE] = "NONCE",
    };

    return names[class];
}

/* The name of the earlier row that holds a number of bytes. */
static const char *name_at(const tl_message *m, unsigned off)
{
    const tl_field *f = m->rows();

    for (size_t i = 0; f[i].kind != TL_ROW_END; i++)
        if (f[i].off == off && (f[i].kind == TL_ROW_INT || f[i].kind == TL_ROW_INTB))
            return m->names[i];
    return "";
}

static void print_row(const tl_message *m, const tl_field *f, const char *name)
{
    static const char *const kinds[] = {
        [TL_ROW_INT] = "int",   [TL_ROW_INTB] = "int",    [TL_ROW_OPT] = "opt", [TL_ROW_OPTB] = "opt",
        [TL_ROW_RSV] = "rsv",   [TL_ROW_RAW] = "raw",     [TL_ROW_LV] = "lv",   [TL_ROW_BY] = "by",
        [TL_ROW_REST] = "rest", [TL_ROW_BODY] = "body",   [TL_ROW_BOX] = "box", [TL_ROW_BIT] = "bit",
        [TL_ROW_END] = "end",   [TL_ROW_SIZED] = "sized",
    };
    bool big = f->kind == TL_ROW_INTB || f->kind == TL_ROW_OPTB;

    (void)printf("      { kind = \"%s\", since = %u", kinds[f->kind], f->since);
    if (name[0] != '\0')
        (void)printf(", name = \"%s\"", name);
    if (big)
        (void)printf(", big = true");
    switch (f->kind) {
    case TL_ROW_OPT:
    case TL_ROW_OPTB:
    case TL_ROW_SIZED: (void)printf(", class = \"%s\"", class_name(f->arg)); break;
    case TL_ROW_BY: (void)printf(", by = \"%s\"", name_at(m, f->arg)); break;
    case TL_ROW_BODY:
        (void)printf(", class = \"%s\", extra = %d", class_name(f->arg & 0xFF), f->arg >> 8);
        break;
    case TL_ROW_BIT: (void)printf(", shift = %d, width = %d", f->arg >> 8, f->arg & 0xFF); break;
    default: (void)printf(", n = %u", f->arg); break;
    }
    (void)puts(" },");
}

static void print_messages(void)
{
    open_table("messages");
    for (const tl_message *m = tl_messages; m->name != NULL; m++) {
        const tl_field *f = m->rows();

        (void)printf("    { name = \"%s\",\n", m->name);
        for (size_t i = 0; f[i].kind != TL_ROW_END; i++)
            print_row(m, &f[i], m->names[i]);
        (void)puts("    },");
    }
    close_table();
}

/* ---- SPDM ---- */

static void print_codes(void)
{
    open_table("codes");
    for (unsigned code = 0; code < 256; code++)
        if (tl_spdm_code_text((uint8_t)code) != NULL)
            named(code, tl_spdm_code_text((uint8_t)code));
    close_table();
    open_table("bare_codes");
    for (unsigned code = 0; code < 256; code++)
        if (dump_is_bare((uint8_t)code))
            (void)printf("    [%u] = true,\n", code);
    close_table();
    open_table("rows_of_code");
#define MSG(name, code)                                                                                      \
    if ((code) != 0)                                                                                         \
        named(code, #name);
#define END(name)
#include <trueline/def/quiet.h>
#include <trueline/def/spdm.def>
#include <trueline/def/none.h>
    named(TL_SPDM_VENDOR_DEFINED_RESPONSE, "spdm_vendor_defined");
    close_table();
    open_table("spdm_errors");
    for (unsigned code = 1; code < 100; code++) {
        const char *text = strstr(tl_err_text((tl_err)(TL_E_PEER + (int)code)), "ERROR ");

        if (text != NULL)
            named(code, text + strlen("ERROR "));
    }
    close_table();
}

static void print_algorithms(void)
{
    static const char *const kinds[DUMP_ALG_KINDS] = {
        [DUMP_HASH] = "hash", [DUMP_MEASUREMENT_HASH] = "measurement_hash",
        [DUMP_ASYM] = "asym", [DUMP_KEY_SCHEDULE] = "key_schedule",
        [DUMP_DHE] = "dhe",   [DUMP_PQC_ASYM] = "pqc_asym",
        [DUMP_AEAD] = "aead", [DUMP_KEM] = "kem",
    };

    open_table("algorithms");
    for (int kind = 0; kind < DUMP_ALG_KINDS; kind++) {
        (void)printf("    %s = {\n", kinds[kind]);
        for (uint32_t bit = 1; bit != 0; bit <<= 1) {
            const dump_alg *alg = dump_alg_of((dump_alg_kind)kind, bit);

            if (alg != NULL)
                (void)printf("      { bit = %u, name = \"%s\", size = %u, response = %u },\n", (unsigned)bit,
                             alg->name, alg->size, alg->response);
        }
        (void)puts("    },");
    }
    close_table();
}

static void print_capabilities(void)
{
    open_table("capabilities");
#define SPDM_CAPABILITY(name, bit) (void)printf("    { bit = %u, name = \"%s\" },\n", (unsigned)(bit), #name);
#include <trueline/spdm_capabilities.def>
#undef SPDM_CAPABILITY
    close_table();
}

/* ---- stream agreement ---- */

static const char *name_of_rows(const tl_field *(*rows)(void))
{
    for (const tl_message *m = tl_messages; m->name != NULL; m++)
        if (m->rows == rows)
            return m->name;
    return "";
}

static void print_agreement(void)
{
    const tl_field *(*rows)(void);
    uint32_t kind;

    number("vendor_standard", TL_VENDOR_STANDARD);
    (void)printf("  vendor_id = \"");
    hex_print(stdout, tl_span_of(agreement_vendor_id, AGREEMENT_VENDOR_SIZE));
    (void)puts("\",");
    open_table("agreement_kinds");
    for (size_t i = 0; agreement_kind_at(i, &kind, &rows); i++)
        named(kind, agreement_kind_text(kind));
    close_table();
    open_table("agreement_rows");
    for (size_t i = 0; agreement_kind_at(i, &kind, &rows); i++)
        if (rows != NULL)
            named(kind, name_of_rows(rows));
    close_table();
    open_table("agreement_reasons");
#define REASON(name, value, text) named(value, text);
    AGREEMENT_REASONS
#undef REASON
    close_table();
}

/* ---- CSI-2 and streams ---- */

static void print_csi2(void)
{
    open_table("data_types");
#define DATA_TYPE(name, code, bits, text) named(code, text);
#include <trueline/data_types.def>
#undef DATA_TYPE
    close_table();
    number("csi2_header", TL_CSI2_HEADER_SIZE);
    number("csi2_footer", TL_CSI2_FOOTER_SIZE);
    number("crc16_start", TL_CSI2_CRC_START);
    (void)printf("  ecc = {"); /* of each header bit alone: the code is linear */
    for (unsigned bit = 0; bit < 24; bit++)
        (void)printf(" %u,", tl_csi2_ecc_of((uint32_t)1 << bit));
    (void)printf(" },\n  crc16 = {"); /* the register after each byte, from zero */
    for (unsigned b = 0; b < 256; b++) {
        const uint8_t byte = (uint8_t)b;

        (void)printf(" %u,", tl_csi2_crc16(0, tl_span_of(&byte, 1)));
    }
    (void)puts(" },");
}

static void print_ids(void)
{
    static const struct {
        const char *name;
        int value;
    } ids[] = {
        { "sep_version", TL_SEP_VERSION },
        { "sep_wire_type", TL_SEP_WIRE_TYPE },
        { "sep_service_type", TL_SEP_SERVICE_TYPE },
        { "sep_begin", TL_SEP_BEGIN },
        { "sep_end", TL_SEP_END },
        { "sep_header_size", TL_SEP_HEADER_SIZE },
        { "sep_tag_max", TL_SEP_TAG_MAX },
        { "fsed_wire_type", TL_FSED_WIRE_TYPE },
        { "fsed_version", TL_FSED_VERSION },
        { "fsed_top", TL_FSED_TOP },
        { "fsed_bottom", TL_FSED_BOTTOM },
        { "outline_wire_type", TL_OUTLINE_WIRE_TYPE },
        { "announcement_wire_type", TL_ANNOUNCEMENT_WIRE_TYPE },
        { "hello_size", TL_HELLO_SIZE },
        { "data_token_size", TL_DATA_TOKEN_SIZE },
        { "tcp_head", TL_TCP_HEAD },
        { "carried_clear", TL_CARRIED_CLEAR },
        { "carried_secured", TL_CARRIED_SECURED },
        { "record_tag", TL_RECORD_TAG },
    };

    (void)printf("  layout = \"%s\",\n", TL_LAYOUT_NAME);
    (void)printf("  magic = { hello = \"%s\", data_token = \"%s\" },\n", HELLO_MAGIC, AGREEMENT_TOKEN_MAGIC);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        number(ids[i].name, ids[i].value);
    number("sequence_tcp", tl_transport_tcp.binding.record.sequence_size);
    number("sequence_mctp", tl_transport_mctp.binding.record.sequence_size);
}

static void print_small_tables(void)
{
    open_table("blocks");
    named(TL_BLOCK_SERVICE, "service");
    named(TL_BLOCK_TOP, "top");
    named(TL_BLOCK_MIDDLE, "middle");
    named(TL_BLOCK_BOTTOM, "bottom");
    close_table();
    open_table("positions");
    named(TL_FSED_TOP, "top");
    named(TL_FSED_BOTTOM, "bottom");
    close_table();
    open_table("purposes");
    named(TL_SEP_PURPOSE_MESSAGE, "message");
    named(TL_SEP_PURPOSE_DATA_TYPE, "list of a data type");
    named(TL_SEP_PURPOSE_FRAME, "list of the frame");
    close_table();
    open_table("roles");
    named(TL_HELLO_SENDER, "sender");
    named(TL_HELLO_RECEIVER, "receiver");
    close_table();
    open_table("variants");
    for (unsigned v = TL_SV_1; v <= TL_SV_5; v++)
        (void)printf("    [%u] = \"SV-%u\",\n", v, v);
    close_table();
    open_table("tag_modes");
    named(TL_TAG_PER_MESSAGE, "a tag for each message");
    named(TL_TAG_PER_DATA_TYPE, "a tag for each data type");
    named(TL_TAG_PER_FRAME, "a tag for each frame");
    close_table();
    open_table("suites");
#define HASH(name, id, size, block, text)
#define SUITE(name, id, key_size, text) named(id, text);
#include <trueline/algs.def>
#undef HASH
#undef SUITE
    close_table();
}

static void print_links(void)
{
    open_table("links");
    for (size_t i = 0; i < ANNOTATE_LINKS; i++)
        (void)printf("    { name = \"%s\", plain = %u, opened = %u },\n", annotate_links[i].name,
                     (unsigned)annotate_links[i].plain, (unsigned)annotate_links[i].opened);
    close_table();
}

static void print_verdicts(void)
{
    open_table("verdicts");
#define VERDICT(name, text, meaning)                                                                         \
    (void)printf("    { name = \"%s\", meaning = \"%s\" },\n", text, meaning);
#include <trueline/verdicts.def>
#undef VERDICT
    close_table();
}

int main(void)
{
    (void)puts("-- Made by the build from the rows of the layout. Do not edit.\n"
               "if rawget(_G, \"trueline_is_loaded\") then\n"
               "  return -- from a folder of plugins\n"
               "end\n"
               "rawset(_G, \"trueline_is_loaded\", true)\n"
               "local T = {");
    print_ids();
    print_messages();
    print_codes();
    print_algorithms();
    print_capabilities();
    print_agreement();
    print_csi2();
    print_small_tables();
    print_verdicts();
    print_links();
    (void)puts("}");
    return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : 1;
}
