/* plan_count.c: searches the dump of a plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plan_count.h"

int plan_count(const gan_plan *p, const char *part)
{
    char *text = gan_plan_dump(p, GAN_DUMP_TEXT);
    int n = 0;
    assert_non_null(text);
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        n++;
    }
    gan_text_free(text);
    return n;
}
