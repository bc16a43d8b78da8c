/* contour.c: marching squares. Every edge of the grid is crossed at most once, by linear
 * interpolation, and shared by at most two cells: crossings are the nodes of paths, which are
 * walked from their ends, then the closed ones. A saddle is decided by the mean of its corners.
 * Paper: W. Lorensen, H. Cline, "Marching cubes", 1987 (its two-dimensional form). */
#include "contour.h"

#include "base/alloc.h"

#include <math.h>
#include <stdint.h>

/* --- levels ------------------------------------------------------------------------------------- */

double gan__nice_step(double low, double high, double want)
{
    double raw = (high - low) / fmax(want, 1);
    double power = pow(10, floor(log10(raw)));
    double f = raw / power;
    return power * (f < 1.5 ? 1 : f < 3.5 ? 2 : f < 7.5 ? 5 : 10);
}

size_t gan__nice_levels(double low, double high, size_t want, double *level, size_t cap)
{
    if (!(high > low) || !isfinite(high - low)) {
        return 0;
    }
    double step = gan__nice_step(low, high, (double)want);
    double slack = (high - low) * 1e-9;
    size_t n = 0;
    for (double k = floor(low / step) + 1; k * step < high - slack && n < cap; k++) {
        if (k * step > low + slack) {
            level[n++] = k * step;
        }
    }
    return n;
}

/* --- lines -------------------------------------------------------------------------------------- */

struct tracer {
    const double *z;
    size_t nx, ny;
    double level;
    int64_t (*link)[2]; /* of each edge: crossed edges of the next and previous cell, -1: none */
    double *xy;         /* the line being walked */
    size_t cap;
};

/* Edge below cell (i,j): j*nx+i; edge at its left: nx*ny + j*nx+i. */
static void crossing(const struct tracer *t, int64_t edge, double xy[2])
{
    size_t e = (size_t)edge, half = t->nx * t->ny;
    bool upright = e >= half;
    size_t k = upright ? e - half : e;
    double a = t->z[k], b = t->z[upright ? k + t->nx : k + 1];
    double f = (t->level - a) / (b - a);
    xy[0] = (double)(k % t->nx) + (upright ? 0 : f);
    xy[1] = (double)(k / t->nx) + (upright ? f : 0);
}

static void join(struct tracer *t, int64_t a, int64_t b)
{
    t->link[a][t->link[a][0] < 0 ? 0 : 1] = b;
    t->link[b][t->link[b][0] < 0 ? 0 : 1] = a;
}

static void join_cell(struct tracer *t, size_t i, size_t j)
{
    size_t nx = t->nx, k = j * nx + i, half = nx * t->ny;
    const double *z = t->z;
    double mean = (z[k] + z[k + 1] + z[k + nx] + z[k + nx + 1]) / 4;
    int64_t south = (int64_t)k, north = (int64_t)(k + nx);
    int64_t west = (int64_t)(half + k), east = (int64_t)(half + k + 1);
    bool a = z[k] >= t->level, b = z[k + 1] >= t->level;
    bool c = z[k + nx + 1] >= t->level, d = z[k + nx] >= t->level;
    if (!isfinite(mean)) {
        return;
    }
    if (a == c && b == d && a != b) { /* saddle: the mean says which corners are joined */
        bool centre = mean >= t->level;
        join(t, south, centre == a ? east : west);
        join(t, north, centre == a ? west : east);
        return;
    }
    int64_t crossed[4];
    int n = 0;
    if (a != b) {
        crossed[n++] = south;
    }
    if (b != c) {
        crossed[n++] = east;
    }
    if (c != d) {
        crossed[n++] = north;
    }
    if (d != a) {
        crossed[n++] = west;
    }
    if (n == 2) {
        join(t, crossed[0], crossed[1]);
    }
}

/* Walks from an edge, unlinking what it leaves. */
static bool walk(struct tracer *t, int64_t from, const struct gan__contour_sink *sink)
{
    int64_t at = from, before = -1;
    size_t n = 0;
    bool closed = t->link[from][1] >= 0;
    while (at >= 0) {
        if (!gan__grow(&t->xy, &t->cap, 2 * n + 2, sizeof *t->xy)) {
            return false;
        }
        crossing(t, at, t->xy + 2 * n++);
        int64_t next = t->link[at][0] != before || before < 0 ? t->link[at][0] : t->link[at][1];
        t->link[at][0] = t->link[at][1] = -1;
        before = at;
        at = next == from ? -1 : next;
    }
    if (n >= 2) {
        sink->line(sink->ctx, t->xy, n, closed);
    }
    return true;
}

