/* test_logtable.c: log.jsonl as a table: gaps, nulls, steps that stand twice, alarms, damage. */
#include "base/alloc.h"
#include "base/str.h"
#include "run/logtable.h"

#include "gan_config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/temp_fixture.h"

#if GAN_HAVE_CJSON

static gan_status read_text(struct gan__log_table *t, const char *text, gan_err *err)
{
    temp_write(&tmp, "log.jsonl", text, strlen(text));
    return gan__log_read(t, in("log.jsonl"), err);
}

static void a_table(void **state)
{
    (void)state;
    struct gan__log_table t;
    gan_err err = {0};
    struct gan__alloc_stats before = gan__alloc_stats();
    assert_int_equal(read_text(&t,
                               "{\"step\":1,\"time_s\":0.5,\"loss.disc\":2}\n"
                               "{\"step\":2,\"time_s\":1,\"loss.disc\":null,\"text\":\"x\"}\n"
                               "{\"step\":2,\"time_s\":1.5,\"alarm\":\"not-finite\"}\n"
                               "{\"step\":3,\"time_s\":2,\"loss.disc\":9,\"loss.gen\":7}\n"
                               "{\"step\":3,\"time_s\":2,\"loss.gen\":-1e3}\n"
                               "{\"step\":4,\"time_s",
                               &err),
                     GAN_OK);
    assert_int_equal(t.n, 3);
    assert_int_equal(t.n_columns, 3);
    const struct gan__column *disc = gan__log_column(&t, "loss.", 0);
    const struct gan__column *gen = gan__log_column(&t, "loss.", 1);
    assert_string_equal(disc->name, "loss.disc");
    assert_string_equal(gen->name, "loss.gen");
    assert_null(gan__log_column(&t, "loss.", 2));
    assert_true(disc->value[0] == 2 && isnan(disc->value[1]) && isnan(disc->value[2]));
    assert_true(isnan(gen->value[0]) && isnan(gen->value[1]) && gen->value[2] == -1000);
    assert_true(t.step[0] == 1 && t.step[2] == 3);
    gan__log_release(&t);
    assert_int_equal(gan__alloc_stats().live, before.live);
}

/* More rows than the first room, and a column that begins late. */
static void many_rows(void **state)
{
    (void)state;
    struct gan__log_table t;
    gan_err err = {0};
    struct gan__str s = {0};
    for (int i = 1; i <= 1000; i++) {
        gan__str_printf(&s, "{\"step\":%d,\"time_s\":%d%s}\n", i, i, i == 999 ? ",\"late\":5" : "");
    }
    assert_int_equal(read_text(&t, s.p, &err), GAN_OK);
    gan__str_release(&s);
    assert_int_equal(t.n, 1000);
    const struct gan__column *late = gan__log_column(&t, "late", 0);
    for (int i = 0; i < 1000; i++) {
        assert_true(i == 998 ? late->value[i] == 5 : isnan(late->value[i]));
    }
    gan__log_release(&t);
}

static void damage(void **state)
{
    (void)state;
    struct gan__log_table t;
    gan_err err = {0};
    assert_int_equal(read_text(&t, "{\"step\":1,\"time_s\":1}\n[1]\n", &err), GAN_E_FORMAT);
    assert_non_null(strstr(err.message, "line 2 is no JSON object with a step"));
    err = (gan_err){0};
    assert_int_equal(gan__log_read(&t, in("absent"), &err), GAN_E_NOTFOUND);
    struct gan__alloc_stats before = gan__alloc_stats();
    for (uint64_t n = 1;; n++) {
        err = (gan_err){0};
        gan__alloc_fail_at(n);
        gan_status status = gan__log_read(&t, in("log.jsonl"), &err);
        gan__alloc_fail_at(0);
        if (status == GAN_E_FORMAT) { /* the whole first line was read */
            assert_true(n > 3);
            break;
        }
        assert_int_equal(status, GAN_E_NOMEM);
        assert_int_equal(gan__alloc_stats().live, before.live);
    }
    assert_int_equal(gan__alloc_stats().live, before.live);
}

#endif

#define CASE(f) cmocka_unit_test_setup_teardown(f, make, drop)

int main(void)
{
#if GAN_HAVE_CJSON
    const struct CMUnitTest tests[] = {CASE(a_table), CASE(many_rows), CASE(damage)};
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return 0;
#endif
}
