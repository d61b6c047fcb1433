/* Who was given how much: the accounts behind fair shares. Work goes to the tenant whose account is lowest.
 *
 * A virtual clock (the least account among tenants with open requests, never going back) lifts a tenant that comes or returns, so
 * that idle time earns no credit and work done on an idle machine is no debt (Sheng et al. 2024, virtual token counters). */
#ifndef ENGINE_TENANTS_H
#define ENGINE_TENANTS_H

#include "base/status.h"

struct tenants;

/* Room for max_open tenants with open requests at once. */
enum status tenants_create(struct tenants **out, uint32_t max_open, struct error *error) must_check;
void tenants_free(struct tenants *tenants);

/* One more open request of this tenant; its row, valid until the matching close. */
uint32_t tenants_open(struct tenants *tenants, uint64_t id);
void tenants_close(struct tenants *tenants, uint32_t row);

void tenants_charge(struct tenants *tenants, uint32_t row, uint32_t n_tokens);
uint64_t tenants_served(const struct tenants *tenants, uint32_t row);

#endif
