/* ops_large.c: sizes at which kernels divide their work among threads and end in part tiles; extents
 * are odd so that a wrong division shows. Elementwise ops are in check_large. */
#include "ops_tests.h"

static const struct gan__attr_axes axes_0 = {1, 0}, axes_1 = {2, 0}, axes_2 = {4, 0},
                                   axes_012 = {7, 0}, axes_02 = {5, 0}, axes_12 = {6, 0},
                                   batch = {7, 1e-5}, instance = {6, 1e-5}, layer = {14, 1e-5};
static const struct gan__attr_axis at_0 = {0, 0}, at_1 = {1, 0}, at_3 = {3, 0}, rows_301 = {0, 301},
                                   classes_77 = {GAN_F32, 77};
static const struct gan__attr_shape to_513_257 = {{2, {513, 257}}},
                                    to_image = {{4, {8, 33, 31, 64}}};
static const struct gan__attr_perm nchw = {{0, 3, 1, 2}}, nhwc = {{0, 2, 3, 1}}, turn = {{1, 0}},
                                   middle = {{0, 2, 1}};
static const struct gan__attr_slice cut = {{1, 2, 0, 3}, {6, 30, 31, 9}, 0},
                                    zero = {{0, 3, 3, 0}, {0, 3, 2, 0}, GAN_PAD_ZERO},
                                    reflect = {{0, 3, 3, 0}, {0, 3, 3, 0}, GAN_PAD_REFLECT},
                                    edge = {{0, 1, 5, 0}, {0, 2, 0, 0}, GAN_PAD_EDGE};
static const struct gan__attr_matmul nn = {0, 0}, nt = {0, 1}, tn = {1, 0}, tt = {1, 1};
static const struct gan__attr_conv same = {{1, 1, 1, 1, 1, 1, 1, 1, 1}, 0, 0},
                                   half = {{2, 2, 1, 1, 1, 1, 1, 1, 1}, 0, 0},
                                   half_input = {{2, 2, 1, 1, 1, 1, 1, 1, 1}, 34, 30},
                                   half_weight = {{2, 2, 1, 1, 1, 1, 1, 1, 1}, 4, 4};
static const struct gan__attr_pool two = {{2, 2, 2, 2, 0, 0, 0, 0}, 0, 0},
                                   two_grad = {{2, 2, 2, 2, 0, 0, 0, 0}, 34, 30},
                                   three = {{3, 3, 2, 2, 1, 1, 1, 1}, 0, 0},
                                   three_grad = {{3, 3, 2, 2, 1, 1, 1, 1}, 33, 31};
static const struct gan__attr_cast to_i32 = {GAN_I32}, to_f32 = {GAN_F32};
static const struct gan__attr_resize up = {66, 62, GAN_RESIZE_NEAREST},
                                     smooth = {47, 65, GAN_RESIZE_BILINEAR},
                                     up_grad = {33, 31, GAN_RESIZE_NEAREST},
                                     smooth_grad = {33, 31, GAN_RESIZE_BILINEAR};

/* Tolerances: data movement and maxima are exact. A sum of n numbers of size 1 in blocks, pairs or
 * f64 is within 1e-5 of the f64 sum relative to its size; a naive f32 sum of 3e5 would be out by
 * up to 1e-2. Products of up to 257 terms in [-1,1] keep 1e-5. */
