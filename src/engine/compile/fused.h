/* fused.h: attributes of the operations that only compile passes make: elementwise programs
 * (`fused`), several of them in one
 * step (`bundle`) and heavy operations with what follows them (`conv2d_post`, `conv2d_input_grad_post`,
 * `matmul_post`). */
#ifndef GAN_ENGINE_COMPILE_FUSED_H
#define GAN_ENGINE_COMPILE_FUSED_H

#include "engine/graph/attr.h"
#include "engine/graph/op.h"

/* What follows the heavy operation, in this order: bias, then activation. */
enum gan__post_act {
    GAN_POST_NONE = 0,
    GAN_POST_RELU = 1,
    GAN_POST_LEAKY = 2,
    GAN_POST_TANH = 3,
    GAN_POST_SIGMOID = 4
};

/* Attribute of the *_post operations. Inputs: the heavy operation's two, then with has_bias an f32
 * vector whose elements belong to the last axis of the result. */
struct gan__attr_post {
    struct gan__attr_conv conv; /* conv2d_post, conv2d_input_grad_post */
    int64_t ta, tb;             /* matmul_post */
    int64_t has_bias;
    int64_t act;  /* enum gan__post_act */
    double slope; /* of GAN_POST_LEAKY */
};

#define GAN__MAX_LOADS 24   /* different inputs of one program */
#define GAN__MAX_STORES 16  /* results of one program, sums included */
#define GAN__MAX_CODE 192   /* operations of one program */
#define GAN__MAX_OPERANDS 8 /* inputs of one operation */

/* How a load finds the element that belongs to linear index i of the results. */
enum gan__load_kind {
    GAN_LOAD_FULL,   /* element i */
    GAN_LOAD_SCALAR, /* element 0 */
    GAN_LOAD_IMM,    /* a number of the program, no input */
    GAN_LOAD_PERIOD, /* element i % period: a broadcast in front */
    GAN_LOAD_STRIDED /* by coordinates */
};

/* One input of a program, brought into a register of f32 (booleans as 0 and 1). */
struct gan__load {
    enum gan__load_kind kind;
    int input;      /* index among the node's inputs; -1 for IMM */
    bool boolean;   /* the input's elements are bytes */
    float imm;      /* IMM */
    int64_t period; /* PERIOD */
    int rank;       /* STRIDED: extents of the results, neighbours joined where possible, */
    int64_t dim[GAN_MAX_RANK];
    int64_t stride[GAN_MAX_RANK]; /* and steps in the input, 0 along repeated axes */
};

/* One operation on registers. Registers 0..n_loads-1 are the loads. */
struct gan__instr {
    const struct gan__op *op;
    int n_in;
    int in[GAN__MAX_OPERANDS];
    int out;       /* >= n_loads; reused once its last reader has run */
    double num[2]; /* the operation's gan__attr_num */
};

/* One result: register to output. */
struct gan__save {
    int reg;
    int output;
    int instr;    /* the instruction that made it */
    bool boolean; /* stored as bytes 0 and 1 */
};

/* One sum of a register over axes of the elements' shape: bits as of the op `sum`. */
struct gan__tail {
    int reg;
    int output;
};

/* A program over tiles of elements: all loads, then the code, then the saves and the sums. */
struct gan__program {
    int64_t count;   /* elements of every register */
    gan_shape shape; /* with sums: of the elements, */
    uint64_t axes;   /* and the axes of all sums; gan__reduce_plan accepts both */
    int n_loads, n_code, n_saves, n_tails;
    int n_regs; /* loads included */
    int n_ops;  /* operations of the graph for each element: code may hold several in one */
    const struct gan__load *loads;
    const struct gan__instr *code;
    const struct gan__save *saves;
    const struct gan__tail *tails;
};

/* Attribute of `fused`. The program belongs to the plan. */
struct gan__attr_fused {
    const struct gan__program *program;
};

/* A program among others of one step: its inputs and outputs are runs of the step's. */
struct gan__part {
    const struct gan__program *program;
    int first_in, n_in, first_out, n_out;
};

/* Attribute of `bundle`: programs that do not read each other's results. Belongs to the plan. */
struct gan__attr_bundle {
    const struct gan__part *parts;
    int64_t n_parts;
};

extern const struct gan__op gan__op_fused, gan__op_bundle, gan__op_copy;

#endif
