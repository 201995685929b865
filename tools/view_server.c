/* A process without keys: it has the board, a listening socket, and on the demo's page a socket to the attacker. One thread
 * serves all: what a browser can make it do is to copy and to shrink a picture. Connections, their headers, their idle time
 * and the time of a request are bounded; when there are too many, those that have waited longest for their request go. */
#include "view_server.h"
#include "clock.h"
#include "hex.h"
#include "view_attacks.h"
#include "view_files.h"
#include "view_http.h"
#include "view_json.h"
#include "view_png.h"

#include <trueline/base.h>

#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS = 64,
    BACKLOG = 256,
    CROWDED = 48, /* from here on the one that has waited longest goes */
    CONNECTION_BYTES = 16 << 10,
    IDLE_S = 10,
    REQUEST_MS = 15000,
    FILES_MAX = 128,
    TURN_MS = 500,
    TOKEN = 16
};

typedef struct connection {
    int fd;            /* -1: none */
    uint64_t since_ms; /* when it came, or its last request was answered */
    bool ended;
} connection;

typedef struct picture {
    uint64_t number;
    uint8_t *png;
    size_t n;
} picture;

typedef struct server {
    view_server_parts parts;
    struct MHD_Daemon *http;
    connection connections[CONNECTIONS];
    unsigned crowd;
    view_facts facts;
    view_copy copy;
    picture pictures[VIEW_KINDS];
    int attacks; /* -1: none */
    view_press presses[VIEW_PRESSED];
    size_t presses_n;
    char token[2 * TOKEN + 1];
} server;

/* ---- answers ---- */

static const char *const everywhere[][2] = {
    { "Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                                 "connect-src 'self'; base-uri 'none'; form-action 'none'; "
                                 "frame-ancestors 'none'" },
    { "X-Content-Type-Options", "nosniff" },
    { "X-Frame-Options", "DENY" },
    { "Referrer-Policy", "no-referrer" },
    { "Cross-Origin-Resource-Policy", "same-origin" },
    { "Cross-Origin-Opener-Policy", "same-origin" },
    { "Cache-Control", "no-store" },
};

static enum MHD_Result answer(struct MHD_Connection *c, unsigned code, const char *type,
                              struct MHD_Response *r)
{
    enum MHD_Result done;

    if (r == NULL)
        return MHD_NO;
    for (size_t i = 0; i < sizeof everywhere / sizeof everywhere[0]; i++)
        (void)MHD_add_response_header(r, everywhere[i][0], everywhere[i][1]);
    (void)MHD_add_response_header(r, "Content-Type", type);
    done = MHD_queue_response(c, code, r);
    MHD_destroy_response(r);
    return done;
}

/* The bytes are constant, or copied: the library's way to say so. */
static struct MHD_Response *of_bytes(const void *p, size_t n, enum MHD_ResponseMemoryMode mode)
{
    void *bytes;

    memcpy(&bytes, &p, sizeof bytes); /* the interface lacks a const, and writes nothing */
    return MHD_create_response_from_buffer(n, bytes, mode);
}

static enum MHD_Result say(struct MHD_Connection *c, unsigned code, const char *text)
{
    return answer(c, code, "text/plain; charset=utf-8", of_bytes(text, strlen(text), MHD_RESPMEM_PERSISTENT));
}

static enum MHD_Result answer_json(struct MHD_Connection *c, json_t *o)
{
    char *text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;

    json_decref(o);
    if (text == NULL)
        return say(c, MHD_HTTP_INTERNAL_SERVER_ERROR, "no memory\n");
    return answer(c, MHD_HTTP_OK, "application/json", of_bytes(text, strlen(text), MHD_RESPMEM_MUST_FREE));
}

static json_t *presses_json(const server *s)
{
    json_t *list = json_array();

    for (size_t i = s->presses_n; i > 0; i--)
        (void)json_array_append_new(list, view_json_press(&s->facts, &s->presses[i - 1]));
    return list;
}

static enum MHD_Result get_state(server *s, struct MHD_Connection *c)
{
    static const char *const names[VIEW_KINDS] = { "live", "refused_frame" };
    json_t *o;

    if (!view_board_facts(s->parts.board, &s->facts))
        return say(c, MHD_HTTP_SERVICE_UNAVAILABLE, "the receiver is writing; ask again\n");
    o = view_json_facts(&s->facts);
    s->copy.height = s->facts.height;
    for (int k = 0; o != NULL && k < VIEW_KINDS; k++) {
        bool there = view_board_head(s->parts.board, (view_kind)k, &s->copy);

        (void)json_object_set_new(
            o, names[k], there ? view_json_frame(&s->facts, &s->copy.head, &s->copy.lines) : json_null());
    }
    if (o != NULL && s->parts.attacks != NULL) {
        (void)json_object_set_new(o, "token", json_string(s->token));
        (void)json_object_set_new(o, "presses", presses_json(s));
    }
    return answer_json(c, o);
}

