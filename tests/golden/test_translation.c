/* test_translation.c: the published depths of image translation against PyTorch: U-Net-256 with the
 * PatchGAN of 70 pixels (pix2pix), ResNet-9 with it (CycleGAN), at width 2. Each network forward, then
 * one training step by Adam as published, and one by plain descent with rate .1, whose differences of
 * weights are the gradients.
 *
 * Weights and images are hashed on both sides. f64 on `ref`: 1e-9 relative to 1 + |v|, for the order
 * of sums differs; measured 6e-15 of losses and norms, 2e-10 of biases in front of instance norms,
 * whose gradients are rounding alone. f32 on `cpu`: losses, norms of gradients and each network's
 * output; measured 2e-7 and 3e-6, 1e-4 leaves room for other instruction sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "trace.h"

static const struct forward unet_forward[] = {{"gen", 1}, {"disc", 4}, {NULL, 0}};
static const struct forward resnet_forward[] = {
    {"gen_a", 3}, {"gen_b", 3}, {"disc_a", 3}, {"disc_b", 3}, {NULL, 0}};

static const struct setting unet_set[] = {{"depth", "8"},
                                          {"width", "2"},
                                          {"disc-width", "2"},
                                          {"layers", "3"},
                                          {"dropout", "0"},
                                          {"optim-gen", "adam:2e-4,.5,.999"},
                                          {"optim-disc", "adam:2e-4,.5,.999"},
                                          {NULL, NULL}};
static const struct setting unet_sgd_set[] = {
    {"depth", "8"},   {"width", "2"},          {"disc-width", "2"},      {"layers", "3"},
    {"dropout", "0"}, {"optim-gen", "sgd:.1"}, {"optim-disc", "sgd:.1"}, {NULL, NULL}};
static const struct setting resnet_set[] = {{"blocks", "9"},
                                            {"width", "2"},
                                            {"disc-width", "2"},
                                            {"layers", "3"},
                                            {"pool", "0"},
                                            {"optim-gen", "adam:2e-4,.5,.999"},
                                            {"optim-disc", "adam:2e-4,.5,.999"},
                                            {NULL, NULL}};
static const struct setting resnet_sgd_set[] = {
    {"blocks", "9"}, {"width", "2"},          {"disc-width", "2"},      {"layers", "3"},
    {"pool", "0"},   {"optim-gen", "sgd:.1"}, {"optim-disc", "sgd:.1"}, {NULL, NULL}};

static struct trace_case unet(const char *file, const struct setting *set)
{
    return (struct trace_case){.file = file,
                               .model = "pix2pix",
                               .height = 256,
                               .width = 256,
                               .channels = 1,
                               .channels_b = 3,
                               .set = set,
                               .batch = 1,
                               .hashed = true,
                               .forward = unet_forward,
                               .steps = 1};
}

static struct trace_case resnet(const char *file, const struct setting *set)
{
    return (struct trace_case){.file = file,
                               .model = "cyclegan",
                               .height = 128,
                               .width = 128,
                               .channels = 3,
                               .channels_b = 3,
                               .set = set,
                               .batch = 1,
                               .hashed = true,
                               .forward = resnet_forward,
                               .steps = 1};
}

static void replay(struct trace_case c)
{
    c.real = GAN_F64;
    c.backend = "ref";
    c.trace_tol = c.final_tol = 1e-9;
    trace_replay(&c);
    c.real = GAN_F32;
    c.backend = "cpu";
    c.trace_tol = 1e-4;
    c.final_tol = 0;
    for (c.threads = 1; c.threads <= 2; c.threads++) {
        trace_replay(&c);
    }
}

static void unet_256(void **state)
{
    (void)state;
    replay(unet("unet_256", unet_set));
}

static void unet_256_gradients(void **state)
{
    (void)state;
    replay(unet("unet_256_sgd", unet_sgd_set));
}

static void resnet_9(void **state)
{
    (void)state;
    replay(resnet("resnet_9", resnet_set));
}

static void resnet_9_gradients(void **state)
{
    (void)state;
    replay(resnet("resnet_9_sgd", resnet_sgd_set));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unet_256),
        cmocka_unit_test(unet_256_gradients),
        cmocka_unit_test(resnet_9),
        cmocka_unit_test(resnet_9_gradients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
