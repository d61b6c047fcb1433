/* seekd run: a chat in the terminal, over HTTP with a server of its own or with one that already runs. One thread. */
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "config/config.h"
#include "server/answer.h"
#include "server/commands.h"
#include "server/conversation.h"
#include "server/line_editor.h"
#include "server/reach.h"

extern char **environ;

static const char usage[] =
    "usage: seekd run [--model PATH] [options]          a server of its own is started for the chat\n"
    "       seekd run --url http://HOST:PORT [options]  with a server that runs already\n"
    "       echo QUESTION | seekd run ...               one question, the plain answer\n"
    "  --system TEXT      system message\n"
    "  --api-key KEY      key for --url\n"
    "  --temperature X, --top-p X, --top-k N, --min-p X, --max-tokens N, --seed N, --thinking on|off\n"
    "  any option of serve, without --url: --numerics exact, --context 4096, ...; `seekd help serve` lists them\n"
    "in the chat: /help lists what can be typed; Ctrl-C stops an answer, Ctrl-D ends the chat\n";

enum { INPUT_BYTES_MAX = 16 << 20, PIECE_BYTES = 65536 };

static volatile sig_atomic_t interrupted;

struct run {
    struct reach reach;
    struct conversation conversation;
    struct line_editor *editor;
    char history_path[PATH_MAX];
    bool terminal, colours; /* of standard output */
    bool done;
    struct error error;
};

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static int complain(const struct run *r, int code)
{
    fprintf(stderr, "seekd run: %s\n", r->error.message);
    return code;
}

/* ---- Arguments --------------------------------------------------------------------------------------------- */

enum { FLAG_BYTES = 64 };

/* "--top-p" -> "top_p" when it is a setting of the conversation. */
static bool is_setting(struct run *r, const char *flag, char name[FLAG_BYTES])
{
    struct error error;
    size_t n = strlen(flag);
    if (n < 3)
        return false;
    for (size_t i = 2; i <= n; i++)
        name[i - 2] = flag[i] == '-' ? '_' : flag[i];
    return conversation_set(&r->conversation, name, "", &error) == STATUS_OK;
}

static enum status apply_own(struct run *r, const char *flag, const char *setting, const char *value)
{
    if (*setting)
        return conversation_set(&r->conversation, setting, value, &r->error);
    return reach_take_flag(&r->reach, flag, value) ? STATUS_OK : conversation_set_system(&r->conversation, value);
}

/* One of our own flags at argv[*at], as "--flag value" or "--flag=value"; false: it is for serve. */
static bool take_own(struct run *r, int argc, char **argv, int *at, enum status *status)
{
    char flag[FLAG_BYTES], setting[FLAG_BYTES] = "";
    size_t n = strcspn(argv[*at], "=");
    if (n >= sizeof flag || strncmp(argv[*at], "--", 2) != 0)
        return false;
    snprintf(flag, sizeof flag, "%.*s", (int)n, argv[*at]);
    if (!is_setting(r, flag, setting))
        setting[0] = 0;
    if (!*setting && strcmp(flag, "--url") != 0 && strcmp(flag, "--api-key") != 0 && strcmp(flag, "--system") != 0)
        return false;
    const char *value = argv[*at][n] == '=' ? argv[*at] + n + 1 : *at + 1 < argc ? argv[++*at] : NULL;
    ++*at;
    *status = value ? apply_own(r, flag, setting, value) : error_set(&r->error, STATUS_INVALID, "%s needs a value", flag);
    return true;
}

static enum status parse(struct run *r, int argc, char **argv)
{
    enum status status = STATUS_OK;
    for (int at = 1; at < argc && !status;)
        if (!take_own(r, argc, argv, &at, &status))
            reach_add_option(&r->reach, argv[at++]);
    return status ? status : reach_check(&r->reach, &r->error);
}

/* ---- One answer -------------------------------------------------------------------------------------------- */

