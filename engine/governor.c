/* Loops are found in three ways, over short and long sequences of tokens and tables of where each was seen last.
 *
 * A period: the tokens repeat those p places before, for RUN_TURNS turns and RUN_LEAST tokens. A paragraph: one and the same sequence of
 * LONG tokens comes for the TIMES-th time, each apart from the last. Staleness: of the last WINDOW tokens fewer than NEW_LEAST end a
 * sequence of SHORT tokens that is new. Lists and tables repeat frames, not whole sequences, and stay below all three. */
#include "engine/governor.h"

#include <string.h>

#include "base/mem.h"

enum {
    SHORT = 8,
    LONG = 32,
    TIMES = 5,
    SLOTS = 4096, /* a power of two; the latest places of as many sequences */
    PERIOD_MAX = 2048,
    HISTORY = 4096, /* tokens kept; a power of two, above PERIOD_MAX */
    RUN_LEAST = 96,
    RUN_TURNS = 4,
    WINDOW = 768,
    NEW_LEAST = WINDOW / 12,
    PULL_SHARE = 4, /* of the budget: its last quarter */
};

enum phase { BEFORE, INSIDE, BRIDGING, BEHIND };

struct seen {
    uint64_t hash;
    uint32_t at;    /* how many tokens there were behind its last one */
    uint32_t times; /* that it came, apart from itself */
};

struct governor {
    struct protocol_thought thought; /* its bridge is owned */
    const uint64_t *ends_sentence;
    size_t n_words;
    enum phase phase;
    uint32_t n_thought, bridged;
    bool hurried, at_sentence_end;
    enum protocol_acted acted;
    /* loops; null where they are not looked for */
    struct seen *seen; /* [SLOTS] of short sequences, then as many of long ones */
    uint32_t *history; /* [HISTORY] */
    uint8_t *was_new;  /* [WINDOW] ring */
    uint32_t n, n_new, period, run;
};

void governor_free(struct governor *g)
{
    if (!g)
        return;
    mem_free((void *)(uintptr_t)g->thought.bridge);
    mem_free(g->seen);
    mem_free(g->history);
    mem_free(g->was_new);
    mem_free(g);
}

/* ---- The thought's way --------------------------------------------------------------------------------------------- */

static void end_thought(struct governor *g, enum protocol_acted why)
{
    g->acted = why;
    g->phase = BRIDGING;
}

static void begin_thought(struct governor *g)
{
    g->phase = INSIDE;
    if (g->hurried || g->thought.budget == 0)
        end_thought(g, g->hurried ? PROTOCOL_ACTED_ANSWER_NOW : PROTOCOL_ACTED_BUDGET);
}

/* ---- Making ------------------------------------------------------------------------------------------------------ */

struct governor *governor_create(const struct protocol_thought *thought, const uint64_t *ends_sentence, size_t n_words)
{
    struct governor *g = mem_zalloc(sizeof *g);
    uint32_t *bridge = mem_zalloc_array((size_t)thought->n_bridge + 1, sizeof *bridge);
    if (!g || !bridge) {
        mem_free(g);
        mem_free(bridge);
        return NULL;
    }
    if (thought->n_bridge)
        memcpy(bridge, thought->bridge, thought->n_bridge * sizeof *bridge);
    *g = (struct governor){.thought = *thought, .ends_sentence = ends_sentence, .n_words = n_words};
    g->thought.bridge = bridge;
    if (thought->begins_inside)
        begin_thought(g);
    if (thought->detects_loops) {
        g->seen = mem_zalloc_array(2 * SLOTS, sizeof *g->seen);
        g->history = mem_zalloc_array(HISTORY, sizeof *g->history);
        g->was_new = mem_zalloc(WINDOW);
    }
    if (!thought->detects_loops || (g->seen && g->history && g->was_new))
        return g;
    governor_free(g);
    return NULL;
}

/* ---- Loops ------------------------------------------------------------------------------------------------------- */

static uint32_t back(const struct governor *g, uint32_t by)
{
    return g->history[(g->n - by) & (HISTORY - 1)];
}

/* Of the last n tokens (FNV-1a over words). */
static uint64_t hash_of_last(const struct governor *g, uint32_t n)
{
    uint64_t hash = 0xCBF29CE484222325u;
    for (uint32_t i = n; i > 0; i--)
        hash = (hash ^ back(g, i)) * 0x100000001B3u;
    return hash ^ hash >> 29;
}

