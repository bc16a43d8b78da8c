/* page.c: pages of help, all of them made from the tables that the program runs on. */
#include "page.h"

#include "find.h"
#include "out.h"

#include "base/err.h"
#include "base/str.h"

#include <gan/data.h>
#include <gan/loss.h>

#include <stdio.h>
#include <string.h>

enum { WIDTH = 24 };

void gan__page_program(void)
{
    (void)puts("gan trains, samples and explains generative adversarial networks.\n");
    gan__out_heading("Usage");
    (void)puts("  gan COMMAND [WORDS] [--option value ...]\n");
    gan__out_heading("Commands");
    for (size_t i = 0; gan__commands[i] != NULL; i++) {
        gan__out_entry(10, gan__commands[i]->name, gan__commands[i]->summary);
    }
    (void)putchar('\n');
    gan__out_heading("First steps");
    (void)puts("  gan train dcgan --data fashion-mnist --time 2m\n"
               "  gan sample runs/dcgan-fashion-mnist-1 --out grid.png\n"
               "  gan help dcgan\n");
    (void)puts("gan help TOPIC shows the page of a command, a model, a preset, a loss, a kind of\n"
               "data, ...; gan list shows what there is; gan --version tells the version.");
}

void gan__page_command(const struct gan__command *c, const struct gan_model *model)
{
    (void)printf("gan %s: %s\n\n", c->name, c->summary);
    gan__out_heading("Usage");
    gan__out_paragraph(2, c->usage);
    if (c->about != NULL) {
        (void)putchar('\n');
        gan__out_paragraph(0, c->about);
    }
    if (c->more != NULL) {
        c->more();
    }
    (void)putchar('\n');
    gan__out_heading("Options");
    gan__out_options(c->opts);
    gan__out_entry(WIDTH, "--help", "this page");
    if ((c->flags & GAN__TRAIN_OPTIONS) != 0) {
        (void)putchar('\n');
        gan__out_heading("Options of training");
        gan__out_options(gan_train_options());
    }
    if (model != NULL) {
        (void)putchar('\n');
        gan__out_heading("Options of the model");
        gan__out_options(model->opts);
    }
}

static void model_page(const struct gan_model *m)
{
    (void)printf("%s: %s\n", m->name, m->title);
    (void)printf("Paper: %s\n\n", m->paper);
    gan__out_paragraph(0, m->help);
    (void)putchar('\n');
    gan__out_heading("Options");
    gan__out_options(m->opts);
    if (m->claims != NULL && m->claims->what != NULL) {
        (void)putchar('\n');
        gan__out_heading("Figures from the paper and its code");
        for (const struct gan_claim *c = m->claims; c->what != NULL; c++) {
            gan__out_entry(48, c->what, c->value);
        }
    }
    if (m->batch > 0 || m->epochs > 0) {
        (void)printf("\nWhere they are not given: --batch %lld --epochs %lld\n",
                     (long long)(m->batch > 0 ? m->batch : 64),
                     (long long)(m->epochs > 0 ? m->epochs : 25));
    }
    (void)printf("\nTrain it: gan train %s --data SPEC; what that takes: gan help train\n",
                 m->name);
}

static void preset_page(const struct gan_preset *p)
{
    (void)printf("%s: a preset of %s\nPaper: %s\n\n", p->name, p->model, p->paper);
    gan__out_heading("Sets");
    gan__out_paragraph(2, p->set);
    if (p->data != NULL) {
        (void)printf("  --data %s, unless one is given\n", p->data);
    }
    (void)printf("\nIts other options: gan help %s\n", p->model);
}

static void data_page(const struct gan_data_kind *k)
{
    (void)printf("%s: %s\n\n", k->name, k->help);
    gan__out_heading("Usage");
    (void)printf("  --data %s%s%s[?option=value&...]\n\n", k->name, k->argument != NULL ? ":" : "",
                 k->argument != NULL ? k->argument : "");
    if (k->opts != NULL && k->opts->name != NULL) {
        gan__out_heading("Options of this kind, after the ? and without dashes");
        gan__out_options(k->opts);
        (void)putchar('\n');
    }
    gan__out_heading("Options of every kind, after the ? and without dashes");
    gan__out_options(gan_data_options());
}

static bool try_data(const char *topic)
{
    struct gan_data_kind kind;
    for (size_t i = 0; gan_data_kind(i, &kind); i++) {
        if (strcmp(kind.name, topic) == 0) {
            data_page(&kind);
            return true;
        }
    }
    return false;
}

static bool try_loss(const char *topic)
{
    const struct gan_loss *l;
    for (int i = 0; (l = gan_loss_at(i)) != NULL; i++) {
        if (strcmp(l->name, topic) == 0) {
            (void)printf("%s: a loss: %s\nReference: %s\n", l->name, l->doc, l->ref);
            return true;
        }
    }
    return false;
}

/* Things of which a name and a line is all there is to say, and the kinds themselves. */
static bool try_kinds(const char *topic)
{
    const char *name, *line;
    for (const struct gan__kind *k = gan__kinds; k->name != NULL; k++) {
        bool all = strcmp(k->name, topic) == 0;
        for (int i = 0; k->at(i, &name, &line); i++) {
            if (all) {
                gan__out_entry(WIDTH, name, line);
            } else if (strcmp(name, topic) == 0) {
                (void)printf("%s: %s %s: %s\n", name, strchr("aeiou", k->singular[0]) ? "an" : "a",
                             k->singular, line);
                return true;
            }
        }
        if (all) {
            return true;
        }
    }
    return false;
}

static gan_status fail_topic(const char *topic, gan_err *err)
{
    enum { MANY = 512 };
    const char *names[MANY];
    const char *line;
    size_t n = 0;
    for (size_t i = 0; gan__commands[i] != NULL && n < MANY; i++) {
        names[n++] = gan__commands[i]->name;
    }
    for (const struct gan__kind *k = gan__kinds; k->name != NULL; k++) {
        for (int i = 0; n < MANY && k->at(i, &names[n], &line); i++) {
            n++;
        }
    }
    const char *near = gan__suggest(topic, names, n);
    if (near == NULL) {
        return gan__fail(err, GAN_E_ARG, "unknown topic '%s', see gan list", topic);
    }
    return gan__fail(err, GAN_E_ARG, "unknown topic '%s' (did you mean '%s'?)", topic, near);
}

gan_status gan__page_topic(const char *topic, gan_err *err)
{
    for (size_t i = 0; gan__commands[i] != NULL; i++) {
        if (strcmp(gan__commands[i]->name, topic) == 0) {
            gan__page_command(gan__commands[i], NULL);
            return GAN_OK;
        }
    }
    gan_err inner = {0};
    const struct gan_model *model = gan_model_find(topic, &inner);
    const struct gan_preset *preset = gan__find_preset(topic);
    if (model != NULL) {
        model_page(model);
    } else if (preset != NULL) {
        preset_page(preset);
    } else if (!try_data(topic) && !try_loss(topic) && !try_kinds(topic)) {
        return fail_topic(topic, err);
    }
    return GAN_OK;
}
