/* bench_few.c: convolutions of 1 or 3 channels beside wide ones, all three directions, each as one step
 * of a compiled plan: bias and leaky ReLU behind the forward one, images in bf16 where the precision
 * says so. The time is the step's own, the least over half a second of runs.
 *
 *     bench_few [threads=1] [precision=bf16] [layer: part of a name] */
#include <gan/plan.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DIRECTIONS = 3, FEEDS = 3 };

struct layer {
    const char *name;
    int64_t batch, size, in, out, kernel, stride, pad;
};

static const struct layer layers[] = {
    {"wide 4x4 stride 2, 64 to 128, 32x32", 16, 32, 64, 128, 4, 2, 1},
    {"wide 4x4 stride 2, 128 to 256, 16x16", 16, 16, 128, 256, 4, 2, 1},
    {"7x7, 3 to 64, 128x128", 1, 128, 3, 64, 7, 1, 3},
    {"7x7, 64 to 3, 128x128", 1, 128, 64, 3, 7, 1, 3},
    {"4x4 stride 2, 3 to 64, 128x128", 4, 128, 3, 64, 4, 2, 1},
    {"3x3, 3 to 64, 64x64", 4, 64, 3, 64, 3, 1, 1},
    {"3x3, 64 to 3, 64x64", 4, 64, 64, 3, 3, 1, 1},
    {"3x3, 1 to 64, 32x32", 16, 32, 1, 64, 3, 1, 1},
    {"3x3, 64 to 1, 32x32", 16, 32, 64, 1, 3, 1, 1},
    {"4x4 stride 2, 1 to 64, 32x32", 16, 32, 1, 64, 4, 2, 1},
    {"4x4 stride 2, 1 to 32, 32x32", 64, 32, 1, 32, 4, 2, 1},
    {"4x4, 512 to 1, 15x15", 4, 15, 512, 1, 4, 1, 1},
};

static const char *const op_names[DIRECTIONS] = {"conv2d", "conv2d_input_grad",
                                                 "conv2d_weight_grad"};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static gan_val feed(gan_graph *g, struct gan_feed_data *f, const char *name, gan_shape shape)
{
    uint32_t state = 1;
    const int64_t n = gan_shape_count(&shape);
    float *x = calloc((size_t)n, sizeof *x);
    for (int64_t i = 0; x != NULL && i < n; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (float)(state >> 8) / 16777216.0f - 0.5f;
    }
    *f = (struct gan_feed_data){name, {GAN_F32, shape, x}};
    return gan_feed(g, name, GAN_F32, shape);
}

/* The convolution; images that a network would pass on are squared, so that they may be stored in
 * bf16. */
static gan_val build(gan_graph *g, const struct layer *l, int direction, struct gan_feed_data *f)
{
    const struct gan_conv c = {l->stride, l->stride, l->pad, l->pad, l->pad, l->pad, 1, 1, 1};
    const int64_t small = (l->size + 2 * l->pad - l->kernel) / l->stride + 1;
    const gan_shape x = GAN_SHAPE(l->batch, l->size, l->size, l->in);
    const gan_shape y = GAN_SHAPE(l->batch, small, small, l->out);
    const gan_shape w = GAN_SHAPE(l->out, l->in, l->kernel, l->kernel);
    if (direction == 0) {
        gan_val a = feed(g, &f[0], "a", x), b = feed(g, &f[1], "b", w);
        gan_val bias = feed(g, &f[2], "c", GAN_SHAPE(l->out));
        return gan_square(g, gan_leaky_relu(g, gan_add(g, gan_conv2d(g, a, b, c), bias), 0.2));
    }
    gan_val a = feed(g, &f[0], "a", direction == 1 ? y : x);
    gan_val b = feed(g, &f[1], "b", direction == 1 ? w : y);
    return direction == 1 ? gan_square(g, gan_conv2d_input_grad(g, a, b, c, l->size, l->size))
                          : gan_conv2d_weight_grad(g, a, b, c, l->kernel, l->kernel);
}

/* Least seconds of the convolution's step; 0 and a message on failure. */
static double time_step(gan_plan *p, const char *op, const struct gan_run *run, gan_err *err)
{
    const int64_t steps = gan_plan_info(p).steps;
    const double begin = now_s();
    double best = 0.0;
    for (int i = 0; i < 4 || now_s() - begin < 0.5; i++) {
        if (gan_plan_profile(p, true, err) != GAN_OK || gan_plan_run(p, run, err) != GAN_OK) {
            return 0.0;
        }
        for (int64_t k = 0; k < steps; k++) {
            const char *name = gan_plan_step_at(p, k).op;
            const double t = gan_plan_step_seconds(p, k);
            const size_t n = strlen(op); /* "conv2d_post" is one of conv2d */
            const bool is =
                strncmp(name, op, n) == 0 && (name[n] == '\0' || strcmp(name + n, "_post") == 0);
            best = is && (best == 0.0 || t < best) ? t : best;
        }
    }
    return best;
}

static double time_layer(const struct layer *l, int direction, int threads, const char *precision)
{
    struct gan_feed_data f[FEEDS] = {{0}};
    gan_graph *g = gan_graph_new(NULL, GAN_F32);
    gan_val out = build(g, l, direction, f);
    const struct gan_run run = {.seed = 1, .feeds = f, .n_feeds = direction == 0 ? 3 : 2};
    const struct gan_plan_opts o = {.threads = threads, .precision = precision};
    gan_err err = {0};
    double t = 0.0;
    gan_plan *p = gan_plan_new(g, &out, 1, &o, &err);
    if (p != NULL) {
        t = time_step(p, op_names[direction], &run, &err);
    }
    if (err.code != GAN_OK) {
        fprintf(stderr, "bench_few: %s\n", err.message);
    }
    gan_plan_free(p);
    gan_graph_free(g);
    for (int i = 0; i < FEEDS; i++) {
        free(f[i].value.data);
    }
    return t;
}

int main(int argc, char **argv)
{
    const int threads = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 1;
    const char *precision = argc > 2 ? argv[2] : "bf16", *part = argc > 3 ? argv[3] : "";
    if (threads < 1 || threads > 1024) {
        fprintf(stderr, "bench_few: threads %d (1..1024)\n", threads);
        return 2;
    }
    printf("%d threads, %s\n%-38s %5s  %14s  %14s  %14s\n", threads, precision, "layer", "batch",
           "forward", "data gradient", "weight gradient");
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        const struct layer *l = &layers[i];
        const int64_t small = (l->size + 2 * l->pad - l->kernel) / l->stride + 1;
        const double flop = 2.0 * (double)(l->batch * small * small * l->in * l->out) *
                            (double)(l->kernel * l->kernel);
        if (strstr(l->name, part) == NULL) {
            continue;
        }
        printf("%-38s %5" PRId64, l->name, l->batch);
        for (int d = 0; d < DIRECTIONS; d++) {
            const double t = time_layer(l, d, threads, precision);
            printf("  %6.1f %7.3f", t > 0.0 ? flop / t / 1e9 : 0.0, t * 1e3);
        }
        printf("\n");
    }
    printf("%45s  GFLOP/s     ms of each\n", "");
    return 0;
}
