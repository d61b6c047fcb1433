/* Methods of strings, lists, mappings and loops, and the global functions. Nothing else of Python's can be reached. */
#include "text/jinja_parts.h"

#include <string.h>
#include <time.h>
#include <utf8proc.h>

#include "base/utf8.h"

enum { RANGE_MAX = 100000, DATE_FORMAT_BYTES_MAX = 256 };

struct method {
    const char *name;
    enum jinja_kind of;
    struct jinja_value (*call)(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args);
};

static struct jinja_value new_list(struct jinja_run *run, uint32_t capacity)
{
    struct jinja_value list = jinja_list(run->heap, capacity);
    return run->heap->failed ? jinja_fail(run, "out of memory") : list;
}

/* ---- Stripping and splitting ------------------------------------------------------------------------------------------ */

static bool is_white(uint32_t code)
{
    return (code >= 9 && code <= 13) || (code >= 0x1c && code <= 0x20) || code == 0x85 || code == 0xa0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

/* Whether the character at an offset is among `set`, or white where there is no set. */
static bool strips(const struct jinja_text *text, size_t at, size_t n, uint32_t code, const struct str *set)
{
    return set ? str_find(*set, str_from(text->at + at, n)) >= 0 : is_white(code);
}

static size_t previous(const struct jinja_text *text, size_t at)
{
    size_t back = 1;
    while (back < 4 && back < at && ((unsigned char)text->at[at - back] & 0xc0) == 0x80)
        back++;
    return at - back;
}

static struct jinja_value strip(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args, bool left, bool right)
{
    struct jinja_value chars;
    struct str set;
    bool has_set = jinja_arg(args, 0, "chars", &chars) && chars.kind == JINJA_TEXT;
    if (has_set)
        set = jinja_str(chars);
    const struct jinja_text *text = self.text;
    size_t start = 0, end = text->len;
    uint32_t code;
    while (left && start < end && jinja_spend(run, (start & 63) == 0)) {
        size_t n = jinja_decode(text, start, &code);
        if (!strips(text, start, n, code, has_set ? &set : NULL))
            break;
        start += n;
    }
    while (right && end > start && jinja_spend(run, (end & 63) == 0)) {
        size_t at = previous(text, end);
        size_t n = jinja_decode(text, at, &code);
        if (at + n != end || !strips(text, at, n, code, has_set ? &set : NULL))
            break;
        end = at;
    }
    return run->failed ? jinja_undefined(NULL) : jinja_slice(run, text, start, end);
}

static struct jinja_value text_strip(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    return strip(run, self, args, true, true);
}

static struct jinja_value text_lstrip(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    return strip(run, self, args, true, false);
}

static struct jinja_value text_rstrip(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    return strip(run, self, args, false, true);
}

/* The first occurrence at or after `from`, or -1. */
static ptrdiff_t find_from(const struct jinja_text *text, size_t from, struct str what)
{
    ptrdiff_t hit = str_find(str_from(text->at + from, text->len - from), what);
    return hit < 0 ? hit : hit + (ptrdiff_t)from;
}

static ptrdiff_t find_last(const struct jinja_text *text, size_t end, struct str what)
{
    for (size_t at = end; what.len <= at; at--)
        if (memcmp(text->at + at - what.len, what.at, what.len) == 0)
            return (ptrdiff_t)(at - what.len);
    return -1;
}

/* Pieces between runs of white space. */
static struct jinja_value split_white(struct jinja_run *run, const struct jinja_text *text, int64_t most)
{
    struct jinja_value out = new_list(run, 8);
    size_t at = 0;
    while (!run->failed) {
        uint32_t code;
        size_t n;
        while (at < text->len && (n = jinja_decode(text, at, &code), is_white(code)))
            at += n;
        if (at >= text->len || !jinja_spend(run, 1))
            break;
        size_t start = at;
        while (at < text->len && (n = jinja_decode(text, at, &code), !is_white(code)))
            at += n;
        bool is_last = most == 0;
        jinja_list_add(run->heap, out.list, jinja_slice(run, text, start, is_last ? text->len : at));
        if (is_last)
            break;
        most -= most > 0;
    }
    return out;
}

static struct jinja_value text_split(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    struct jinja_value separator;
    int64_t most = jinja_arg_int(run, args, 1, "maxsplit", -1);
    if (!jinja_arg(args, 0, "sep", &separator) || separator.kind == JINJA_NONE)
        return split_white(run, self.text, most);
    struct str by = jinja_arg_str(run, args, 0, "sep", "");
    if (by.len == 0)
        return jinja_fail(run, "split by an empty string");
    struct jinja_value out = new_list(run, 8);
    size_t start = 0;
    for (ptrdiff_t hit; most != 0 && jinja_spend(run, 1) && (hit = find_from(self.text, start, by)) >= 0; most -= most > 0) {
        jinja_spend(run, ((size_t)hit - start) / 1024);
        jinja_list_add(run->heap, out.list, jinja_slice(run, self.text, start, (size_t)hit));
        start = (size_t)hit + by.len;
    }
    if (!run->failed)
        jinja_list_add(run->heap, out.list, jinja_slice(run, self.text, start, self.text->len));
    return out;
}

static void reverse_list(struct jinja_list *list)
{
    for (uint32_t i = 0; i < list->n / 2; i++) {
        struct jinja_value kept = list->items[i];
        list->items[i] = list->items[list->n - 1 - i];
        list->items[list->n - 1 - i] = kept;
    }
}

static struct jinja_value text_rsplit(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    int64_t most = jinja_arg_int(run, args, 1, "maxsplit", -1);
    struct jinja_value separator;
    if (!jinja_arg(args, 0, "sep", &separator) || separator.kind == JINJA_NONE)
        return most < 0 ? split_white(run, self.text, most) : jinja_fail(run, "rsplit by white space with a limit is not supported");
    struct str by = jinja_arg_str(run, args, 0, "sep", "");
    if (by.len == 0)
        return jinja_fail(run, "split by an empty string");
    struct jinja_value out = new_list(run, 8);
    size_t end = self.text->len;
    for (ptrdiff_t hit; most != 0 && jinja_spend(run, 1) && (hit = find_last(self.text, end, by)) >= 0; most -= most > 0) {
        jinja_spend(run, (end - (size_t)hit) / 256);
        jinja_list_add(run->heap, out.list, jinja_slice(run, self.text, (size_t)hit + by.len, end));
        end = (size_t)hit;
    }
    if (run->failed)
        return out;
    jinja_list_add(run->heap, out.list, jinja_slice(run, self.text, 0, end));
    reverse_list(out.list);
    return out;
}

static struct jinja_value text_splitlines(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    bool keep = jinja_arg_bool(args, 0, "keepends", false);
    struct jinja_value out = new_list(run, 8);
    const struct jinja_text *text = self.text;
    for (size_t start = 0, at = 0; at < text->len && jinja_spend(run, 1); start = at) {
        while (at < text->len && text->at[at] != '\n' && text->at[at] != '\r')
            at++;
        size_t end = at;
        if (at < text->len)
            at += text->at[at] == '\r' && at + 1 < text->len && text->at[at + 1] == '\n' ? 2 : 1;
        jinja_list_add(run->heap, out.list, jinja_slice(run, text, start, keep ? at : end));
    }
    return out;
}

/* Three pieces: before, the separator, after. */
static struct jinja_value partition(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args, bool from_right)
{
    struct str by = jinja_arg_str(run, args, 0, "sep", "");
    if (by.len == 0 || run->failed)
        return jinja_fail(run, "partition by an empty string");
    ptrdiff_t hit = from_right ? find_last(self.text, self.text->len, by) : find_from(self.text, 0, by);
    size_t n = self.text->len, start = hit >= 0 ? (size_t)hit : from_right ? 0 : n, end = hit >= 0 ? start + by.len : start;
    struct jinja_value out = new_list(run, 3);
    if (run->failed || !jinja_spend(run, n / 1024))
        return out;
    jinja_list_add(run->heap, out.list, jinja_slice(run, self.text, 0, start));
    jinja_list_add(run->heap, out.list, jinja_slice(run, self.text, start, end));
    jinja_list_add(run->heap, out.list, jinja_slice(run, self.text, end, n));
    out.list->is_tuple = true;
    return out;
}

static struct jinja_value text_partition(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    return partition(run, self, args, false);
}

static struct jinja_value text_rpartition(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    return partition(run, self, args, true);
}

/* ---- Changing --------------------------------------------------------------------------------------------------------- */

static struct jinja_value text_replace(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    struct jinja_value with;
    struct str old = jinja_arg_str(run, args, 0, "old", "");
    int64_t most = jinja_arg_int(run, args, 2, "count", -1);
    if (!jinja_arg(args, 1, "new", &with) || with.kind != JINJA_TEXT)
        return jinja_fail(run, "replace needs two strings");
    struct jinja_builder builder = {0};
    size_t start = 0;
    if (old.len == 0) { /* before every character and at the end */
        for (; most != 0 && jinja_spend(run, 1); most -= most > 0) {
            jinja_build_text(run, &builder, with.text);
            if (start >= self.text->len)
                break;
            size_t n = jinja_decode(self.text, start, NULL);
            jinja_build_range(run, &builder, self.text, start, start + n);
            start += n;
        }
    }
    for (ptrdiff_t hit; old.len && most != 0 && jinja_spend(run, 1) && (hit = find_from(self.text, start, old)) >= 0; most -= most > 0) {
        jinja_build_range(run, &builder, self.text, start, (size_t)hit);
        jinja_build_text(run, &builder, with.text);
        start = (size_t)hit + old.len;
    }
    if (run->failed)
        return jinja_undefined(NULL);
    if (start == 0 && builder.len == 0)
        return self;
    jinja_build_range(run, &builder, self.text, start, self.text->len);
    return jinja_built(run, &builder);
}

enum casing { CASE_UPPER, CASE_LOWER, CASE_CAPITALIZE, CASE_TITLE, CASE_SWAP };

/* Writes the character in its new case; returns the bytes. Sharp s is the one common letter that becomes two. */
static size_t recase(uint32_t code, enum casing casing, bool is_first, bool after_letter, char out[4])
{
    bool upper = casing == CASE_UPPER || (casing == CASE_CAPITALIZE && is_first) || (casing == CASE_TITLE && !after_letter) ||
                 (casing == CASE_SWAP && utf8proc_islower((utf8proc_int32_t)code));
    if (upper && code == 0xdf) {
        memcpy(out, casing == CASE_UPPER || casing == CASE_SWAP ? "SS" : "Ss", 2);
        return 2;
    }
    return utf8_encode((uint32_t)(upper ? utf8proc_toupper((utf8proc_int32_t)code) : utf8proc_tolower((utf8proc_int32_t)code)), out);
}

static bool is_letter(uint32_t code)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

static struct jinja_value change_case(struct jinja_run *run, const struct jinja_text *text, enum casing casing)
{
    struct jinja_builder builder = {0};
    bool after_letter = false;
    for (size_t i = 0, n; i < text->len && jinja_spend(run, (i & 31) == 0); i += n) {
        uint32_t code;
        char out[4];
        n = jinja_decode(text, i, &code);
        size_t n_out = recase(code, casing, i == 0, after_letter, out);
        after_letter = is_letter(code);
        jinja_build(run, &builder, str_from(out, n_out), jinja_origin_at(text, i));
    }
    return run->failed ? jinja_undefined(NULL) : jinja_built(run, &builder);
}

static struct jinja_value text_upper(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    (void)args;
    return change_case(run, self.text, CASE_UPPER);
}

static struct jinja_value text_lower(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    (void)args;
    return change_case(run, self.text, CASE_LOWER);
}

static struct jinja_value text_capitalize(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    (void)args;
    return change_case(run, self.text, CASE_CAPITALIZE);
}

static struct jinja_value text_title(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    (void)args;
    return change_case(run, self.text, CASE_TITLE);
}

static struct jinja_value text_swapcase(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    (void)args;
    return change_case(run, self.text, CASE_SWAP);
}

static struct jinja_value text_removeprefix(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    struct str prefix = jinja_arg_str(run, args, 0, "prefix", "");
    return jinja_slice(run, self.text, str_starts(jinja_str(self), prefix) ? prefix.len : 0, self.text->len);
}

static struct jinja_value text_removesuffix(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    struct str suffix = jinja_arg_str(run, args, 0, "suffix", "");
    return jinja_slice(run, self.text, 0, self.text->len - (str_ends(jinja_str(self), suffix) ? suffix.len : 0));
}

static struct jinja_value text_join(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    struct jinja_value over;
    struct jinja_builder builder = {0};
    if (!jinja_arg(args, 0, "iterable", &over))
        return jinja_fail(run, "join needs a list");
    struct jinja_list *items = jinja_iterate(run, over);
    for (uint32_t i = 0; items && i < items->n && jinja_spend(run, 1); i++) {
        if (items->items[i].kind != JINJA_TEXT)
            return jinja_fail(run, "join of %s", jinja_kind_name(items->items[i]));
        if (i > 0)
            jinja_build_text(run, &builder, self.text);
        jinja_build_text(run, &builder, items->items[i].text);
    }
    return run->failed ? jinja_undefined(NULL) : jinja_built(run, &builder);
}

/* ---- Asking ----------------------------------------------------------------------------------------------------------- */

/* The prefix or suffix may be a tuple of them. */
static struct jinja_value borders(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args, bool at_start)
{
    struct jinja_value what;
    if (!jinja_arg(args, 0, "prefix", &what) || (what.kind != JINJA_TEXT && what.kind != JINJA_LIST))
        return jinja_fail(run, "%s needs a string", at_start ? "startswith" : "endswith");
    uint32_t n = what.kind == JINJA_TEXT ? 1 : what.list->n;
    bool found = false;
    for (uint32_t i = 0; i < n && !found && jinja_spend(run, 1); i++) {
        struct jinja_value one = what.kind == JINJA_TEXT ? what : what.list->items[i];
        found = one.kind == JINJA_TEXT &&
                (at_start ? str_starts(jinja_str(self), jinja_str(one)) : str_ends(jinja_str(self), jinja_str(one)));
    }
    return jinja_bool(found);
}

static struct jinja_value text_startswith(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    return borders(run, self, args, true);
}

static struct jinja_value text_endswith(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    return borders(run, self, args, false);
}

static struct jinja_value found_at(const struct jinja_text *text, ptrdiff_t hit)
{
    return jinja_int(hit < 0 ? -1 : (int64_t)utf8_length(text->at, (size_t)hit));
}

static struct jinja_value text_find(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    struct str what = jinja_arg_str(run, args, 0, "sub", "");
    return jinja_spend(run, self.text->len / 512) ? found_at(self.text, find_from(self.text, 0, what)) : jinja_undefined(NULL);
}

static struct jinja_value text_rfind(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    struct str what = jinja_arg_str(run, args, 0, "sub", "");
    return jinja_spend(run, self.text->len / 256) ? found_at(self.text, find_last(self.text, self.text->len, what))
                                                  : jinja_undefined(NULL);
}

static struct jinja_value text_count(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    struct str what = jinja_arg_str(run, args, 0, "sub", "");
    int64_t n = 0;
    if (what.len == 0)
        return jinja_int((int64_t)utf8_length(self.text->at, self.text->len) + 1);
    size_t start = 0;
    for (ptrdiff_t hit; jinja_spend(run, 1) && (hit = find_from(self.text, start, what)) >= 0; n++)
        start = (size_t)hit + what.len;
    return jinja_int(n);
}

/* Every character is of a class, and there is one. */
static struct jinja_value all_are(struct jinja_run *run, const struct jinja_text *text, bool (*is)(uint32_t))
{
    for (size_t i = 0; i < text->len && jinja_spend(run, (i & 31) == 0);) {
        uint32_t code;
        i += jinja_decode(text, i, &code);
        if (!is(code))
            return jinja_bool(false);
    }
    return jinja_bool(text->len > 0);
}

static bool is_digit(uint32_t code)
{
    return utf8proc_category((utf8proc_int32_t)code) == UTF8PROC_CATEGORY_ND;
}

static bool is_letter_or_digit(uint32_t code)
{
    return is_letter(code) || is_digit(code);
}

static struct jinja_value text_isdigit(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    (void)args;
    return all_are(run, self.text, is_digit);
}

static struct jinja_value text_isalpha(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    (void)args;
    return all_are(run, self.text, is_letter);
}

static struct jinja_value text_isalnum(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    (void)args;
    return all_are(run, self.text, is_letter_or_digit);
}

static struct jinja_value text_isspace(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    (void)args;
    return all_are(run, self.text, is_white);
}

static struct jinja_value text_isupper(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    return jinja_bool(jinja_test_find(str_of("upper"))->holds(run, self, args));
}

static struct jinja_value text_islower(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    return jinja_bool(jinja_test_find(str_of("lower"))->holds(run, self, args));
}

/* ---- Mappings, lists, loops ------------------------------------------------------------------------------------------- */

static struct jinja_value map_get(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    struct jinja_value key, fallback = jinja_none(), value;
    if (!jinja_arg(args, 0, "key", &key))
        return jinja_fail(run, "get needs a key");
    jinja_arg(args, 1, "default", &fallback);
    bool found = key.kind == JINJA_TEXT && jinja_spend(run, self.map->n / 16) && jinja_find(self.map, jinja_str(key), &value);
    return found ? value : fallback;
}

static struct jinja_value map_items(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    return jinja_filter_find(str_of("items"))->apply(run, self, args);
}

static struct jinja_value map_keys(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    return jinja_filter_find(str_of("list"))->apply(run, self, args);
}

static struct jinja_value map_values(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    (void)args;
    struct jinja_value out = new_list(run, self.map->n);
    for (uint32_t i = 0; i < self.map->n && jinja_spend(run, 1); i++)
        jinja_list_add(run->heap, out.list, self.map->pairs[i].value);
    return out;
}

static struct jinja_value copy(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    (void)run;
    (void)args;
    return self; /* values are never changed, so a copy is the value */
}

static struct jinja_value list_index(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    struct jinja_value what;
    if (!jinja_arg(args, 0, "value", &what))
        return jinja_fail(run, "index needs a value");
    for (uint32_t i = 0; i < self.list->n && !run->failed; i++)
        if (jinja_equal(run, self.list->items[i], what))
            return jinja_int(i);
    return jinja_fail(run, "index: not in the list");
}

static struct jinja_value list_count(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    struct jinja_value what;
    int64_t n = 0;
    if (!jinja_arg(args, 0, "value", &what))
        return jinja_fail(run, "count needs a value");
    for (uint32_t i = 0; i < self.list->n && !run->failed; i++)
        n += jinja_equal(run, self.list->items[i], what);
    return jinja_int(n);
}

static struct jinja_value refuse_change(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    (void)args;
    return jinja_fail(run, "%s cannot be changed by a template", jinja_kind_name(self));
}

static struct jinja_value loop_cycle(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    return args->n_positional ? args->values[self.loop->index % args->n_positional] : jinja_fail(run, "cycle without values");
}

static struct jinja_value loop_changed(struct jinja_run *run, struct jinja_value self, const struct jinja_args *args)
{
    struct jinja_value seen = new_list(run, args->n_positional);
    for (uint32_t i = 0; !run->failed && i < args->n_positional; i++)
        jinja_list_add(run->heap, seen.list, args->values[i]);
    bool changed = !run->failed && !(self.loop->has_changed && jinja_equal(run, self.loop->changed, seen));
    self.loop->changed = seen;
    self.loop->has_changed = true;
    return jinja_bool(changed);
}

static const struct method methods[] = {
    {"capitalize", JINJA_TEXT, text_capitalize},
    {"count", JINJA_TEXT, text_count},
    {"endswith", JINJA_TEXT, text_endswith},
    {"find", JINJA_TEXT, text_find},
    {"isalnum", JINJA_TEXT, text_isalnum},
    {"isalpha", JINJA_TEXT, text_isalpha},
    {"isdecimal", JINJA_TEXT, text_isdigit},
    {"isdigit", JINJA_TEXT, text_isdigit},
    {"islower", JINJA_TEXT, text_islower},
    {"isnumeric", JINJA_TEXT, text_isdigit},
    {"isspace", JINJA_TEXT, text_isspace},
    {"isupper", JINJA_TEXT, text_isupper},
    {"join", JINJA_TEXT, text_join},
    {"lower", JINJA_TEXT, text_lower},
    {"lstrip", JINJA_TEXT, text_lstrip},
    {"partition", JINJA_TEXT, text_partition},
    {"removeprefix", JINJA_TEXT, text_removeprefix},
    {"removesuffix", JINJA_TEXT, text_removesuffix},
    {"replace", JINJA_TEXT, text_replace},
    {"rfind", JINJA_TEXT, text_rfind},
    {"rpartition", JINJA_TEXT, text_rpartition},
    {"rsplit", JINJA_TEXT, text_rsplit},
    {"rstrip", JINJA_TEXT, text_rstrip},
    {"split", JINJA_TEXT, text_split},
    {"splitlines", JINJA_TEXT, text_splitlines},
    {"startswith", JINJA_TEXT, text_startswith},
    {"strip", JINJA_TEXT, text_strip},
    {"swapcase", JINJA_TEXT, text_swapcase},
    {"title", JINJA_TEXT, text_title},
    {"upper", JINJA_TEXT, text_upper},
    {"append", JINJA_LIST, refuse_change},
    {"clear", JINJA_LIST, refuse_change},
    {"copy", JINJA_LIST, copy},
    {"count", JINJA_LIST, list_count},
    {"extend", JINJA_LIST, refuse_change},
    {"index", JINJA_LIST, list_index},
    {"insert", JINJA_LIST, refuse_change},
    {"pop", JINJA_LIST, refuse_change},
    {"remove", JINJA_LIST, refuse_change},
    {"reverse", JINJA_LIST, refuse_change},
    {"sort", JINJA_LIST, refuse_change},
    {"clear", JINJA_MAP, refuse_change},
    {"copy", JINJA_MAP, copy},
    {"get", JINJA_MAP, map_get},
    {"items", JINJA_MAP, map_items},
    {"keys", JINJA_MAP, map_keys},
    {"pop", JINJA_MAP, refuse_change},
    {"popitem", JINJA_MAP, refuse_change},
    {"setdefault", JINJA_MAP, refuse_change},
    {"update", JINJA_MAP, refuse_change},
    {"values", JINJA_MAP, map_values},
    {"changed", JINJA_LOOP, loop_changed},
    {"cycle", JINJA_LOOP, loop_cycle},
};

static const struct method *find(struct jinja_value self, struct str name)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (methods[i].of == self.kind && str_is(name, methods[i].name))
            return &methods[i];
    return NULL;
}