static void print_speed(const struct run *r, const struct answer *a)
{
    if (!r->terminal || !a->generated_tokens)
        return;
    printf("%s%llu tokens", r->colours ? "\033[2m" : "", (unsigned long long)a->generated_tokens);
    if (a->generated_tokens > 1 && a->generation_seconds > 0)
        printf(", %.1f tok/s", (double)(a->generated_tokens - 1) / a->generation_seconds);
    printf(", first after %.2f s, prompt of %llu%s\n", a->first_seconds, (unsigned long long)a->prompt_tokens,
           r->colours ? "\033[0m" : "");
}

/* Asks for the answer to the conversation so far and adds it. One that was cut off stays as far as it came. */
static enum status answer(struct run *r)
{
    struct buf body;
    struct answer a;
    buf_init(&body, CONVERSATION_REQUEST_MAX);
    conversation_write_request(&r->conversation, r->reach.model, &body);
    enum status status = buf_status(&body);
    answer_init(&a, r->terminal, r->colours);
    if (status)
        error_set(&r->error, status, "the conversation is too long to send");
    else
        status = answer_stream(&a, &r->reach.client, buf_str(&body), &r->error);
    if (a.text.len == 0)
        conversation_drop_last(&r->conversation); /* the question can be asked again */
    else if (conversation_add(&r->conversation, false, buf_str(&a.text)) != STATUS_OK && !status)
        status = error_set(&r->error, STATUS_LIMIT, "the conversation is full; /clear empties it");
    if (!status)
        print_speed(r, &a);
    answer_release(&a);
    buf_release(&body);
    return status;
}

static void answer_in_chat(struct run *r)
{
    interrupted = 0;
    enum status status = answer(r);
    if (status == STATUS_CANCELLED)
        puts("(stopped)");
    else if (status)
        complain(r, 0);
    interrupted = 0;
}

/* ---- What can be typed ------------------------------------------------------------------------------------- */

static void do_help(struct run *r, const char *argument);

static void do_clear(struct run *r, const char *argument)
{
    (void)argument;
    conversation_clear(&r->conversation);
    puts("the conversation is empty");
}

static void do_system(struct run *r, const char *argument)
{
    if (conversation_set_system(&r->conversation, argument) != STATUS_OK)
        puts("out of memory");
    else
        puts(*argument ? "the system message is set" : "there is no system message now");
}

static void do_set(struct run *r, const char *argument)
{
    char name[64];
    size_t n = strcspn(argument, " ");
    if (!n) {
        conversation_print_settings(&r->conversation, stdout);
        return;
    }
    snprintf(name, sizeof name, "%.*s", (int)n, argument);
    const char *value = argument + n + strspn(argument + n, " ");
    if (conversation_set(&r->conversation, name, value, &r->error) != STATUS_OK)
        puts(r->error.message);
}

static void do_regenerate(struct run *r, const char *argument)
{
    struct conversation *c = &r->conversation;
    (void)argument;
    if (c->n_turns && !c->turns[c->n_turns - 1].from_user)
        conversation_drop_last(c);
    if (c->n_turns)
        answer_in_chat(r);
    else
        puts("nothing was asked yet");
}

static void do_save(struct run *r, const char *argument)
{
    struct buf out;
    if (!*argument) {
        puts("/save needs a path");
        return;
    }
    buf_init(&out, CONVERSATION_REQUEST_MAX);
    conversation_write_messages(&r->conversation, &out);
    FILE *f = buf_status(&out) == STATUS_OK ? fopen(argument, "we") : NULL;
    bool written = f && fwrite(out.at, 1, out.len, f) == out.len && fputc('\n', f) != EOF;
    if (f && fclose(f) != 0)
        written = false;
    if (written)
        printf("saved to %s\n", argument);
    else
        printf("%s: %s\n", argument, strerror(errno));
    buf_release(&out);
}

static void do_quit(struct run *r, const char *argument)
{
    (void)argument;
    r->done = true;
}

