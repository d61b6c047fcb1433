/* A bounded subset of Jinja2, for the chat templates that models carry.
 *
 * Parsed once; the result is immutable, so that any number of threads may render it at once. Every string carries the
 * kind of each of its bytes (template, caller, or the message to be continued) through all operations, so that what a
 * user wrote can be told from what the template wrote. There is no way to reach files, modules, the environment or
 * attributes of the host: only the values below, the listed filters, tests and methods, and a date.
 *
 * Left out, and refused with the line when parsed: include, import, extends, block, call, recursive loops. */
#ifndef TEXT_JINJA_H
#define TEXT_JINJA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

enum {
    JINJA_STEPS_MAX = 1000000,
    JINJA_OUTPUT_BYTES_MAX = 16 << 20, /* of the output, and of any one string on the way */
    JINJA_DEPTH_MAX = 64,              /* blocks and brackets in the text; calls and values at run time */
    JINJA_SOURCE_BYTES_MAX = 1 << 20,
    JINJA_HEAP_BYTES_MAX = 256 << 20,
};

enum jinja_origin { JINJA_TEMPLATE, JINJA_CALLER, JINJA_CONTINUED };

/* A run of bytes of one origin. */
struct jinja_part {
    size_t end; /* offset after its last byte */
    enum jinja_origin origin;
};

struct jinja_text {
    const char *at;
    size_t len;
    enum jinja_origin origin;       /* of all bytes, where there are no parts */
    const struct jinja_part *parts; /* null for text of one origin */
    uint32_t n_parts;
};

enum jinja_kind {
    JINJA_UNDEFINED,
    JINJA_NONE,
    JINJA_BOOL,
    JINJA_INT,
    JINJA_FLOAT,
    JINJA_TEXT,
    JINJA_LIST,
    JINJA_MAP,
    JINJA_NAMESPACE,
    JINJA_LOOP,
    JINJA_MACRO,
    JINJA_FUNCTION,
    JINJA_METHOD,
};

struct jinja_value {
    enum jinja_kind kind;
    union {
        bool truth;
        int64_t integer;
        double real;
        const struct jinja_text *text;
        struct jinja_list *list;
        struct jinja_map *map;
        const struct str *name; /* of what is undefined; may be null */
        struct jinja_scope *scope;
        struct jinja_loop *loop;
        struct jinja_closure *closure;
        const struct jinja_function *function;
        struct jinja_method *method;
    };
};

struct jinja_list {
    struct jinja_value *items;
    uint32_t n, capacity;
    bool is_tuple;
};

struct jinja_pair {
    struct jinja_value key, value;
};

struct jinja_map {
    struct jinja_pair *pairs; /* in order of insertion */
    uint32_t n, capacity;
    /* The JSON text it was read from: what the map becomes where a template adds it to a string, since templates differ
     * in whether they expect the arguments of a call as an object or as text. Null for other maps. */
    const struct jinja_text *source;
};

/* Where values live. A failure (memory, size) sticks: check it once after building. */
struct jinja_heap {
    struct arena *arena; /* borrowed */
    enum status failed;
    char *open; /* the newest string, which may grow in place */
    size_t open_len, open_capacity;
};

void jinja_heap_init(struct jinja_heap *heap, struct arena *arena);

struct jinja_value jinja_none(void);
struct jinja_value jinja_bool(bool truth);
struct jinja_value jinja_int(int64_t integer);
struct jinja_value jinja_float(double real);
/* Borrows the bytes. */
struct jinja_value jinja_text(struct jinja_heap *heap, struct str text, enum jinja_origin origin);
struct jinja_value jinja_list(struct jinja_heap *heap, uint32_t capacity);
struct jinja_value jinja_map(struct jinja_heap *heap, uint32_t capacity);
void jinja_list_add(struct jinja_heap *heap, struct jinja_list *list, struct jinja_value value);
/* Replaces the value of a key that is there. */
void jinja_map_set(struct jinja_heap *heap, struct jinja_map *map, struct jinja_value key, struct jinja_value value);
void jinja_map_put(struct jinja_heap *heap, struct jinja_map *map, const char *key, struct jinja_value value);
/* Values of a JSON text, all strings of one origin; STATUS_INVALID when it is not JSON. */
enum status jinja_from_json(struct jinja_heap *heap, struct str json, enum jinja_origin origin, struct jinja_value *out,
                            struct error *error) must_check;

/* The member of a mapping with this key; false when there is none. */
bool jinja_map_find(struct jinja_value map, const char *key, struct jinja_value *out);
/* JSON as Python's json.dumps(ensure_ascii=False) writes it; indent < 0: on one line. */
enum status jinja_to_json(struct jinja_heap *heap, struct jinja_value value, int indent, const struct jinja_text **out,
                          struct error *error) must_check;

struct jinja; /* a parsed template */

/* Errors name the line. */
enum status jinja_parse(struct jinja **out, struct str source, struct error *error) must_check;
void jinja_free(struct jinja *jinja);

/* Renders with the variables of a map (JINJA_MAP). `date` (YYYY-MM-DD) is what strftime_now sees; null: now. The result
 * and all values on the way live in the heap's arena. */
enum status jinja_render(const struct jinja *jinja, struct jinja_heap *heap, struct jinja_value variables, const char *date,
                         const struct jinja_text **out, struct error *error) must_check;

#endif