bool jinja_method_exists(struct jinja_value self, struct str name)
{
    return find(self, name) != NULL;
}

struct jinja_value jinja_method_call(struct jinja_run *run, const struct jinja_method *method, const struct jinja_args *args)
{
    const struct method *found = find(method->self, method->name);
    check(found);
    return jinja_spend(run, 1) ? found->call(run, method->self, args) : jinja_undefined(NULL);
}

/* ---- Functions -------------------------------------------------------------------------------------------------------- */

static struct jinja_value function_range(struct jinja_run *run, const struct jinja_args *args)
{
    int64_t start = 0, stop = jinja_arg_int(run, args, 0, "stop", 0), step = jinja_arg_int(run, args, 2, "step", 1);
    if (args->n_positional >= 2) {
        start = stop;
        stop = jinja_arg_int(run, args, 1, "stop", 0);
    }
    if (run->failed || step == 0)
        return jinja_fail(run, "range with a step of zero");
    __int128 distance = (__int128)stop - start;
    __int128 n = step > 0 ? (distance + step - 1) / step : (distance + step + 1) / step;
    if ((step > 0) != (distance > 0) || distance == 0)
        n = 0;
    if (n > RANGE_MAX)
        return jinja_fail(run, "range: more than %d items", RANGE_MAX);
    struct jinja_value out = new_list(run, (uint32_t)n);
    for (int64_t i = 0; i < (int64_t)n && jinja_spend(run, 1); i++)
        jinja_list_add(run->heap, out.list, jinja_int(start + i * step));
    return out;
}

