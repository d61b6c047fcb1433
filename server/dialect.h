/* Bodies of other vendors' APIs, rewritten as the body of a chat that asks for the same. A dialect's reader checks what is its own;
 * everything else is read by request.h, with every range and default, as for any chat. Faults are told in the names of the sender. */
#ifndef SERVER_DIALECT_H
#define SERVER_DIALECT_H

#include <jansson.h>

#include "server/exchange.h"
#include "server/fields.h"

/* A path in the rewritten body, and the path that the sender wrote. */
struct dialect_name {
    struct dialect_name *next;
    struct str ours, theirs;
};

struct dialect {
    struct exchange *exchange;
    struct fields *fields;
    json_t *chat;               /* the rewritten body: owned until released */
    json_t *messages, *tools;   /* parts of it */
    struct dialect_name *names; /* in the exchange's arena, as all that follows */
    const void *asked;          /* what the dialect's writer needs of the body */
    bool counts;                /* the prompt is only counted: fields that bound the reply may lack */
    bool may_drop;              /* the oldest messages may be left out so that the rest fits */
    bool only_loads;            /* nothing is asked but that the model be there */
    bool is_completion;         /* the rewritten body is a completion's, and */
    bool fills_context;         /* its length is not bounded unless it says so */
};

typedef enum status dialect_reader(struct dialect *d, const json_t *root);

/* Starts with a copy of `root`'s members. Release with dialect_release. */
enum status dialect_init(struct dialect *d, struct exchange *exchange, struct fields *fields, const json_t *root) must_check;
void dialect_release(struct dialect *d);

/* Puts the names of the sender into an error that names ours; the longest that fits counts. */
void dialect_rename(const struct dialect_name *names, struct error *error);

/* ---- For readers. Failures end up in d->fields ----------------------------------------------------------------- */

void dialect_name(struct dialect *d, const char *ours, const char *theirs);

/* Takes names out of the rewritten body; the list ends with null. */
void dialect_drop(struct dialect *d, const char *const *names);
/* Gives a member of `object`, where it is there, to the rewritten body under our name. `theirs`: its whole path. */
void dialect_move(struct dialect *d, const json_t *object, const char *key, const char *theirs, const char *ours);

/* Sets a member to a new reference, which may be null after a fault or for want of memory. Each returns it, lent, or null. */
json_t *dialect_put(struct dialect *d, json_t *object, const char *key, json_t *value);
json_t *dialect_append(struct dialect *d, json_t *array, json_t *value);
void dialect_put_text(struct dialect *d, json_t *object, const char *key, const char *text);
void dialect_put_str(struct dialect *d, json_t *object, const char *key, struct str text);

/* A message of the rewritten body, appended, with its path in the sender's. Lent. */
json_t *dialect_add_message(struct dialect *d, const char *role, const char *theirs);
/* A tool's "function" object, appended; the paths of its members are those of `theirs`. Lent. */
json_t *dialect_add_tool(struct dialect *d, const char *theirs);
/* A call of an assistant's message (the last of them), with its id and name; returns its "function" object, lent. */
json_t *dialect_add_call(struct dialect *d, json_t *message, struct str id, struct str name, const char *theirs);

/* A member that is a string or an array of parts, as one text: parts are joined by line ends. A new reference; null where the member is
 * absent or at fault. Kinds end with a null type; one whose key is null is refused as not offered. */
struct dialect_part {
    const char *type, *key;
};
json_t *dialect_text(struct dialect *d, const json_t *object, const char *key, const struct dialect_part *kinds);

/* A required string; faults say that it lacks. */
bool dialect_need_str(struct dialect *d, const json_t *object, const char *key, struct str *out);

/* JSON text of a value, in the arena; `otherwise` where the value is null. */
struct str dialect_json(struct dialect *d, const json_t *value, const char *otherwise);

#endif
