/* What a request's head must pass before its body is read: route, method, host and origin, key, size, media type, expectation. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "server/auth.h"
#include "server/http_parts.h"
#include "server/metrics.h"

enum { ENCODED_SLASH = 1, CLIENT_ID_MAX = 512 }; /* a byte that no decoded path may hold stands for %2F until routes are known */

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* A copy that lives as long as the exchange. */
static struct str keep(struct exchange *e, unsigned slot, const char *text)
{
    e->texts[slot] = text ? mem_strdup(text) : NULL;
    return str_of(e->texts[slot]);
}

static bool fail(struct exchange *e, enum reply_code code, const char *param, const char *message)
{
    reply_error(e, code, param, "%s", message);
    return false;
}

static bool reply_with(struct exchange *e, unsigned status, const char *headers)
{
    struct buf nothing;
    buf_init(&nothing, 1);
    exchange_reply(e, status, "", &nothing, headers);
    return false;
}

/* ---- The target -------------------------------------------------------------------------------------------- */

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes percent signs once, in place, by length. False: a byte that no path of ours can hold, or a malformed escape. */
static bool decode(char *path, size_t *len)
{
    size_t to = 0;
    for (size_t at = 0; at < *len; at++) {
        unsigned char c = (unsigned char)path[at];
        if (c == '%') {
            int high = at + 2 < *len ? hex(path[at + 1]) : -1, low = at + 2 < *len ? hex(path[at + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (unsigned char)(high * 16 + low);
            at += 2;
            if (c < ' ' || c == 127)
                return false;
            if (c == '/')
                c = ENCODED_SLASH;
        }
        path[to++] = (char)c;
    }
    path[to] = 0;
    *len = to;
    return true;
}

static bool has_dot_segment(struct str path)
{
    for (size_t at = 0; at < path.len;) {
        size_t n = 0;
        while (at + n < path.len && path.at[at + n] != '/')
            n++;
        if ((n == 1 && path.at[at] == '.') || (n == 2 && path.at[at] == '.' && path.at[at + 1] == '.'))
            return true;
        at += n + 1;
    }
    return false;
}

/* Origin-form, or absolute-form without its authority. False: no route can have this path. */
static bool read_path(struct exchange *e, const char *target)
{
    if (strncasecmp(target, "http://", 7) == 0 || strncasecmp(target, "https://", 8) == 0) {
        const char *slash = strchr(strstr(target, "//") + 2, '/');
        target = slash ? slash : "/";
    }
    struct str path = keep(e, 0, target);
    if (!path.at)
        return false;
    size_t len = strcspn(path.at, "?");
    if (path.at[0] != '/' || !decode(e->texts[0], &len))
        return false;
    if (len > 1 && e->texts[0][len - 1] == '/' && e->texts[0][--len - 1] == '/')
        return false; /* a doubled slash is not a trailing one */
    e->request.path = str_from(e->texts[0], len);
    return !has_dot_segment(e->request.path);
}

/* The paths that a platform chose are further names of ours. */
static struct str canonical(const struct config *config, struct str path)
{
    if (*config->predict_route && str_is(path, config->predict_route))
        return str_of("/predict");
    return *config->health_route && str_is(path, config->health_route) ? str_of("/ready") : path;
}

/* ---- Who asks ---------------------------------------------------------------------------------------------- */

/* The name in Host or an origin's authority, without its port; brackets stay. */
static struct str without_port(struct str authority)
{
    size_t n = authority.len;
    if (n && authority.at[0] == '[') {
        const char *close = memchr(authority.at, ']', n);
        return close ? str_from(authority.at, (size_t)(close - authority.at) + 1) : authority;
    }
    const char *colon = memchr(authority.at, ':', n);
    return colon ? str_from(authority.at, (size_t)(colon - authority.at)) : authority;
}

static bool same_text(struct str a, const char *b)
{
    return strlen(b) == a.len && strncasecmp(a.at, b, a.len) == 0;
}

static bool host_is_allowed(const struct server *server, const char *host)
{
    static const char *const local[] = {"localhost", "127.0.0.1", "[::1]"};
    const struct config *config = server->config;
    struct str name = without_port(str_of(host));
    for (uint32_t i = 0; i < config->allowed_hosts.n; i++)
        if (same_text(name, config->allowed_hosts.items[i]))
            return true;
    if (config->allowed_hosts.n || !server->loopback)
        return config->allowed_hosts.n == 0;
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++)
        if (same_text(name, local[i]))
            return true;
    return false;
}

static bool origin_is_listed(const struct config *config, const char *origin, bool *by_name)
{
    bool any = false;
    *by_name = false;
    for (uint32_t i = 0; i < config->cors_origins.n; i++) {
        any |= strcmp(config->cors_origins.items[i], "*") == 0;
        *by_name |= strcasecmp(config->cors_origins.items[i], origin) == 0;
    }
    return any || *by_name;
}

static bool origin_is_own(const char *origin, const char *host)
{
    const char *authority = strstr(origin, "://");
    return authority && host && strcasecmp(authority + 3, host) == 0;
}

/* A foreign web page cannot drive a server that asks for no key. */
static bool check_pages(struct exchange *e, const char *host, const char *origin)
{
    const struct server *server = e->http->server;
    bool by_name;
    if (e->route->scope == ROUTE_SCOPE_PUBLIC || !auth_is_open(server->auth))
        return true;
    if (host && !host_is_allowed(server, host))
        return fail(e, REPLY_HOST_FORBIDDEN, NULL, "this Host is not in allowed_hosts");
    if (origin && e->request.method == HTTP_POST && !origin_is_own(origin, host) &&
        !origin_is_listed(server->config, origin, &by_name))
        return fail(e, REPLY_ORIGIN_FORBIDDEN, NULL, "pages of this Origin may not use the server (see cors_origins)");
    return true;
}

static struct str presented_key(struct MHD_Connection *connection)
{
    const char *value = header(connection, "Authorization");
    if (value) {
        size_t n = strcspn(value, " ");
        bool bearer = n == 6 && strncasecmp(value, "Bearer", 6) == 0;
        value += n;
        value += strspn(value, " ");
        return bearer ? str_of(value) : str_from("", 0);
    }
    value = header(connection, "x-api-key");
    return str_of(value ? value : header(connection, "api-key"));
}

static bool needs_key(const struct exchange *e)
{
    const struct server *server = e->http->server;
    const struct config *config = server->config;
    switch (e->route->scope) {
    case ROUTE_SCOPE_PUBLIC:
    case ROUTE_SCOPE_BANNER:
        return false;
    case ROUTE_SCOPE_OPS:
        return strcmp(config->public_ops, "auto") == 0 ? !server->loopback : strcmp(config->public_ops, "off") == 0;
    case ROUTE_SCOPE_MODELS:
        return !config->public_models;
    default:
        return true;
    }
}

static bool check_key(struct exchange *e, struct MHD_Connection *connection)
{
    struct auth *auth = e->http->server->auth;
    bool known = auth_check(auth, presented_key(connection), &e->request.key_index);
    if (known || !needs_key(e))
        return true;
    return fail(e, REPLY_INVALID_API_KEY, NULL, "a valid API key is needed: Authorization: Bearer KEY");
}

/* ---- The body's announcement ------------------------------------------------------------------------------- */

static unsigned long long declared_length(struct MHD_Connection *connection)
{
    const char *length = header(connection, "Content-Length"); /* digits: the gate saw to it */
    return length ? strtoull(length, NULL, 10) : 0;
}

bool http_head_has_body(struct MHD_Connection *connection)
{
    return declared_length(connection) > 0 || header(connection, "Transfer-Encoding");
}

static bool check_size(struct exchange *e, struct MHD_Connection *connection)
{
    unsigned long long declared = declared_length(connection);
    const struct config *config = e->http->server->config;
    if (!e->route->has_body)
        return http_head_has_body(connection) ? fail(e, REPLY_REQUEST_TOO_LARGE, NULL, "this route takes no body") : true;
    if (declared <= config->max_body_bytes)
        return true;
    reply_error(e, REPLY_REQUEST_TOO_LARGE, NULL, "the body has %llu bytes; at most %llu are taken (max_body_bytes)", declared,
                (unsigned long long)config->max_body_bytes);
    return false;
}

/* application/json or application/ANY+json, in UTF-8. */
static bool is_json_type(const char *type)
{
    size_t n = strcspn(type, "; \t");
    bool json = (n == 16 && strncasecmp(type, "application/json", 16) == 0) ||
                (n > 17 && strncasecmp(type, "application/", 12) == 0 && strncasecmp(type + n - 5, "+json", 5) == 0);
    const char *charset = strcasestr(type + n, "charset=");
    if (!json || !charset)
        return json;
    charset += 8;
    charset += *charset == '"';
    size_t len = strcspn(charset, "\"; \t");
    return (len == 5 && strncasecmp(charset, "utf-8", 5) == 0) || (len == 4 && strncasecmp(charset, "utf8", 4) == 0) ||
           (len == 8 && strncasecmp(charset, "us-ascii", 8) == 0);
}

static bool check_media(struct exchange *e, struct MHD_Connection *connection)
{
    const char *coding = header(connection, "Content-Encoding"), *type = header(connection, "Content-Type");
    if (!e->route->has_body)
        return true;
    if (coding && strcasecmp(coding, "identity") != 0) {
        struct buf body;
        buf_init(&body, 4096);
        reply_write_error(&body, e, REPLY_MEDIA_TYPE, NULL, "the body must not be compressed: Content-Encoding is not offered");
        exchange_reply(e, 415, NULL, &body, "Accept-Encoding: identity\r\n");
        return false;
    }
    if (routes_checks_media(e->route) && (!type || !is_json_type(type)))
        return fail(e, REPLY_MEDIA_TYPE, NULL, "Content-Type must be application/json (UTF-8)");
    return true;
}

static bool check_expectation(struct exchange *e, struct MHD_Connection *connection)
{
    const char *expect = header(connection, "Expect");
    return !expect || strcasecmp(expect, "100-continue") == 0
               ? true
               : fail(e, REPLY_EXPECTATION_FAILED, NULL, "of expectations only 100-continue is met");
}

/* ---- Methods, and pages that ask first --------------------------------------------------------------------- */

static enum http_method read_method(const char *method)
{
    static const struct {
        const char *name;
        enum http_method method;
    } known[] = {{"GET", HTTP_GET}, {"HEAD", HTTP_HEAD}, {"POST", HTTP_POST}, {"OPTIONS", HTTP_OPTIONS},
                 {"DELETE", HTTP_DELETE}, {"PUT", HTTP_PUT}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(method, known[i].name) == 0)
            return known[i].method;
    return HTTP_OTHER;
}

static void write_allow(const struct route_match *match, char *out, size_t size)
{
    snprintf(out, size, "Allow: %s%s%sOPTIONS\r\n", match->methods[HTTP_GET] ? "GET, " : "", match->methods[HTTP_HEAD] ? "HEAD, " : "",
             match->methods[HTTP_POST] ? "POST, " : "");
}

/* OPTIONS needs no key; only a listed origin is told more than which methods there are. */
static bool answer_options(struct exchange *e, struct MHD_Connection *connection, const struct route_match *match)
{
    char headers[1024], allow[96];
    const char *origin = header(connection, "Origin"), *asked = header(connection, "Access-Control-Request-Headers");
    bool by_name;
    write_allow(match, allow, sizeof allow);
    if (!e->origin[0] || !header(connection, "Access-Control-Request-Method"))
        return reply_with(e, 200, allow);
    origin_is_listed(e->http->server->config, origin, &by_name);
    if (asked && strlen(asked) > 512)
        asked = NULL;
    snprintf(headers, sizeof headers, "%sAccess-Control-Allow-Methods: GET, POST\r\nAccess-Control-Allow-Headers: %s\r\n"
             "Access-Control-Max-Age: 600\r\n%s", allow, asked ? asked : "Authorization, Content-Type, x-api-key",
             by_name ? "Access-Control-Allow-Credentials: true\r\n" : "");
    return reply_with(e, 200, headers);
}

static bool refuse_method(struct exchange *e, const struct route_match *match)
{
    char allow[96];
    struct buf body;
    if (!match->path_known)
        return e->request.method == HTTP_OTHER ? fail(e, REPLY_NOT_IMPLEMENTED, NULL, "this method is not known")
                                               : fail(e, REPLY_UNKNOWN_URL, NULL, "there is no such route; GET / names the documentation");
    write_allow(match, allow, sizeof allow);
    buf_init(&body, 4096);
    reply_write_error(&body, e, REPLY_METHOD_NOT_ALLOWED, NULL, "this route does not take this method");
    exchange_reply(e, 405, NULL, &body, allow);
    return false;
}

/* ---- All of it --------------------------------------------------------------------------------------------- */

static bool is_printable(const char *text)
{
    for (const char *p = text; *p; p++)
        if (*p < ' ' || *p > '~')
            return false;
    return strlen(text) <= CLIENT_ID_MAX;
}

static void read_origin(struct exchange *e, const char *origin)
{
    bool by_name;
    if (origin && strlen(origin) < sizeof e->origin && origin_is_listed(e->http->server->config, origin, &by_name))
        snprintf(e->origin, sizeof e->origin, "%s", origin);
}

static void finish_tail(struct exchange *e, const struct route_match *match)
{
    e->request.path_tail = match->tail;
    for (char *p = e->texts[0]; *p; p++)
        if (*p == ENCODED_SLASH)
            *p = '/';
}

bool http_head_check(struct exchange *e, struct MHD_Connection *connection, const char *target, const char *method, const char *version)
{
    struct route_match match = {0};
    const char *host = header(connection, "Host"), *origin = header(connection, "Origin");
    const char *client_id = header(connection, "X-Client-Request-Id");
    e->request.method = read_method(method);
    e->request.http_1_0 = strcmp(version, "HTTP/1.0") == 0;
    e->is_head = e->request.method == HTTP_HEAD;
    read_origin(e, origin);
    if (client_id && is_printable(client_id))
        e->request.client_request_id = keep(e, 1, client_id);
    if (e->request.method == HTTP_OPTIONS && strcmp(target, "*") == 0)
        return reply_with(e, 200, "Allow: GET, HEAD, POST, OPTIONS\r\n");
    if (read_path(e, target))
        routes_find(&match, e->request.method, canonical(e->http->server->config, e->request.path));
    if (e->request.method == HTTP_OPTIONS && match.path_known)
        return answer_options(e, connection, &match);
    if (!match.route)
        return refuse_method(e, &match);
    e->route = match.route;
    finish_tail(e, &match);
    return check_pages(e, host, origin) && check_key(e, connection) && check_size(e, connection) && check_media(e, connection) &&
           check_expectation(e, connection);
}
