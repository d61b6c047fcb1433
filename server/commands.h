/* The commands of the program: one row in commands.c each. */
#ifndef SERVER_COMMANDS_H
#define SERVER_COMMANDS_H

struct command {
    const char *name, *help; /* help null: not listed */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

extern const struct command commands_table[];
extern const unsigned commands_count;

enum { COMMANDS_EXIT_USAGE = 64, COMMANDS_EXIT_CONFIG = 78, COMMANDS_EXIT_MODEL = 74, COMMANDS_EXIT_FAULT = 70 };

int cmd_serve(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_check_grammar(int argc, char **argv);
int cmd_tokenize(int argc, char **argv);
int cmd_health(int argc, char **argv);
int cmd_engine(int argc, char **argv);
int cmd_version(int argc, char **argv);
int cmd_help(int argc, char **argv);

#endif
