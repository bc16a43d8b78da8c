/* test_checkpoint.c: a store to a file and back; the same bytes for the same state; every lie in a
 * file is found and named. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "run/digest.h"
#include "support/temp_dir.h"

#include <gan/checkpoint.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/temp_fixture.h"

static void add(gan_store *st, const char *name, gan_state_kind kind, gan_dtype dtype,
                gan_shape shape, double first)
{
    gan_err err = {0};
    int i = gan_store_add(st, name, kind, dtype, shape, &err);
    assert_true(i >= 0);
    const gan_tensor *t = &gan_store_at(st, i)->value;
    for (int64_t k = 0; k < gan_shape_count(&shape); k++) {
        gan_tensor_set(t, k, first + (double)k);
    }
}

static const double first_weight = 0.5;

/* A network of two tensors, a moment, a counter, a byte mask; added in this or the other order. */
static gan_store *small_store(bool backwards, double shift)
{
    gan_store *st = gan_store_new();
    for (int n = 0; n < 5; n++) {
        int i = backwards ? 4 - n : n;
        if (i == 0) {
            add(st, "gen.a.weight", GAN_STATE_WEIGHT, GAN_F32, GAN_SHAPE(2, 3),
                first_weight + shift);
        } else if (i == 1) {
            add(st, "gen.a.bias", GAN_STATE_WEIGHT, GAN_F32, GAN_SHAPE(3), -1 + shift);
        } else if (i == 2) {
            add(st, "optim.gen.m.gen.a.bias", GAN_STATE_MOMENT, GAN_F64, GAN_SHAPE(3), 7 + shift);
        } else if (i == 3) {
            add(st, "count.gen", GAN_STATE_COUNTER, GAN_I64, gan_shape_scalar(), 12 + shift);
        } else {
            add(st, "mask", GAN_STATE_POOL, GAN_U8, GAN_SHAPE(5), 1 + shift);
        }
    }
    return st;
}

static const struct gan_meta meta[] = {{"libgan.model", "tiny"}, {"opt.text", "a \"b\" \\ \t c"}};

