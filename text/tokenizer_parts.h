/* Inside the tokenizer: its tables, how files fill them, and the merging. */
#ifndef TEXT_TOKENIZER_PARTS_H
#define TEXT_TOKENIZER_PARTS_H

#include "base/arena.h"
#include "base/table.h"
#include "text/pretokenize.h"
#include "text/tokenizer.h"

enum {
    TOKENIZER_IDS_MAX = 1000000,
    TOKENIZER_ENTRY_BYTES_MAX = 1024,
    TOKENIZER_NO_ID = 0xFFFFFFFFu,
};

enum tokenizer_flag {
    TOKENIZER_ADDED = 1,    /* matched as a literal in scaffold */
    TOKENIZER_SPECIAL = 2,  /* removed by skip_special_tokens */
    TOKENIZER_LSTRIP = 4,   /* swallows white space before it */
    TOKENIZER_RSTRIP = 8,
    TOKENIZER_PRESENT = 16, /* the id has an entry */
};

/* Pairs of neighbours that merge: (left, right) -> (rank, result), open addressing. */
struct pair_table {
    uint64_t *keys;   /* left << 32 | right; all ones: empty */
    uint64_t *values; /* rank << 32 | result */
    size_t n, n_slots; /* a power of two */
};
enum status pair_table_reserve(struct pair_table *table, size_t n) must_check;
void pair_table_release(struct pair_table *table);
/* The first rank of a pair stays. */
enum status pair_table_add(struct pair_table *table, uint32_t left, uint32_t right, uint32_t rank, uint32_t result) must_check;
static inline bool pair_table_find(const struct pair_table *t, uint32_t left, uint32_t right, uint64_t *rank_and_result)
{
    uint64_t key = (uint64_t)left << 32 | right, hash = key * 0x9E3779B97F4A7C15u;
    if (!t->n_slots)
        return false;
    for (size_t at = (hash >> 20) & (t->n_slots - 1); t->keys[at] != UINT64_MAX; at = (at + 1) & (t->n_slots - 1))
        if (t->keys[at] == key) {
            *rank_and_result = t->values[at];
            return true;
        }
    return false;
}

/* A byte trie over the literals of added tokens. */
struct literal_node {
    uint32_t child, sibling; /* index; 0: none */
    uint32_t id;             /* token that ends here, or TOKENIZER_NO_ID */
    unsigned char byte;
};

enum tokenizer_symbols { SYMBOLS_BYTES, SYMBOLS_CHARACTERS };
enum tokenizer_normal_form { NORMAL_FORM_NONE, NORMAL_FORM_NFC, NORMAL_FORM_NFD, NORMAL_FORM_NFKC, NORMAL_FORM_NFKD };

struct tokenizer {
    struct arena memory;     /* entries' bytes */
    struct str *entries;     /* [n_ids]: the bytes a token stands for */
    uint8_t *flags;          /* [n_ids] */
    uint32_t n_ids;
    struct table vocabulary; /* bytes -> id, ordinary tokens */
    struct pair_table pairs;
    enum tokenizer_symbols symbols;
    uint32_t byte_ids[256];  /* SYMBOLS_BYTES: a byte's token; SYMBOLS_CHARACTERS: its fallback token */
    uint32_t unknown_id;
    bool ignore_merges;
    enum tokenizer_normal_form normal_form;
    bool add_space_prefix, space_marks; /* SentencePiece style: a leading space, spaces as U+2581 */
    struct pretokenize *pretokenize;    /* null: a run is one piece */
    struct literal_node *literals;
    uint32_t n_literals, literals_capacity;
    int64_t bos, eos;
    bool add_bos, add_eos;
    uint32_t fim[3]; /* prefix, suffix, middle */
    bool has_fim;
};

/* An empty tokenizer for n_ids entries. */
enum status tokenizer_create(struct tokenizer **out, uint32_t n_ids, struct error *error) must_check;
/* Sets entry `id` to a copy of `bytes`. */
enum status tokenizer_set(struct tokenizer *tokenizer, uint32_t id, struct str bytes, unsigned flags, struct error *error) must_check;
/* After all entries are set: literals, byte tokens, fill-in-the-middle ids. */
enum status tokenizer_finish(struct tokenizer *tokenizer, struct error *error) must_check;

/* GPT-2's printable alphabet back to bytes; false where a character is not of it. */
bool tokenizer_from_alphabet(struct str text, char *out, size_t *len);

/* Merges one piece and appends its ids. */
enum status tokenizer_merge(const struct tokenizer *tokenizer, struct str piece, struct token_list *list) must_check;

#endif
