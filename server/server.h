/* What all of the front shares: set up before the first request, then read by every thread. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "config/options.h"
#include "text/chat.h"
#include "text/model_text.h"

struct front;
struct http;
struct auth;
struct metrics;
struct language_cache;
struct prompt_history;
struct generation;
struct script_sets;

struct server {
    _Atomic(const struct config *) config; /* a snapshot; a reload swaps it, old ones live until the end */
    struct model_text text;
    struct chat_format *format;
    char format_reason[256];
    char model_id[128];            /* canonical id */
    bool loopback;                 /* every address listened on is of this machine alone */
    char fingerprint[40];          /* fp_...; set when the engine is ready */
    int64_t created;               /* unix seconds at start, for /models */
    struct front *front;
    struct http *http;
    struct auth *auth;
    struct metrics *metrics;
    struct generation *generations;   /* that run; main thread only */
    struct script_sets *scripts;
    struct prompt_history *prompts;   /* of late, for reports */
    struct language_cache *languages; /* compiled for requests */
};

#endif
