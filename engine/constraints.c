/* One worker does all the work on languages, so that automata need no locks. The mutex guards the lists, the counts, and what a constraint
 * shows; a constraint that is being worked on is touched by the worker alone. */
#include "engine/constraints.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/mem.h"
#include "text/automaton_image.h"
#include "text/sentence.h"
#include "text/token_mask.h"

enum { FUEL_OF_A_TOKEN = 2000, NS_OF_A_SECOND = 1000000000 };

const struct constraints_options constraints_defaults = {
    .threaded = true,
    .memory_max = (size_t)512 << 20,
    .expressions_max = 1 << 20,
    .build_fuel = 50000000,
    .mask_fuel = 2000000,
};

struct language {
    struct language *next;
    char *image; /* owned */
    size_t image_bytes;
    uint64_t hash;
    uint32_t n_users;
    uint64_t last_used;
    size_t memory; /* as of the last work */
    /* the worker's */
    struct automaton *automaton; /* null: still to be built */
    struct token_masks *masks;
    uint32_t root;
    uint32_t edition; /* counts how often it was built */
    bool failed;
    char failure[160];
};

enum place { IDLE, QUEUED, WORKED_ON };

struct constraint {
    struct constraints *all;
    struct language *language;
    struct constraint *next; /* in the queue */
    enum place place;
    bool ready, closed;
    uint32_t n_looks;                     /* while pending */
    uint32_t *pushed, n_pushed, capacity; /* owned: every token so far */
    /* the worker's while it is worked on */
    uint32_t n_read, state, edition;
    uint64_t *bits;
    bool may_end;
    const char *failure;
};

struct constraints {
    struct constraints_options o;
    char *bytes; /* of the vocabulary, */
    struct str *tokens;
    uint32_t n_tokens;
    uint64_t *sentence_ends; /* by token */
    struct token_trie *trie; /* made with the first language */
    struct language *languages;
    uint64_t uses;
    struct constraint *first, *last; /* queue */
    uint32_t n_pending;
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    pthread_t worker;
    bool has_worker, ending;
};

/* ---- Languages --------------------------------------------------------------------------------------------------- */

static void language_clear(struct language *l)
{
    token_masks_free(l->masks);
    automaton_free(l->automaton);
    l->masks = NULL;
    l->automaton = NULL;
}

static void language_free(struct language *l)
{
    language_clear(l);
    mem_free(l->image);
    mem_free(l);
}

static size_t memory_of(const struct constraints *all)
{
    size_t sum = 0;
    for (const struct language *l = all->languages; l; l = l->next)
        sum += l->memory + l->image_bytes + sizeof *l;
    return sum;
}

/* Those that nobody uses go, the one unused for longest first, until the rest fits. */
static void make_room(struct constraints *all)
{
    while (memory_of(all) > all->o.memory_max) {
        struct language **oldest = NULL, *gone;
        for (struct language **at = &all->languages; *at; at = &(*at)->next)
            if (!(*at)->n_users && (!oldest || (*at)->last_used < (*oldest)->last_used))
                oldest = at;
        if (!oldest)
            return;
        gone = *oldest;
        *oldest = gone->next;
        language_free(gone);
    }
}

/* The one with this image, known or new; used once more. Null: out of memory. */
static struct language *language_of(struct constraints *all, struct str image)
{
    uint64_t hash = hash_sip(hash_process_key(), image.at, image.len);
    struct language *l = all->languages;
    while (l && (l->hash != hash || l->image_bytes != image.len || memcmp(l->image, image.at, image.len) != 0))
        l = l->next;
    if (!l) {
        l = mem_zalloc(sizeof *l);
        char *copy = l ? mem_alloc(image.len + 1) : NULL;
        if (!copy) {
            mem_free(l);
            return NULL;
        }
        memcpy(copy, image.at, image.len);
        *l = (struct language){.next = all->languages, .image = copy, .image_bytes = image.len, .hash = hash};
        all->languages = l;
    }
    l->n_users++;
    l->last_used = ++all->uses;
    return l;
}

/* ---- The worker's part --------------------------------------------------------------------------------------------- */

static void language_fail(struct language *l, const struct error *error)
{
    l->failed = true;
    snprintf(l->failure, sizeof l->failure, "the output's language cannot be built: %.100s", error->message);
    language_clear(l);
}

static void language_build(struct constraints *all, struct language *l)
{
    struct error error;
    enum status status = STATUS_OK;
    error_clear(&error);
    language_clear(l);
    l->edition++;
    if (!all->trie)
        status = token_trie_create(&all->trie, all->tokens, all->n_tokens, &error);
    if (!status)
        status = automaton_create(&l->automaton, all->o.expressions_max, &error);
    if (!status) {
        automaton_refuel(l->automaton, all->o.build_fuel);
        status = automaton_image_read(l->automaton, str_from(l->image, l->image_bytes), &l->root, &error);
    }
    if (!status)
        status = token_masks_create(&l->masks, all->trie, l->automaton, &error);
    if (status)
        language_fail(l, &error);
}

