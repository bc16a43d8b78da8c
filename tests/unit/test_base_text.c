/* test_base_text.c: status codes, errors, log, growing text, numbers, names, hashes, options. */
#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

#include <gan/option.h>

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void statuses(void **state)
{
    (void)state;
    for (int code = 0; code >= -13; code--) {
        assert_memory_equal(gan_status_name((gan_status)code), code == 0 ? "GAN_OK" : "GAN_E_", 6);
    }
    assert_string_equal(gan_status_name(GAN_E_SHAPE), "GAN_E_SHAPE");
    assert_int_equal(gan_status_exit_code(GAN_OK), 0);
    assert_int_equal(gan_status_exit_code(GAN_E_ARG), 2);
    assert_int_equal(gan_status_exit_code(GAN_E_RANGE), 2);
    assert_int_equal(gan_status_exit_code(GAN_E_IO), 1);
    assert_int_equal(gan_status_exit_code(GAN_E_NOMEM), 1);
    assert_int_equal(gan_status_exit_code(GAN_E_DIVERGED), 3);
    assert_int_equal(gan_status_exit_code(GAN_E_INTERRUPTED), 130);
    assert_true(strlen(gan_version()) >= 5);
}

static void errors(void **state)
{
    (void)state;
    gan_err err = {0};
    assert_int_equal(gan__fail(&err, GAN_E_SHAPE, "w is [%d,%d]\nbad", 2, 3), GAN_E_SHAPE);
    assert_int_equal(err.code, GAN_E_SHAPE);
    assert_string_equal(err.message, "w is [2,3] bad"); /* one line */
    assert_string_equal(err.where, "errors");
    assert_int_equal(gan__fail(&err, GAN_E_IO, "later"), GAN_E_IO);
    assert_string_equal(err.message, "w is [2,3] bad"); /* the first one stays */
    assert_int_equal(gan__fail(NULL, GAN_E_ARG, "x"), GAN_E_ARG);
    err = (gan_err){0};
    errno = ENOSPC;
    assert_int_equal(gan__fail_errno(&err, "cannot write", "a/b"), GAN_E_IO);
    assert_string_equal(err.message, "cannot write a/b: No space left on device");
    assert_int_equal(errno, ENOSPC);
    err = (gan_err){0};
    errno = ENOENT;
    assert_int_equal(gan__fail_errno(&err, "cannot open", "x"), GAN_E_NOTFOUND);
    err = (gan_err){0};
    assert_int_equal(gan__fail_nomem(&err, 12, "a list"), GAN_E_NOMEM);
    assert_string_equal(err.message, "cannot allocate 12 bytes for a list");
    char longer[2000];
    memset(longer, 'y', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    err = (gan_err){0};
    (void)gan__fail_at(&err, GAN_E_ARG, longer, "%s", longer);
    assert_int_equal(strlen(err.where), sizeof err.where - 1);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
}

struct heard {
    int n;
    gan_log_level level;
    char line[100];
};

static void hear(void *ctx, gan_log_level level, const char *line)
{
    struct heard *h = ctx;
    h->n++;
    h->level = level;
    (void)gan__copy(h->line, sizeof h->line, line);
}

static void logging(void **state)
{
    (void)state;
    struct heard h = {0};
    gan__log(GAN_LOG_INFO, "nobody hears %d", 1);
    gan_set_log(hear, &h);
    gan__log(GAN_LOG_WARNING, "count %d\n", 2);
    assert_int_equal(h.n, 1);
    assert_int_equal(h.level, GAN_LOG_WARNING);
    assert_string_equal(h.line, "count 2 ");
    gan_set_log(NULL, NULL);
    gan__log(GAN_LOG_INFO, "silent");
    assert_int_equal(h.n, 1);
}

static void growing_text(void **state)
{
    (void)state;
    struct gan__alloc_stats before = gan__alloc_stats();
    struct gan__str s = {0};
    gan__str_add(&s, "ab");
    gan__str_addn(&s, "cdef", 2);
    gan__str_printf(&s, "%03d", 7);
    assert_string_equal(s.p, "abcd007");
    assert_int_equal(s.len, 7);
    for (int i = 0; i < 1000; i++) {
        gan__str_printf(&s, "%d,", i);
    }
    assert_int_equal(s.len, strlen(s.p));
    gan__str_clear(&s);
    assert_string_equal(s.p, "");
    gan__alloc_fail_at(1);
    for (int i = 0; i < 5000; i++) {
        gan__str_add(&s, "0123456789");
    }
    gan__alloc_fail_at(0);
    assert_true(s.bad); /* sticks */
    gan__str_release(&s);
    assert_null(s.p);
    assert_int_equal(gan__alloc_stats().live, before.live);
}

static void whole_numbers(void **state)
{
    (void)state;
    int64_t v = 5;
    static const char *const bad[] = {"",
                                      " ",
                                      "12 ",
                                      " 12",
                                      "1.0",
                                      "1e3",
                                      "0x10",
                                      "--1",
                                      "+-1",
                                      "-",
                                      "+",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(gan__parse_i64(bad[i], &v));
        assert_int_equal(v, 5);
    }
    assert_true(gan__parse_i64("9223372036854775807", &v));
    assert_true(v == INT64_MAX);
    assert_true(gan__parse_i64("-9223372036854775808", &v));
    assert_true(v == INT64_MIN);
    assert_true(gan__parse_i64("+042", &v));
    assert_int_equal(v, 42);
    assert_true(gan__parse_i64("-0", &v));
    assert_int_equal(v, 0);
}

static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void real_numbers(void **state)
{
    (void)state;
    double v = 5;
    static const char *const bad[] = {"",  " 1",    "1 ",     "1,5",   "1e",     "1.5x", "--1",
                                      ".", "1e999", "-1e999", "1.2.3", "nan(1)", "\t1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(gan__parse_f64(bad[i], &v));
        assert_true(same(v, 5));
    }
    assert_true(gan__parse_f64("2e-4", &v));
    assert_true(same(v, 2e-4));
    assert_true(gan__parse_f64("-.5", &v));
    assert_true(same(v, -0.5));
    assert_true(gan__parse_f64("inf", &v));
    assert_true(isinf(v));
    assert_true(gan__parse_f64("nan", &v));
    assert_true(isnan(v));
    assert_true(gan__parse_f64("4.9406564584124654e-324", &v)); /* the least subnormal */
    assert_true(v > 0);
    static const double values[] = {0.0,
                                    -0.0,
                                    0.1,
                                    1.0 / 3,
                                    2e-4,
                                    1e300,
                                    5e-324,
                                    100,
                                    -12345.678901234567,
                                    0x1.fffffffffffffp1023};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char text[40];
        assert_true(gan__format_f64(text, sizeof text, values[i]));
        assert_true(gan__parse_f64(text, &v));
        assert_true(same(v, values[i])); /* reads back bit for bit */
    }
    char text[40];
    assert_true(gan__format_f64(text, sizeof text, 0.1));
    assert_string_equal(text, "0.1");
    assert_false(gan__format_f64(text, 3, 0.25));
}

