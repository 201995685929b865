/* Who is refused, and where. Pretenders are the program itself as two processes, started with the keys of somebody else; the
 * attacks on messages run on the library's engines in this process, because there are hundreds of them. */
#include "demo_auth.h"
#include "backend.h"
#include "clock.h"
#include "demo_child.h"
#include "measure.h"
#include "pki_store.h"
#include "spdm_identity.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    DAYS = 30,
    DAY = 86400,
    WAIT_MS = 10000,
    SMALL_WIDTH = 64,
    SMALL_HEIGHT = 16,
    EXIT_PEER = TL_EXIT_PEER
};

/* ---- files ---- */

static tl_exit write_reference(const char *path, const stream_file *geometry, const char *version,
                               const tl_crypto *crypto, tl_fault *fault)
{
    static measure m;
    json_t *object;
    char *text;
    tl_exit e = measure_take(&m, geometry, version, crypto, fault);

    if (e != TL_EXIT_OK)
        return e;
    object = reference_json(&m.blocks);
    text = json_dumps(object, JSON_INDENT(1));
    json_decref(object);
    if (text == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "reference: no memory");
    e = tl_file_write(path, tl_span_of(text, strlen(text)), 0644, TL_FILE_REPLACE, fault);
    free(text);
    return e;
}

static tl_exit write_references(demo_auth *a, const stream_file *geometry, const char *version,
                                tl_fault *fault)
{
    stream_file small;
    tl_openssl *openssl;
    tl_exit e = backend_start_openssl(&openssl, fault);

    if (e != TL_EXIT_OK)
        return e;
    stream_file_init(&small);
    small.width = SMALL_WIDTH;
    small.height = SMALL_HEIGHT;
    e = write_reference(a->reference, geometry, version, tl_openssl_crypto(openssl), fault);
    if (e == TL_EXIT_OK)
        e = write_reference(a->small_reference, &small, version, tl_openssl_crypto(openssl), fault);
    tl_openssl_close(openssl);
    return e;
}

/* A sensor's leaf by another name. */
static tl_exit make_leaf(const pki_options *o, const char *name, int64_t from, int64_t to, tl_fault *fault)
{
    pki_leaf leaf = { .device = pki_device_of("sensor"), .not_before = from, .not_after = to };

    leaf.issuer = leaf.device;
    (void)snprintf(leaf.name, sizeof leaf.name, "%s", name);
    return pki_make_leaf(o, &leaf, fault);
}

/* The sensor's certificates with the key of another one. */
static tl_exit make_stolen(const demo_auth *a, tl_fault *fault)
{
    static uint8_t bytes[PKI_FILE_MAX];
    char from[DEMO_AUTH_PATH + 32], to[DEMO_AUTH_PATH + 32];
    size_t n;
    tl_exit e;

    (void)snprintf(from, sizeof from, "%s/sensor/chain.pem", a->keys);
    (void)snprintf(to, sizeof to, "%s/stolen/chain.pem", a->keys);
    e = tl_file_read(from, TL_FILE_PUBLIC, bytes, sizeof bytes, &n, fault);
    return e == TL_EXIT_OK ? tl_file_write(to, tl_span_of(bytes, n), 0644, TL_FILE_REPLACE, fault) : e;
}

static tl_exit make_keys(demo_auth *a, tl_fault *fault)
{
    int64_t now = (int64_t)time(NULL);
    pki_options o = { .dir = a->keys, .curve = TL_GROUP_P256, .days = DAYS, .now = now };
    pki_options other = { .dir = a->foreign, .curve = TL_GROUP_P256, .days = DAYS, .now = now };
    tl_exit e = pki_make(&o, fault);

    if (e == TL_EXIT_OK)
        e = pki_make(&other, fault);
    if (e == TL_EXIT_OK)
        e = make_leaf(&o, "expired", now - 2 * DAY, now - DAY, fault);
    if (e == TL_EXIT_OK)
        e = make_leaf(&o, "revoked", 0, 0, fault);
    if (e == TL_EXIT_OK)
        e = make_leaf(&o, "stolen", 0, 0, fault);
    if (e == TL_EXIT_OK)
        e = make_stolen(a, fault);
    return e == TL_EXIT_OK ? pki_revoke_name(&o, "revoked", fault) : e;
}

