/* Read-only mappings of model files, and the answer to a file that shrinks under one. */
#include "base/file_map.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { EXIT_MODEL_FILE = 74, MAPPED_MAX = 4200 };

/* Mapped ranges, for the fault handler alone: written at start-up, read in the handler. A slot is used
 * when its path is set. */
static struct {
    _Atomic(const char *) path;
    const unsigned char *data;
    size_t bytes;
} mapped[MAPPED_MAX];

static void remember(const struct file_map *map)
{
    for (int i = 0; i < MAPPED_MAX; i++) {
        if (atomic_load(&mapped[i].path))
            continue;
        mapped[i].data = map->data;
        mapped[i].bytes = map->bytes;
        atomic_store(&mapped[i].path, map->path);
        return;
    }
}

static void forget(const struct file_map *map)
{
    for (int i = 0; i < MAPPED_MAX; i++)
        if (atomic_load(&mapped[i].path) == map->path) {
            atomic_store(&mapped[i].path, NULL);
            return;
        }
}

static enum status open_regular(const char *path, int *out, struct stat *st, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return error_set(error, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "%s: %s", path, strerror(errno));
    if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode)) {
        close(fd);
        return error_set(error, STATUS_INVALID, "%s: not a regular file", path);
    }
    *out = fd;
    return STATUS_OK;
}

static int64_t mtime_ns(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

enum status file_map_open(struct file_map *map, const char *path, struct error *error)
{
    *map = (struct file_map){0};
    int fd;
    struct stat st;
    enum status status = open_regular(path, &fd, &st, error);
    if (status)
        return status;
    map->bytes = (size_t)st.st_size;
    map->device = st.st_dev;
    map->inode = st.st_ino;
    map->mtime_ns = mtime_ns(&st);
    map->path = mem_strdup(path);
    if (!map->path) {
        close(fd);
        return error_set(error, STATUS_NO_MEMORY, "%s: out of memory", path);
    }
    if (map->bytes) {
        void *data = mmap(NULL, map->bytes, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED) {
            status = error_set(error, STATUS_IO, "%s: cannot map %zu bytes: %s", path, map->bytes, strerror(errno));
            mem_free(map->path);
            *map = (struct file_map){0};
            close(fd);
            return status;
        }
        map->data = data;
        remember(map);
    }
    close(fd);
    return STATUS_OK;
}

void file_map_close(struct file_map *map)
{
    if (map->data) {
        forget(map);
        munmap((void *)(uintptr_t)map->data, map->bytes);
    }
    mem_free(map->path);
    *map = (struct file_map){0};
}

enum status file_map_verify(const struct file_map *map, struct error *error)
{
    struct stat st;
    if (stat(map->path, &st) != 0)
        return error_set(error, STATUS_IO, "%s: %s", map->path, strerror(errno));
    if ((uint64_t)st.st_dev != map->device || (uint64_t)st.st_ino != map->inode || (size_t)st.st_size != map->bytes ||
        mtime_ns(&st) != map->mtime_ns)
        return error_set(error, STATUS_INVALID, "%s: the file changed while it was being read", map->path);
    return STATUS_OK;
}

void file_map_forget(const struct file_map *map, size_t offset, size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t begin = size_round_up(offset, page), end = (offset + len) / page * page;
    if (map->data && end > begin)
        madvise((void *)(uintptr_t)(map->data + begin), end - begin, MADV_DONTNEED);
}

static void write_text(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored;
}

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    const unsigned char *at = info->si_addr;
    for (int i = 0; i < MAPPED_MAX; i++) {
        const char *path = atomic_load(&mapped[i].path);
        if (path && at >= mapped[i].data && at < mapped[i].data + mapped[i].bytes) {
            write_text("fatal: ");
            write_text(path);
            write_text(": the file was truncated or its disk failed while it was in use\n");
            _exit(EXIT_MODEL_FILE);
        }
    }
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

void file_map_catch_faults(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

enum status file_map_read(const char *path, size_t max_bytes, char **text, size_t *len, struct error *error)
{
    int fd;
    struct stat st;
    enum status status = open_regular(path, &fd, &st, error);
    if (status)
        return status;
    size_t size = (size_t)st.st_size, got = 0;
    char *data = NULL;
    if (size > max_bytes) {
        status = error_set(error, STATUS_LIMIT, "%s: %zu bytes, at most %zu allowed", path, size, max_bytes);
    } else if (!(data = mem_alloc(size + 1))) {
        status = error_set(error, STATUS_NO_MEMORY, "%s: out of memory", path);
    } else {
        while (got < size) {
            ssize_t n = read(fd, data + got, size - got);
            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0)
                break;
            got += (size_t)n;
        }
        if (got != size)
            status = error_set(error, STATUS_IO, "%s: read %zu of %zu bytes", path, got, size);
    }
    close(fd);
    if (status) {
        mem_free(data);
        return status;
    }
    data[size] = 0;
    *text = data;
    *len = size;
    return STATUS_OK;
}
