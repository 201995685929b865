/* The test scene. Everything is drawn straight into the Bayer samples, at 16 bits until the last step, from far to
 * near. Lengths are 1/256 pixel (`fix`); sizes are given for a picture of 1080 lines and scaled to the real one.
 * Cover and light are 0..256. One shape serves for all things: a trapezoid with round corners. */
#include <stdlib.h>

#include "scene.h"

typedef int64_t fix;

typedef struct colour {
    uint8_t r, g, b;
} colour;

typedef struct canvas {
    uint16_t *samples;
    int width, height, strip; /* rows; strip: those of the test strip */
    fix horizon;
    uint32_t frame;
    int step; /* 4096 * 4096 over the width: a division less per pixel */
} canvas;

enum { PIXEL = 256, FULL = 256, METRE = 65536 };

static fix clamp(fix v, fix low, fix high)
{
    return v < low ? low : v > high ? high : v;
}

static fix scaled(const canvas *c, fix at_1080)
{
    return at_1080 * c->height * PIXEL / 1080;
}

static colour mix(colour a, colour b, fix cover)
{
    return (colour){ (uint8_t)(a.r + (b.r - a.r) * cover / FULL), (uint8_t)(a.g + (b.g - a.g) * cover / FULL),
                     (uint8_t)(a.b + (b.b - a.b) * cover / FULL) };
}

static int sample_of(colour k, int x, int y)
{
    return 257 * (y & 1 ? (x & 1 ? k.b : k.g) : (x & 1 ? k.g : k.r));
}

static void blend(uint16_t *s, int to, int cover)
{
    *s = (uint16_t)(*s + (to - *s) * cover / FULL);
}

/* Scrambles n: the same numbers for every frame. */
static uint32_t noise(uint32_t n)
{
    n = (n ^ 61) * 0x9E3779B1u;
    n = (n ^ n >> 15) * 0x85EBCA6Bu;
    return n ^ n >> 13;
}

/* -256..256 over a period of 65536, from two parabolas. */
static fix wave(fix phase)
{
    const fix p = phase & 32767, half = p * (32768 - p) >> 20;
    return phase & 32768 ? -half : half;
}

/* From the left, 0, to the right, 4096. */
static int along(const canvas *c, int x)
{
    return x * c->step >> 12;
}

/* How much of the day is there, 0..65536: the left is night, the right is morning. */
static fix dawn(const canvas *c, int x)
{
    const fix t = along(c, x);
    return t * t * (3 * 4096 - 2 * t) >> 20;
}

static int daylight(const canvas *c, int x)
{
    return (int)(dawn(c, x) / 256);
}

static void span(const canvas *c, int y, fix left, fix right, colour k, int cover)
{
    const int to[2] = { sample_of(k, 0, y), sample_of(k, 1, y) };
    uint16_t *row = c->samples + (size_t)y * (size_t)c->width;

    left = clamp(left, 0, (fix)c->width * PIXEL);
    right = clamp(right, 0, (fix)c->width * PIXEL);
    if (left >= right)
        return;
    const int first = (int)(left / PIXEL), last = (int)((right - 1) / PIXEL);
    const int cut_left = (int)(left % PIXEL), cut_right = (int)((fix)(last + 1) * PIXEL - right);
    if (first == last) {
        blend(row + first, to[first & 1], (PIXEL - cut_left - cut_right) * cover / PIXEL);
        return;
    }
    blend(row + first, to[first & 1], (PIXEL - cut_left) * cover / PIXEL);
    for (int x = first + 1; x < last; x++)
        blend(row + x, to[x & 1], cover);
    blend(row + last, to[last & 1], (PIXEL - cut_right) * cover / PIXEL);
}

static fix root(fix v)
{
    fix r = 0;
    for (fix bit = (fix)1 << 24; bit > 0; bit >>= 1) {
        if ((r + bit) * (r + bit) <= v)
            r += bit;
    }
    return r;
}

typedef struct shape {
    fix x, top, bottom; /* middle, and the ends */
    fix top_half, half; /* half widths at the top and at the bottom */
    fix radius;         /* of the corners */
} shape;