static const struct word {
    const char *name, *argument, *help;
    void (*run)(struct run *r, const char *argument);
} words[] = {
    {"/help", "", "this list", do_help},
    {"/clear", "", "forget the conversation", do_clear},
    {"/system", "TEXT", "set the system message; without TEXT there is none", do_system},
    {"/set", "NAME VALUE", "set temperature, max_tokens, ...; without NAME: show them", do_set},
    {"/regen", "", "answer the last question again", do_regenerate},
    {"/save", "PATH", "write the conversation as JSON messages", do_save},
    {"/quit", "", "end; so does Ctrl-D", do_quit},
};
enum { N_WORDS = sizeof words / sizeof words[0] };

static void do_help(struct run *r, const char *argument)
{
    (void)r;
    (void)argument;
    for (size_t i = 0; i < N_WORDS; i++)
        printf("  %-8s %-12s %s\n", words[i].name, words[i].argument, words[i].help);
    puts("  \"\"\"                   begins and ends a text of several lines\n  Ctrl-C                stops an answer");
}

static void take_word(struct run *r, const char *line)
{
    size_t n = strcspn(line, " ");
    for (size_t i = 0; i < N_WORDS; i++)
        if (strlen(words[i].name) == n && memcmp(words[i].name, line, n) == 0) {
            words[i].run(r, line + n + strspn(line + n, " "));
            return;
        }
    printf("%.*s is unknown; /help lists what can be typed\n", (int)n, line);
}

/* ---- The chat ---------------------------------------------------------------------------------------------- */

/* After an opening """: the lines up to the closing one. `text` holds the rest of the first line. */
static enum line_editor_result read_block(struct run *r, struct buf *text)
{
    static const char mark[] = "\"\"\"";
    enum { MARK = sizeof mark - 1 };
    for (;;) {
        if (text->len >= MARK && memcmp(text->at + text->len - MARK, mark, MARK) == 0) {
            text->len -= MARK;
            text->at[text->len] = 0;
            return LINE_EDITOR_READ;
        }
        if (text->len)
            buf_add_char(text, '\n');
        enum line_editor_result result = line_editor_read(r->editor, "... ", text);
        if (result != LINE_EDITOR_READ || buf_status(text) != STATUS_OK)
            return result;
    }
}

static enum line_editor_result read_input(struct run *r, struct buf *text)
{
    buf_clear(text);
    enum line_editor_result result = line_editor_read(r->editor, r->colours ? "\001\033[1;36m\001>>> \001\033[0m\001" : ">>> ", text);
    if (result != LINE_EDITOR_READ || text->len < 3 || memcmp(text->at, "\"\"\"", 3) != 0)
        return result;
    buf_drop_front(text, 3);
    return read_block(r, text);
}

static void take_input(struct run *r, struct buf *text)
{
    struct str line = buf_str(text);
    if (buf_status(text) != STATUS_OK || strspn(line.at, " \t\n") == strlen(line.at))
        return;
    if (!memchr(line.at, '\n', line.len))
        line_editor_remember(r->editor, line.at);
    if (line.at[0] == '/') {
        take_word(r, line.at);
    } else if (!utf8_is_valid(line.at, line.len)) {
        puts("this is not UTF-8");
    } else if (conversation_add(&r->conversation, true, line) != STATUS_OK) {
        puts("the conversation is full; /clear empties it");
    } else {
        answer_in_chat(r);
    }
}

static int chat(struct run *r)
{
    struct buf text;
    int code, stops = 0;
    if (line_editor_create(&r->editor, *r->history_path ? r->history_path : NULL, &interrupted, &r->error) != STATUS_OK)
        return complain(r, COMMANDS_EXIT_FAULT);
    printf("chat with %s; /help lists what can be typed\n", r->reach.model);
    buf_init(&text, INPUT_BYTES_MAX);
    while (!r->done) {
        enum line_editor_result result = read_input(r, &text);
        if (r->reach.server.pid && private_server_ended(&r->reach.server, &code)) {
            printf("the server ended with code %d\n", code);
            break;
        }
        if (result == LINE_EDITOR_END)
            break;
        stops = result == LINE_EDITOR_INTERRUPTED ? stops + 1 : 0;
        if (stops) {
            interrupted = 0;
            puts(stops > 1 ? "" : "\nCtrl-D or /quit ends the chat");
        } else {
            take_input(r, &text);
        }
    }
    if (!r->done)
        putchar('\n');
    buf_release(&text);
    line_editor_free(r->editor);
    return 0;
}

