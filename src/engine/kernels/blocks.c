/* blocks.c: blocked weights by tiles of lanes and rows, on the instruction set of the machine. */
#include "blocks.h"

#include "gan_config.h"
#include "lanes.h"

#include <string.h>

/* Rows of one task, and words below which one thread does all. */
enum { TASK_ROWS = 64, FEW_WORDS = 16384 };

extern const struct gan__block_lanes gan__block_lanes_base;
#if GAN_LANES_X86
extern const struct gan__block_lanes gan__block_lanes_v3, gan__block_lanes_v4;
#endif

const struct gan__block_lanes *gan__block_lanes(void)
{
#if GAN_LANES_X86
    const char *isa = gan__lanes()->isa;
    if (strcmp(isa, "v4") == 0) {
        return &gan__block_lanes_v4;
    }
    if (strcmp(isa, "v3") == 0) {
        return &gan__block_lanes_v3;
    }
#endif
    return &gan__block_lanes_base;
}

/* A task is 16 lanes by some rows. Tasks follow the plain order, so that memory is read in runs. */
struct tasks {
    int64_t count, row_parts, lane_parts;
    bool rows_first; /* the next task has the next rows, else the next lanes */
};

static struct tasks divide(const struct gan__blocks *b)
{
    struct tasks t = {.row_parts = (b->rows + TASK_ROWS - 1) / TASK_ROWS,
                      .lane_parts = b->lanes / GAN_BLOCKS_LANES,
                      .rows_first = b->plain_row < b->plain_lane};
    t.count = t.row_parts * t.lane_parts;
    return t;
}

static void place(const struct gan__blocks *b, const struct tasks *t, int64_t task, int64_t *lane,
                  int64_t *first, int64_t *end)
{
    const int64_t part = t->rows_first ? task % t->row_parts : task / t->lane_parts;
    *lane = (t->rows_first ? task / t->row_parts : task % t->lane_parts) * GAN_BLOCKS_LANES;
    *first = part * TASK_ROWS;
    *end = *first + TASK_ROWS < b->rows ? *first + TASK_ROWS : b->rows;
}

void gan__blocks_pack(const struct gan__blocks *b, const float *plain, void *blocked)
{
    const struct gan__block_lanes *l = gan__block_lanes();
    const struct tasks t = divide(b);
#pragma omp parallel for schedule(static) if (b->lanes * b->rows * b->taps > FEW_WORDS)
    for (int64_t i = 0; i < t.count; i++) {
        int64_t lane, first, end;
        place(b, &t, i, &lane, &first, &end);
        l->pack(b, plain, blocked, lane, first, end);
    }
}

void gan__blocks_unpack(const struct gan__blocks *b, const void *blocked, int n, int64_t step,
                        float *plain)
{
    const struct gan__block_lanes *l = gan__block_lanes();
    const struct tasks t = divide(b);
#pragma omp parallel for schedule(static) if (b->lanes * b->rows * b->taps > FEW_WORDS)
    for (int64_t i = 0; i < t.count; i++) {
        int64_t lane, first, end;
        place(b, &t, i, &lane, &first, &end);
        l->unpack(b, blocked, n, step, plain, lane, first, end);
    }
}