static void draw(const canvas *c, shape s, colour k, int cover)
{
    const int first = (int)(clamp(s.top, 0, (fix)c->height * PIXEL) / PIXEL);
    const fix size = s.bottom > s.top ? s.bottom - s.top : 1;
    for (int y = first; y < c->height && (fix)y * PIXEL < s.bottom; y++) {
        const fix from = clamp(s.top - (fix)y * PIXEL, 0, PIXEL),
                  to = clamp(s.bottom - (fix)y * PIXEL, 0, PIXEL);
        const fix middle = (fix)y * PIXEL + (from + to) / 2 - s.top;
        const fix edge = s.radius - (middle < size / 2 ? middle : size - middle);
        const fix inset = edge > 0 ? s.radius - root(s.radius * s.radius - edge * edge) : 0;
        const fix half = s.top_half + (s.half - s.top_half) * middle / size - inset;
        span(c, y, s.x - half, s.x + half, k, (int)((to - from) * cover / PIXEL));
    }
}

static void disc(const canvas *c, fix x, fix y, fix radius, colour k, int cover)
{
    draw(c, (shape){ x, y - radius, y + radius, radius, radius, radius }, k, cover);
}

/* Light around a point, gone at `radius`. */
static void glow(const canvas *c, fix x, fix y, fix radius, colour k, int strength)
{
    const int px = (int)(x / PIXEL), py = (int)(y / PIXEL), r = (int)(radius / PIXEL);
    const int64_t area = (int64_t)r * r + 1;
    for (int row = (int)clamp(py - r, 0, c->height); row < (int)clamp(py + r, 0, c->height); row++) {
        const int to[2] = { sample_of(k, 0, row), sample_of(k, 1, row) };
        const int64_t per = (1 << 20) / area + 1, rest = (int64_t)(row - py) * (row - py);
        uint16_t *s = c->samples + (size_t)row * (size_t)c->width;
        for (int at = (int)clamp(px - r, 0, c->width); at < (int)clamp(px + r, 0, c->width); at++) {
            const int64_t far = ((int64_t)(at - px) * (at - px) + rest) * per >> 12;
            if (far < FULL)
                blend(s + at, to[at & 1], (int)((FULL - far) * (FULL - far) * strength >> 16));
        }
    }
}

static void sky(const canvas *c)
{
    const colour night_top = { 7, 10, 30 }, night_low = { 52, 50, 104 };
    const colour day_top = { 66, 128, 206 }, day_low = { 255, 204, 150 };
    const int rows = (int)(c->horizon / PIXEL) + 1;
    for (int y = 0; y < rows && y < c->height; y++) {
        const int down = y * FULL / rows, warm = down * down / FULL;
        const colour night = mix(night_top, night_low, warm), day = mix(day_top, day_low, warm);
        const int from[2] = { sample_of(night, 0, y), sample_of(night, 1, y) };
        const int by[2] = { sample_of(day, 0, y) - from[0], sample_of(day, 1, y) - from[1] };
        uint16_t *row = c->samples + (size_t)y * (size_t)c->width;
        for (int x = 0; x < c->width; x++)
            row[x] = (uint16_t)(from[x & 1] + by[x & 1] * dawn(c, x) / 65536);
    }
    for (uint32_t i = 0; i < 170; i++) {
        const int x = (int)(noise(i) % (uint32_t)c->width), y = (int)(noise(i + 999) % (uint32_t)rows);
        const int twinkle = 200 + (int)(wave((fix)(noise(i) + c->frame * 2500) & 65535) / 5);
        const int cover = twinkle - 3 * daylight(c, x) - y * FULL / rows / 2;
        disc(c, (fix)x * PIXEL, (fix)y * PIXEL, scaled(c, 1) + (fix)(noise(i + 7) & 255),
             (colour){ 235, 238, 255 }, (int)clamp(cover, 0, FULL));
    }
}

static void sun_and_moon(const canvas *c)
{
    const fix w = (fix)c->width * PIXEL;
    glow(c, w * 17 / 100, scaled(c, 190), scaled(c, 170), (colour){ 150, 160, 220 }, 110);
    disc(c, w * 17 / 100, scaled(c, 190), scaled(c, 46), (colour){ 236, 234, 218 }, FULL);
    disc(c, w * 17 / 100 + scaled(c, 12), scaled(c, 178), scaled(c, 11), (colour){ 205, 203, 196 }, 200);
    disc(c, w * 17 / 100 - scaled(c, 18), scaled(c, 200), scaled(c, 8), (colour){ 205, 203, 196 }, 200);
    glow(c, w * 79 / 100, scaled(c, 395), scaled(c, 560), (colour){ 255, 190, 110 }, 215);
    glow(c, w * 79 / 100, scaled(c, 395), scaled(c, 190), (colour){ 255, 244, 214 }, 240);
    disc(c, w * 79 / 100, scaled(c, 395), scaled(c, 62), (colour){ 255, 250, 232 }, FULL);
}

