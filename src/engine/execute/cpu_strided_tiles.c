/* cpu_strided_tiles.c: phases and tiles of 4x4 convolutions of stride 2. */
#include "cpu_strided.h"

#include "base/err.h"
#include "base/number.h"

enum { PANEL = GAN_STRIDED_PANEL, PHASES = GAN_STRIDED_PHASES };

/* Below these the transforms cost more than they save. */
enum { LEAST_CHANNELS = 32, LEAST_TILES = 64 };

bool gan__strided_worth(const gan_shape *x, const gan_shape *w, const gan_shape *y,
                        const struct gan_conv *c)
{
    const int64_t i = x->dim[3], o = y->dim[3];
    const int64_t tiles = y->dim[0] * (y->dim[1] / 2) * (y->dim[2] / 2);
    return w->dim[2] == 4 && w->dim[3] == 4 && w->dim[1] == i && c->stride_h == 2 &&
           c->stride_w == 2 && c->dilation_h <= 1 && c->dilation_w <= 1 && c->groups <= 1 &&
           c->pad_top <= 3 && c->pad_left <= 3 && i >= LEAST_CHANNELS && o >= LEAST_CHANNELS &&
           i % PANEL == 0 && o % PANEL == 0 && tiles >= LEAST_TILES && gan__strided(2) != NULL;
}

int64_t gan__strided_weights(const struct gan__strided_sizes *k)
{
    return k->loops->places * PHASES * k->i * k->o;
}

/* The larger tile where results fill it and the transformed weights stay small. */
static void choose_tile(struct gan__strided_sizes *k)
{
    const int64_t rows = k->direction == GAN_STRIDED_DATA ? (k->h + 1) / 2 : k->oh;
    const int64_t columns = k->direction == GAN_STRIDED_DATA ? (k->w + 1) / 2 : k->ow;
    int64_t products[2];
    for (int t = 0; t < 2; t++) {
        const struct gan__strided *loops = gan__strided(t == 0 ? 2 : 4);
        products[t] = loops->places * gan__raise(rows, loops->tile) *
                      gan__raise(columns, loops->tile) / (loops->tile * loops->tile);
    }
    k->loops = gan__strided(4);
    if (products[1] >= products[0] || gan__strided_weights(k) > GAN_STRIDED_SMALL_WEIGHTS) {
        k->loops = gan__strided(2);
    }
    k->tiles_h = gan__raise(rows, k->loops->tile) / k->loops->tile;
    k->tiles_w = gan__raise(columns, k->loops->tile) / k->loops->tile;
    k->tiles = k->n * k->tiles_h * k->tiles_w;
}

gan_status gan__strided_measure(struct gan__prepare *p, enum gan__strided_direction direction,
                                const struct gan_conv *c, struct gan__strided_sizes *k,
                                gan_err *err)
{
    const gan_shape *x = &(direction == GAN_STRIDED_DATA ? p->out : p->in)[0].shape;
    const gan_shape *y = direction == GAN_STRIDED_FORWARD ? &p->out[0].shape
                         : direction == GAN_STRIDED_DATA  ? &p->in[0].shape
                                                          : &p->in[1].shape;
    const int64_t widest = x->dim[3] > y->dim[3] ? x->dim[3] : y->dim[3];
    float *zeros = gan__arena_array(p->arena, (size_t)widest, sizeof *zeros);
    if (zeros == NULL) {
        return gan__fail_nomem(err, (size_t)widest * sizeof *zeros, "a convolution of stride 2");
    }
    *k = (struct gan__strided_sizes){.direction = direction,
                                     .n = x->dim[0],
                                     .h = x->dim[1],
                                     .w = x->dim[2],
                                     .i = x->dim[3],
                                     .oh = y->dim[1],
                                     .ow = y->dim[2],
                                     .o = y->dim[3],
                                     .pad_h = c->pad_top,
                                     .pad_w = c->pad_left,
                                     .zeros = zeros,
                                     .threads = p->threads > 1 ? p->threads : 1};
    choose_tile(k);
    return GAN_OK;
}

struct gan__strided_at gan__strided_place(const struct gan__strided_sizes *k, int64_t tile)
{
    const int64_t of_image = k->tiles_h * k->tiles_w, rest = tile % of_image;
    return (struct gan__strided_at){tile / of_image, rest / k->tiles_w * k->loops->tile,
                                    rest % k->tiles_w * k->loops->tile};
}

struct gan__strided_image gan__strided_wide(const struct gan__strided_sizes *k, const gan_tensor *t)
{
    return (struct gan__strided_image){t->data, k->h, k->w, k->i};
}

struct gan__strided_image gan__strided_narrow(const struct gan__strided_sizes *k,
                                              const gan_tensor *t)
{
    return (struct gan__strided_image){t->data, k->oh, k->ow, k->o};
}

void gan__strided_window(const struct gan__strided_image *m, struct gan__strided_at from,
                         int64_t step, int size, float *none, float **pixel)
{
    for (int64_t y = 0; y < size; y++) {
        for (int64_t x = 0; x < size; x++) {
            const int64_t row = from.row + y * step, column = from.column + x * step;
            const bool inside = row >= 0 && row < m->h && column >= 0 && column < m->w;
            *pixel++ = inside ? m->data + ((from.n * m->h + row) * m->w + column) * m->c : none;
        }
    }
}

void gan__strided_phase(const struct gan__strided_sizes *k, const struct gan__strided_image *x,
                        struct gan__strided_at t, int64_t q, float **pixel)
{
    t.row = 2 * t.row - k->pad_h + q / 2;
    t.column = 2 * t.column - k->pad_w + q % 2;
    gan__strided_window(x, t, 2, k->loops->tile + 1, k->zeros, pixel);
}