static void small_text(void **state)
{
    (void)state;
    char buf[4];
    assert_true(gan__copy(buf, sizeof buf, "abc"));
    assert_false(gan__copy(buf, sizeof buf, "abcd"));
    assert_string_equal(buf, "abc");
    assert_true(gan__format(buf, sizeof buf, "%d", 123));
    assert_false(gan__format(buf, sizeof buf, "%d", 1234));
    assert_string_equal(buf, "123");
    assert_true(gan__starts_with("idx:x", "idx:"));
    assert_false(gan__starts_with("id", "idx:"));
    assert_true(gan__ends_with("a.gz", ".gz"));
    assert_false(gan__ends_with("gz", ".gz"));
}

static void nearly_right(void **state)
{
    (void)state;
    assert_int_equal(gan__edit_distance("", ""), 0);
    assert_int_equal(gan__edit_distance("", "abc"), 3);
    assert_int_equal(gan__edit_distance("kitten", "sitting"), 3);
    assert_int_equal(gan__edit_distance("dcgna", "dcgan"), 1); /* a swap */
    assert_int_equal(gan__edit_distance("batch", "batch"), 0);
    char a[200], b[200];
    memset(a, 'a', sizeof a);
    memset(b, 'a', sizeof b);
    a[150] = 'x';
    a[199] = b[199] = '\0';
    assert_int_equal(gan__edit_distance(a, b), 0); /* compared by their first 63 */
    static const char *const names[] = {"dcgan", "gan", "autoencoder", "wgan"};
    assert_string_equal(gan__nearest_name("dcgna", names, 4), "dcgan");
    assert_string_equal(gan__nearest_name("autoencodr", names, 4), "autoencoder");
    assert_string_equal(gan__nearest_name("wgan", names, 4), "wgan");
    assert_null(gan__nearest_name("pix2pix", names, 4));
    assert_null(gan__nearest_name("", names, 4));
    assert_string_equal(gan__nearest_name("auto", names, 4), "autoencoder"); /* its beginning */
    assert_null(gan__nearest_name("a", names, 4));
    assert_null(gan__nearest_name("gan", names, 0));
}