tl_exit demo_auth_prepare(demo_auth *a, const char *folder, const stream_file *geometry, const char *version,
                          tl_fault *fault)
{
    tl_exit e;

    memset(a, 0, sizeof *a);
    (void)snprintf(a->folder, sizeof a->folder, "%.580s", folder);
    (void)snprintf(a->keys, sizeof a->keys, "%.580s/keys", folder);
    (void)snprintf(a->foreign, sizeof a->foreign, "%.580s/foreign", folder);
    (void)snprintf(a->reference, sizeof a->reference, "%.580s/reference.json", folder);
    (void)snprintf(a->small_reference, sizeof a->small_reference, "%.580s/small.json", folder);
    e = make_keys(a, fault);
    return e == TL_EXIT_OK ? write_references(a, geometry, version, fault) : e;
}

/* ---- pretenders ---- */

/* One of them: folders below the demo's own; "": no certificate. Whoever refuses says `step`. */
typedef struct pretender {
    const char *text, *sensor, *controller, *embedded, *step;
} pretender;

static const pretender pretenders[] = {
    { "a sensor with a foreign root", "foreign/sensor", "keys/controller", "2,2", "CERTIFICATE" },
    { "a sensor with a bridge's certificate", "keys/bridge", "keys/controller", "2,2", "CERTIFICATE" },
    { "a sensor with a debugger's certificate", "keys/debugger", "keys/controller", "2,2", "CERTIFICATE" },
    { "a sensor whose certificate has expired", "keys/expired", "keys/controller", "2,2", "CERTIFICATE" },
    { "a sensor whose certificate is revoked", "keys/revoked", "keys/controller", "2,2", "CERTIFICATE" },
    { "a sensor with another set-up", "keys/sensor", "keys/controller", "3,2", "MEASUREMENTS" },
    { "the sensor's certificate, somebody else's key", "keys/stolen", "keys/controller", "2,2",
      "KEY_EXCHANGE" },
    { "a controller without a certificate", "keys/sensor", "", "2,2", "not authenticated" },
    { "a controller with a foreign root", "keys/sensor", "foreign/controller", "2,2", "KEY_EXCHANGE" },
    { "a controller with a sensor's certificate", "keys/sensor", "keys/sensor", "2,2", "KEY_EXCHANGE" },
};

static tl_exit start_pretended(const demo_auth *a, const pretender *p, demo_child children[2],
                               tl_fault *fault)
{
    char pki[DEMO_AUTH_PATH + 32], own[DEMO_AUTH_PATH + 32], root[DEMO_AUTH_PATH + 32],
        crl[DEMO_AUTH_PATH + 32], at[300];
    const char *const sensor[] = { "sensor",    "--listen", "127.0.0.1:0", "--pki", pki,
                                   "--trust",   root,       "--size",      "64x16", "--embedded",
                                   p->embedded, "--once",   "--rate",      "0",     NULL };
    const char *const controller[] = { "controller",
                                       "--connect",
                                       at,
                                       "--trust",
                                       root,
                                       "--crl",
                                       crl,
                                       "--frames",
                                       "1",
                                       "--reference",
                                       a->small_reference,
                                       p->controller[0] != 0 ? "--pki" : NULL,
                                       own,
                                       NULL };
    tl_exit e;

    (void)snprintf(pki, sizeof pki, "%s/%s", a->folder, p->sensor);
    (void)snprintf(own, sizeof own, "%s/%s", a->folder, p->controller);
    (void)snprintf(root, sizeof root, "%s/root.pem", a->keys);
    (void)snprintf(crl, sizeof crl, "%s/crl.pem", a->keys);
    e = demo_child_start(&children[0], a->folder, sensor, fault);
    if (e == TL_EXIT_OK)
        e = demo_child_address(&children[0], "listening on ", tl_clock_ms() + WAIT_MS, at, sizeof at, fault);
    return e == TL_EXIT_OK ? demo_child_start(&children[1], a->folder, controller, fault) : e;
}