/* ---- One question from a pipe ------------------------------------------------------------------------------ */

static int ask_once(struct run *r)
{
    struct buf text;
    char piece[PIECE_BYTES];
    int code = 0;
    buf_init(&text, INPUT_BYTES_MAX);
    for (size_t n; (n = fread(piece, 1, sizeof piece, stdin)) > 0;)
        buf_add(&text, piece, n);
    struct str question = buf_str(&text);
    while (question.len && question.at[question.len - 1] == '\n')
        question.len--;
    enum status status = buf_status(&text);
    if (status)
        error_set(&r->error, status, "standard input is longer than %d MB", INPUT_BYTES_MAX >> 20);
    else if (!question.len)
        status = error_set(&r->error, STATUS_INVALID, "standard input is empty: nothing is asked");
    else if (!utf8_is_valid(question.at, question.len))
        status = error_set(&r->error, STATUS_INVALID, "standard input is not UTF-8");
    else
        status = conversation_add(&r->conversation, true, question);
    if (!status)
        status = answer(r);
    if (status)
        code = complain(r, status == STATUS_CANCELLED ? 128 + SIGINT : 1);
    buf_release(&text);
    return code;
}

/* ---- The command ------------------------------------------------------------------------------------------- */

/* $XDG_STATE_HOME/seekd/history, or the same under ~/.local/state. Made if it can be; else nothing is kept. */
static void find_history(struct run *r)
{
    const char *state = config_environment(environ, "XDG_STATE_HOME"), *home = config_environment(environ, "HOME");
    char path[PATH_MAX];
    if (state && *state == '/')
        snprintf(path, sizeof path, "%s/seekd/history", state);
    else if (home && *home == '/')
        snprintf(path, sizeof path, "%s/.local/state/seekd/history", home);
    else
        return;
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return;
        *slash = '/';
    }
    snprintf(r->history_path, sizeof r->history_path, "%s", path);
}

static void look_at_terminal(struct run *r)
{
    const char *term = config_environment(environ, "TERM");
    r->terminal = isatty(STDOUT_FILENO);
    r->colours = r->terminal && !config_environment(environ, "NO_COLOR") && term && strcmp(term, "dumb") != 0;
}

static int run_all(struct run *r, int argc, char **argv)
{
    if (parse(r, argc, argv) != STATUS_OK)
        return complain(r, COMMANDS_EXIT_USAGE);
    look_at_terminal(r);
    find_history(r);
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    enum status status = reach_open(&r->reach, environ, &r->error);
    if (status)
        return complain(r, status == STATUS_CANCELLED ? 128 + SIGINT : COMMANDS_EXIT_MODEL);
    return isatty(STDIN_FILENO) && r->terminal ? chat(r) : ask_once(r);
}

int cmd_run(int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(usage, stdout);
        return 0;
    }
    struct run *r = mem_zalloc(sizeof *r);
    int code = COMMANDS_EXIT_FAULT;
    if (!r || sodium_init() < 0 || reach_init(&r->reach, argc, &r->error) != STATUS_OK ||
        conversation_init(&r->conversation) != STATUS_OK) {
        fputs("seekd run: out of memory\n", stderr);
    } else {
        error_clear(&r->error);
        r->reach.client.stop = &interrupted;
        code = run_all(r, argc, argv);
        conversation_release(&r->conversation);
    }
    if (r)
        reach_close(&r->reach);
    mem_free(r);
    return code;
}
