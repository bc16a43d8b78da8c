/* color.c: colours that the colour-blind tell apart, and maps whose lightness grows evenly. Maps are
 * paths through Oklab (lightness L, chroma C, hue h), where equal steps look equal. Where a path
 * leaves sRGB, chroma falls until it is inside, so that lightness stays what it was.
 * Papers: M. Okabe, K. Ito, "Color universal design", 2008; B. Ottosson, "A perceptual color space
 * for image processing", 2020. */
#include "color.h"

#include <math.h>

/* --- the palette -------------------------------------------------------------------------------- */

static const double palette[][3] = {
    [GAN_COLOR_AUTO] = {0, 0, 0},
    [GAN_COLOR_BLUE] = {0, 114 / 255.0, 178 / 255.0},
    [GAN_COLOR_ORANGE] = {230 / 255.0, 159 / 255.0, 0},
    [GAN_COLOR_GREEN] = {0, 158 / 255.0, 115 / 255.0},
    [GAN_COLOR_VERMILION] = {213 / 255.0, 94 / 255.0, 0},
    [GAN_COLOR_PURPLE] = {204 / 255.0, 121 / 255.0, 167 / 255.0},
    [GAN_COLOR_SKY] = {86 / 255.0, 180 / 255.0, 233 / 255.0},
    [GAN_COLOR_YELLOW] = {240 / 255.0, 228 / 255.0, 66 / 255.0},
    [GAN_COLOR_BLACK] = {0, 0, 0},
    [GAN_COLOR_GRAY] = {0.45, 0.45, 0.45},
};

gan_color gan__color_next(int i)
{
    return (gan_color)(GAN_COLOR_BLUE + i % (GAN_COLOR_SKY - GAN_COLOR_BLUE + 1));
}

const double *gan__color_rgb(gan_color c)
{
    return palette[c];
}

/* --- Oklab -------------------------------------------------------------------------------------- */

static double gamma_of(double linear)
{
    return linear <= 0.0031308 ? 12.92 * linear : 1.055 * pow(linear, 1 / 2.4) - 0.055;
}

static double linear_of(double v)
{
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

/* Linear sRGB of lightness, chroma and hue (radians). */
static void linear_rgb(double light, double chroma, double hue, double rgb[3])
{
    double a = chroma * cos(hue), b = chroma * sin(hue);
    double l = light + 0.3963377774 * a + 0.2158037573 * b;
    double m = light - 0.1055613458 * a - 0.0638541728 * b;
    double s = light - 0.0894841775 * a - 1.2914855480 * b;
    l = l * l * l;
    m = m * m * m;
    s = s * s * s;
    rgb[0] = 4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s;
    rgb[1] = -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s;
    rgb[2] = -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s;
}

double gan__color_lightness(const double rgb[3])
{
    double r = linear_of(rgb[0]), g = linear_of(rgb[1]), b = linear_of(rgb[2]);
    double l = cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    double m = cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    double s = cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    return 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s;
}

static bool is_inside(const double rgb[3])
{
    for (int k = 0; k < 3; k++) {
        if (rgb[k] < 0 || rgb[k] > 1) {
            return false;
        }
    }
    return true;
}

/* The most chroma up to the wanted one that sRGB has, by bisection. */
static void oklch(double light, double chroma, double hue, double rgb[3])
{
    double low = 0, high = chroma;
    linear_rgb(light, chroma, hue, rgb);
    if (!is_inside(rgb)) {
        for (int i = 0; i < 20; i++) {
            double middle = (low + high) / 2;
            linear_rgb(light, middle, hue, rgb);
            *(is_inside(rgb) ? &low : &high) = middle;
        }
        linear_rgb(light, low, hue, rgb);
    }
    for (int k = 0; k < 3; k++) {
        rgb[k] = gamma_of(fmin(fmax(rgb[k], 0), 1));
    }
}

/* --- maps --------------------------------------------------------------------------------------- */

void gan_map_color(gan_colormap map, double t, double rgb[3])
{
    const double degree = 3.14159265358979323846 / 180;
    t = fmin(fmax(t, 0), 1); /* NaN: 0 */
    switch (map) {
    case GAN_MAP_SEQUENTIAL: /* hue 310 (violet) back to 105 (yellow) */
        oklch(0.24 + 0.68 * t, 0.10 + 0.07 * t, (310 - 205 * t) * degree, rgb);
        return;
    case GAN_MAP_DIVERGING: { /* from white both ways */
        double d = fabs(2 * t - 1);
        oklch(0.98 - 0.50 * d, 0.16 * d, (t < 0.5 ? 245 : 50) * degree, rgb);
        return;
    }
    case GAN_MAP_GRAY:
        break;
    }
    rgb[0] = rgb[1] = rgb[2] = t;
}
