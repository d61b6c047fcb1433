/* A keyed 64-bit hash for tables (SipHash-2-4, Aumasson and Bernstein 2012). */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
    uint64_t k0, k1;
};

uint64_t hash_sip(const struct hash_key *key, const void *data, size_t len);

/* A key drawn once per process from the operating system: order must never depend on it. */
const struct hash_key *hash_process_key(void);

#endif
