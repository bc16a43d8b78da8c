/* cpu_elementwise.c: elementwise ops as tile functions; the executor runs programs of them. */
#include "kernel.h"
#include "engine/kernels/lanes.h"

/* A tile of the instruction set chosen at run time under a fixed address. */
#define TILE(NAME)                                                                                 \
    static void tile_##NAME(const float *const *in, float *out, int64_t n, const double *num)      \
    {                                                                                              \
        gan__lanes()->NAME(in, out, n, num);                                                       \
    }
GAN_LANES_TILES(TILE)

/* To f32 from f32 or from a mask, which tiles see as 0.0f and 1.0f already. */
static bool match_cast(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                       const void *attr)
{
    (void)attr;
    return n_in == 1 && n_out == 1 && out[0].dtype == GAN_F32 &&
           (in[0].dtype == GAN_F32 || in[0].dtype == GAN_BOOL);
}

/* clang-format off */
GAN_KERNEL(cpu, add) = {.backend = "cpu", .op = "add", .tile = tile_add};
GAN_KERNEL(cpu, sub) = {.backend = "cpu", .op = "sub", .tile = tile_sub};
GAN_KERNEL(cpu, mul) = {.backend = "cpu", .op = "mul", .tile = tile_mul};
GAN_KERNEL(cpu, div) = {.backend = "cpu", .op = "div", .tile = tile_div};
GAN_KERNEL(cpu, min) = {.backend = "cpu", .op = "min", .tile = tile_min};
GAN_KERNEL(cpu, max) = {.backend = "cpu", .op = "max", .tile = tile_max};
GAN_KERNEL(cpu, greater) = {.backend = "cpu", .op = "greater", .tile = tile_greater};
GAN_KERNEL(cpu, greater_equal) = {.backend = "cpu", .op = "greater_equal", .tile = tile_greater_equal};
GAN_KERNEL(cpu, less) = {.backend = "cpu", .op = "less", .tile = tile_less};
GAN_KERNEL(cpu, equal) = {.backend = "cpu", .op = "equal", .tile = tile_equal};
GAN_KERNEL(cpu, select) = {.backend = "cpu", .op = "select", .tile = tile_select};
GAN_KERNEL(cpu, neg) = {.backend = "cpu", .op = "neg", .tile = tile_neg};
GAN_KERNEL(cpu, exp) = {.backend = "cpu", .op = "exp", .tile = tile_exp};
GAN_KERNEL(cpu, log) = {.backend = "cpu", .op = "log", .tile = tile_log};
GAN_KERNEL(cpu, log1p) = {.backend = "cpu", .op = "log1p", .tile = tile_log1p};
GAN_KERNEL(cpu, sqrt) = {.backend = "cpu", .op = "sqrt", .tile = tile_sqrt};
GAN_KERNEL(cpu, rsqrt) = {.backend = "cpu", .op = "rsqrt", .tile = tile_rsqrt};
GAN_KERNEL(cpu, square) = {.backend = "cpu", .op = "square", .tile = tile_square};
GAN_KERNEL(cpu, abs) = {.backend = "cpu", .op = "abs", .tile = tile_abs};
GAN_KERNEL(cpu, sign) = {.backend = "cpu", .op = "sign", .tile = tile_sign};
GAN_KERNEL(cpu, pow) = {.backend = "cpu", .op = "pow", .tile = tile_pow};
GAN_KERNEL(cpu, clamp) = {.backend = "cpu", .op = "clamp", .tile = tile_clamp};
GAN_KERNEL(cpu, isfinite) = {.backend = "cpu", .op = "isfinite", .tile = tile_isfinite};
GAN_KERNEL(cpu, sigmoid) = {.backend = "cpu", .op = "sigmoid", .tile = tile_sigmoid};
GAN_KERNEL(cpu, tanh) = {.backend = "cpu", .op = "tanh", .tile = tile_tanh};
GAN_KERNEL(cpu, softplus) = {.backend = "cpu", .op = "softplus", .tile = tile_softplus};
GAN_KERNEL(cpu, relu) = {.backend = "cpu", .op = "relu", .tile = tile_relu};
GAN_KERNEL(cpu, leaky_relu) = {.backend = "cpu", .op = "leaky_relu", .tile = tile_leaky_relu};
GAN_KERNEL(cpu, elu) = {.backend = "cpu", .op = "elu", .tile = tile_elu};
GAN_KERNEL(cpu, erf) = {.backend = "cpu", .op = "erf", .tile = tile_erf};
GAN_KERNEL(cpu, cast) = {.backend = "cpu", .op = "cast", .match = match_cast, .tile = tile_cast};
GAN_KERNEL(cpu, mul_add) = {.backend = "cpu", .op = "mul_add", .tile = tile_mul_add};
GAN_KERNEL(cpu, mul_sub) = {.backend = "cpu", .op = "mul_sub", .tile = tile_mul_sub};
GAN_KERNEL(cpu, sub_mul) = {.backend = "cpu", .op = "sub_mul", .tile = tile_sub_mul};
GAN_KERNEL(cpu, sub_prod) = {.backend = "cpu", .op = "sub_prod", .tile = tile_sub_prod};
GAN_KERNEL(cpu, gate) = {.backend = "cpu", .op = "gate", .tile = tile_gate};
GAN_KERNEL(cpu, leaky_gate) = {.backend = "cpu", .op = "leaky_gate", .tile = tile_leaky_gate};
GAN_KERNEL(cpu, adam_m) = {.backend = "cpu", .op = "adam_m", .tile = tile_adam_m};
GAN_KERNEL(cpu, adam_v) = {.backend = "cpu", .op = "adam_v", .tile = tile_adam_v};
GAN_KERNEL(cpu, adam_p) = {.backend = "cpu", .op = "adam_p", .tile = tile_adam_p};
/* clang-format on */