static bool is_crowded(const struct constraints *all, const struct language *l)
{
    return l->automaton && (automaton_size(l->automaton) > all->o.expressions_max / 4 * 3 || automaton_status(l->automaton));
}

/* The state behind all tokens that were pushed. */
static uint32_t read_on(struct constraints *all, struct constraint *c)
{
    struct language *l = c->language;
    if (c->edition != l->edition) {
        c->edition = l->edition;
        c->state = l->root;
        c->n_read = 0;
    }
    automaton_refuel(l->automaton, all->o.mask_fuel + (uint64_t)(c->n_pushed - c->n_read) * FUEL_OF_A_TOKEN);
    for (; c->n_read < c->n_pushed; c->n_read++) {
        uint32_t token = c->pushed[c->n_read];
        struct str bytes = token < all->n_tokens ? all->tokens[token] : str_of("");
        c->state = bytes.len ? automaton_read(l->automaton, c->state, bytes) : AUTOMATON_NOTHING;
    }
    return c->state;
}

static void work_on(struct constraints *all, struct constraint *c)
{
    struct language *l = c->language;
    if (!l->failed && (!l->automaton || is_crowded(all, l)))
        language_build(all, l);
    if (l->failed) {
        c->failure = l->failure;
        return;
    }
    uint32_t state = read_on(all, c);
    const uint64_t *bits = state == AUTOMATON_NOTHING ? NULL : token_masks_of(l->masks, state);
    if (bits)
        memcpy(c->bits, bits, token_trie_words(all->trie) * sizeof *bits);
    else
        c->failure =
            state == AUTOMATON_NOTHING ? "the output left its language" : "what the output may be next takes too much work to find out";
    c->may_end = automaton_may_end(l->automaton, state);
}

/* With the lock, as all below. */
static void constraint_free(struct constraint *c)
{
    struct constraints *all = c->all;
    if (!c->ready)
        all->n_pending--;
    c->language->n_users--;
    mem_free(c->pushed);
    mem_free(c->bits);
    mem_free(c);
    make_room(all);
}

static void finish_work(struct constraints *all, struct constraint *c)
{
    struct language *l = c->language;
    l->memory = l->automaton ? automaton_memory(l->automaton) + token_masks_memory(l->masks) : 0;
    c->place = IDLE;
    c->ready = true;
    all->n_pending--;
    if (c->closed)
        constraint_free(c);
    else
        make_room(all);
}

static void *run_worker(void *arg)
{
    struct constraints *all = arg;
    pthread_mutex_lock(&all->lock);
    for (;;) {
        while (!all->first && !all->ending)
            pthread_cond_wait(&all->work, &all->lock);
        if (all->ending)
            break;
        struct constraint *c = all->first;
        all->first = c->next;
        c->place = WORKED_ON;
        pthread_mutex_unlock(&all->lock);
        work_on(all, c);
        pthread_mutex_lock(&all->lock);
        finish_work(all, c);
        pthread_cond_signal(&all->done);
    }
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

static void enqueue(struct constraints *all, struct constraint *c)
{
    c->ready = false;
    c->n_looks = 0;
    all->n_pending++;
    if (!all->o.threaded)
        return;
    c->place = QUEUED;
    c->next = NULL;
    if (all->first)
        all->last->next = c;
    else
        all->first = c;
    all->last = c;
    pthread_cond_signal(&all->work);
}

static void dequeue(struct constraints *all, struct constraint *c)
{
    struct constraint *before = NULL;
    for (struct constraint *x = all->first; x != c; x = x->next)
        before = x;
    if (before)
        before->next = c->next;
    else
        all->first = c->next;
    if (all->last == c)
        all->last = before;
}

/* ---- Making ---------------------------------------------------------------------------------------------------------- */

enum status constraints_create(struct constraints **out, const struct constraints_options *options, struct error *error)
{
    struct constraints *all = *out = mem_zalloc(sizeof *all);
    pthread_condattr_t monotonic;
    if (!all)
        return error_set(error, STATUS_NO_MEMORY, "out of memory for constraints");
    all->o = *options;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->work, NULL);
    pthread_cond_init(&all->done, &monotonic);
    pthread_condattr_destroy(&monotonic);
    all->has_worker = options->threaded && pthread_create(&all->worker, NULL, run_worker, all) == 0;
    if (all->has_worker || !options->threaded)
        return STATUS_OK;
    constraints_free(all);
    *out = NULL;
    return error_set(error, STATUS_NO_MEMORY, "no thread for constraints");
}

void constraints_free(struct constraints *all)
{
    if (!all)
        return;
    pthread_mutex_lock(&all->lock);
    all->ending = true;
    pthread_cond_signal(&all->work);
    pthread_mutex_unlock(&all->lock);
    if (all->has_worker)
        pthread_join(all->worker, NULL);
    while (all->languages) {
        struct language *l = all->languages;
        all->languages = l->next;
        language_free(l);
    }
    token_trie_free(all->trie);
    mem_free(all->sentence_ends);
    mem_free(all->tokens);
    mem_free(all->bytes);
    pthread_cond_destroy(&all->work);
    pthread_cond_destroy(&all->done);
    pthread_mutex_destroy(&all->lock);
    mem_free(all);
}

