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
    TOKENIZER_WHOLE = 32,   /* merging the entry's own bytes gives this token: such a piece needs no merging */
};

/* Pairs of neighbours that merge: (left, right) -> (rank, result), open addressing. */
struct pair_slot {
    uint64_t key;   /* left << 32 | right; all ones: empty */
    uint64_t value; /* rank << 32 | result */
};
struct pair_table {
    struct pair_slot *slots;
    size_t n, n_slots; /* slots: a power of two, or none */
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
    for (size_t at = (hash >> 20) & (t->n_slots - 1); t->slots[at].key != UINT64_MAX; at = (at + 1) & (t->n_slots - 1))
        if (t->slots[at].key == key) {
            *rank_and_result = t->slots[at].value;
            return true;
        }
    return false;
}

/* The short pieces that are tokens as they stand (TOKENIZER_WHOLE): most of any text, found by one probe. Open addressing; a key is
 * the piece's bytes, zeros, and the length in the last byte. */
enum { PIECE_TABLE_BYTES = 15 };
struct piece_slot {
    uint64_t key[2]; /* both 0: empty */
    uint64_t id;
};
struct piece_table {
    struct piece_slot *slots;
    size_t n_slots; /* a power of two, or 0 */
};
enum status piece_table_create(struct piece_table *table, size_t n) must_check; /* room for n */
void piece_table_release(struct piece_table *table);
/* 1 to 8 bytes as a little-endian number, read without touching others. */
static inline uint64_t piece_table_word(const char *at, size_t n)
{
    uint64_t all;
    uint32_t low, high;
    if (n == 8) {
        memcpy(&all, at, 8);
        return all;
    }
    if (n >= 4) {
        memcpy(&low, at, 4);
        memcpy(&high, at + n - 4, 4);
        return low | (uint64_t)high << 8 * (n - 4);
    }
    const unsigned char *byte = (const unsigned char *)at;
    return byte[0] | (uint64_t)byte[n / 2] << 8 * (n / 2) | (uint64_t)byte[n - 1] << 8 * (n - 1);
}
/* The key of a piece of 1 to PIECE_TABLE_BYTES bytes; returns its hash. */
static inline uint64_t piece_table_key(struct str piece, uint64_t key[2])
{
    key[0] = piece_table_word(piece.at, piece.len < 8 ? piece.len : 8);
    key[1] = (piece.len > 8 ? piece_table_word(piece.at + 8, piece.len - 8) : 0) | (uint64_t)piece.len << 56;
    return ((key[0] ^ (key[1] * 0x9E3779B97F4A7C15u)) * 0xD6E8FEB86659FD93u) >> 32;
}
void piece_table_add(struct piece_table *table, struct str piece, uint32_t id);
bool piece_table_find(const struct piece_table *table, struct str piece, uint32_t *id);

/* Pieces seen lately in one text and the few ids each gave: small enough to stay in a core's own cache. */
enum { PIECE_CACHE_SLOTS = 4096, PIECE_CACHE_IDS = 3, PIECE_CACHE_FROM_BYTES = 8192 /* of text, to be worth making */ };
struct piece_cache_slot {
    uint64_t key[2];
    uint32_t n, ids[PIECE_CACHE_IDS];
};

/* A byte trie over the literals of added tokens. */
struct literal_node {
    uint32_t child, sibling; /* index; 0: none */
    uint32_t id;             /* token that ends here, or TOKENIZER_NO_ID */
    unsigned char byte;
};

enum tokenizer_symbols { SYMBOLS_BYTES, SYMBOLS_CHARACTERS };
enum tokenizer_normal_form { NORMAL_FORM_NONE, NORMAL_FORM_NFC, NORMAL_FORM_NFD, NORMAL_FORM_NFKC, NORMAL_FORM_NFKD };

/* Which runs of text between added tokens get a space in front, where spaces are marked. */
enum tokenizer_space_prefix {
    SPACE_PREFIX_NONE,
    SPACE_PREFIX_EVERY_RUN,
    SPACE_PREFIX_MISSING,       /* every run that does not begin with one */
    SPACE_PREFIX_MISSING_FIRST, /* the text's beginning, where it does not begin with one */
};

struct tokenizer {
    struct arena memory;     /* entries' bytes */
    struct str *entries;     /* [n_ids]: the bytes a token stands for */
    uint8_t *flags;          /* [n_ids] */
    uint32_t n_ids;
    struct table vocabulary; /* bytes -> id, ordinary tokens */
    struct pair_table pairs;
    struct piece_table pieces;
    uint64_t *byte_pairs;    /* SYMBOLS_BYTES: [256 * 256], what `pairs` holds for two bytes; all ones: no merge */
    enum tokenizer_symbols symbols;
    uint32_t byte_ids[256];  /* SYMBOLS_BYTES: a byte's token; SYMBOLS_CHARACTERS: its fallback token */
    uint32_t unknown_id;
    bool ignore_merges;
    enum tokenizer_normal_form normal_form;
    bool fuse_unknown;                  /* neighbouring unknown characters give one id */
    bool space_marks;                   /* SentencePiece style: spaces as U+2581 */
    enum tokenizer_space_prefix space_prefix;
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
/* The same through a cache of PIECE_CACHE_SLOTS, zeroed at first; null: none. */
enum status tokenizer_merge_cached(const struct tokenizer *tokenizer, struct str piece, struct piece_cache_slot *cache,
                                   struct token_list *list) must_check;

#endif