static void hashes(void **state)
{
    (void)state;
    /* FNV-1a 64 by its authors' test vectors */
    assert_true(gan__hash_text("") == 0xcbf29ce484222325u);
    assert_true(gan__hash_text("a") == 0xaf63dc4c8601ec8cu);
    assert_true(gan__hash_text("foobar") == 0x85944171f73967e8u);
    assert_true(gan__hash_bytes(gan__hash_text("foo"), "bar", 3) == gan__hash_text("foobar"));
    assert_true(gan__hash_mix(1, 2) != gan__hash_mix(2, 1));
    assert_true(gan__hash_mix(0, 0) != 0);
}

struct opts {
    int64_t z;
    double lr;
    bool flip;
    int loss;
    char name[GAN_OPT_TEXT_MAX];
    int sum;
};

static gan_status parse_sum(const char *text, void *field, gan_err *err)
{
    int sum = 0;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return gan__fail(err, GAN_E_ARG, "--sum holds '%c', digits are expected", *text);
        }
        sum += *text - '0';
    }
    memcpy(field, &sum, sizeof sum);
    return GAN_OK;
}

static const struct gan_opt table[] = {
    GAN_OPT_I64(struct opts, z, "z", "100", 1, 4096, "length of the latent vector"),
    GAN_OPT_F64(struct opts, lr, "lr", "2e-4", 0, 10, "learning rate"),
    GAN_OPT_BOOL(struct opts, flip, "flip", "no", "mirror images at random"),
    GAN_OPT_CHOICE(struct opts, loss, "loss", "saturating", "minimax|saturating", "objective"),
    GAN_OPT_TEXT(struct opts, name, "name", "plain", "name of the run"),
    GAN_OPT_PARSED(struct opts, sum, "sum", "12", parse_sum, "sum of digits"),
    GAN_OPT_END,
};

static void expect_message(const char *name, const char *text, gan_status code, const char *message)
{
    struct opts o, kept;
    gan_err err = {0};
    memset(&o, 0, sizeof o); /* padding too: the two are compared as bytes */
    assert_int_equal(gan_opt_defaults(table, &o, &err), GAN_OK);
    memcpy(&kept, &o, sizeof kept);
    assert_int_equal(gan_opt_set(table, &o, name, text, &err), code);
    assert_int_equal(err.code, code);
    assert_string_equal(err.message, message);
    assert_memory_equal(&o, &kept, sizeof o); /* a refused value changes nothing */
}