static enum MHD_Result get_identity(server *s, struct MHD_Connection *c)
{
    if (!view_board_facts(s->parts.board, &s->facts))
        return say(c, MHD_HTTP_SERVICE_UNAVAILABLE, "the receiver is writing; ask again\n");
    if (s->facts.identity_n == 0)
        return say(c, MHD_HTTP_NOT_FOUND, "the sensor was not asked who it is\n");
    return answer(c, MHD_HTTP_OK, "application/json",
                  of_bytes(s->facts.identity, s->facts.identity_n, MHD_RESPMEM_MUST_COPY));
}

/* It shows what was decrypted. */
static void drop_picture(picture *p)
{
    if (p->png != NULL)
        tl_wipe(p->png, p->n);
    free(p->png);
    *p = (picture){ 0 };
}

/* Made once for all that ask for the same one. */
static bool make_picture(server *s, view_kind kind)
{
    picture *p = &s->pictures[kind];
    const view_facts *f = &s->facts;
    uint8_t *png;
    size_t n;

    s->copy.height = f->height;
    s->copy.n = view_pixel_bytes(f);
    if (!view_board_head(s->parts.board, kind, &s->copy) || f->width == 0)
        return false;
    if (p->png != NULL && p->number == s->copy.head.number)
        return true;
    if (!view_board_picture(s->parts.board, kind, &s->copy) ||
        !view_png_make(f, &s->copy.lines, s->copy.pixels, &png, &n))
        return false;
    drop_picture(p);
    *p = (picture){ s->copy.head.number, png, n };
    return true;
}

static enum MHD_Result get_picture(server *s, struct MHD_Connection *c, view_kind kind)
{
    const picture *p = &s->pictures[kind];

    if (!view_board_facts(s->parts.board, &s->facts) || !make_picture(s, kind))
        return say(c, MHD_HTTP_NOT_FOUND, "there is no such picture yet\n");
    return answer(c, MHD_HTTP_OK, "image/png", of_bytes(p->png, p->n, MHD_RESPMEM_MUST_COPY));
}

typedef struct page_file {
    const char *path, *type;
    const unsigned char *bytes;
    const size_t *n;
} page_file;

static const page_file page_files[] = {
    { "/", "text/html; charset=utf-8", view_page_html, &view_page_html_n },
    { "/page.css", "text/css; charset=utf-8", view_page_css, &view_page_css_n },
    { "/page.js", "text/javascript; charset=utf-8", view_page_js, &view_page_js_n },
    { "/icon.svg", "image/svg+xml", view_icon_svg, &view_icon_svg_n },
};

static enum MHD_Result get(server *s, struct MHD_Connection *c, const char *path)
{
    for (size_t i = 0; i < sizeof page_files / sizeof page_files[0]; i++)
        if (strcmp(path, page_files[i].path) == 0)
            return answer(c, MHD_HTTP_OK, page_files[i].type,
                          of_bytes(page_files[i].bytes, *page_files[i].n, MHD_RESPMEM_PERSISTENT));
    if (strcmp(path, "/state.json") == 0)
        return get_state(s, c);
    if (strcmp(path, "/identity.json") == 0)
        return get_identity(s, c);
    if (strcmp(path, "/live.png") == 0)
        return get_picture(s, c, VIEW_LIVE);
    if (strcmp(path, "/refused.png") == 0)
        return get_picture(s, c, VIEW_REFUSED);
    if (strcmp(path, "/attacks.json") == 0 && s->parts.attacks != NULL)
        return answer_json(c, view_json_attacks());
    return say(c, MHD_HTTP_NOT_FOUND, "there is nothing under this name\n");
}

/* ---- attacks ---- */

static const char *header(struct MHD_Connection *c, const char *name)
{
    return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static bool token_is_right(const server *s, const char *token)
{
    return token != NULL && strlen(token) == 2 * TOKEN &&
           tl_equal(tl_span_of((const uint8_t *)token, 2 * TOKEN),
                    tl_span_of((const uint8_t *)s->token, 2 * TOKEN));
}

static size_t waiting(const server *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->presses_n; i++)
        n += !s->presses[i].done;
    return n;
}

static enum MHD_Result post_attack(server *s, struct MHD_Connection *c)
{
    size_t row;

