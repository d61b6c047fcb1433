/* The route table: what may be asked, by whom, and who answers. A path that no row allows is refused. */
#ifndef SERVER_ROUTES_H
#define SERVER_ROUTES_H

#include <stdio.h>

#include "base/str.h"
#include "server/exchange.h"

/* Who may use a route. Zero is invalid, so that a row that forgets its scope fails the table's test. */
enum route_scope {
    ROUTE_SCOPE_NONE,
    ROUTE_SCOPE_PUBLIC, /* never needs a key; Host and Origin are not checked: probes */
    ROUTE_SCOPE_BANNER, /* never needs a key; Host and Origin are checked */
    ROUTE_SCOPE_OPS,    /* follows the setting public_ops */
    ROUTE_SCOPE_MODELS, /* follows the setting public_models */
    ROUTE_SCOPE_USE,    /* a key, where keys are configured */
};

/* The shape of error bodies, and whether the body's media type is checked. */
enum route_surface { ROUTE_SURFACE_OPENAI, ROUTE_SURFACE_ANTHROPIC, ROUTE_SURFACE_OLLAMA, ROUTE_SURFACE_NATIVE, ROUTE_SURFACE_OPS };

/* Under which prefixes a row's path answers. */
enum route_prefixes {
    ROUTE_PREFIXES_NONE,   /* as written */
    ROUTE_PREFIXES_OPENAI, /* "", /v1, /beta, /beta/v1 */
    ROUTE_PREFIXES_V1,     /* "", /v1 */
    ROUTE_PREFIXES_ANTHROPIC, /* /v1, /anthropic/v1 */
};

typedef void route_handler(struct exchange *exchange);

struct route {
    enum http_method method; /* HTTP_GET rows answer HEAD too */
    const char *path;        /* after the prefix; "{id}" is one part of it, or at the end the rest, slashes included */
    enum route_prefixes prefixes;
    enum route_scope scope;
    enum route_surface surface;
    bool has_body;           /* false: a declared body is 413; true: up to the setting max_body_bytes */
    bool is_inline;          /* answered on the HTTP thread: never waits, parses nothing */
    route_handler *handler;
    const char *help;
};

extern const struct route routes_table[];
extern const size_t routes_count;

/* What routes_find found: the row, or which methods the path knows. */
struct route_match {
    const struct route *route; /* null: not allowed with this method, or not known */
    bool path_known;
    bool methods[HTTP_OTHER + 1]; /* of a known path */
    struct str tail;           /* the {id} part; lends from path */
};

/* `path` is percent-decoded, without a trailing slash and the query. */
void routes_find(struct route_match *out, enum http_method method, struct str path);

/* The prefix under which the API's document shows a row: /v1 where the row has several. */
const char *routes_shown_prefix(const struct route *route);

/* Whether a body must be declared as JSON. */
bool routes_checks_media(const struct route *route);

/* Writes docs/api-routes.md. */
void routes_write_markdown(FILE *out);

#endif