static void option_errors(void **state)
{
    (void)state;
    expect_message("z", "0", GAN_E_RANGE, "--z is 0, allowed 1 to 4096");
    expect_message("z", "4097", GAN_E_RANGE, "--z is 4097, allowed 1 to 4096");
    expect_message("z", "1.5", GAN_E_ARG, "--z is '1.5', a whole number is expected");
    expect_message("lr", "nan", GAN_E_RANGE, "--lr is nan, allowed 0 to 10");
    expect_message("lr", "-1e-3", GAN_E_RANGE, "--lr is -1e-3, allowed 0 to 10");
    expect_message("lr", "fast", GAN_E_ARG, "--lr is 'fast', a number is expected");
    expect_message("flip", "maybe", GAN_E_ARG,
                   "--flip is 'maybe', allowed yes or no (1/0, true/false, on/off)");
    expect_message("loss", "minmax", GAN_E_ARG,
                   "--loss is 'minmax', allowed minimax|saturating (did you mean minimax?)");
    expect_message("loss", "mini", GAN_E_ARG,
                   "--loss is 'mini', allowed minimax|saturating (did you mean minimax?)");
    expect_message("sum", "1x", GAN_E_ARG, "--sum holds 'x', digits are expected");
    expect_message("flp", "1", GAN_E_ARG, "unknown option --flp (did you mean --flip?)");
    expect_message("colour", "1", GAN_E_ARG, "unknown option --colour");
    char text[GAN_OPT_TEXT_MAX + 1];
    memset(text, 'n', sizeof text);
    text[GAN_OPT_TEXT_MAX] = '\0';
    expect_message("name", text, GAN_E_RANGE, "--name is 256 bytes long, allowed at most 255");
}

static void option_values(void **state)
{
    (void)state;
    struct opts o, back;
    gan_err err = {0};
    memset(&o, 0xee, sizeof o);
    memset(&back, 0, sizeof back);
    assert_int_equal(gan_opt_defaults(table, &o, &err), GAN_OK);
    assert_int_equal(o.z, 100);
    assert_true(same(o.lr, 2e-4));
    assert_false(o.flip);
    assert_int_equal(o.loss, 1);
    assert_string_equal(o.name, "plain");
    assert_int_equal(o.sum, 3);
    assert_int_equal(gan_opt_set(table, &o, "z", "4096", &err), GAN_OK);
    assert_int_equal(gan_opt_set(table, &o, "lr", "0.30000000000000004", &err), GAN_OK);
    assert_int_equal(gan_opt_set(table, &o, "flip", "on", &err), GAN_OK);
    assert_int_equal(gan_opt_set(table, &o, "loss", "minimax", &err), GAN_OK);
    for (const struct gan_opt *e = table; e->name != NULL; e++) {
        char text[GAN_OPT_TEXT_MAX];
        assert_int_equal(gan_opt_get(e, &o, text, sizeof text, &err), GAN_OK);
        assert_int_equal(gan_opt_set(table, &back, e->name, text, &err), GAN_OK);
    }
    assert_int_equal(back.z, 4096);
    assert_true(same(back.lr, 0.30000000000000004));
    assert_true(back.flip);
    assert_int_equal(back.loss, 0);
    assert_string_equal(back.name, "plain");
    assert_int_equal(gan_opt_get(table, &o, (char[3]){0}, 3, &err), GAN_E_RANGE);
    assert_ptr_equal(gan_opt_find(table, "lr"), &table[1]);
    assert_null(gan_opt_find(table, "l"));
    assert_null(gan_opt_find(NULL, "l"));
    static const struct gan_opt wrong[] = {
        GAN_OPT_I64(struct opts, z, "z", "0", 1, 2, "default out of range"), GAN_OPT_END};
    err = (gan_err){0};
    assert_int_equal(gan_opt_defaults(wrong, &o, &err), GAN_E_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses),      cmocka_unit_test(errors),
        cmocka_unit_test(logging),       cmocka_unit_test(growing_text),
        cmocka_unit_test(whole_numbers), cmocka_unit_test(real_numbers),
        cmocka_unit_test(small_text),    cmocka_unit_test(nearly_right),
        cmocka_unit_test(hashes),        cmocka_unit_test(option_errors),
        cmocka_unit_test(option_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
