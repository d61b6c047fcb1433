/* Templates and their inputs: the bytes before the first NUL are a template, those after it a message of the user. What
 * renders must stay within its bounds, keep the message's bytes out of what is called the template's, and come out the
 * same a second time. */
#include "base/arena.h"
#include "tests/fuzz/fuzz.h"
#include "text/jinja.h"

enum { FUZZ_ARENA_BYTES = 64 << 20 };

static struct jinja_value variables_of(struct jinja_heap *heap, struct str content)
{
    static const char *const roles[] = {"system", "user", "assistant"};
    struct jinja_value variables = jinja_map(heap, 4), messages = jinja_list(heap, 3), tools;
    for (int i = 0; i < 3 && !heap->failed; i++) {
        struct jinja_value message = jinja_map(heap, 2);
        if (heap->failed)
            break;
        jinja_map_put(heap, message.map, "role", jinja_text(heap, str_of(roles[i]), JINJA_TEMPLATE));
        jinja_map_put(heap, message.map, "content", jinja_text(heap, content, JINJA_CALLER));
        jinja_list_add(heap, messages.list, message);
    }
    if (jinja_from_json(heap, content, JINJA_CALLER, &tools, NULL) != STATUS_OK)
        tools = jinja_none();
    if (heap->failed)
        return jinja_none();
    jinja_map_put(heap, variables.map, "messages", messages);
    jinja_map_put(heap, variables.map, "tools", tools);
    jinja_map_put(heap, variables.map, "add_generation_prompt", jinja_bool(true));
    return variables;
}

/* The parts cover the text and alternate. */
static void check_parts(const struct jinja_text *text)
{
    size_t start = 0;
    fuzz_expect(text->len <= JINJA_OUTPUT_BYTES_MAX);
    for (uint32_t i = 0; i < text->n_parts; i++) {
        fuzz_expect(text->parts[i].end > start);
        fuzz_expect(i == 0 || text->parts[i].origin != text->parts[i - 1].origin);
        start = text->parts[i].end;
    }
    fuzz_expect(!text->parts || start == text->len);
}

static enum status render(const struct jinja *jinja, struct str content, struct arena *arena, const struct jinja_text **text)
{
    struct jinja_heap heap;
    struct error error = {0};
    jinja_heap_init(&heap, arena);
    struct jinja_value variables = variables_of(&heap, content);
    fuzz_expect(!heap.failed);
    enum status status = jinja_render(jinja, &heap, variables, "2026-01-02", text, &error);
    if (status)
        fuzz_expect_refusal(status, &error);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *cut = size ? memchr(data, 0, size) : NULL;
    size_t n = cut ? (size_t)(cut - data) : size;
    struct str source = str_from((const char *)data, n), content = str_skip(str_from((const char *)data, size), n + 1);
    struct error error = {0};
    struct jinja *jinja;
    enum status status = jinja_parse(&jinja, source, &error);
    if (status) {
        fuzz_expect_refusal(status, &error);
        return 0;
    }
    struct arena first, second;
    const struct jinja_text *a = NULL, *b = NULL;
    arena_init(&first, FUZZ_ARENA_BYTES);
    arena_init(&second, FUZZ_ARENA_BYTES);
    status = render(jinja, content, &first, &a);
    fuzz_expect(render(jinja, content, &second, &b) == status);
    if (status == STATUS_OK) {
        check_parts(a);
        fuzz_expect(a->n_parts == b->n_parts && str_equal(str_from(a->at, a->len), str_from(b->at, b->len)));
    }
    arena_release(&first);
    arena_release(&second);
    jinja_free(jinja);
    return 0;
}