bool gan__contour_lines(const double *z, size_t nx, size_t ny, double level,
                        const struct gan__contour_sink *sink)
{
    size_t edges = 2 * nx * ny;
    struct tracer t = {.z = z, .nx = nx, .ny = ny, .level = level};
    t.link = gan__alloc_array(edges, sizeof *t.link);
    bool ok = t.link != NULL;
    for (size_t e = 0; ok && e < edges; e++) {
        t.link[e][0] = t.link[e][1] = -1;
    }
    for (size_t j = 0; ok && j + 1 < ny; j++) {
        for (size_t i = 0; i + 1 < nx; i++) {
            join_cell(&t, i, j);
        }
    }
    for (int closed = 0; closed < 2; closed++) { /* lines with ends first, then rings */
        for (size_t e = 0; ok && e < edges; e++) {
            if (t.link[e][0] >= 0 && (t.link[e][1] >= 0) == (closed == 1)) {
                ok = walk(&t, (int64_t)e, sink);
            }
        }
    }
    gan__free(t.link);
    gan__free(t.xy);
    return ok;
}

/* --- areas -------------------------------------------------------------------------------------- */

static void put_rectangle(const struct gan__contour_sink *sink, size_t from, size_t to, size_t j)
{
    double x0 = (double)from, x1 = (double)to, y0 = (double)j, y1 = y0 + 1;
    const double xy[8] = {x0, y0, x1, y0, x1, y1, x0, y1};
    sink->line(sink->ctx, xy, 4, true);
}

/* The part of a polygon where its values, linear along the sides, reach the level. */
static void put_clipped(const struct gan__contour_sink *sink, const double (*corner)[3], size_t n,
                        double level)
{
    double xy[16];
    size_t m = 0;
    for (size_t k = 0; k < n; k++) {
        const double *a = corner[k], *b = corner[(k + 1) % n];
        if (a[2] >= level) {
            xy[2 * m] = a[0];
            xy[2 * m++ + 1] = a[1];
        }
        if ((a[2] >= level) != (b[2] >= level)) {
            double f = (level - a[2]) / (b[2] - a[2]);
            xy[2 * m] = a[0] + f * (b[0] - a[0]);
            xy[2 * m++ + 1] = a[1] + f * (b[1] - a[1]);
        }
    }
    if (m >= 3) {
        sink->line(sink->ctx, xy, m, true);
    }
}

/* A saddle whose middle is below falls into its two high corners; else clipping is right. */
static void put_cell(const double *z, size_t nx, size_t i, size_t j, double level,
                     const struct gan__contour_sink *sink)
{
    size_t k = j * nx + i;
    double x = (double)i, y = (double)j;
    const double c[4][3] = {
        {x, y, z[k]}, {x + 1, y, z[k + 1]}, {x + 1, y + 1, z[k + nx + 1]}, {x, y + 1, z[k + nx]}};
    bool a = c[0][2] >= level, b = c[1][2] >= level;
    bool saddle = a == (c[2][2] >= level) && b == (c[3][2] >= level) && a != b;
    double mean = (c[0][2] + c[1][2] + c[2][2] + c[3][2]) / 4;
    if (!saddle || mean >= level) {
        put_clipped(sink, c, 4, level);
        return;
    }
    for (size_t k0 = a ? 0 : 1; k0 < 4; k0 += 2) {
        const double *p = c[(k0 + 3) % 4], *q = c[k0], *r = c[(k0 + 1) % 4];
        const double tip[3][3] = {{p[0], p[1], p[2]}, {q[0], q[1], q[2]}, {r[0], r[1], r[2]}};
        put_clipped(sink, tip, 3, level);
    }
}

void gan__contour_area(const double *z, size_t nx, size_t ny, double level,
                       const struct gan__contour_sink *sink)
{
    for (size_t j = 0; j + 1 < ny; j++) {
        size_t run = 0; /* whole cells before i */
        for (size_t i = 0; i + 1 <= nx; i++) {
            bool last = i + 1 == nx;
            const double *c = z + j * nx + i;
            int above = 0;
            bool finite = !last && isfinite(c[0] + c[1] + c[nx] + c[nx + 1]);
            if (finite) {
                above = (c[0] >= level) + (c[1] >= level) + (c[nx] >= level) + (c[nx + 1] >= level);
            }
            if (above == 4) {
                run++;
                continue;
            }
            if (run > 0) {
                put_rectangle(sink, i - run, i, j);
                run = 0;
            }
            if (above > 0) {
                put_cell(z, nx, i, j, level, sink);
            }
        }
    }
}
