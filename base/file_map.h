/* A file mapped read-only. Only regular files; the name is kept for messages. */
#ifndef BASE_FILE_MAP_H
#define BASE_FILE_MAP_H

#include "base/status.h"
#include "base/str.h"

struct file_map {
    const unsigned char *data; /* [bytes]; null when bytes is 0 */
    size_t bytes;
    char *path; /* owned */
    uint64_t device, inode;
    int64_t mtime_ns;
};

/* Opens close-on-exec and non-blocking, refuses what is not a regular file, maps all of it. */
enum status file_map_open(struct file_map *map, const char *path, struct error *error) must_check;
void file_map_close(struct file_map *map);

/* STATUS_INVALID when the file at the path is no longer the one that was mapped. */
enum status file_map_verify(const struct file_map *map, struct error *error) must_check;

/* Tells the kernel that a range will not be read again (its pages may be dropped). */
void file_map_forget(const struct file_map *map, size_t offset, size_t len);

/* From now on a fault inside any mapped file (it was truncated) names the file on stderr and ends the
 * process with exit code 74 instead of dying on SIGBUS. */
void file_map_catch_faults(void);

/* Reads a whole small file into fresh memory (caller frees with mem_free; NUL added after the end). */
enum status file_map_read(const char *path, size_t max_bytes, char **text, size_t *len,
                          struct error *error) must_check;

#endif