/* Runs both to their ends: who is refused must be, in that step, and the controller's exit code says so. */
static tl_exit run_pretender(demo_auth *a, const pretender *p, tl_fault *fault)
{
    demo_child children[2] = { { .out = -1 }, { .out = -1 } };
    demo_auth_row *row = &a->rows[a->rows_n++];
    tl_fault said = { 0 };
    tl_exit e = start_pretended(a, p, children, fault);

    for (int i = 1; i >= 0 && e == TL_EXIT_OK; i--)
        e = demo_child_wait(&children[i], tl_clock_ms() + WAIT_MS, fault);
    *row = (demo_auth_row){ .how = "processes", .attacks = 1 };
    (void)snprintf(row->text, sizeof row->text, "%s", p->text);
    if (e == TL_EXIT_OK && demo_child_blame(&children[1], &said) == TL_EXIT_LINK) {
        const char *step = strstr(said.text, p->step);

        row->noticed = children[1].code == EXIT_PEER && step != NULL;
        (void)snprintf(row->seen, sizeof row->seen, "exit %d, %.80s", children[1].code,
                       step != NULL ? p->step : said.text);
    }
    demo_child_end(&children[1]);
    demo_child_end(&children[0]);
    a->attacks++;
    a->noticed += row->noticed;
    return e;
}

tl_exit demo_auth_people(demo_auth *a, demo_steps *steps, tl_fault *fault)
{
    size_t n = sizeof pretenders / sizeof *pretenders, noticed = 0;
    tl_exit e = TL_EXIT_OK;

    for (size_t i = 0; i < n && e == TL_EXIT_OK; i++) {
        e = run_pretender(a, &pretenders[i], fault);
        noticed += a->rows[a->rows_n - 1].noticed;
    }
    if (e == TL_EXIT_OK)
        demo_step(steps, 0, "%zu pretenders, two processes each: %zu refused with exit code 3", n, noticed);
    return e;
}

/* ---- messages ---- */

typedef struct stage {
    demo_auth *a;
    tl_openssl *openssl;
    spdm_identity sensor, controller;
    measure measured;
    tl_spdm_measurement_source source;
    tl_duel_world world;
    tl_duel *clean[2], *duel;
    tl_err err;
} stage;

static const char *group_of(const tl_spdm_attack *attack, char text[100])
{
    if (attack->act > TL_SPDM_STALE)
        return attack->text;
    (void)snprintf(text, 100, "%s", tl_spdm_targets[attack->target].name);
    return text;
}

/* Rows of one message stand in one line. */
static demo_auth_row *line_of(demo_auth *a, const tl_spdm_attack *attack)
{
    char text[100];
    const char *group = group_of(attack, text);
    demo_auth_row *last = a->rows_n > 0 ? &a->rows[a->rows_n - 1] : NULL;

    if (last != NULL && strcmp(last->text, group) == 0)
        return last;
    if (a->rows_n == DEMO_AUTH_ROWS)
        return last;
    last = &a->rows[a->rows_n++];
    *last = (demo_auth_row){ .how = "in process", .latest = -1 };
    (void)snprintf(last->text, sizeof last->text, "%s", group);
    return last;
}

static bool run_attack(void *ctx, const tl_spdm_attack *attack)
{
    stage *s = ctx;
    const tl_duel *const clean[2] = { s->clean[0], s->clean[1] };
    demo_auth_row *row = line_of(s->a, attack);
    tl_duel_result r;
    bool as_expected;

    s->err = tl_spdm_attack_run(s->duel, &s->world, clean, attack, &r, &as_expected);
    row->attacks++;
    row->noticed += as_expected;
    row->harmless += as_expected && attack->harmless;
    s->a->attacks++;
    s->a->noticed += as_expected;
    if (!as_expected) {
        (void)snprintf(row->seen, sizeof row->seen, "NOT AS EXPECTED: %.60s", attack->name);
    } else if (row->noticed == row->attacks && tl_spdm_step_order(r.step) > row->latest) {
        row->latest = tl_spdm_step_order(r.step);
        (void)snprintf(row->seen, sizeof row->seen, "%s%s",
                       attack->act > TL_SPDM_STALE ? "" : "at the latest ", r.step);
    }
    return s->err == TL_OK;
}