static struct jinja_value function_namespace(struct jinja_run *run, const struct jinja_args *args)
{
    struct jinja_scope *scope = arena_zalloc(run->heap->arena, sizeof *scope);
    if (!scope)
        return jinja_fail(run, "out of memory");
    for (uint32_t i = 0; i < args->n_positional; i++)
        for (uint32_t k = 0; args->values[i].kind == JINJA_MAP && k < args->values[i].map->n; k++)
            if (args->values[i].map->pairs[k].key.kind == JINJA_TEXT)
                jinja_scope_set(run, scope, jinja_str(args->values[i].map->pairs[k].key), args->values[i].map->pairs[k].value);
    for (uint32_t i = args->n_positional; i < args->n; i++)
        jinja_scope_set(run, scope, args->names[i], args->values[i]);
    return (struct jinja_value){.kind = JINJA_NAMESPACE, .scope = scope};
}

static struct jinja_value function_dict(struct jinja_run *run, const struct jinja_args *args)
{
    struct jinja_value out = jinja_map(run->heap, args->n);
    if (run->heap->failed)
        return jinja_fail(run, "out of memory");
    for (uint32_t i = 0; i < args->n_positional; i++)
        for (uint32_t k = 0; args->values[i].kind == JINJA_MAP && k < args->values[i].map->n && jinja_spend(run, 1 + k / 16); k++)
            jinja_map_set(run->heap, out.map, args->values[i].map->pairs[k].key, args->values[i].map->pairs[k].value);
    for (uint32_t i = args->n_positional; i < args->n && !run->failed; i++)
        jinja_map_set(run->heap, out.map, jinja_text_of(run, args->names[i]), args->values[i]);
    return out;
}

