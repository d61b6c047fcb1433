/* The handlers of the routes. Each reads its exchange's body into a plain struct, checks it, and answers; one that
 * generates goes on to the main thread with exchange_to_main. */
#ifndef SERVER_API_H
#define SERVER_API_H

#include "server/exchange.h"

void api_chat(struct exchange *exchange);           /* POST /chat/completions */
void api_answer_now(struct exchange *exchange);     /* POST /chat/completions/{id}/answer_now */
void api_completions(struct exchange *exchange);    /* POST /completions */
void api_responses(struct exchange *exchange);      /* POST /responses */
void api_input_tokens(struct exchange *exchange);   /* POST /responses/input_tokens */
void api_embeddings(struct exchange *exchange);     /* POST /embeddings */
void api_ollama_embed(struct exchange *exchange);   /* POST /api/embed */
void api_messages(struct exchange *exchange);       /* POST /messages */
void api_count_tokens(struct exchange *exchange);   /* POST /messages/count_tokens */
void api_ollama_chat(struct exchange *exchange);    /* POST /api/chat */
void api_ollama_generate(struct exchange *exchange);/* POST /api/generate */
void api_completion(struct exchange *exchange);     /* POST /completion */
void api_infill(struct exchange *exchange);         /* POST /infill */
void api_ollama_show(struct exchange *exchange);    /* POST /api/show */
void api_invocations(struct exchange *exchange);    /* POST /invocations, /score */
void api_predict(struct exchange *exchange);        /* POST /predict */
void api_tokenize(struct exchange *exchange);       /* POST /tokenize */
void api_detokenize(struct exchange *exchange);     /* POST /detokenize */
void api_apply_template(struct exchange *exchange); /* POST /apply-template */

/* Inline: on the HTTP thread. */
void api_ollama_tags(struct exchange *exchange);    /* GET /api/tags */
void api_ollama_ps(struct exchange *exchange);      /* GET /api/ps */
void api_ollama_version(struct exchange *exchange); /* GET /api/version */
void api_props(struct exchange *exchange);          /* GET /props */
void api_slots(struct exchange *exchange);          /* GET /slots */
void api_balance(struct exchange *exchange);        /* GET /user/balance */
void api_models(struct exchange *exchange);         /* GET /models */
void api_model(struct exchange *exchange);          /* GET /models/{id} */
void api_health(struct exchange *exchange);
void api_live(struct exchange *exchange);
void api_ready(struct exchange *exchange);
void api_ping(struct exchange *exchange);
void api_metrics(struct exchange *exchange);
void api_version(struct exchange *exchange);
void api_openapi(struct exchange *exchange);
void api_banner(struct exchange *exchange);

#endif
