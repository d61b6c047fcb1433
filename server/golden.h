/* The check between "loaded" and "ready": recorded prompts must give their recorded tokens; without a record, one token must
 * come out of finite numbers.
 *
 * The record (setting golden_prompts, else golden.json in the model's directory) is {"prompts": [{"tokens": [ids],
 * "greedy": [ids]}, ...]}. */
#ifndef SERVER_GOLDEN_H
#define SERVER_GOLDEN_H

#include "engine/protocol.h"

struct golden;
struct server;

/* Starts the check on the main thread. ended(arg, null) when all is well, else with what differed: once, and the object is
 * gone then. Errors: the record cannot be read (then nothing was started). */
enum status golden_start(struct golden **out, struct server *server, const struct protocol_ready *ready,
                         void (*ended)(void *arg, const char *failure), void *arg, struct error *error) must_check;

/* Gives up silently. Null is fine. */
void golden_stop(struct golden *golden);

#endif
