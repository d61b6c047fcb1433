/* The handlers of the routes. Each reads its exchange's body into a plain struct, checks it, and answers; one that
 * generates goes on to the main thread with exchange_to_main. */
#ifndef SERVER_API_H
#define SERVER_API_H

#include "server/exchange.h"

void api_chat(struct exchange *exchange);           /* POST /chat/completions */
void api_answer_now(struct exchange *exchange);     /* POST /chat/completions/{id}/answer_now */
void api_completions(struct exchange *exchange);    /* POST /completions */
void api_invocations(struct exchange *exchange);    /* POST /invocations, /score */
void api_tokenize(struct exchange *exchange);       /* POST /tokenize */
void api_detokenize(struct exchange *exchange);     /* POST /detokenize */
void api_apply_template(struct exchange *exchange); /* POST /apply-template */

/* Inline: on the HTTP thread. */
void api_models(struct exchange *exchange);         /* GET /models */
void api_model(struct exchange *exchange);          /* GET /models/{id} */
void api_health(struct exchange *exchange);
void api_live(struct exchange *exchange);
void api_ready(struct exchange *exchange);
void api_ping(struct exchange *exchange);
void api_metrics(struct exchange *exchange);
void api_version(struct exchange *exchange);
void api_banner(struct exchange *exchange);

#endif