typedef struct ridge {
    int base, height, length; /* at 1080 lines: above the horizon; of the first wave */
    colour night, day;
} ridge;

static void hills(const canvas *c, const ridge *h)
{
    enum { TILE = 16 }; /* columns that share a colour */
    for (int x0 = 0; x0 < c->width; x0 += TILE) {
        fix line[TILE], highest = c->horizon;
        const int n = c->width - x0 < TILE ? c->width - x0 : TILE;
        const colour k = mix(h->night, h->day, daylight(c, x0 + n / 2));
        for (int i = 0; i < n; i++) {
            const fix p = (fix)(x0 + i) * 65536 * 1080 / c->height / h->length;
            const fix up =
                wave(p + 9000 * h->base) * 5 + wave(p * 5 / 2) * 2 + wave(p * 6 + h->base) + wave(p * 17) / 3;
            line[i] = c->horizon - scaled(c, h->base) - scaled(c, h->height) * up / 2048;
            highest = line[i] < highest ? line[i] : highest;
        }
        for (int y = (int)(clamp(highest, 0, c->horizon) / PIXEL);
             y < c->height && (fix)y * PIXEL < c->horizon; y++) {
            uint16_t *row = c->samples + (size_t)y * (size_t)c->width + x0;
            for (int i = 0; i < n; i++)
                blend(row + i, sample_of(k, x0 + i, y), (int)clamp((fix)(y + 1) * PIXEL - line[i], 0, PIXEL));
        }
    }
}

/* ---- the road: below the horizon, a row is a distance ---- */

/* Rows below the horizon (fix) at a distance (1/65536 m), and back. */
static fix depth(const canvas *c, fix below)
{
    return scaled(c, 1800) * METRE / (below > 32 ? below : 32);
}

/* Pixels (fix) of so many centimetres across, at so many rows below the horizon. */
static fix across(fix below, fix centimetres)
{
    return below * centimetres / 310;
}

/* How much of the distances near..far lies in the first `mark` metres of each `period`, as they pass by. */
static int marked(const canvas *c, fix near, fix far, int mark, int period)
{
    const fix moved = (fix)(c->frame % (uint32_t)period) * METRE, p = (fix)period * METRE,
              m = (fix)mark * METRE;
    const fix a = near + moved, b = far + moved;
    const fix within = (b / p * m + clamp(b % p, 0, m)) - (a / p * m + clamp(a % p, 0, m));
    return (int)(within * FULL / (far - near + 1));
}

static void ground_row(const canvas *c, int y)
{
    const fix below = (fix)y * PIXEL + PIXEL / 2 - c->horizon, middle = (fix)c->width * PIXEL / 2;
    const fix near = depth(c, below + PIXEL / 2), far = depth(c, below - PIXEL / 2);
    const colour grass = mix((colour){ 78, 104, 56 }, (colour){ 92, 120, 64 }, marked(c, near, far, 10, 20));
    const colour road = mix((colour){ 84, 84, 90 }, (colour){ 92, 92, 97 }, marked(c, near, far, 5, 10));
    const colour kerb = mix((colour){ 225, 225, 220 }, (colour){ 196, 60, 48 }, marked(c, near, far, 2, 4));
    const fix half = across(below, 545), edge = across(below, 500), lane = across(below, 167),
              line = across(below, 9);

    span(c, y, 0, (fix)c->width * PIXEL, grass, FULL);
    span(c, y, middle - half - across(below, 28), middle + half + across(below, 28), kerb, FULL);
    span(c, y, middle - half, middle + half, road, FULL);
    for (int side = -1; side <= 1; side += 2) {
        const fix x = middle + side * lane, e = middle + side * edge;
        span(c, y, e - line, e + line, (colour){ 236, 234, 222 }, FULL);
        span(c, y, x - line, x + line, (colour){ 240, 240, 232 }, marked(c, near, far, 4, 12));
    }
    /* The night takes the colour away, our own headlights bring it back in front of us. */
    uint16_t *row = c->samples + (size_t)y * (size_t)c->width;
    const int reach = (int)clamp(below * 220 / (scaled(c, 580) + 1), 0, 200);
    for (int x = 0; x < c->width; x++) {
        const int off = abs(2 * along(c, x) - 4096) * 300 / 4096;
        const int light = 70 + daylight(c, x) * 186 / FULL;
        const int lamp = off < 200 ? reach * (200 - off) / 200 : 0;
        row[x] = (uint16_t)(row[x] * clamp(light + lamp * (FULL - light) / FULL, 0, FULL) / FULL);
    }
}