static void save(const gan_store *st, const char *path)
{
    gan_err err = {0};
    gan_status status = gan_checkpoint_save(st, meta, 2, path, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(status, GAN_OK);
}

static void round_trip(void **state)
{
    (void)state;
    gan_err err = {0};
    gan_store *st = small_store(false, 0), *back = small_store(false, 50);
    gan_checkpoint *c = NULL;
    save(st, in("c"));
    assert_int_equal(gan_checkpoint_open(in("c"), &c, &err), GAN_OK);
    assert_string_equal(gan_checkpoint_meta(c, "libgan.model"), "tiny");
    assert_string_equal(gan_checkpoint_meta(c, "opt.text"), meta[1].value);
    assert_string_equal(gan_checkpoint_meta(c, "libgan.format"), "1");
    assert_null(gan_checkpoint_meta(c, "nothing"));
    assert_int_equal(gan_checkpoint_count(c), 5);
    assert_int_equal(gan_checkpoint_load(c, back, &err), GAN_OK);
    for (int i = 0; i < gan_store_count(st); i++) {
        const gan_tensor *a = &gan_store_at(st, i)->value, *b = &gan_store_at(back, i)->value;
        assert_memory_equal(a->data, b->data, gan_tensor_bytes(a));
    }
    const char *name;
    gan_tensor t;
    for (size_t i = 0; gan_checkpoint_tensor(c, i, &name, &t); i++) {
        assert_int_equal((uintptr_t)t.data % gan_dtype_size(t.dtype), 0);
    }
    gan_checkpoint_close(c);
    gan_store_free(st);
    gan_store_free(back);
}

static void same_bytes(void **state)
{
    (void)state;
    gan_err err = {0};
    char *a, *b;
    size_t na, nb;
    gan_store *one = small_store(false, 0), *two = small_store(true, 0);
    save(one, in("a"));
    uint64_t predicted = gan_checkpoint_bytes(one, meta, 2);
    struct gan_meta turned[] = {meta[1], meta[0]};
    assert_int_equal(gan_checkpoint_save(two, turned, 2, in("b"), &err), GAN_OK);
    assert_int_equal(gan__file_read(in("a"), 1 << 20, &a, &na, &err), GAN_OK);
    assert_int_equal(gan__file_read(in("b"), 1 << 20, &b, &nb, &err), GAN_OK);
    assert_int_equal(na, nb);
    assert_int_equal(na, predicted);
    assert_memory_equal(a, b, na);
    struct gan_meta twice[] = {meta[0], meta[0]};
    assert_int_equal(gan_checkpoint_save(two, twice, 2, in("b"), &err), GAN_E_ARG);
    gan__free(a);
    gan__free(b);
    gan_store_free(one);
    gan_store_free(two);
}

/* --- lies --------------------------------------------------------------------------------------- */

/* Writes a file with this header and n bytes of data, and expects opening it to complain so. */
static void refuse(const char *header, size_t n, gan_status want, const char *says)
{
    unsigned char file[2048] = {0};
    uint64_t length = strlen(header);
    gan_err err = {0};
    gan_checkpoint *c = NULL;
    memcpy(file, &length, 8);
    memcpy(file + 8, header, length);
    temp_write(&tmp, "lie", file, 8 + length + n);
    gan_status status = gan_checkpoint_open(in("lie"), &c, &err);
    if (status != want || strstr(err.message, says) == NULL || strchr(err.message, '\n') != NULL ||
        strstr(err.message, "lie") == NULL) {
        fail_msg("header %s: status %d, message '%s', expected '%s'", header, status, err.message,
                 says);
    }
    assert_null(c);
}

#define T(NAME, DTYPE, SHAPE, FROM, TO)                                                            \
    "\"" NAME "\":{\"dtype\":\"" DTYPE "\",\"shape\":" SHAPE ",\"data_offsets\":[" FROM "," TO "]" \
    "}"

static void lies(void **state)
{
    (void)state;
    refuse("", 0, GAN_E_FORMAT, "not JSON");
    refuse("[1,2]", 0, GAN_E_FORMAT, "not a JSON object");
    refuse("{\"a\":", 0, GAN_E_FORMAT, "not JSON");
    refuse("{}x", 0, GAN_E_FORMAT, "after the header");
    refuse("{\"a\":3}", 0, GAN_E_FORMAT, "not an object");
    refuse("{\"__metadata__\":3}", 0, GAN_E_FORMAT, "__metadata__");
    refuse("{\"__metadata__\":{\"k\":1}}", 0, GAN_E_FORMAT, "not a text");
    refuse("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, GAN_E_FORMAT, "stands twice");
    refuse("{" T("a", "F32", "[2]", "0", "8") "}", 4, GAN_E_FORMAT, "truncated");
    refuse("{" T("a", "F32", "[2]", "0", "8") "}", 12, GAN_E_FORMAT, "4 bytes after");
    refuse("{" T("a", "F32", "[2]", "4", "12") "}", 12, GAN_E_FORMAT, "belong to no tensor");
    refuse("{" T("a", "F32", "[2]", "0", "8") "," T("b", "F32", "[2]", "4", "12") "}", 12,
           GAN_E_FORMAT, "overlap");
    refuse("{" T("a", "F32", "[2]", "0", "8") "," T("a", "F32", "[1]", "8", "12") "}", 12,
           GAN_E_FORMAT, "twice");
    refuse("{" T("a", "F32", "[3]", "0", "8") "}", 8, GAN_E_FORMAT, "[3]");
    refuse("{" T("a", "F32", "[-2]", "0", "8") "}", 8, GAN_E_FORMAT, "whole numbers");
    refuse("{" T("a", "F32", "[1.5]", "0", "8") "}", 8, GAN_E_FORMAT, "whole numbers");
    refuse("{" T("a", "F32", "[4294967296,4294967296,4294967296]", "0", "8") "}", 8, GAN_E_FORMAT,
           "does not take");
    refuse("{" T("a", "F32", "[1,1,1,1,1,1,1,1,1]", "0", "4") "}", 4, GAN_E_FORMAT, "9 axes");
    refuse("{" T("a", "F32", "[2]", "8", "0") "}", 8, GAN_E_FORMAT, "begins at 8");
    refuse("{" T("a", "F32", "[2]", "0", "1e300") "}", 8, GAN_E_FORMAT, "data_offsets");
    refuse("{" T("a", "F8", "[8]", "0", "8") "}", 8, GAN_E_UNSUPPORTED, "F8");
    refuse("{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, GAN_E_FORMAT, "no dtype");
    refuse("{\"__metadata__\":{\"libgan.format\":\"2\"}}", 0, GAN_E_UNSUPPORTED, "version 2");
    refuse("{\"__metadata__\":{\"libgan.format\":\"1\"}}", 0, GAN_E_FORMAT,
           "without libgan.digest");
    refuse("{\"__metadata__\":{\"libgan.format\":\"1\",\"libgan.digest\":\"00\"}}", 0, GAN_E_FORMAT,
           "damaged");
}

/* A checkpoint cut anywhere, or with any byte changed, is never taken for whole. */
static void damage(void **state)
{
    (void)state;
    gan_err err = {0};
    gan_checkpoint *c = NULL;
    char *file;
    size_t n;
    gan_store *st = small_store(false, 0);
    save(st, in("c"));
    assert_int_equal(gan__file_read(in("c"), 1 << 20, &file, &n, &err), GAN_OK);
    for (size_t cut = 0; cut < n; cut += cut + 7 < n ? 7 : 1) {
        temp_write(&tmp, "cut", file, cut);
        memset(&err, 0, sizeof err);
        assert_int_equal(gan_checkpoint_open(in("cut"), &c, &err), GAN_E_FORMAT);
    }
    size_t data = n - (9 * 4 + 3 * 8 + 8 + 5);
    for (size_t i = data; i < n; i++) {
        file[i] ^= 4;
        temp_write(&tmp, "bit", file, n);
        file[i] ^= 4;
        memset(&err, 0, sizeof err);
        assert_int_equal(gan_checkpoint_open(in("bit"), &c, &err), GAN_E_FORMAT);
        assert_non_null(strstr(err.message, "digest"));
    }
    memset(&err, 0, sizeof err);
    assert_int_equal(gan_checkpoint_open(in("missing"), &c, &err), GAN_E_NOTFOUND);
    gan__free(file);
    gan_store_free(st);
}

/* --- loading ------------------------------------------------------------------------------------ */

static void expect_load(gan_store *st, const char *says)
{
    gan_err err = {0};
    gan_checkpoint *c = NULL;
    assert_int_equal(gan_checkpoint_open(in("c"), &c, &err), GAN_OK);
    assert_int_equal(gan_checkpoint_load(c, st, &err), GAN_E_FORMAT);
    if (strstr(err.message, says) == NULL) {
        fail_msg("message '%s', expected '%s'", err.message, says);
    }
    gan_checkpoint_close(c);
    gan_store_free(st);
}

static void mismatches(void **state)
{
    (void)state;
    gan_store *st = small_store(false, 0);
    save(st, in("c"));
    gan_store_free(st);

    st = small_store(false, 3);
    add(st, "gen.more", GAN_STATE_WEIGHT, GAN_F32, GAN_SHAPE(1), 0);
    expect_load(st, "lacks gen.more");
    st = gan_store_new();
    add(st, "gen.a.bias", GAN_STATE_WEIGHT, GAN_F32, GAN_SHAPE(3), 0);
    expect_load(st, "the model has no");
    st = gan_store_new();
    add(st, "gen.a.weight", GAN_STATE_WEIGHT, GAN_F32, GAN_SHAPE(3, 2), 0);
    add(st, "gen.a.bias", GAN_STATE_WEIGHT, GAN_F32, GAN_SHAPE(3), 0);
    add(st, "optim.gen.m.gen.a.bias", GAN_STATE_MOMENT, GAN_F64, GAN_SHAPE(3), 0);
    add(st, "count.gen", GAN_STATE_COUNTER, GAN_I64, gan_shape_scalar(), 0);
    add(st, "mask", GAN_STATE_POOL, GAN_U8, GAN_SHAPE(5), 0);
    expect_load(st, "is [2,3], the model's gen.a.weight is [3,2]");
}

static gan_status init(gan_store *st, const char *file, const char *net, gan_err *err)
{
    gan_checkpoint *c = NULL;
    int loaded = 0;
    memset(err, 0, sizeof *err);
    gan_status status = gan_checkpoint_open(in(file), &c, err);
    if (status == GAN_OK) {
        status = gan_checkpoint_init(c, st, net, &loaded, err);
    }
    assert_true(status != GAN_OK || loaded == 2);
    gan_checkpoint_close(c);
    return status;
}

/* A store with one network `net`, as another program would leave it: counters of batches, f64. */
static void foreign(const char *file, const char *prefix, gan_dtype dtype)
{
    gan_store *st = gan_store_new();
    char name[64];
    (void)gan__format(name, sizeof name, "%sa.weight", prefix);
    add(st, name, GAN_STATE_WEIGHT, dtype, GAN_SHAPE(2, 3), 100);
    (void)gan__format(name, sizeof name, "%sa.bias", prefix);
    add(st, name, GAN_STATE_WEIGHT, dtype, GAN_SHAPE(3), 200);
    (void)gan__format(name, sizeof name, "%sb.num_batches_tracked", prefix);
    add(st, name, GAN_STATE_WEIGHT, GAN_I64, gan_shape_scalar(), 3);
    save(st, in(file));
    gan_store_free(st);
}

static double weight(const gan_store *st)
{
    return gan_tensor_get(&gan_store_at(st, gan_store_find(st, "gen.a.weight"))->value, 1);
}

static void starting_weights(void **state)
{
    (void)state;
    gan_err err;
    gan_store *st = small_store(false, 0);
    foreign("named", "gen.", GAN_F32);
    foreign("bare", "", GAN_F64);
    foreign("other", "dec.", GAN_BF16);
    assert_int_equal(init(st, "named", NULL, &err), GAN_OK);
    assert_float_equal(weight(st), 101, 0); /* whole numbers are exact in every type here */
    gan_store_free(st);

    st = small_store(false, 0);
    assert_int_equal(init(st, "bare", NULL, &err), GAN_E_FORMAT);
    assert_non_null(strstr(err.message, "--init gen=FILE"));
    assert_float_equal(weight(st), first_weight + 1, 0);
    assert_int_equal(init(st, "bare", "gen", &err), GAN_OK);
    assert_float_equal(weight(st), 101, 0);
    gan_store_free(st);

    st = small_store(false, 0);
    assert_int_equal(init(st, "other", "gen", &err), GAN_E_FORMAT);
    assert_int_equal(init(st, "other", "gen:enc", &err), GAN_E_FORMAT);
    assert_int_equal(init(st, "other", "disc", &err), GAN_E_ARG);
    assert_int_equal(init(st, "other", "gen:dec", &err), GAN_OK);
    assert_float_equal(weight(st), 101, 0);
    /* the moments and the counter are as they were */
    assert_float_equal(gan_tensor_get(&gan_store_at(st, 2)->value, 0), 7, 0);
    gan_store_free(st);

    st = gan_store_new();
    add(st, "gen.a.weight", GAN_STATE_WEIGHT, GAN_F32, GAN_SHAPE(4, 3), 0);
    add(st, "gen.a.bias", GAN_STATE_WEIGHT, GAN_F32, GAN_SHAPE(3), 0);
    assert_int_equal(init(st, "named", NULL, &err), GAN_E_FORMAT);
    assert_non_null(strstr(err.message, "[2,3]"));
    assert_non_null(strstr(err.message, "[4,3]"));
    gan_store_free(st);
}

/* --- files -------------------------------------------------------------------------------------- */

static void old_file_stays(void **state)
{
    (void)state;
    gan_err err = {0};
    gan_store *st = small_store(false, 0);
    save(st, in("c"));
    assert_int_equal(gan_checkpoint_save(st, meta, 2, in("no/such/folder"), &err), GAN_E_NOTFOUND);
    assert_non_null(strstr(err.message, "no/such/folder"));
    memset(&err, 0, sizeof err);
    gan__alloc_fail_at(3);
    assert_int_equal(gan_checkpoint_save(st, meta, 2, in("c"), &err), GAN_E_NOMEM);
    gan__alloc_fail_at(0);
    gan_checkpoint *c = NULL;
    memset(&err, 0, sizeof err);
    assert_int_equal(gan_checkpoint_open(in("c"), &c, &err), GAN_OK);
    gan_checkpoint_close(c);
    gan_store_free(st);
}

/* Every allocation of writing and reading fails once: the right code, nothing leaks. */
static void short_memory(void **state)
{
    (void)state;
    gan_store *st = small_store(false, 0);
    save(st, in("c"));
    uint64_t live = gan__alloc_stats().live;
    gan_status status = GAN_E_NOMEM;
    for (uint64_t n = 1; status != GAN_OK && n < 1000; n++) {
        gan_err err = {0};
        gan_checkpoint *c = NULL;
        gan__alloc_fail_at(n);
        status = gan_checkpoint_save(st, meta, 2, in("d"), &err);
        status = status == GAN_OK ? gan_checkpoint_open(in("c"), &c, &err) : status;
        status = status == GAN_OK ? gan_checkpoint_load(c, st, &err) : status;
        gan__alloc_fail_at(0);
        gan_checkpoint_close(c);
        assert_true(status == GAN_OK || status == GAN_E_NOMEM);
        assert_int_equal(gan__alloc_stats().live, live);
    }
    assert_int_equal(status, GAN_OK);
    gan_store_free(st);
}

/* The digest does not depend on how the stream is cut, and sees every bit. */
static void digests(void **state)
{
    (void)state;
    unsigned char bytes[200];
    char whole[GAN__DIGEST_TEXT], text[GAN__DIGEST_TEXT];
    struct gan__digest d;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)(i * 37);
    }
    gan__digest_init(&d);
    gan__digest_add(&d, bytes, sizeof bytes);
    gan__digest_text(&d, whole);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        gan__digest_init(&d);
        gan__digest_add(&d, bytes, cut);
        gan__digest_add(&d, bytes + cut, sizeof bytes - cut);
        gan__digest_text(&d, text);
        assert_string_equal(text, whole);
    }
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        gan__digest_init(&d);
        gan__digest_add(&d, bytes, sizeof bytes);
        gan__digest_text(&d, text);
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_string_not_equal(text, whole);
    }
    gan__digest_init(&d); /* zeros at the end count */
    gan__digest_add(&d, bytes, sizeof bytes);
    gan__digest_add(&d, "\0", 1);
    gan__digest_text(&d, text);
    assert_string_not_equal(text, whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(round_trip, make, drop),
        cmocka_unit_test_setup_teardown(same_bytes, make, drop),
        cmocka_unit_test_setup_teardown(lies, make, drop),
        cmocka_unit_test_setup_teardown(damage, make, drop),
        cmocka_unit_test_setup_teardown(mismatches, make, drop),
        cmocka_unit_test_setup_teardown(starting_weights, make, drop),
        cmocka_unit_test_setup_teardown(old_file_stays, make, drop),
        cmocka_unit_test_setup_teardown(short_memory, make, drop),
        cmocka_unit_test(digests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
