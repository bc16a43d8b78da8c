/* cmd_doctor.c: gan doctor: what this build is and what it makes of this machine. */
#include "command.h"
#include "out.h"

#include "base/file.h"
#include "base/str.h"

#include <gan/machine.h>

#include <stdio.h>
#include <unistd.h>

struct doctor_opts {
    bool json;
};

static const struct gan_opt opts[] = {
    GAN_OPT_BOOL(struct doctor_opts, json, "json", "false", "as JSON"),
    GAN_OPT_END,
};

/* Where Debian's package dataset-fashion-mnist puts the images. */
#define FASHION_MNIST "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"

/* What is looked up besides the library's own words. */
struct place {
    char cache[4096];
    const char *cache_problem; /* NULL: it can be written */
    uint64_t cache_free;
    bool fashion_mnist;
};

static void look(struct place *p, gan_err *err)
{
    *p = (struct place){.fashion_mnist = access(FASHION_MNIST, R_OK) == 0};
    if (gan__cache_dir(p->cache, sizeof p->cache, err) != GAN_OK) {
        p->cache_problem = err->message;
    } else if (access(p->cache, W_OK) != 0) {
        p->cache_problem = "it cannot be written to";
    } else {
        (void)gan__free_space(p->cache, &p->cache_free, NULL);
    }
}

static void print_json(const struct gan_machine *m, const struct place *p)
{
    struct gan__json j = {0};
    gan__json_open(&j, NULL, '{');
    gan__json_text(&j, "version", m->version);
    gan__json_text(&j, "compiler", m->compiler);
    gan__json_text(&j, "flags", m->flags);
    gan__json_text(&j, "build_type", m->build_type);
    gan__json_text(&j, "system", m->system);
    gan__json_text(&j, "cpu", m->cpu[0] != '\0' ? m->cpu : NULL);
    gan__json_text(&j, "isa", m->isa);
    gan__json_text(&j, "onednn", m->onednn[0] != '\0' ? m->onednn : NULL);
    gan__json_text(&j, "onednn_isa", m->onednn_isa[0] != '\0' ? m->onednn_isa : NULL);
    gan__json_i64(&j, "threads", m->threads);
    gan__json_i64(&j, "memory_bytes", (int64_t)m->memory_bytes);
    gan__json_i64(&j, "free_bytes", (int64_t)m->free_bytes);
    gan__json_text(&j, "cache", p->cache[0] != '\0' ? p->cache : NULL);
    gan__json_text(&j, "cache_problem", p->cache_problem);
    gan__json_i64(&j, "cache_free_bytes", (int64_t)p->cache_free);
    gan__json_bool(&j, "fashion_mnist", p->fashion_mnist);
    gan__json_open(&j, "libraries", '{');
    for (int i = 0; gan_library_at(i).name != NULL; i++) {
        gan__json_bool(&j, gan_library_at(i).name, gan_library_at(i).on);
    }
    gan__json_close(&j, '}');
    gan__json_close(&j, '}');
}

static void print_text(const struct gan_machine *m, const struct place *p)
{
    enum { WIDTH = 12 };
    char text[160], a[48], b[48];
    gan__out_heading("Build");
    gan__out_entry(WIDTH, "version", m->version);
    (void)gan__format(text, sizeof text, "%s, %s, for %s", m->compiler, m->build_type, m->system);
    gan__out_entry(WIDTH, "compiler", text);
    gan__out_entry(WIDTH, "flags", m->flags);
    for (int i = 0; gan_library_at(i).name != NULL; i++) {
        struct gan_library l = gan_library_at(i);
        (void)gan__format(text, sizeof text, "%s: %s", l.on ? "on" : "off", l.purpose);
        gan__out_entry(WIDTH, l.name, text);
    }
    (void)putchar('\n');
    gan__out_heading("Machine");
    gan__out_entry(WIDTH, "processor", m->cpu[0] != '\0' ? m->cpu : "unknown");
    gan__out_entry(WIDTH, "kernels", m->isa);
    if (m->onednn[0] != '\0') {
        (void)gan__format(text, sizeof text, "%s, using %s", m->onednn, m->onednn_isa);
        gan__out_entry(WIDTH, "oneDNN", text);
    }
    (void)gan__format(text, sizeof text, "%d", m->threads);
    gan__out_entry(WIDTH, "threads", text);
    (void)gan__format(text, sizeof text, "%s, %s free",
                      gan__text_bytes(a, sizeof a, m->memory_bytes),
                      gan__text_bytes(b, sizeof b, m->free_bytes));
    gan__out_entry(WIDTH, "memory", text);
    (void)putchar('\n');
    gan__out_heading("Files");
    gan__out_entry(WIDTH, "cache", p->cache[0] != '\0' ? p->cache : "none");
    if (p->cache_problem != NULL) {
        gan__out_entry(WIDTH, "", p->cache_problem);
    } else {
        (void)gan__format(text, sizeof text, "%s free",
                          gan__text_bytes(a, sizeof a, p->cache_free));
        gan__out_entry(WIDTH, "", text);
    }
    gan__out_entry(WIDTH, "data",
                   p->fashion_mnist
                       ? "fashion-mnist is installed"
                       : "fashion-mnist is missing: install Debian's dataset-fashion-mnist");
}

static gan_status run(const struct gan__cmdline *a, gan_err *err)
{
    (void)err;
    const struct doctor_opts *o = a->opts;
    struct gan_machine machine;
    struct place place;
    gan_err problem = {0};
    gan_machine_about(&machine);
    look(&place, &problem);
    if (o->json) {
        print_json(&machine, &place);
    } else {
        print_text(&machine, &place);
    }
    return GAN_OK;
}

GAN_COMMAND(doctor) = {
    .name = "doctor",
    .summary = "this build and this machine: compiler, processor, libraries, memory, data",
    .usage = "gan doctor [--json]",
    .opts = opts,
    .size = sizeof(struct doctor_opts),
    .run = run,
};
