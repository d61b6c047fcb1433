/* Sums are read first, whole; then each file is mapped and hashed. */
#include "server/model_sums.h"

#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file_map.h"
#include "base/mem.h"

enum { SUMS_BYTES_MAX = 1 << 20, HASHED_BYTES_MAX = 64 << 20, HEX = 2 * crypto_hash_sha256_BYTES, NAME_BYTES = 256 };

static enum status check_file(const char *path, const char *wanted, struct error *error)
{
    struct file_map map;
    unsigned char sum[crypto_hash_sha256_BYTES];
    char found[HEX + 1];
    enum status status = file_map_open(&map, path, error);
    if (status)
        return status;
    if (map.bytes <= HASHED_BYTES_MAX) {
        crypto_hash_sha256(sum, map.data, map.bytes);
        sodium_bin2hex(found, sizeof found, sum, sizeof sum);
        if (strcmp(found, wanted) != 0)
            status = error_set_path(error, STATUS_INVALID, NULL, "model",
                                    "%s is damaged: its SHA-256 is %s, SHA256SUMS beside it says %s; put the published file in its place",
                                    path, found, wanted);
    }
    file_map_close(&map);
    return status;
}

/* "HEX  NAME" or "HEX *NAME"; the name may not lead out of the folder. */
static bool read_line(struct str line, char hex[HEX + 1], char name[NAME_BYTES])
{
    if (line.len < HEX + 3 || line.len - HEX - 2 >= NAME_BYTES || line.at[HEX] != ' ' || !strchr(" *", line.at[HEX + 1]))
        return false;
    memcpy(hex, line.at, HEX);
    hex[HEX] = 0;
    memcpy(name, line.at + HEX + 2, line.len - HEX - 2);
    name[line.len - HEX - 2] = 0;
    return strspn(hex, "0123456789abcdef") == HEX && !strchr(name, '/') && strlen(name) == line.len - HEX - 2;
}

static enum status check_lines(const char *folder, const char *sums, struct str text, struct error *error)
{
    char hex[HEX + 1], name[NAME_BYTES], path[PATH_MAX + NAME_BYTES + 1];
    enum status status = STATUS_OK;
    for (unsigned number = 1; text.len && !status; number++) {
        const char *newline = memchr(text.at, '\n', text.len);
        struct str line = str_from(text.at, newline ? (size_t)(newline - text.at) : text.len);
        text = str_skip(text, line.len + (newline != NULL));
        if (!line.len)
            continue;
        if (!read_line(line, hex, name))
            return error_set_path(error, STATUS_INVALID, NULL, "model", "%s: line %u is not a SHA-256 and a file's name", sums, number);
        snprintf(path, sizeof path, "%s/%s", folder, name);
        status = check_file(path, hex, error);
    }
    return status;
}

enum status model_sums_check(const char *path, struct error *error)
{
    char sums[PATH_MAX + NAME_BYTES], *text;
    size_t len;
    struct stat info;
    snprintf(sums, sizeof sums, "%s/SHA256SUMS", path);
    if (strlen(path) >= PATH_MAX || stat(sums, &info) != 0)
        return STATUS_OK;
    enum status status = file_map_read(sums, SUMS_BYTES_MAX, &text, &len, error);
    if (status)
        return status;
    status = check_lines(path, sums, str_from(text, len), error);
    mem_free(text);
    return status;
}