/* The last n tokens: where they were seen before, or 0, and how many times in all. */
static uint32_t note_sequence(struct governor *g, struct seen *table, uint32_t n, uint32_t *times)
{
    uint64_t hash = hash_of_last(g, n);
    struct seen *slot = &table[hash & (SLOTS - 1)];
    uint32_t before = slot->at && slot->hash == hash ? slot->at : 0;
    if (!before)
        *slot = (struct seen){hash, g->n, 1};
    else if (g->n - before >= n)
        *slot = (struct seen){hash, g->n, slot->times + 1};
    *times = slot->times;
    return before;
}

static void note_period(struct governor *g, uint32_t seen_at)
{
    if (g->period && back(g, 1) == back(g, 1 + g->period)) {
        g->run++;
        return;
    }
    uint32_t distance = seen_at ? g->n - seen_at : 0;
    bool usable = distance && distance <= PERIOD_MAX;
    g->period = usable ? distance : 0;
    g->run = usable ? SHORT : 0;
}

static void note_novelty(struct governor *g, bool is_new)
{
    uint8_t *place = &g->was_new[g->n % WINDOW];
    g->n_new += (uint32_t)is_new - *place;
    *place = is_new;
}

/* True when the token just added closes a loop. */
static bool closes_loop(struct governor *g)
{
    uint32_t seen_at = 0, times = 1;
    if (g->n >= SHORT) {
        seen_at = note_sequence(g, g->seen, SHORT, &times);
        note_period(g, seen_at);
    }
    note_novelty(g, !seen_at);
    times = 1;
    if (g->n >= LONG)
        note_sequence(g, g->seen + SLOTS, LONG, &times);
    bool turns = g->period && g->run >= RUN_LEAST && g->run >= RUN_TURNS * g->period;
    return turns || times >= TIMES || (g->n >= WINDOW && g->n_new < NEW_LEAST);
}

/* ---- Tokens ------------------------------------------------------------------------------------------------------ */

static bool ends_sentence(const struct governor *g, uint32_t token)
{
    if (!g->ends_sentence)
        return true;
    return token / 64 < g->n_words && g->ends_sentence[token / 64] >> token % 64 & 1;
}

static void push_inside(struct governor *g, uint32_t token)
{
    if (token == g->thought.close_token) {
        g->acted = governor_pull(g) > 0 ? PROTOCOL_ACTED_PULL : PROTOCOL_ACTED_NONE;
        g->phase = BEHIND;
        return;
    }
    g->n_thought++;
    g->at_sentence_end = ends_sentence(g, token);
    bool loops = false;
    if (g->seen) {
        g->history[g->n++ & (HISTORY - 1)] = token;
        loops = closes_loop(g);
    }
    if (g->n_thought >= g->thought.budget)
        end_thought(g, PROTOCOL_ACTED_BUDGET);
    else if (loops)
        end_thought(g, PROTOCOL_ACTED_LOOP);
}

void governor_push(struct governor *g, uint32_t token)
{
    if (g->phase == BEFORE && token == g->thought.open_token) {
        begin_thought(g);
    } else if (g->phase == INSIDE) {
        push_inside(g, token);
    } else if (g->phase == BRIDGING && g->bridged == 0 && token == g->thought.close_token) {
        g->phase = BEHIND; /* it waited, and the model was faster */
    } else if (g->phase == BRIDGING && token == g->thought.bridge[g->bridged] && ++g->bridged == g->thought.n_bridge) {
        g->phase = BEHIND;
    }
}

uint32_t governor_forced(const struct governor *g)
{
    return g->phase == BRIDGING ? g->thought.bridge[g->bridged] : PROTOCOL_NO_TOKEN;
}

bool governor_may_wait(const struct governor *g)
{
    return g->phase == BRIDGING && g->bridged == 0;
}

float governor_pull(const struct governor *g)
{
    uint32_t budget = g->thought.budget, quarter = budget / PULL_SHARE;
    if (g->phase != INSIDE || g->thought.pull <= 0 || budget == PROTOCOL_NO_BUDGET || !quarter || !g->at_sentence_end ||
        g->n_thought < budget - quarter)
        return 0;
    return g->thought.pull * (float)(g->n_thought - (budget - quarter) + 1) / (float)quarter;
}

void governor_answer_now(struct governor *g)
{
    g->hurried = true;
    if (g->phase == INSIDE)
        end_thought(g, PROTOCOL_ACTED_ANSWER_NOW);
}

enum protocol_acted governor_acted(const struct governor *g)
{
    return g->acted;
}
