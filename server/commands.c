/* The table of commands, and the small ones. */
#include "server/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "engine/engine.h"
#include "server/limits.h"
#include "server/metrics.h"
#include "server/request_fields.h"
#include "server/routes.h"
#include "server/version.h"

const struct command commands_table[] = {
    {"serve", "serve a model over HTTP", cmd_serve},
    {"run", "chat with a model in the terminal", cmd_run},
    {"inspect", "show what is in a model file and what it needs here", cmd_inspect},
    {"bench", "measure how fast this machine runs a model", cmd_bench},
    {"eval", "measure a model on questions whose answers are known", cmd_eval},
    {"check-grammar", "tell which JSON texts a JSON Schema takes", cmd_check_grammar},
    {"tokenize", "show how a model's tokenizer cuts a text", cmd_tokenize},
    {"health", "ask a server whether it is ready; exit code 0 when it is", cmd_health},
    {"version", "print version and build", cmd_version},
    {"help", "this text; `seekd help serve` for the options of serve", cmd_help},
    {"engine", NULL, cmd_engine},
};
const unsigned commands_count = sizeof commands_table / sizeof commands_table[0];

int cmd_engine(int argc, char **argv)
{
    if (argc != 3 || strcmp(argv[1], "--fd") != 0) {
        fputs("seekd engine is started by seekd serve\n", stderr);
        return COMMANDS_EXIT_USAGE;
    }
    char *end;
    long fd = strtol(argv[2], &end, 10);
    return *end || fd < 3 || fd > 1 << 20 ? COMMANDS_EXIT_USAGE : engine_run((int)fd);
}

int cmd_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("seekd %s (%s)\n", version_number(), version_build());
    return 0;
}

int cmd_help(int argc, char **argv)
{
    const char *topic = argc > 1 ? argv[1] : "";
    if (strcmp(topic, "--options-markdown") == 0) {
        config_write(stdout, CONFIG_FORM_MARKDOWN);
    } else if (strcmp(topic, "--options-file") == 0) {
        config_write(stdout, CONFIG_FORM_FILE);
    } else if (strcmp(topic, "--routes-markdown") == 0) {
        routes_write_markdown(stdout);
    } else if (strcmp(topic, "--fields-markdown") == 0) {
        request_fields_write_markdown(stdout);
    } else if (strcmp(topic, "--limits-markdown") == 0) {
        limits_write_markdown(stdout);
    } else if (strcmp(topic, "--metrics-markdown") == 0) {
        metrics_write_markdown(stdout);
    } else if (strcmp(topic, "serve") == 0) {
        puts("usage: seekd serve [--config PATH] [options]\n");
        config_write(stdout, CONFIG_FORM_HELP);
    } else {
        puts("seekd serves DeepSeek-family language models over an OpenAI-compatible HTTP API.\n\nusage: seekd COMMAND [options]\n");
        for (unsigned i = 0; i < commands_count; i++)
            if (commands_table[i].help)
                printf("  %-13s %s\n", commands_table[i].name, commands_table[i].help);
        puts("\n  seekd serve --model PATH            then: curl http://127.0.0.1:8000/v1/models");
    }
    return 0;
}
