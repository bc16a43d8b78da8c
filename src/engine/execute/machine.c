/* machine.c: build and machine in words. Memory is that of the control group where it is less than
 * the machine's: a container's limit is what ends a run. */
#include "gan_config.h"

#include <gan/machine.h>
#include <gan/plan.h>

#include "engine/kernels/lanes.h"
#include "machine.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* The file's text after `name` up to the end of the line, blanks and colon dropped; "" if absent. */
static void line_of(const char *path, const char *name, char *dst, size_t cap)
{
    char *text = NULL;
    size_t size = 0;
    dst[0] = '\0';
    if (gan__file_read(path, 1 << 20, &text, &size, NULL) != GAN_OK) {
        return;
    }
    const char *at = strstr(text, name);
    if (at != NULL) {
        at += strlen(name);
        at += strspn(at, " \t:");
        (void)gan__format(dst, cap, "%.*s", (int)strcspn(at, "\n"), at);
    }
    gan__free(text);
}

static uint64_t memory_line(const char *name)
{
    char text[64];
    line_of("/proc/meminfo", name, text, sizeof text);
    return (uint64_t)strtoull(text, NULL, 10) * 1024;
}

/* A file that holds one number; UINT64_MAX when it is absent or says "max". */
static uint64_t number_in(const char *path)
{
    char text[64];
    line_of(path, "", text, sizeof text);
    if (text[0] < '0' || text[0] > '9') {
        return UINT64_MAX;
    }
    return (uint64_t)strtoull(text, NULL, 10);
}

static void limit_memory(struct gan_machine *m)
{
    static const char *const files[][2] = {
        {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
        {"/sys/fs/cgroup/memory/memory.limit_in_bytes",
         "/sys/fs/cgroup/memory/memory.usage_in_bytes"},
    };
    for (size_t i = 0; i < 2; i++) {
        uint64_t limit = number_in(files[i][0]), used = number_in(files[i][1]);
        if (limit >= m->memory_bytes) {
            continue;
        }
        m->memory_bytes = limit;
        uint64_t rest = used < limit ? limit - used : 0;
        m->free_bytes = rest < m->free_bytes ? rest : m->free_bytes;
    }
}

void gan_machine_about(struct gan_machine *out)
{
    *out = (struct gan_machine){
        .version = GAN_VERSION_STRING,
        .compiler = GAN_BUILD_COMPILER,
        .flags = GAN_BUILD_FLAGS,
        .build_type = GAN_BUILD_TYPE,
        .system = GAN_BUILD_SYSTEM,
        .isa = gan__lanes()->isa,
        .onednn = "",
        .onednn_isa = "",
        .threads = omp_get_num_procs(),
        .memory_bytes = memory_line("MemTotal"),
        .free_bytes = memory_line("MemAvailable"),
    };
    line_of("/proc/cpuinfo", "model name", out->cpu, sizeof out->cpu);
    limit_memory(out);
#if GAN_HAVE_ONEDNN
    out->onednn = gan__dnnl_version();
    out->onednn_isa = gan__dnnl_isa();
#endif
}

struct gan_library gan_library_at(int i)
{
    static const struct gan_library list[] = {
        {"onednn", GAN_HAVE_ONEDNN, "convolutions and matrix products"},
        {"zlib", GAN_HAVE_ZLIB, "compressed data (.gz)"},
        {"spng", GAN_HAVE_SPNG, "images as PNG"},
        {"yaml", GAN_HAVE_YAML, "configuration files"},
        {"cjson", GAN_HAVE_CJSON, "headers of checkpoints, logs"},
        {"lapack", GAN_HAVE_LAPACK, "eigenvalues of metrics"},
        {"jpeg", GAN_HAVE_JPEG, "images as JPEG"},
        {"cairo", GAN_HAVE_CAIRO, "figures as PNG and SVG"},
        {"sqlite", GAN_HAVE_SQLITE, "database of runs"},
    };
    int count = (int)(sizeof list / sizeof list[0]);
    return i >= 0 && i < count ? list[i] : (struct gan_library){0};
}

bool gan_bf16_works(void)
{
#if GAN_HAVE_ONEDNN
    return gan__dnnl_bf16();
#else
    return false;
#endif
}
