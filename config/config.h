/* Reading settings from their sources, and writing the table out for people. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdio.h>

#include "config/options.h"

/* Parses a value for one row into *config; messages name the row. */
enum status config_set(struct config *config, const struct option *option, const char *text, const char *source,
                       struct error *error) must_check;

/* The row of a name written with dashes or underscores; for lists also the singular. Null: none. */
const struct option *config_find(const char *name);

/* The valid name nearest to a mistyped one, or null when none is near. */
const char *config_nearest(const char *name);

/* The value of an environment variable that is not a setting of ours; null when it is not set. */
const char *config_environment(char **environment, const char *name);

/* A reload: gives `fresh` the running values of all settings that cannot change while running, naming those that differ. */
enum status config_keep_fixed(struct config *fresh, const struct config *running, void (*differs)(const char *name),
                              struct error *error) must_check;

enum config_form { CONFIG_FORM_HELP, CONFIG_FORM_MARKDOWN, CONFIG_FORM_FILE };

/* Writes the table: --help text, docs/options.md, or the example seekd.conf. */
void config_write(FILE *out, enum config_form form);

/* Writes effective settings as key = value lines; secrets as "(set)". */
void config_write_effective(FILE *out, const struct config *config);

#endif
