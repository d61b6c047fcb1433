/* The limits of a request that are not settings (those are options): one row each. The rows become the constants below and
 * docs/limits.md. */
#ifndef SERVER_LIMITS_H
#define SERVER_LIMITS_H

#include <stdio.h>

/* name, value, where it is met, what is counted */
#define LIMITS_TABLE(X)                                                                                       \
    X(GATE_TARGET_MAX, 8192, "request line", "bytes of the target")                                           \
    X(GATE_FIELDS_MAX, 100, "head and trailers", "fields, of each")                                           \
    X(GATE_CHUNK_LINE_MAX, 4096, "chunked body", "bytes of a chunk's size line")                              \
    X(GATE_CHUNKS_MAX, 131072, "chunked body", "chunks")                                                      \
    X(GATE_EXTENSIONS_MAX, 65536, "chunked body", "bytes of chunk extensions in all")                         \
    X(JSON_SCAN_CONTAINERS_MAX, 131072, "JSON body", "objects and arrays")                                    \
    X(JSON_SCAN_VALUES_MAX, 4194304, "JSON body", "values")                                                   \
    X(REQUEST_MESSAGES_MAX, 4096, "`messages`", "entries")                                                    \
    X(REQUEST_PARTS_MAX, 1024, "`content`", "parts of a message")                                             \
    X(REQUEST_TOOLS_MAX, 128, "`tools`", "entries")                                                           \
    X(REQUEST_TOOL_NAME_BYTES_MAX, 64, "`tools`", "characters of a name")                                     \
    X(REQUEST_TOOL_BYTES_MAX, 262144, "`tools`", "bytes of a tool as JSON")                                   \
    X(REQUEST_SCHEMA_BYTES_MAX, 1048576, "`response_format` and its kin", "bytes of a schema, or of choices, as JSON") \
    X(REQUEST_CHOICES_MAX, 10000, "`structured_outputs.choice`", "entries")                                   \
    X(REQUEST_SEQUENCES_MAX, 2048, "`prompt`", "prompts, and prompts times `n`")                              \
    X(REQUEST_STOP_BYTES_MAX, 1024, "`stop`", "bytes of a string")                                            \
    X(REQUEST_STOP_IDS_MAX, 1024, "`stop_token_ids`", "entries")                                              \
    X(REQUEST_BIAS_MAX, 1024, "`logit_bias`", "entries")                                                      \
    X(REQUEST_USER_ID_BYTES_MAX, 512, "`user_id`", "bytes")                                                   \
    X(REQUEST_SALT_BYTES_MAX, 1024, "`cache_salt`", "bytes")                                                  \
    X(REQUEST_KWARGS_BYTES_MAX, 65536, "`chat_template_kwargs`", "bytes as JSON")                             \
    X(REQUEST_TEMPLATE_BYTES_MAX, 262144, "`chat_template`", "bytes")                                         \
    X(REQUEST_METADATA_PAIRS_MAX, 16, "`metadata`", "pairs")                                                  \
    X(REQUEST_METADATA_KEY_BYTES_MAX, 64, "`metadata`", "bytes of a key")                                     \
    X(REQUEST_METADATA_VALUE_BYTES_MAX, 512, "`metadata`", "bytes of a value")                                \
    X(REQUEST_SAFETY_ID_BYTES_MAX, 64, "`safety_identifier`", "bytes")                                        \
    X(REQUEST_IGNORED_BYTES_MAX, 4096, "texts that change nothing (`user`, `request_id`, ...)", "bytes of each")

#define LIMITS_CONSTANT(name, value, where, counted) name = (value),
enum { LIMITS_TABLE(LIMITS_CONSTANT) LIMITS_END };
#undef LIMITS_CONSTANT

void limits_write_markdown(FILE *out);

#endif
