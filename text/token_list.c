/* A growing list of token ids. */
#include "base/mem.h"
#include "text/tokenizer.h"

void token_list_init(struct token_list *list, size_t max_tokens)
{
    *list = (struct token_list){.max = max_tokens};
}

void token_list_release(struct token_list *list)
{
    mem_free(list->ids);
    *list = (struct token_list){.max = list->max};
}

enum status token_list_add(struct token_list *list, uint32_t id)
{
    if (list->n >= list->max)
        return STATUS_LIMIT;
    if (list->n == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        uint32_t *more = mem_realloc(list->ids, capacity * sizeof *more);
        if (!more)
            return STATUS_NO_MEMORY;
        list->ids = more;
        list->capacity = capacity;
    }
    list->ids[list->n++] = id;
    return STATUS_OK;
}
