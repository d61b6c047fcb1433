/* A model's vocabulary held against a language: every token of a text must be allowed where it stands, and how long masks take. */
#ifndef SERVER_MASK_CHECK_H
#define SERVER_MASK_CHECK_H

#include <stdio.h>

#include "base/buf.h"
#include "text/model_text.h"
#include "text/token_mask.h"
#include "text/vocabulary.h"

struct mask_check {
    struct model_text model;
    struct vocabulary vocabulary;
    struct automaton *automaton; /* lent */
    struct token_trie *trie;
    struct token_masks *masks;
    struct buf times; /* uint64_t each: nanoseconds of each mask */
};

/* `model` is a path as for the option of that name. Releases what it made when it fails. */
enum status mask_check_init(struct mask_check *check, const char *model, struct automaton *automaton, struct error *error) must_check;
void mask_check_release(struct mask_check *check);

/* Follows a text of the language token by token. STATUS_INTERNAL names a token that fits and is masked. A tokenizer that puts something of
 * its own before the text ends the way early, which is no error. */
enum status mask_check_follow(struct mask_check *check, uint32_t state, struct str text, struct error *error) must_check;

/* A line: how many masks, how many were computed rather than found, and their times. */
void mask_check_report(struct mask_check *check, FILE *out);

#endif