enum status constraints_set_vocabulary(struct constraints *all, const struct str *tokens, uint32_t n, struct error *error)
{
    size_t total = 0;
    if (all->tokens)
        return error_set(error, STATUS_INVALID, "the vocabulary is known already");
    for (uint32_t i = 0; i < n; i++)
        total += tokens[i].len;
    char *at = all->bytes = mem_alloc(total + 1);
    all->tokens = mem_zalloc_array((size_t)n + 1, sizeof *all->tokens);
    all->sentence_ends = mem_zalloc_array((size_t)n / 64 + 1, sizeof *all->sentence_ends);
    if (!all->bytes || !all->tokens || !all->sentence_ends)
        return error_set(error, STATUS_NO_MEMORY, "out of memory for the vocabulary");
    for (uint32_t i = 0; i < n; i++) {
        if (tokens[i].len)
            memcpy(at, tokens[i].at, tokens[i].len);
        all->tokens[i] = str_from(at, tokens[i].len);
        all->sentence_ends[i / 64] |= (uint64_t)sentence_ends_with(tokens[i]) << i % 64;
        at += tokens[i].len;
    }
    all->n_tokens = n;
    return STATUS_OK;
}

bool constraints_has_vocabulary(const struct constraints *all)
{
    return all->tokens != NULL;
}

const uint64_t *constraints_sentence_ends(const struct constraints *all, size_t *n_words)
{
    *n_words = ((size_t)all->n_tokens + 63) / 64;
    return all->sentence_ends;
}

size_t constraints_memory(struct constraints *all, uint32_t *n_languages)
{
    pthread_mutex_lock(&all->lock);
    size_t sum = memory_of(all);
    *n_languages = 0;
    for (const struct language *l = all->languages; l; l = l->next)
        ++*n_languages;
    pthread_mutex_unlock(&all->lock);
    return sum;
}

void constraints_wait(struct constraints *all, uint64_t ns)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    ns += (uint64_t)until.tv_nsec;
    until.tv_sec += (time_t)(ns / NS_OF_A_SECOND);
    until.tv_nsec = (long)(ns % NS_OF_A_SECOND);
    pthread_mutex_lock(&all->lock);
    uint32_t before = all->n_pending;
    while (all->o.threaded && all->n_pending && all->n_pending >= before)
        if (pthread_cond_timedwait(&all->done, &all->lock, &until) != 0)
            break;
    pthread_mutex_unlock(&all->lock);
}

/* ---- One choice ------------------------------------------------------------------------------------------------------ */

struct constraint *constraints_open(struct constraints *all, struct str image)
{
    struct constraint *c = mem_zalloc(sizeof *c);
    uint64_t *bits = mem_zalloc_array((size_t)all->n_tokens / 64 + 1, sizeof *bits);
    pthread_mutex_lock(&all->lock);
    struct language *l = c && bits ? language_of(all, image) : NULL;
    if (l) {
        *c = (struct constraint){.all = all, .language = l, .bits = bits};
        enqueue(all, c);
    }
    pthread_mutex_unlock(&all->lock);
    if (l)
        return c;
    mem_free(c);
    mem_free(bits);
    return NULL;
}

void constraints_close(struct constraint *c)
{
    if (!c)
        return;
    struct constraints *all = c->all;
    pthread_mutex_lock(&all->lock);
    if (c->place == QUEUED)
        dequeue(all, c);
    if (c->place == WORKED_ON)
        c->closed = true;
    else
        constraint_free(c);
    pthread_mutex_unlock(&all->lock);
}

void constraints_push(struct constraint *c, uint32_t token)
{
    struct constraints *all = c->all;
    check(c->ready && c->place == IDLE);
    if (c->n_pushed == c->capacity) {
        uint32_t wanted = c->capacity ? c->capacity * 2 : 64, *more = mem_realloc(c->pushed, wanted * sizeof *more);
        if (!more) {
            c->failure = "out of memory";
            return;
        }
        c->pushed = more;
        c->capacity = wanted;
    }
    c->pushed[c->n_pushed++] = token;
    if (c->failure)
        return;
    pthread_mutex_lock(&all->lock);
    enqueue(all, c);
    pthread_mutex_unlock(&all->lock);
}

enum constraint_state constraints_look(struct constraint *c, struct constraint_mask *mask)
{
    struct constraints *all = c->all;
    pthread_mutex_lock(&all->lock);
    if (!all->o.threaded && !c->ready && c->n_looks++ >= all->o.early_looks) {
        work_on(all, c);
        finish_work(all, c);
    }
    bool ready = c->ready;
    pthread_mutex_unlock(&all->lock);
    if (!ready)
        return CONSTRAINT_PENDING;
    *mask = (struct constraint_mask){c->bits, ((size_t)all->n_tokens + 63) / 64, c->may_end, c->failure};
    return c->failure ? CONSTRAINT_FAILED : CONSTRAINT_READY;
}
