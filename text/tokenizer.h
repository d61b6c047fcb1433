/* Text to token ids and back: byte-level BPE and SentencePiece-style BPE, from tokenizer.json or GGUF.
 *
 * Pure and immutable after loading: any number of threads may encode at once. Input that must not become
 * control tokens is passed as a content span: added-token literals are matched inside scaffold spans only,
 * and the text between two matched tokens, scaffold and content alike, is encoded as one run. */
#ifndef TEXT_TOKENIZER_H
#define TEXT_TOKENIZER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

struct tokenizer;
struct gguf;

enum span_kind { SPAN_SCAFFOLD, SPAN_CONTENT };

struct span {
    struct str text;
    enum span_kind kind;
};

/* A growing list of ids with a maximum. */
struct token_list {
    uint32_t *ids; /* owned */
    size_t n, capacity, max;
};
void token_list_init(struct token_list *list, size_t max_tokens);
void token_list_release(struct token_list *list);
enum status token_list_add(struct token_list *list, uint32_t id) must_check; /* STATUS_LIMIT above max */

/* `name` is for messages. tokenizer_config (its JSON text) may be empty; it gives add_bos_token and the special
 * token names. */
enum status tokenizer_from_json(struct tokenizer **out, struct str tokenizer_json, struct str tokenizer_config,
                                const char *name, struct error *error) must_check;
enum status tokenizer_from_gguf(struct tokenizer **out, const struct gguf *gguf, struct error *error) must_check;
void tokenizer_free(struct tokenizer *tokenizer);

uint32_t tokenizer_size(const struct tokenizer *tokenizer); /* highest id + 1 */
const char *tokenizer_kind(const struct tokenizer *tokenizer); /* a phrase for people */

/* STATUS_LIMIT when more than list->max tokens come out; STATUS_CANCELLED when *cancel becomes true (looked at
 * every 64 KiB; may be null). Does not add begin or end tokens. */
enum status tokenizer_encode(const struct tokenizer *tokenizer, const struct span *spans, size_t n_spans,
                             struct token_list *list, const _Atomic bool *cancel, struct error *error) must_check;

/* Convenience: one span. */
enum status tokenizer_encode_text(const struct tokenizer *tokenizer, struct str text, enum span_kind kind,
                                  struct token_list *list, struct error *error) must_check;

/* The id of an added or ordinary token by its literal text; false when there is none. */
bool tokenizer_find(const struct tokenizer *tokenizer, const char *literal, uint32_t *id);

/* Special ids; -1: none. */
int64_t tokenizer_bos(const struct tokenizer *tokenizer);
int64_t tokenizer_eos(const struct tokenizer *tokenizer);
bool tokenizer_adds_bos(const struct tokenizer *tokenizer);
bool tokenizer_adds_eos(const struct tokenizer *tokenizer);

/* Fill-in-the-middle ids, true when all three exist. */
bool tokenizer_fim(const struct tokenizer *tokenizer, uint32_t *prefix, uint32_t *suffix, uint32_t *middle);

/* The exact bytes a token stands for (lends until the tokenizer goes; empty for unknown ids). Special tokens
 * give their literal. */
struct str tokenizer_bytes(const struct tokenizer *tokenizer, uint32_t id);
bool tokenizer_is_special(const struct tokenizer *tokenizer, uint32_t id); /* removed by skip_special_tokens */
bool tokenizer_is_control(const struct tokenizer *tokenizer, uint32_t id); /* any added token */

/* Whole decode. With skip_special, special tokens are left out. Ill-formed bytes become U+FFFD. */
enum status tokenizer_decode(const struct tokenizer *tokenizer, const uint32_t *ids, size_t n, bool skip_special,
                             struct buf *out);

/* Streaming decode: appends the text that is complete, holds back up to 3 bytes of an unfinished character.
 * detokenizer_end flushes the rest as U+FFFD. The concatenation equals tokenizer_decode. */
struct detokenizer {
    const struct tokenizer *tokenizer; /* borrowed */
    bool skip_special;
    bool at_start; /* SentencePiece style: the first token's leading space is dropped */
    uint8_t held[4];
    uint8_t n_held;
};
void detokenizer_init(struct detokenizer *decoder, const struct tokenizer *tokenizer, bool skip_special);
enum status detokenizer_push(struct detokenizer *decoder, uint32_t id, struct buf *out);
enum status detokenizer_end(struct detokenizer *decoder, struct buf *out);

#endif
