/* Levelled log lines on stderr: `time level event key=value ...`. Never blocks: lines go through a bounded
 * queue drained by a writer thread once log_start was called, and are dropped and counted when it is full.
 * Content (prompts, output, arguments) is never passed to these functions. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

#include "base/status.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

/* Before log_start, lines are written at once. `component` is put in each line (front, engine). */
void log_set(enum log_level level, bool json, const char *component);
enum status log_start(struct error *error) must_check;
void log_stop(void); /* flushes and ends the writer */

bool log_level_parse(const char *text, enum log_level *out);

/* `event` is a short fixed sentence; the format adds ` key=value` pairs (values with spaces: use %s through
 * log_quote). A line is cut at 4 KiB and marked. */
void log_write(enum log_level level, const char *event, const char *format, ...) printf_like(3, 4);

#define log_debug(event, ...) log_write(LOG_LEVEL_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) log_write(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) log_write(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_write(LOG_LEVEL_ERROR, event, __VA_ARGS__)

/* Lines dropped because the queue was full. */
uint64_t log_dropped(void);

#endif