typedef struct place {
    fix x, y, metre; /* where it stands, and what a metre is there */
} place;

static place place_at(const canvas *c, fix centimetres, fix distance)
{
    const fix below = scaled(c, 1800) * METRE / distance;
    return (place){ (fix)c->width * PIXEL / 2 + across(below, centimetres), c->horizon + below,
                    across(below, 100) };
}

/* A box around a place: all in 1/100 m, the upper width as 1/100 of the lower one. */
typedef struct part {
    int x, half, low, high, upper;
} part;

static void box(const canvas *c, place p, part b, colour k)
{
    const fix m = p.metre, half = m * b.half / 100;
    draw(c,
         (shape){ p.x + m * b.x / 100, p.y - m * b.high / 100, p.y - m * b.low / 100, half * b.upper / 100,
                  half, m / 9 },
         k, FULL);
}

static void car(const canvas *c, fix centimetres, fix distance, colour paint)
{
    static const struct {
        part at;
        int paint; /* how much of it, over black */
    } parts[] = { { { -68, 15, 0, 40, 100 }, 0 },  { { 68, 15, 0, 40, 100 }, 0 },
                  { { 0, 84, 80, 146, 74 }, 256 }, { { 0, 74, 90, 137, 76 }, 60 },
                  { { 0, 92, 20, 92, 96 }, 256 },  { { 0, 92, 20, 42, 100 }, 136 } };
    const place p = place_at(c, centimetres, distance);
    const int light = 110 + daylight(c, (int)clamp(p.x / PIXEL, 0, c->width - 1)) * 146 / FULL;
    const colour black = { 16, 18, 24 }, red = { 255, 40, 28 };
    const fix m = p.metre, wide = m * 11 / 10;

    draw(c, (shape){ p.x, p.y - m / 5, p.y + m / 12, wide, wide, m / 8 }, black, 150);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        box(c, p, parts[i].at, mix(black, paint, light * parts[i].paint / FULL));
    box(c, p, (part){ 0, 24, 48, 62, 100 }, (colour){ 236, 232, 214 });
    for (int side = -1; side <= 1; side += 2) {
        box(c, p, (part){ side * 71, 17, 62, 80, 100 }, red);
        glow(c, p.x + side * m * 71 / 100, p.y - m * 71 / 100, m * 60 / 100, red, 330 - light);
    }
}

static void tree(const canvas *c, fix centimetres, fix distance, uint32_t n)
{
    place p = place_at(c, centimetres, distance);
    const int light = daylight(c, (int)clamp(p.x / PIXEL, 0, c->width - 1));
    const colour crown = mix((colour){ 9, 18, 20 }, (colour){ 50, 88, 44 }, light);
    box(c, p, (part){ 0, 14, 0, 160, 80 }, mix((colour){ 12, 12, 14 }, (colour){ 84, 62, 44 }, light));
    for (int i = 0; i < 3; i++) {
        const int size = 150 - 34 * i + (int)(noise(n + (uint32_t)i) & 31), low = 110 + 120 * i;
        box(c, p, (part){ 0, size, low, low + 230, 12 },
            mix(crown, (colour){ 120, 150, 80 }, light * i / 12));
    }
}

