/* The program: its first argument names a command. Without one, or with only options, it serves. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "server/commands.h"

int main(int argc, char **argv)
{
    json_set_alloc_funcs(mem_alloc, mem_free);
    const char *name = argc > 1 ? argv[1] : "help";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return cmd_help(1, argv + 1);
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        return cmd_version(1, argv + 1);
    if (strncmp(name, "--", 2) == 0)
        return cmd_serve(argc, argv);
    for (unsigned i = 0; i < commands_count; i++)
        if (strcmp(name, commands_table[i].name) == 0)
            return commands_table[i].run(argc - 1, argv + 1);
    if (argc < 2)
        return cmd_help(0, argv);
    fprintf(stderr, "seekd: no command %s; `seekd help` lists them\n", name);
    return COMMANDS_EXIT_USAGE;
}