static tl_exit set_stage(stage *s, const demo_auth *a, tl_fault *fault)
{
    static const tl_openssl_config config = { .hash_slots = 32, .key_slots = 32 };
    char root[DEMO_AUTH_PATH + 32], sensor[DEMO_AUTH_PATH + 32], controller[DEMO_AUTH_PATH + 32];
    spdm_identity_files files = { .pki = sensor, .trust = root, .role = "controller" };
    stream_file geometry;
    tl_exit e;

    (void)snprintf(root, sizeof root, "%s/root.pem", a->keys);
    (void)snprintf(sensor, sizeof sensor, "%s/sensor", a->keys);
    (void)snprintf(controller, sizeof controller, "%s/controller", a->keys);
    stream_file_init(&geometry);
    if (tl_openssl_open(&config, &s->openssl) != TL_OK)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "crypto: cannot be opened");
    e = spdm_identity_load(&s->sensor, &files, s->openssl, fault);
    files.pki = controller;
    files.role = "sensor";
    if (e == TL_EXIT_OK)
        e = spdm_identity_load(&s->controller, &files, s->openssl, fault);
    if (e == TL_EXIT_OK)
        e = measure_take(&s->measured, &geometry, "demo", tl_openssl_crypto(s->openssl), fault);
    s->source = measure_source(&s->measured);
    s->world = (tl_duel_world){ .crypto = tl_openssl_crypto(s->openssl),
                                .sensor = s->sensor.slot,
                                .controller = s->controller.slot,
                                .sensor_trusts = s->sensor.rules,
                                .controller_trusts = s->controller.rules,
                                .measurements = &s->source };
    return e;
}

static tl_exit play(stage *s, tl_fault *fault)
{
    tl_spdm_rows rows = { .ctx = s, .row = run_attack };
    tl_duel_result r;

    for (int i = 0; i < 2; i++) {
        if (tl_duel_run(s->clean[i], &s->world, (tl_duel_script)i, (tl_duel_hand){ 0 }, &r) != TL_OK ||
            !r.agreed)
            return tl_fault_set(fault, TL_EXIT_INTERNAL, "spdm: the engines do not agree: %s: %s",
                                r.step != NULL ? r.step : "set-up", r.what != NULL ? r.what : "");
        rows.clean[i] = s->clean[i];
        if (i == TL_DUEL_SESSION) /* where all sizes are negotiated */
            rows.env = r.env;
    }
    (void)tl_spdm_attacks_each(&rows);
    return s->err == TL_OK ? TL_EXIT_OK
                           : tl_fault_set(fault, TL_EXIT_INTERNAL, "spdm: %s", tl_err_text(s->err));
}

tl_exit demo_auth_messages(demo_auth *a, demo_steps *steps, tl_fault *fault)
{
    stage *s = calloc(1, sizeof *s);
    size_t attacks = a->attacks, noticed = a->noticed;
    tl_exit e;

    if (s == NULL)
        return tl_fault_set(fault, TL_EXIT_INTERNAL, "demo: no memory");
    s->a = a;
    s->duel = calloc(3, sizeof *s->duel);
    s->clean[0] = s->duel + 1;
    s->clean[1] = s->duel + 2;
    e = s->duel != NULL ? set_stage(s, a, fault) : tl_fault_set(fault, TL_EXIT_INTERNAL, "demo: no memory");
    if (e == TL_EXIT_OK)
        e = play(s, fault);
    free(s->duel);
    tl_openssl_close(s->openssl);
    free(s);
    if (e == TL_EXIT_OK)
        demo_step(steps, 0, "%zu attacks on SPDM's messages, both ends in this process: %zu end as they must",
                  a->attacks - attacks, a->noticed - noticed);
    return e;
}

/* ---- what is told ---- */

void demo_auth_print(const demo_auth *a, FILE *to)
{
    for (size_t i = 0; i < a->rows_n; i++) {
        const demo_auth_row *r = &a->rows[i];
        char harmless[40] = "";

        if (r->harmless > 0)
            (void)snprintf(harmless, sizeof harmless, ", %zu harmless", r->harmless);
        (void)fprintf(to, "  %-58s %-11s %-28s %3zu/%zu %s%s\n", r->text, r->how, r->seen, r->noticed,
                      r->attacks, r->noticed == r->attacks ? "noticed" : "NOT AS EXPECTED", harmless);
    }
    (void)fputs("  Each field changed; the message dropped, repeated, replaced by the one before. A dropped "
                "one ends in a\n"
                "  time-out of its step, which is exit code 4 (the link); everything else in exit code 3.\n",
                to);
}

json_t *demo_auth_json(const demo_auth *a)
{
    json_t *list = json_array();

    for (size_t i = 0; i < a->rows_n; i++) {
        const demo_auth_row *r = &a->rows[i];

        (void)json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "text", r->text, "how", r->how, "seen", r->seen,
                            "attacks", (json_int_t)r->attacks, "as_expected", (json_int_t)r->noticed,
                            "harmless", (json_int_t)r->harmless));
    }
    return list;
}