static const struct {
    const char *op;
    struct gan__case cs;
} table[] = {
    {"sum", {"[300007]", 0, 1, 1e-5, 0, &axes_0, NULL, 0, 0}},
    {"sum", {"[3,40007]", 0, 1, 1e-5, 0, &axes_1, NULL, 0, 0}},
    {"sum", {"[40007,3]", 0, 1, 1e-5, 0, &axes_0, NULL, 0, 0}},
    {"sum", {"[513,257]", 0, 1, 1e-5, 0, &axes_0, NULL, 0, 0}},
    {"sum", {"[64,31,33]", 0, 1, 1e-5, 0, &axes_02, NULL, 0, 0}},
    {"sum", {"[64,31,33]", 0, 1, 1e-5, 0, &axes_12, NULL, 0, 0}},
    {"sum", {"[64,31,33]", 0, 1, 1e-5, 0, &axes_012, NULL, 0, 0}},
    {"sum", {"[16,41,41,5]", 0, 1, 1e-5, 0, &axes_012, NULL, 0, 0}},
    {"sum", {"[9,101,37]", 0, 1, 1e-5, 0, &axes_1, NULL, 0, 0}},
    {"sum", {"[9,101,37]", 0, 1, 1e-5, 0, &axes_2, NULL, 0, 0}},
    {"reduce_max", {"[300007]", -1, 1, 0, 0, &axes_0, NULL, 0, 0}},
    {"reduce_max", {"[513,257]", -1, 1, 0, 0, &axes_1, NULL, 0, 0}},
    {"reduce_max", {"[64,31,33]", -1, 1, 0, 0, &axes_02, NULL, 0, 0}},
    {"argmax", {"[513,257]", -1, 1, 0, 0, &at_1, NULL, 0, 0}},
    {"argmax", {"[257,9,57]", -1, 1, 0, 0, &at_0, NULL, 0, 0}},
    {"broadcast", {"[1,257]", -1, 1, 0, 0, &to_513_257, NULL, 0, 0}},
    {"broadcast", {"[513,1]", -1, 1, 0, 0, &to_513_257, NULL, 0, 0}},
    {"broadcast", {"[8,1,1,64]", -1, 1, 0, 0, &to_image, NULL, 0, 0}},
    {"broadcast", {"[1,33,31,1]", -1, 1, 0, 0, &to_image, NULL, 0, 0}},
    {"transpose", {"[701,513]", -1, 1, 0, 0, &turn, NULL, 0, 0}},
    {"transpose", {"[8,33,31,17]", -1, 1, 0, 0, &nchw, NULL, 0, 0}},
    {"transpose", {"[8,17,33,31]", -1, 1, 0, 0, &nhwc, NULL, 0, 0}},
    {"transpose", {"[33,31,65]", -1, 1, 0, 0, &middle, NULL, 0, 0}},
    {"slice", {"[8,33,31,16]", -1, 1, 0, 0, &cut, NULL, 0, 0}},
    {"pad", {"[8,33,31,16]", -1, 1, 0, 0, &zero, NULL, 0, 0}},
    {"pad", {"[8,33,31,3]", -1, 1, 0, 0, &reflect, NULL, 0, 0}},
    {"pad", {"[8,33,31,5]", -1, 1, 0, 0, &edge, NULL, 0, 0}},
    {"pad_grad", {"[8,39,37,3]", -1, 1, 1e-5, 0, &reflect, NULL, 0, 0}},
    {"pad_grad", {"[8,36,36,5]", -1, 1, 1e-5, 0, &edge, NULL, 0, 0}},
    {"pad_grad", {"[8,39,36,5]", -1, 1, 0, 0, &zero, NULL, 0, 0}},
    {"concat", {"[8,33,31,16] [8,33,31,5]", -1, 1, 0, 0, &at_3, NULL, 0, 0}},
    {"concat", {"[8,33,31] [3,33,31] [1,33,31]", -1, 1, 0, 0, &at_0, NULL, 0, 0}},
    {"gather", {"[301,33] [4001]", -1, 1, 0, 0, NULL, "f32 i32", 0, 310}},
    {"scatter_add", {"[1001] [1001,33]", -1, 1, 1e-5, 0, &rows_301, "i32 f32", 0, 310}},
    {"scatter_set", {"[301,33] [501] [501,33]", -1, 1, 0, 0, NULL, "f32 i32 f32", 0, 301}},
    {"one_hot", {"[2001]", 0, 0, 0, 0, &classes_77, "i32", 0, 80}},
    {"softmax", {"[1001,257]", -4, 4, 1e-5, 0, NULL, NULL, 0, 0}},
    {"log_softmax", {"[1001,257]", -4, 4, 1e-5, 0, NULL, NULL, 0, 0}},
    {"logsumexp", {"[1001,257]", -4, 4, 1e-5, 0, NULL, NULL, 0, 0}},
    {"normalize", {"[8,33,31,17]", -1, 3, 1e-5, 0, &batch, NULL, 0, 0}},
    {"normalize", {"[8,33,31,17]", -1, 3, 1e-5, 0, &instance, NULL, 0, 0}},
    {"normalize", {"[8,33,31,17]", -1, 3, 1e-5, 0, &layer, NULL, 0, 0}},
    {"normalize_grad",
     {"[8,33,31,17] [8,33,31,17] [1,1,1,17]", 0.5, 2, 1e-5, 0, &batch, NULL, 0, 0}},
    {"normalize_grad",
     {"[8,33,31,17] [8,33,31,17] [8,1,1,17]", 0.5, 2, 1e-5, 0, &instance, NULL, 0, 0}},
    {"normalize_grad",
     {"[8,33,31,17] [8,33,31,17] [8,1,1,1]", 0.5, 2, 1e-5, 0, &layer, NULL, 0, 0}},
    {"avg_pool_grad", {"[8,17,15,17]", -1, 1, 1e-5, 0, &two_grad, NULL, 0, 0}},
    {"max_pool_grad", {"[8,34,30,17] [8,17,15,17]", -1, 1, 1e-5, 0, &two_grad, NULL, 0, 0}},
    {"avg_pool", {"[8,34,30,17]", -1, 1, 1e-5, 0, &two, NULL, 0, 0}},
    {"avg_pool", {"[8,33,31,17]", -1, 1, 1e-5, 0, &three, NULL, 0, 0}},
    {"max_pool", {"[8,34,30,17]", -1, 1, 0, 0, &two, NULL, 0, 0}},
    {"max_pool", {"[8,33,31,17]", -1, 1, 0, 0, &three, NULL, 0, 0}},
    {"max_pool_grad", {"[8,33,31,67] [8,17,16,67]", -1, 1, 1e-5, 0, &three_grad, NULL, 0, 0}},
    {"max_pool_pick", {"[8,34,30,67] [8,34,30,67]", -1, 1, 0, 0, &two, NULL, 0, 0}},
    {"max_pool_pick", {"[8,33,31,17] [8,33,31,17]", -1, 1, 0, 0, &three, NULL, 0, 0}},
    {"cast", {"[40007]", -5e9, 5e9, 0, 0, &to_i32, NULL, 0, 0}},
    {"cast", {"[40007]", -9, 9, 0, 0, &to_i32, NULL, 0, 0}},
    {"cast", {"[40007]", 0, 0, 0, 0, &to_f32, "i32", 0, 1000}},
    {"resize", {"[8,33,31,17]", -1, 1, 0, 0, &up, NULL, 0, 0}},
    {"resize", {"[8,33,31,17]", -1, 1, 1e-5, 0, &smooth, NULL, 0, 0}},
    {"resize_grad", {"[8,66,62,17]", -1, 1, 1e-5, 0, &up_grad, NULL, 0, 0}},
    {"resize_grad", {"[8,47,65,17]", -1, 1, 1e-5, 0, &smooth_grad, NULL, 0, 0}},
    {"matmul", {"[131,257] [257,67]", -1, 1, 1e-5, 0, &nn, NULL, 0, 0}},
    {"matmul", {"[131,257] [67,257]", -1, 1, 1e-5, 0, &nt, NULL, 0, 0}},
    {"matmul", {"[257,131] [257,67]", -1, 1, 1e-5, 0, &tn, NULL, 0, 0}},
    {"matmul", {"[3,257,67] [3,33,257]", -1, 1, 1e-5, 0, &tt, NULL, 0, 0}},
    {"conv2d", {"[4,17,15,16] [19,16,3,3]", -1, 1, 1e-5, 0, &same, NULL, 0, 0}},
    {"conv2d", {"[4,34,30,8] [19,8,4,4]", -1, 1, 1e-5, 0, &half, NULL, 0, 0}},
    {"conv2d_input_grad", {"[4,17,15,9] [9,8,4,4]", -1, 1, 1e-5, 0, &half_input, NULL, 0, 0}},
    {"conv2d_weight_grad", {"[4,34,30,8] [4,17,15,9]", -1, 1, 1e-5, 0, &half_weight, NULL, 0, 0}},
};

void test_large(void **state)
{
    (void)state;
    int before = failures;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct gan__op *real = gan__op_find(table[i].op);
        assert_non_null(real);
        const struct gan__case list[2] = {table[i].cs, {0}};
        struct gan__op op = *real;
        op.cases = list;
        struct sample s;
        if (sample_open(&s, &op, 0, GAN_F32)) {
            s.op = real; /* the entry itself: kernels and names hang on it */
            check_kernels(&s);
        }
        sample_close(&s);
    }
    assert_int_equal(failures, before);
}
