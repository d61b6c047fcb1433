/* The page of limits. */
#include "server/limits.h"

#include "engine/protocol.h"
#include "text/output_parse.h"

static void write_row(FILE *out, const char *where, const char *counted, int value)
{
    fprintf(out, "| %s | %s | %d |\n", where, counted, value);
}

void limits_write_markdown(FILE *out)
{
    fputs("# Limits of a request\n\nThis page is written by `make docs` from the table in `server/limits.h`. What is larger is refused "
          "with a 4xx that names the field. Limits that can be set (body, head, nesting, queue, choices, ...) are options: "
          "`docs/options.md`.\n\n| where | what is counted | at most |\n| --- | --- | --- |\n", out);
#define WRITE_ROW(name, value, where, counted) write_row(out, where, counted, name);
    LIMITS_TABLE(WRITE_ROW)
#undef WRITE_ROW
    write_row(out, "`stop`", "strings", STOP_STRINGS_MAX);
    write_row(out, "`logprobs`, `top_logprobs`, `prompt_logprobs`", "alternatives of a token", PROTOCOL_TOP_MAX);
}
