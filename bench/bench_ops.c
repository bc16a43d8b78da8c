/* bench_ops.c: what the machine's kernels reach on the layers of DCGAN: convolutions in all three
 * directions through compiled plans, a large matrix product as the peak, and the passes over memory
 * between them.
 *
 *     bench_ops [threads=2] [batch=64] */
#include <gan/plan.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST_FEEDS = 4 };

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A graph of one op over feeds, which get random numbers. */
struct job {
    gan_graph *g;
    gan_plan *plan;
    struct gan_feed_data feed[MOST_FEEDS];
    size_t n_feeds;
    gan_err err;
};

static const char *const names[MOST_FEEDS] = {"a", "b", "c", "d"};

static gan_val operand(struct job *j, gan_shape shape)
{
    uint32_t state = 1;
    int64_t n = gan_shape_count(&shape);
    float *x = calloc((size_t)n, sizeof *x);
    for (int64_t i = 0; x != NULL && i < n; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (float)(state >> 8) / 16777216.0f - 0.5f;
    }
    j->feed[j->n_feeds] = (struct gan_feed_data){names[j->n_feeds], {GAN_F32, shape, x}};
    return gan_feed(j->g, names[j->n_feeds++], GAN_F32, shape);
}

static void start(struct job *j)
{
    *j = (struct job){.g = gan_graph_new(NULL, GAN_F32)};
}

/* Best seconds of a run over half a second of runs; ends the job. 0 and a message on failure. */
static double finish(struct job *j, const gan_val *out, int n, int threads)
{
    double best = 0.0, begin = now_s();
    struct gan_run run = {.seed = 1, .feeds = j->feed, .n_feeds = j->n_feeds};
    j->plan = gan_plan_new(j->g, out, n, &(struct gan_plan_opts){.threads = threads}, &j->err);
    for (int i = 0; j->plan != NULL && (i < 4 || now_s() - begin < 0.5); i++) {
        double t = now_s();
        if (gan_plan_run(j->plan, &run, &j->err) != GAN_OK) {
            break;
        }
        t = now_s() - t;
        best = i == 0 || t < best ? t : best;
    }
    if (j->err.code != GAN_OK) {
        fprintf(stderr, "bench_ops: %s\n", j->err.message);
        best = 0.0;
    }
    gan_plan_free(j->plan);
    gan_graph_free(j->g);
    for (size_t i = 0; i < j->n_feeds; i++) {
        free(j->feed[i].value.data);
    }
    return best;
}

/* One convolution: image size, channels in and out, kernel 4. */
struct layer {
    const char *name;
    int64_t size, in, out, stride, pad;
};

static void bench_layer(const struct layer *l, int64_t batch, int threads)
{
    struct gan_conv c = {l->stride, l->stride, l->pad, l->pad, l->pad, l->pad, 1, 1, 1};
    int64_t small = (l->size + 2 * l->pad - 4) / l->stride + 1;
    gan_shape x = GAN_SHAPE(batch, l->size, l->size, l->in);
    gan_shape y = GAN_SHAPE(batch, small, small, l->out), w = GAN_SHAPE(l->out, l->in, 4, 4);
    double flop = 2.0 * 16.0 * (double)(batch * small * small * l->in * l->out), t[3];
    struct job j;
    start(&j);
    gan_val a = operand(&j, x), b = operand(&j, w), r = gan_conv2d(j.g, a, b, c);
    t[0] = finish(&j, &r, 1, threads);
    start(&j);
    a = operand(&j, y), b = operand(&j, w);
    r = gan_conv2d_input_grad(j.g, a, b, c, l->size, l->size);
    t[1] = finish(&j, &r, 1, threads);
    start(&j);
    a = operand(&j, x), b = operand(&j, y);
    r = gan_conv2d_weight_grad(j.g, a, b, c, 4, 4);
    t[2] = finish(&j, &r, 1, threads);
    printf("%-10s %2" PRId64 "x%-2" PRId64 " %3" PRId64 " ->%4" PRId64 " %7.3f", l->name, l->size,
           l->size, l->in, l->out, flop / 1e9);
    for (int i = 0; i < 3; i++) {
        printf("  %6.1f %7.2f", t[i] > 0.0 ? flop / t[i] / 1e9 : 0.0, t[i] * 1e3);
    }
    printf("\n");
}

static double bench_matmul(int64_t m, int64_t n, int64_t k, int threads)
{
    struct job j;
    start(&j);
    gan_val a = operand(&j, GAN_SHAPE(m, k)), b = operand(&j, GAN_SHAPE(k, n));
    gan_val r = gan_matmul(j.g, a, b, false, false);
    double t = finish(&j, &r, 1, threads);
    return t > 0.0 ? 2.0 * (double)(m * n * k) / t / 1e9 : 0.0;
}