static struct jinja_value function_raise(struct jinja_run *run, const struct jinja_args *args)
{
    struct jinja_value message = args->n ? jinja_to_text(run, args->values[0]) : jinja_undefined(NULL);
    if (run->failed || message.kind != JINJA_TEXT)
        return jinja_fail(run, "the template refuses the conversation");
    return jinja_fail(run, "%.*s", (int)(message.text->len < 300 ? message.text->len : 300), message.text->at);
}

/* The date the caller gave (YYYY-MM-DD), or now. */
static bool broken_down(const char *date, struct tm *out)
{
    time_t now = time(NULL);
    if (!date)
        return localtime_r(&now, out) != NULL;
    *out = (struct tm){.tm_isdst = -1};
    return strptime(date, "%Y-%m-%d", out) != NULL;
}

static struct jinja_value function_strftime_now(struct jinja_run *run, const struct jinja_args *args)
{
    struct str format = jinja_arg_str(run, args, 0, "format", "%Y-%m-%d");
    char text[DATE_FORMAT_BYTES_MAX + 1], out[2 * DATE_FORMAT_BYTES_MAX];
    struct tm at;
    if (run->failed || format.len > DATE_FORMAT_BYTES_MAX || memchr(format.at, 0, format.len))
        return jinja_fail(run, "strftime_now: the format is too long");
    for (size_t i = 0; i < format.len; i++) { /* no widths: they could make the result huge */
        if (format.at[i] != '%')
            continue;
        i += i + 1 < format.len && format.at[i + 1] == '-' ? 2 : 1;
        if (i >= format.len || !strchr("aAwdbBmyYHIMpSzZjUWcxX%eDFTRnt", format.at[i]))
            return jinja_fail(run, "strftime_now: the format has a letter that is not supported");
    }
    memcpy(text, format.at, format.len);
    text[format.len] = 0;
    if (!broken_down(run->date, &at))
        return jinja_fail(run, "strftime_now: the date is not YYYY-MM-DD");
    size_t n = strftime(out, sizeof out, text, &at);
    struct str kept = arena_str(run->heap->arena, str_from(out, n));
    return kept.at ? jinja_text_of(run, kept) : jinja_fail(run, "out of memory");
}

void jinja_functions_define(struct jinja_run *run, struct jinja_scope *scope)
{
    static const struct jinja_function functions[] = {
        {"range", function_range},           {"namespace", function_namespace},       {"dict", function_dict},
        {"raise_exception", function_raise}, {"strftime_now", function_strftime_now},
    };
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        jinja_scope_set(run, scope, str_of(functions[i].name), (struct jinja_value){.kind = JINJA_FUNCTION, .function = &functions[i]});
}
