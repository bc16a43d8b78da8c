/* test_ops.c: every op, tested from its own cases.
 *
 *     test_ops          all
 *     test_ops tanh     one op and nothing else
 *
 * The cases say shapes, ranges and tolerances; the checks (ops_checks.c) say what must hold for
 * any op. So a new op is tested by writing cases, and an op without them fails here. */
#include "ops_tests.h"

#include <stdio.h>
#include <string.h>

static const char *only; /* name of the one op to test, or NULL */

/* Sources and state belong to the executor and are tested with it. */
static bool needs_cases(const struct gan__op *op)
{
    return !(op->flags & (GAN_OP_SOURCE | GAN_OP_STATE | GAN_OP_RANDOM | GAN_OP_INTERNAL));
}

/* The same value as every input, where the types allow it. */
static void check_aliased(struct sample *s)
{
    for (int i = 0; i < s->n; i++) {
        if (s->n < 2 || s->type[i].dtype != s->type[0].dtype ||
            !gan_shape_equal(&s->type[i].shape, &s->type[0].shape))
            return;
    }
    s->aliased = true;
    check_kernels(s);
    if (!(s->op->flags & GAN_OP_ZERO_GRAD))
        check_derivatives(s);
}

static void check_case(const struct gan__op *op, int index)
{
    struct sample s;
    if (sample_open(&s, op, index, GAN_F64)) {
        check_expansion(&s);
        check_derivatives(&s);
        check_closure(&s);
        check_kernels(&s);
        check_aliased(&s);
    }
    sample_close(&s);
    if (sample_open(&s, op, index, GAN_F32)) {
        check_kernels(&s);
        check_passes(&s);
    }
    sample_close(&s);
}

static void test_op(void **state)
{
    const struct gan__op *op = *state;
    int before = failures;
    if (!op->cases || !op->cases[0].shapes) {
        fprintf(stderr, "%s has no cases\n", op->name);
        failures++;
    }
    for (int i = 0; op->cases && op->cases[i].shapes; i++)
        check_case(op, i);
    check_large(op);
    assert_int_equal(failures, before);
}

/* Entries are complete: a name, one line of doc, an inference, a meaning. */
static void test_entries(void **state)
{
    (void)state;
    int before = failures;
    for (const struct gan__op *const *p = gan__ops; *p; p++) {
        const struct gan__op *op = *p;
        struct sample s = {.op = op};
        checks++;
        if (!op->doc || !op->doc[0] || strchr(op->doc, '\n') || !op->infer)
            complain(&s, "no doc of one line, or no inference");
        if (needs_cases(op) && !op->ref && !op->expand)
            complain(&s, "neither a reference kernel nor an expansion");
        if (needs_cases(op) && !op->vjp && !op->expand && !(op->flags & GAN_OP_ZERO_GRAD))
            complain(&s, "neither a derivative nor GAN_OP_ZERO_GRAD");
        if (op->vjp && (op->flags & GAN_OP_ZERO_GRAD))
            complain(&s, "a derivative rule and GAN_OP_ZERO_GRAD");
        if (gan__op_find(op->name) != op)
            complain(&s, "is not found by its name");
    }
    assert_int_equal(failures, before);
}

enum { MOST_TESTS = 256 };

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[MOST_TESTS];
    size_t n = 0, ops = 0;
    only = argc > 1 ? argv[1] : NULL;
    if (!only) {
        tests[n++] = (struct CMUnitTest){.name = "entries", .test_func = test_entries};
        tests[n++] = (struct CMUnitTest){.name = "errors", .test_func = test_errors};
        tests[n++] = (struct CMUnitTest){.name = "values", .test_func = test_values};
        tests[n++] = (struct CMUnitTest){.name = "empty", .test_func = test_empty};
        tests[n++] = (struct CMUnitTest){.name = "large", .test_func = test_large};
        tests[n++] = (struct CMUnitTest){.name = "special", .test_func = test_special};
    }
    for (const struct gan__op *const *p = gan__ops; *p && n < MOST_TESTS; p++) {
        if (only ? strcmp(only, (*p)->name) == 0 : needs_cases(*p)) {
            union {
                const struct gan__op *op;
                void *state;
            } entry = {.op = *p}; /* cmocka's state is not const; the test only reads it */
            tests[n++] = (struct CMUnitTest){
                .name = (*p)->name, .test_func = test_op, .initial_state = entry.state};
            ops++;
        }
    }
    int failed = _cmocka_run_group_tests("ops", tests, n, NULL, NULL);
    fprintf(stderr, "ops: %zu ops, %d checks, %d failures\n", ops, checks, failures);
    return failed != 0 || failures != 0 || ops == 0;
}