    if (!view_http_origin_is_own(header(c, "Origin"), header(c, "Host")))
        return say(c, MHD_HTTP_FORBIDDEN, "this comes from another page\n");
    if (!token_is_right(s, header(c, "X-Trueline-Token")))
        return say(c, MHD_HTTP_FORBIDDEN, "the token is not this page's\n");
    if (!view_http_number(MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "row"), tl_attack_count,
                          &row))
        return say(c, MHD_HTTP_BAD_REQUEST, "row: give the number of an attack\n");
    if (waiting(s) >= VIEW_PRESSED / 2 || !view_board_facts(s->parts.board, &s->facts) ||
        !view_attacks_ask(s->attacks, row))
        return say(c, MHD_HTTP_SERVICE_UNAVAILABLE, "the attacker has enough to do; try again\n");
    if (s->presses_n == VIEW_PRESSED)
        memmove(&s->presses[0], &s->presses[1], --s->presses_n * sizeof s->presses[0]);
    s->presses[s->presses_n++] =
        (view_press){ .row = row, .events_n = s->facts.events_n, .ok_n = s->facts.ok_n };
    return say(c, MHD_HTTP_ACCEPTED, "it comes with the next frame\n");
}

/* The oldest press of that row that still waits. */
static void mark_done(server *s, size_t row, uint32_t frame)
{
    for (size_t i = 0; i < s->presses_n; i++)
        if (!s->presses[i].done && s->presses[i].row == row) {
            s->presses[i].done = true;
            s->presses[i].frame = frame;
            return;
        }
}

static void take_answers(server *s)
{
    size_t row;
    uint32_t frame;
    int got;

    while ((got = view_attacks_answer(s->attacks, &row, &frame)) > 0)
        mark_done(s, row, frame);
    if (got < 0) {
        (void)close(s->attacks);
        s->attacks = -1;
    }
}

/* ---- requests ---- */

static enum MHD_Result count_host(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    (void)value;
    *(unsigned *)ctx += strcasecmp(name, "Host") == 0;
    return MHD_YES;
}

/* What is refused before anybody asks what it wants; 0: nothing. */
static unsigned refuse(struct MHD_Connection *c, const char *method, const char **why)
{
    const char *length = header(c, "Content-Length");
    unsigned hosts = 0;

    (void)MHD_get_connection_values(c, MHD_HEADER_KIND, count_host, &hosts);
    *why = "this machine's page is under 127.0.0.1, [::1] and localhost alone\n";
    if (hosts != 1 || !view_http_host_is_own(header(c, "Host")))
        return MHD_HTTP_FORBIDDEN;
    *why = "only GET, HEAD and POST\n";
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0 && strcmp(method, "POST") != 0)
        return MHD_HTTP_METHOD_NOT_ALLOWED;
    *why = "no request here has a body\n";
    if (header(c, "Transfer-Encoding") != NULL || (length != NULL && strcmp(length, "0") != 0))
        return MHD_HTTP_CONTENT_TOO_LARGE;
    return 0;
}

/* The parameters are libmicrohttpd's. */
static enum MHD_Result handle(void *ctx, struct MHD_Connection *c, const char *path, const char *method,
                              const char *version, const char *data, size_t *data_n, void **state)
{
    static int seen;
    server *s = ctx;
    const char *why;
    unsigned code;

    (void)version;
    (void)data;
    if (*state == NULL) {
        code = refuse(c, method, &why);
        *state = &seen;
        return code != 0 ? say(c, code, why) : MHD_YES;
    }
    if (*data_n > 0)
        return MHD_NO;
    if (strcmp(method, "POST") != 0)
        return get(s, c, path);
    if (strcmp(path, "/attack") != 0 || s->parts.attacks == NULL)
        return say(c, MHD_HTTP_NOT_FOUND, "nothing can be posted here\n");
    return post_attack(s, c);
}

/* ---- connections ---- */

static void on_connection(void *ctx, struct MHD_Connection *c, void **socket,
                          enum MHD_ConnectionNotificationCode code)
{
    server *s = ctx;
    connection *known = *socket;
    const union MHD_ConnectionInfo *info;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (known != NULL) {
            known->fd = -1;
            s->crowd--;
        }
        return;
    }
    info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    for (int i = 0; i < CONNECTIONS && *socket == NULL && info != NULL; i++)
        if (s->connections[i].fd < 0) {
            s->connections[i] = (connection){ .fd = info->connect_fd, .since_ms = tl_clock_ms() };
            s->crowd++;
            *socket = &s->connections[i];
        }
}

static void on_completed(void *ctx, struct MHD_Connection *c, void **state,
                         enum MHD_RequestTerminationCode code)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    connection *known = info != NULL ? info->socket_context : NULL;

    (void)ctx;
    (void)state;
    if (known != NULL && code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        known->since_ms = tl_clock_ms();
}