/* One pass over memory, in GB of tensors read and written a second. */
struct sweep {
    const char *name;
    gan_val (*build)(struct job *j, gan_val x);
    double passes; /* tensors of x's size read and written at least */
};

static gan_val build_scale(struct job *j, gan_val x)
{
    return gan_leaky_relu(j->g, gan_scale(j->g, x, 1.5), 0.2);
}

static gan_val build_tanh(struct job *j, gan_val x)
{
    return gan_tanh(j->g, x);
}

static gan_val build_sum(struct job *j, gan_val x)
{
    return gan_sum(j->g, x, GAN_AXIS(0) | GAN_AXIS(1) | GAN_AXIS(2), false);
}

static gan_val build_norm(struct job *j, gan_val x)
{
    return gan_normalize(j->g, x, GAN_AXIS(0) | GAN_AXIS(1) | GAN_AXIS(2), 1e-5).x_hat;
}

static gan_val build_flatten(struct job *j, gan_val x)
{
    return gan_flatten(j->g, x);
}

static gan_val build_normal(struct job *j, gan_val x)
{
    return gan_random_normal(j->g, "z", gan_shape_get(j->g, x));
}

static gan_val build_pad(struct job *j, gan_val x)
{
    int64_t edge[4] = {0, 1, 1, 0};
    return gan_pad(j->g, x, edge, edge, GAN_PAD_REFLECT);
}

static const struct sweep sweeps[] = {
    {"leaky relu of 1.5 x", build_scale, 2.0}, {"tanh", build_tanh, 2.0},
    {"sum of channels", build_sum, 1.0},       {"normalize (batch)", build_norm, 3.0},
    {"flatten", build_flatten, 2.0},           {"pad (reflect)", build_pad, 2.0},
    {"random normal", build_normal, 1.0},
};

static void bench_sweep(const struct sweep *s, int64_t batch, int threads)
{
    struct job j;
    gan_shape shape = GAN_SHAPE(batch, 32, 32, 64);
    start(&j);
    gan_val r = s->build(&j, operand(&j, shape));
    double t = finish(&j, &r, 1, threads);
    double bytes = s->passes * 4.0 * (double)gan_shape_count(&shape);
    printf("%-22s %8.2f ms %8.1f GB/s\n", s->name, t * 1e3, t > 0.0 ? bytes / t / 1e9 : 0.0);
}

static const struct layer layers[] = {
    {"dcgan-32", 32, 1, 32, 2, 1},   {"dcgan-32", 16, 32, 64, 2, 1},
    {"dcgan-32", 8, 64, 128, 2, 1},  {"dcgan-32", 4, 128, 1, 1, 0},
    {"dcgan-32", 4, 128, 100, 1, 0}, {"dcgan-64", 64, 3, 64, 2, 1},
    {"dcgan-64", 32, 64, 128, 2, 1}, {"dcgan-64", 16, 128, 256, 2, 1},
    {"dcgan-64", 8, 256, 512, 2, 1}, {"dcgan-64", 4, 512, 1, 1, 0},
    {"dcgan-64", 4, 512, 100, 1, 0},
};

int main(int argc, char **argv)
{
    int threads = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 2;
    int64_t batch = argc > 2 ? strtol(argv[2], NULL, 10) : 64;
    if (threads < 1 || threads > 1024 || batch < 1 || batch > 65536) {
        fprintf(stderr, "bench_ops: threads %d (1..1024), batch %" PRId64 " (1..65536)\n", threads,
                batch);
        return 2;
    }
    printf("%d threads, batch %" PRId64 ", f32\n", threads, batch);
    printf("matrix product 2048^3: %.1f GFLOP/s\n", bench_matmul(2048, 2048, 2048, threads));
    printf("matrix product %" PRId64 "x784x1024: %.1f GFLOP/s\n\n", batch,
           bench_matmul(batch, 1024, 784, threads));
    printf("%-10s %-5s %-10s %9s  %14s  %14s  %14s\n", "net", "image", "channels", "GFLOP",
           "forward", "data gradient", "weight gradient");
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        bench_layer(&layers[i], batch, threads);
    }
    printf("%39s  GFLOP/s     ms of each\n\n", "");
    printf("tensors of [%" PRId64 ",32,32,64]\n", batch);
    for (size_t i = 0; i < sizeof sweeps / sizeof *sweeps; i++) {
        bench_sweep(&sweeps[i], batch, threads);
    }
    return 0;
}
