/* monitor_memory.c: what the monitor remembers, as a text for the metadata of checkpoints: 16
 * hexadecimal digits a word, words in the order of visit(). A resumed run raises the same alarms at
 * the same iterations as one that was not interrupted. */
#include "monitor.h"

#include "base/alloc.h"
#include "base/err.h"

#include <string.h>

/* Words going in or out of the monitor. */
struct tape {
    uint64_t *word; /* NULL: only counted */
    size_t n;
    bool load;
};

static void word(struct tape *t, void *field)
{
    if (t->word != NULL && t->load) {
        memcpy(field, &t->word[t->n], sizeof *t->word);
    } else if (t->word != NULL) {
        memcpy(&t->word[t->n], field, sizeof *t->word);
    }
    t->n++;
}

static void visit_level(struct tape *t, struct gan__level *l)
{
    word(t, &l->log2);
    word(t, &l->height);
    word(t, &l->seen);
}

static void visit(struct tape *t, struct gan__monitor *m)
{
    for (int i = 0; i < m->layers.n; i++) {
        visit_level(t, &m->layers.layer[i].usual);
        word(t, &m->layers.layer[i].low_for);
        word(t, &m->layers.layer[i].high_for);
    }
    visit_level(t, &m->usual);
    for (int i = 0; i < GAN__RECENT; i++) {
        word(t, &m->recent[i]);
    }
    word(t, &m->n_recent);
    word(t, &m->spread_once);
    for (int i = 0; i < GAN__ALARM_KINDS; i++) {
        word(t, &m->condition[i].stands);
        word(t, &m->condition[i].bad);
        word(t, &m->condition[i].good);
        word(t, &m->condition[i].since);
    }
    word(t, &m->samples.last.spread);
    word(t, &m->samples.last.pixel_spread);
    word(t, &m->samples.last.duplicates);
    word(t, &m->samples.last.separation);
}

char *gan__monitor_text(struct gan__monitor *m)
{
    static const char digits[] = "0123456789abcdef";
    struct tape t = {0};
    visit(&t, m);
    size_t n = t.n;
    t = (struct tape){.word = gan__alloc_array(n, sizeof *t.word)};
    char *text = gan__alloc_array(16 * n + 1, 1);
    if (t.word != NULL && text != NULL) {
        visit(&t, m);
        for (size_t i = 0; i < 16 * n; i++) {
            text[i] = digits[(t.word[i / 16] >> (60 - 4 * (i % 16))) & 15];
        }
    } else {
        gan__free(text);
        text = NULL;
    }
    gan__free(t.word);
    return text;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

gan_status gan__monitor_remember(struct gan__monitor *m, const char *text, gan_err *err)
{
    struct tape t = {0};
    gan__monitor_forget(m);
    visit(&t, m);
    size_t n = t.n;
    if (text == NULL || m->every == 0 || strlen(text) != 16 * n) {
        return GAN_OK; /* written without a monitor */
    }
    t = (struct tape){.word = gan__alloc_array(n, sizeof *t.word), .load = true};
    if (t.word == NULL) {
        return gan__fail_nomem(err, n * sizeof *t.word, "what the monitor remembers");
    }
    for (size_t i = 0; i < 16 * n; i++) {
        int d = digit(text[i]);
        if (d < 0) {
            gan__free(t.word);
            return gan__fail(err, GAN_E_FORMAT,
                             "metadata libgan.monitor: '%c' is no hexadecimal digit", text[i]);
        }
        t.word[i / 16] = t.word[i / 16] << 4 | (uint64_t)d;
    }
    visit(&t, m);
    gan__free(t.word);
    for (int i = 0; i < GAN__ALARM_KINDS; i++) {
        m->stands |= m->condition[i].stands != 0 ? 1u << i : 0;
    }
    return GAN_OK;
}
