/* A safetensors file. The first byte chooses what is fuzzed: the file itself, or the index beside a good shard. */
#include "engine/weights/weights.h"
#include "tests/fuzz/fuzz.h"

static char dir[64];

static void put(const char *name, const void *data, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    fuzz_expect(f && fwrite(data, 1, size, f) == size && fclose(f) == 0);
}

static void drop(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    unlink(path);
}

static void clean_up(void)
{
    drop("model.safetensors");
    drop("model.safetensors.index.json");
    drop("a.safetensors");
    rmdir(dir);
}

static void make_dir(void)
{
    static const char shard[] = "\x33\0\0\0\0\0\0\0{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}..";
    snprintf(dir, sizeof dir, "%s/fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    fuzz_expect(mkdtemp(dir));
    atexit(clean_up);
    put("a.safetensors", shard, sizeof shard - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weights w;
    struct error error;
    if (!dir[0])
        make_dir();
    if (!size)
        return 0;
    const char *name = data[0] == 'i' ? "model.safetensors.index.json" : "model.safetensors";
    put(name, data + 1, size - 1);
    error_clear(&error);
    enum status status = weights_open(&w, dir, &error);
    if (status) {
        fuzz_expect_refusal(status, &error);
    } else {
        for (uint32_t i = 0; i < w.n_tensors; i++) {
            fuzz_expect(weights_find(&w, w.tensors[i].name) == &w.tensors[i]);
            fuzz_touch(w.tensors[i].data, w.tensors[i].n_bytes);
        }
        weights_close(&w);
    }
    drop(name);
    return 0;
}