static void end_connection(connection *k, uint64_t now)
{
    (void)shutdown(k->fd, SHUT_RDWR); /* the library closes it in its next turn */
    k->since_ms = now;
    k->ended = true;
}

static connection *longest(server *s)
{
    connection *found = NULL;

    for (int i = 0; i < CONNECTIONS; i++) {
        connection *k = &s->connections[i];

        if (k->fd >= 0 && !k->ended && (found == NULL || k->since_ms < found->since_ms))
            found = k;
    }
    return found;
}

/* Who drips his request byte by byte, or does not take his answer, is never idle; his time ends here. In a crowd whoever has
 * waited longest makes room. */
static void end_slow(server *s)
{
    uint64_t now = tl_clock_ms();
    connection *k;

    for (unsigned left = s->crowd; (k = longest(s)) != NULL; left--) {
        if (left < CROWDED && now - k->since_ms <= REQUEST_MS)
            return;
        end_connection(k, now);
    }
}

/* ---- the process ---- */

/* Keeps what it needs: the standard streams lead nowhere, so that nobody waits for their end because of it. */
static bool shut_in(const view_server_parts *p)
{
    struct rlimit files = { FILES_MAX, FILES_MAX }, none = { 0, 0 };
    int low = p->listener < p->life ? p->listener : p->life, high = p->listener + p->life - low;
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    tl_fault fault;

    (void)signal(SIGINT, SIG_IGN); /* a terminal sends it to all; the receiver ends us */
    (void)signal(SIGTERM, SIG_DFL);
    for (int i = 0; i < 2; i++)
        if (nowhere < 0 || dup2(nowhere, i) < 0)
            return false;
    (void)close(nowhere);
    for (int fd = 3; fd < 1024; fd++)
        if (fd != low && fd != high)
            (void)close(fd);
    return fcntl(p->listener, F_SETFL, O_NONBLOCK) == 0 && listen(p->listener, BACKLOG) == 0 &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && setrlimit(RLIMIT_NOFILE, &files) == 0 &&
           setrlimit(RLIMIT_CORE, &none) == 0 && view_board_seal(p->board, &fault) == TL_EXIT_OK;
}

static bool make_token(server *s)
{
    uint8_t bytes[TOKEN];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return false;
    hex_text(tl_span_of(bytes, sizeof bytes), s->token, sizeof s->token);
    return true;
}

/* Nothing here has a name that must be escaped, so what is stays as it is, and is not found. */
static size_t keep_escapes(void *ctx, struct MHD_Connection *c, char *text)
{
    (void)ctx;
    (void)c;
    return strlen(text);
}

static bool open_http(server *s)
{
    s->http = MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, handle, s, MHD_OPTION_LISTEN_SOCKET, s->parts.listener,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_END);
    return s->http != NULL;
}

/* Until the receiver has closed its end. */
static void serve(server *s)
{
    int epoll = MHD_get_daemon_info(s->http, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;

    for (;;) {
        struct pollfd fds[3] = { { s->parts.life, POLLIN, 0 },
                                 { epoll, POLLIN, 0 },
                                 { s->attacks, POLLIN, 0 } };
        MHD_UNSIGNED_LONG_LONG next = TURN_MS;

        if (MHD_get_timeout(s->http, &next) != MHD_YES || next > TURN_MS)
            next = TURN_MS;
        (void)poll(fds, 3, (int)next);
        if (fds[0].revents != 0)
            return;
        if (s->attacks >= 0)
            take_answers(s);
        (void)MHD_run(s->http);
        end_slow(s);
    }
}

int view_server_run(const view_server_parts *parts)
{
    static server s; /* zero, and too large for a stack */
    size_t room = VIEW_PIXELS_MAX;

    s.parts = *parts;
    s.attacks = -1;
    for (int i = 0; i < CONNECTIONS; i++)
        s.connections[i].fd = -1;
    if (!shut_in(parts))
        return TL_EXIT_INTERNAL;
    if (parts->attacks != NULL)
        s.attacks = view_attacks_dial(parts->attacks);
    s.copy.pixels = malloc(room);
    if (s.copy.pixels == NULL || !make_token(&s) || !open_http(&s))
        return TL_EXIT_INTERNAL;
    serve(&s);
    MHD_stop_daemon(s.http);
    tl_wipe(s.copy.pixels, room);
    free(s.copy.pixels);
    for (int k = 0; k < VIEW_KINDS; k++)
        drop_picture(&s.pictures[k]);
    return TL_EXIT_OK;
}
