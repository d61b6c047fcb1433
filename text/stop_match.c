/* Stop strings found in text that arrives in pieces: the automaton of Aho and Corasick 1975, held as a trie with
 * failure links. A state stands for the longest end of the text that begins a stop string, which is exactly what must
 * be held back.
 *
 * A state's children are a list. It has at most one child per stop string, so a step looks at 16 at most, and the
 * table's size depends on the stop strings' bytes alone. */
#include "base/mem.h"
#include "text/output_parse.h"

enum { ROOT = 0, NO_STOP = 0 };

struct node {
    uint32_t child, sibling; /* index; 0: none */
    uint32_t failure;        /* the longest proper end of this state that is a state too */
    uint32_t depth;          /* bytes from the root */
    uint32_t stop;           /* 1 + the index of the longest stop string that ends here, or NO_STOP */
    uint32_t byte;
};
enum { NODE_WORDS = sizeof(struct node) / sizeof(uint32_t) };

static struct node *nodes_of(const struct stop_match *match)
{
    return (struct node *)match->automaton;
}

static uint32_t child_of(const struct node *nodes, uint32_t state, unsigned char byte)
{
    uint32_t child = nodes[state].child;
    while (child && nodes[child].byte != byte)
        child = nodes[child].sibling;
    return child;
}

static uint32_t step(const struct node *nodes, uint32_t state, unsigned char byte)
{
    for (;;) {
        uint32_t next = child_of(nodes, state, byte);
        if (next || state == ROOT)
            return next;
        state = nodes[state].failure;
    }
}

static void insert(struct stop_match *match, uint32_t index)
{
    struct node *nodes = nodes_of(match);
    struct str stop = match->stops[index];
    uint32_t at = ROOT;
    for (size_t i = 0; i < stop.len; i++) {
        uint32_t next = child_of(nodes, at, (unsigned char)stop.at[i]);
        if (!next) {
            next = match->n_states++;
            nodes[next] = (struct node){.sibling = nodes[at].child, .depth = nodes[at].depth + 1, .byte = (unsigned char)stop.at[i]};
            nodes[at].child = next;
        }
        at = next;
    }
    if (nodes[at].stop == NO_STOP)
        nodes[at].stop = index + 1;
}

/* Failure links, breadth first: a state's link leads to a shallower state, whose own link and stop are final. */
static enum status link_failures(struct stop_match *match)
{
    struct node *nodes = nodes_of(match);
    uint32_t *queue = mem_zalloc_array(match->n_states, sizeof *queue);
    if (!queue)
        return STATUS_NO_MEMORY;
    uint32_t n = 1;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t parent = queue[i];
        for (uint32_t child = nodes[parent].child; child; child = nodes[child].sibling) {
            if (parent != ROOT)
                nodes[child].failure = step(nodes, nodes[parent].failure, (unsigned char)nodes[child].byte);
            if (nodes[child].stop == NO_STOP)
                nodes[child].stop = nodes[nodes[child].failure].stop;
            queue[n++] = child;
        }
    }
    mem_free(queue);
    return STATUS_OK;
}

static enum status total_bytes(const struct str *stops, uint32_t n, size_t *total)
{
    *total = 0;
    if (n > STOP_STRINGS_MAX)
        return STATUS_LIMIT;
    for (uint32_t i = 0; i < n; i++) {
        if (stops[i].len == 0)
            return STATUS_INVALID;
        if (stops[i].len > STOP_STRINGS_BYTES_MAX - *total)
            return STATUS_LIMIT;
        *total += stops[i].len;
    }
    return STATUS_OK;
}

enum status stop_match_init(struct stop_match *match, const struct str *stops, uint32_t n, bool include)
{
    *match = (struct stop_match){.include = include, .n_states = 1, .matched = -1};
    buf_init(&match->held, STOP_HELD_BYTES_MAX);
    size_t n_bytes;
    enum status status = total_bytes(stops, n, &n_bytes);
    if (status || n == 0)
        return status;
    match->automaton = mem_zalloc_array((n_bytes + 1) * NODE_WORDS, sizeof(uint32_t));
    if (!match->automaton)
        return STATUS_NO_MEMORY;
    match->n_stops = n;
    memcpy(match->stops, stops, n * sizeof *stops);
    for (uint32_t i = 0; i < n; i++)
        insert(match, i);
    status = link_failures(match);
    if (status)
        stop_match_release(match);
    return status;
}

void stop_match_release(struct stop_match *match)
{
    buf_release(&match->held);
    mem_free(match->automaton);
    match->automaton = NULL;
    match->n_stops = 0;
}

enum status stop_match_push(struct stop_match *match, struct str piece, struct buf *out)
{
    if (match->matched >= 0)
        return buf_status(out);
    if (match->n_stops == 0)
        return buf_add_str(out, piece);
    const struct node *nodes = nodes_of(match);
    size_t n_before = match->held.len;
    if (buf_add_str(&match->held, piece))
        return buf_status(&match->held);
    for (size_t i = 0; i < piece.len; i++) {
        match->state = step(nodes, match->state, (unsigned char)piece.at[i]);
        if (nodes[match->state].stop == NO_STOP)
            continue;
        match->matched = (int32_t)nodes[match->state].stop - 1;
        size_t end = n_before + i + 1;
        buf_add(out, match->held.at, match->include ? end : end - match->stops[match->matched].len);
        buf_clear(&match->held);
        return buf_status(out);
    }
    size_t n_certain = match->held.len - nodes[match->state].depth;
    buf_add(out, match->held.at, n_certain);
    buf_drop_front(&match->held, n_certain);
    return buf_status(out);
}

enum status stop_match_end(struct stop_match *match, struct buf *out)
{
    enum status status = buf_add_str(out, buf_str(&match->held));
    match->state = ROOT;
    buf_clear(&match->held);
    return status;
}