/* Trees, posts and cars, far to near. */
static void things(const canvas *c)
{
    const fix f = c->frame, overtaking = METRE + METRE / 4 + f % 240 * METRE / 2;
    for (int i = 12; i >= 0; i--) {
        const fix moved = f % 18, tree_at = (18 * i + 18 - moved) * METRE, post_at = tree_at - 9 * METRE;
        const uint32_t n = (uint32_t)(f / 18 + i);
        if (tree_at >= 4 * METRE) {
            tree(c, -1150 - (fix)(noise(n) % 900), tree_at, n);
            tree(c, 1150 + (fix)(noise(n + 50) % 900), tree_at, n + 3);
        }
        for (int side = -1; side <= 1 && post_at >= 3 * METRE; side += 2) {
            const place p = place_at(c, side * 660, post_at);
            box(c, p, (part){ 0, 7, 0, 95, 100 }, (colour){ 214, 214, 206 });
            box(c, p, (part){ 0, 7, 62, 80, 100 }, (colour){ 255, 120, 20 });
        }
    }
    car(c, 30 + wave(f * 400) / 10, 26 * METRE + wave(f * 500) * METRE / PIXEL, (colour){ 226, 226, 220 });
    car(c, -335, overtaking, (colour){ 40, 92, 170 });
    car(c, 335, 9 * METRE + wave(f * 300) * METRE / PIXEL, (colour){ 176, 32, 40 });
}

/* The strip at the bottom: colours and greys, the frame number twice, and ever finer lines. */
static void strip(const canvas *c)
{
    const int digits[10] = { 075557, 026227, 071747, 071717, 055711, 074717, 074757, 071111, 075757, 075717 };
    const int top = c->height - c->strip;
    const fix w = (fix)c->width * PIXEL, cell = w / 64, h = (fix)c->strip * PIXEL, low = (fix)top * PIXEL;
    for (int y = top; y < c->height; y++) {
        span(c, y, 0, w, (colour){ 14, 14, 16 }, FULL);
        for (int i = 0; i < 8; i++) {
            const uint8_t grey = (uint8_t)(i * 36);
            span(c, y, cell * (1 + i), cell * (2 + i),
                 (colour){ i & 1 ? 235 : 20, i & 2 ? 235 : 20, i & 4 ? 235 : 20 }, FULL);
            span(c, y, cell * (10 + i), cell * (11 + i), (colour){ grey, grey, grey }, FULL);
        }
        for (int i = 0; i < 16; i++) {
            const colour k = c->frame >> (15 - i) & 1 ? (colour){ 240, 240, 230 } : (colour){ 58, 58, 66 };
            span(c, y, cell * (29 + i) + cell / 10, cell * (30 + i) - cell / 10, k, FULL);
        }
        for (int x = (int)(cell * 47 / PIXEL), t = 0; x < (int)(cell * 63 / PIXEL); x++, t++) {
            const fix phase = (fix)t * t * 16384 / (cell * 16 / PIXEL + 1); /* up to a line per sample */
            blend(c->samples + (size_t)y * (size_t)c->width + x, phase & 32768 ? 60000 : 3000, FULL);
        }
    }
    uint32_t number = c->frame;
    for (int at = 5; at >= 0; at--, number /= 10) {
        for (int dot = 0; dot < 15; dot++) {
            const fix size = h / 9, x = cell * 20 + (at * 4 + dot % 3) * size,
                      y = low + size * 2 + dot / 3 * size;
            if (digits[number % 10] >> (14 - dot) & 1)
                draw(c, (shape){ x, y, y + size, size / 2, size / 2, 0 }, (colour){ 255, 206, 84 }, FULL);
        }
    }
}

void tl_scene_draw(uint16_t *bayer, unsigned width, unsigned height, unsigned bits, uint32_t frame)
{
    canvas c = { .samples = bayer, .width = (int)width, .height = (int)height, .frame = frame };
    c.step = 4096 * 4096 / c.width;
    const ridge ridges[] = { { 60, 62, 1500, { 40, 40, 86 }, { 206, 164, 150 } },
                             { 34, 40, 900, { 24, 26, 60 }, { 136, 128, 124 } },
                             { 12, 20, 500, { 12, 16, 36 }, { 72, 92, 70 } } };
    c.strip = (c.height + 17) / 18;
    c.horizon = scaled(&c, 480);
    sky(&c);
    sun_and_moon(&c);
    for (int i = 0; i < 3; i++)
        hills(&c, &ridges[i]);
    for (int y = (int)(c.horizon / PIXEL); y < c.height; y++)
        ground_row(&c, y);
    things(&c);
    strip(&c);
    for (size_t i = 0; i < (size_t)width * height; i++)
        bayer[i] = (uint16_t)(bayer[i] >> (16 - bits));
}
