/* settings.c: see settings.h. */
#include "settings.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

void settings_read(struct settings *s, const char *base, const char *more)
{
    assert_true(gan__format(s->text, sizeof s->text, "%s %s", base, more));
    s->n = 0;
    for (char *p = s->text, *end; *p != '\0'; p = end) {
        end = p + strcspn(p, " ");
        char *eq = strchr(p, '=');
        if (*end == ' ') {
            *end++ = '\0';
        }
        assert_true(eq != NULL && s->n < SETTINGS_MAX);
        *eq = '\0';
        s->set[s->n++] = (struct gan_setting){p, eq + 1};
    }
}
