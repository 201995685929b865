/* Pictures: colours out of Bayer samples, PNG and y4m files, the contact sheet, and what becomes of them when the
 * disk is full. PNG files are read back by libpng's simplified interface. */
#define _GNU_SOURCE
#include "picture.h"
#include "sheet.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <png.h>

static char folder[64];

static char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static unsigned files_in_folder(void)
{
    glob_t g;
    unsigned n = glob(path_of("*"), 0, NULL, &g) == 0 ? (unsigned)g.gl_pathc : 0;
    globfree(&g);
    return n;
}

/* Cut every file that is longer: writing then fails as on a full disk. */
static void disk_full(rlim_t bytes)
{
    struct rlimit r;
    getrlimit(RLIMIT_FSIZE, &r);
    r.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static void mosaic_of(uint16_t *bayer, unsigned w, unsigned h, uint16_t r, uint16_t g, uint16_t b)
{
    for (unsigned y = 0; y < h; y++)
        for (unsigned x = 0; x < w; x++)
            bayer[y * w + x] = (x ^ y) & 1 ? g : y & 1 ? b : r;
}

static uint8_t *noise(size_t n)
{
    uint8_t *p = malloc(n);
    uint32_t v = 12345;
    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)((v = v * 1664525u + 1013904223u) >> 24);
    return p;
}

/* ---- demosaic ---- */

static void demosaic_of_a_constant_colour_gives_that_colour_everywhere(void **state)
{
    (void)state;
    static const unsigned sizes[][2] = { { 2, 2 }, { 2, 8 }, { 8, 2 }, { 6, 4 }, { 10, 10 } };
    static const unsigned bits[] = { 8, 10, 12, 14, 16 };
    for (size_t s = 0; s < 5; s++)
        for (size_t i = 0; i < 5; i++) {
            uint16_t bayer[100];
            uint8_t rgb[300];
            unsigned w = sizes[s][0], h = sizes[s][1], up = bits[i] - 8;
            mosaic_of(bayer, w, h, (uint16_t)(250u << up), (uint16_t)(120u << up), (uint16_t)(7u << up));
            assert_true(tl_demosaic(rgb, bayer, w, h, bits[i]));
            for (unsigned p = 0; p < w * h; p++) {
                assert_int_equal(rgb[3 * p], 250);
                assert_int_equal(rgb[3 * p + 1], 120);
                assert_int_equal(rgb[3 * p + 2], 7);
            }
        }
}

static void demosaic_of_full_white_does_not_overflow(void **state)
{
    (void)state;
    uint16_t bayer[64];
    uint8_t rgb[192];
    mosaic_of(bayer, 8, 8, 0xffff, 0xffff, 0xffff);
    assert_true(tl_demosaic(rgb, bayer, 8, 8, 16));
    for (unsigned i = 0; i < sizeof rgb; i++)
        assert_int_equal(rgb[i], 255);
}

static void demosaic_of_a_gradient_stays_between_its_neighbours(void **state)
{
    (void)state;
    enum { W = 64, H = 8 };
    static uint16_t bayer[W * H];
    static uint8_t rgb[3 * W * H];
    for (unsigned y = 0; y < H; y++)
        for (unsigned x = 0; x < W; x++)
            bayer[y * W + x] = (uint16_t)(x * 64);
    assert_true(tl_demosaic(rgb, bayer, W, H, 12));
    for (unsigned y = 0; y < H; y++)
        for (unsigned x = 0; x < W; x++)
            for (unsigned c = 0; c < 3; c++) {
                unsigned low = x ? (x - 1) * 4 : 0, high = (x + 1) * 4, v = rgb[3 * (y * W + x) + c];
                assert_in_range(v, low, high);
                if (x && x + 1 < W)
                    assert_in_range(v, x * 4, x * 4); /* linear inside, so bilinear is exact */
            }
}

static void demosaic_puts_each_filter_in_its_place(void **state)
{
    (void)state;
    uint16_t bayer[16] = { 0 };
    uint8_t rgb[48];
    bayer[4 + 1] = 200; /* odd column, odd row: blue */
    assert_true(tl_demosaic(rgb, bayer, 4, 4, 8));
    assert_int_equal(rgb[3 * 5 + 2], 200);
    assert_int_equal(rgb[3 * 5], 0);
    assert_int_equal(rgb[3 * 5 + 1], 0);
    memset(bayer, 0, sizeof bayer);
    bayer[1] = 200; /* odd column, even row: green */
    assert_true(tl_demosaic(rgb, bayer, 4, 4, 8));
    assert_int_equal(rgb[3 * 1 + 1], 200);
    assert_int_equal(rgb[3 * 1], 0);
    memset(bayer, 0, sizeof bayer);
    bayer[8 + 2] = 200; /* even column, even row: red */
    assert_true(tl_demosaic(rgb, bayer, 4, 4, 8));
    assert_int_equal(rgb[3 * 10], 200);
    assert_int_equal(rgb[3 * 10 + 2], 0);
}

static void demosaic_when_the_size_is_odd_or_nothing_then_refuses(void **state)
{
    (void)state;
    uint16_t bayer[36] = { 0 };
    uint8_t rgb[108];
    memset(rgb, 0xa5, sizeof rgb);
    assert_false(tl_demosaic(rgb, bayer, 3, 4, 12));
    assert_false(tl_demosaic(rgb, bayer, 4, 3, 12));
    assert_false(tl_demosaic(rgb, bayer, 5, 5, 12));
    assert_false(tl_demosaic(rgb, bayer, 0, 4, 12));
    assert_false(tl_demosaic(rgb, bayer, 4, 0, 12));
    for (unsigned i = 0; i < sizeof rgb; i++)
        assert_int_equal(rgb[i], 0xa5);
}

static void demosaic_when_bits_are_out_of_range_then_refuses(void **state)
{
    (void)state;
    uint16_t bayer[4] = { 0 };
    uint8_t rgb[12];
    assert_false(tl_demosaic(rgb, bayer, 2, 2, 0));
    assert_false(tl_demosaic(rgb, bayer, 2, 2, 7));
    assert_false(tl_demosaic(rgb, bayer, 2, 2, 17));
}

/* ---- PNG ---- */

static void png_read_back_holds_the_same_pixels(void **state)
{
    (void)state;
    enum { W = 37, H = 23 };
    char why[256] = "";
    uint8_t *rgb = noise(3 * W * H), back[3 * W * H];
    assert_true(tl_png_write(path_of("a.png"), rgb, W, H, why, sizeof why));
    png_image image = { .version = PNG_IMAGE_VERSION };
    assert_true(png_image_begin_read_from_file(&image, path_of("a.png")));
    assert_int_equal(image.width, W);
    assert_int_equal(image.height, H);
    image.format = PNG_FORMAT_RGB;
    assert_true(png_image_finish_read(&image, NULL, back, 0, NULL));
    assert_memory_equal(rgb, back, sizeof back);
    assert_int_equal(files_in_folder(), 1);
    unlink(path_of("a.png"));
    free(rgb);
}

static void png_written_twice_replaces_the_first(void **state)
{
    (void)state;
    char why[256] = "";
    uint8_t one[12] = { 1 }, two[48] = { 2 };
    assert_true(tl_png_write(path_of("a.png"), two, 4, 4, why, sizeof why));
    assert_true(tl_png_write(path_of("a.png"), one, 2, 2, why, sizeof why));
    png_image image = { .version = PNG_IMAGE_VERSION };
    assert_true(png_image_begin_read_from_file(&image, path_of("a.png")));
    assert_int_equal(image.width, 2);
    png_image_free(&image);
    assert_int_equal(files_in_folder(), 1);
    unlink(path_of("a.png"));
}

static void png_permissions_follow_the_umask(void **state)
{
    (void)state;
    char why[256];
    struct stat st;
    uint8_t rgb[12] = { 0 };
    mode_t old = umask(027);
    assert_true(tl_png_write(path_of("a.png"), rgb, 2, 2, why, sizeof why));
    umask(old);
    assert_int_equal(stat(path_of("a.png"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    unlink(path_of("a.png"));
}

static void png_when_the_disk_is_full_then_names_it_and_leaves_nothing(void **state)
{
    (void)state;
    char why[256] = "";
    uint8_t *rgb = noise(3 * 200 * 200);
    disk_full(5000);
    bool good = tl_png_write(path_of("full.png"), rgb, 200, 200, why, sizeof why);
    disk_full(RLIM_INFINITY);
    assert_false(good);
    assert_non_null(strstr(why, "full.png"));
    assert_non_null(strstr(why, strerror(EFBIG)));
    assert_int_equal(files_in_folder(), 0);
    free(rgb);
}

static void png_when_only_the_last_bytes_do_not_fit_then_fails_too(void **state)
{
    (void)state;
    char why[256] = "";
    uint8_t rgb[12] = { 0 }; /* all of it waits in the buffer until the file is closed */
    disk_full(20);
    bool good = tl_png_write(path_of("full.png"), rgb, 2, 2, why, sizeof why);
    disk_full(RLIM_INFINITY);
    assert_false(good);
    assert_non_null(strstr(why, strerror(EFBIG)));
    assert_int_equal(files_in_folder(), 0);
}

static void png_when_the_old_one_stands_and_the_disk_is_full_then_the_old_one_stays(void **state)
{
    (void)state;
    char why[256] = "";
    uint8_t old[12] = { 9 }, *rgb = noise(3 * 200 * 200);
    struct stat before, after;
    assert_true(tl_png_write(path_of("a.png"), old, 2, 2, why, sizeof why));
    assert_int_equal(stat(path_of("a.png"), &before), 0);
    disk_full(5000);
    bool good = tl_png_write(path_of("a.png"), rgb, 200, 200, why, sizeof why);
    disk_full(RLIM_INFINITY);
    assert_false(good);
    assert_int_equal(stat(path_of("a.png"), &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(before.st_size, after.st_size);
    unlink(path_of("a.png"));
    free(rgb);
}

static void png_to_a_full_device_fails_and_the_device_stays(void **state)
{
    (void)state;
    char why[256] = "";
    uint8_t *rgb = noise(3 * 200 * 200);
    struct stat st;
    assert_int_equal(symlink("/dev/full", path_of("device")), 0); /* a mistake would cost the link only */
    assert_false(tl_png_write(path_of("device"), rgb, 200, 200, why, sizeof why));
    assert_non_null(strstr(why, "device: No space left on device"));
    assert_int_equal(stat(path_of("device"), &st), 0);
    assert_true(S_ISCHR(st.st_mode));
    assert_int_equal(files_in_folder(), 1);
    unlink(path_of("device"));
    free(rgb);
}

static void png_into_a_folder_that_is_not_there_names_the_cause(void **state)
{
    (void)state;
    char why[256] = "";
    uint8_t rgb[12] = { 0 };
    assert_false(tl_png_write(path_of("none/a.png"), rgb, 2, 2, why, sizeof why));
    assert_non_null(strstr(why, "none/a.png: No such file or directory"));
}

static void png_of_no_size_is_refused_by_libpng_and_leaves_nothing(void **state)
{
    (void)state;
    char why[256] = "";
    uint8_t rgb[12] = { 0 };
    assert_false(tl_png_write(path_of("a.png"), rgb, 0, 2, why, sizeof why));
    assert_non_null(strstr(why, "a.png: "));
    assert_true(strlen(why) > strlen(path_of("a.png")) + 2);
    assert_int_equal(files_in_folder(), 0);
}

/* ---- y4m ---- */

static long y4m_of(const char *name, unsigned w, unsigned h, const uint8_t *rgb, unsigned frames,
                   char *header)
{
    tl_y4m y;
    FILE *f = fopen(path_of(name), "w+b");
    assert_non_null(f);
    assert_true(tl_y4m_open(&y, f, w, h, 30000, 1001));
    for (unsigned i = 0; i < frames; i++)
        assert_true(tl_y4m_frame(&y, rgb));
    assert_true(tl_y4m_close(&y));
    long n = ftell(f);
    rewind(f);
    assert_non_null(fgets(header, 200, f));
    fclose(f);
    return n;
}

static void y4m_holds_a_header_and_frames_of_the_right_size(void **state)
{
    (void)state;
    char header[200];
    uint8_t *rgb = noise(3 * 9 * 7);
    long n = y4m_of("a.y4m", 8, 6, rgb, 3, header);
    assert_string_equal(header, "YUV4MPEG2 W8 H6 F30000:1001 Ip A1:1 C420jpeg XCOLORRANGE=LIMITED\n");
    assert_int_equal(n, (long)strlen(header) + 3 * (6 + 8 * 6 * 3 / 2));
    n = y4m_of("a.y4m", 9, 7, rgb, 2, header);
    assert_int_equal(n, (long)strlen(header) + 2 * (6 + 9 * 7 + 2 * 5 * 4));
    unlink(path_of("a.y4m"));
    free(rgb);
}

/* The bytes of one 2x2 frame in one colour: Y four times, Cb, Cr. */
static void y4m_expect(uint8_t r, uint8_t g, uint8_t b, const uint8_t want[3])
{
    char header[200];
    uint8_t rgb[12], got[6];
    for (unsigned i = 0; i < 12; i += 3) {
        rgb[i] = r;
        rgb[i + 1] = g;
        rgb[i + 2] = b;
    }
    long n = y4m_of("c.y4m", 2, 2, rgb, 1, header);
    FILE *f = fopen(path_of("c.y4m"), "rb");
    assert_non_null(f);
    fseek(f, n - 6, SEEK_SET);
    assert_int_equal(fread(got, 1, 6, f), 6);
    fclose(f);
    unlink(path_of("c.y4m"));
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(got[i], want[0]);
    assert_int_equal(got[4], want[1]);
    assert_int_equal(got[5], want[2]);
}

static void y4m_colours_are_those_of_bt709(void **state)
{
    (void)state;
    y4m_expect(0, 0, 0, (const uint8_t[]){ 16, 128, 128 });
    y4m_expect(255, 255, 255, (const uint8_t[]){ 235, 128, 128 });
    y4m_expect(255, 0, 0, (const uint8_t[]){ 63, 102, 240 });
    y4m_expect(0, 255, 0, (const uint8_t[]){ 173, 42, 26 });
    y4m_expect(0, 0, 255, (const uint8_t[]){ 32, 240, 118 });
}

static void y4m_when_the_disk_is_full_then_says_so(void **state)
{
    (void)state;
    tl_y4m y;
    uint8_t *rgb = noise(3 * 64 * 64);
    FILE *f = fopen("/dev/full", "wb");
    assert_non_null(f);
    (void)tl_y4m_open(&y, f, 64, 64, 30, 1);
    bool frame = tl_y4m_frame(&y, rgb), end = tl_y4m_close(&y);
    assert_false(frame && end);
    fclose(f);
    free(rgb);
}

/* ---- contact sheet ---- */

static void sheet_of_five_pictures_is_a_png_with_both_colours(void **state)
{
    (void)state;
    char why[256] = "";
    const char *lines[3] = { "a name that is much too long for so narrow a cell, gr\xc3\xb6\xc3\x9f"
                             "er",
                             NULL, "tag" };
    uint8_t *rgb = noise(3 * 320 * 180);
    tl_sheet *s = tl_sheet_open(2, 120, "five");
    assert_non_null(s);
    for (int i = 0; i < 5; i++)
        assert_true(tl_sheet_add(s, rgb, i == 3 ? 3 : 320, i == 3 ? 2 : 180, lines,
                                 i == 1   ? TL_SHEET_REFUSED
                                 : i == 2 ? TL_SHEET_OPEN
                                          : TL_SHEET_VERIFIED));
    assert_true(tl_sheet_write(s, path_of("s.png"), why, sizeof why));
    tl_sheet_close(s);
    png_image image = { .version = PNG_IMAGE_VERSION };
    assert_true(png_image_begin_read_from_file(&image, path_of("s.png")));
    image.format = PNG_FORMAT_RGB;
    uint8_t *back = malloc(PNG_IMAGE_SIZE(image));
    assert_non_null(back);
    assert_true(png_image_finish_read(&image, NULL, back, 0, NULL));
    size_t blue = 0, orange = 0, grey = 0;
    for (size_t i = 0; i < PNG_IMAGE_SIZE(image); i += 3) {
        blue += back[i] == 0x00 && back[i + 1] == 0x72 && back[i + 2] == 0xb2;
        orange += back[i] == 0xc2 && back[i + 1] == 0x54 && back[i + 2] == 0x00;
        grey += back[i] == 0x4b && back[i + 1] == 0x53 && back[i + 2] == 0x5d;
    }
    assert_true(orange > 1000);
    assert_true(blue > 2 * orange && blue < 4 * orange);
    assert_true(grey > orange / 2 && grey < 2 * orange);
    free(back);
    free(rgb);
    unlink(path_of("s.png"));
}

static void sheet_when_its_numbers_are_absurd_then_refuses(void **state)
{
    (void)state;
    assert_null(tl_sheet_open(0, 100, "t"));
    assert_null(tl_sheet_open(65, 100, "t"));
    assert_null(tl_sheet_open(2, 0, "t"));
    assert_null(tl_sheet_open(2, 100000, "t"));
    tl_sheet *s = tl_sheet_open(2, 100, "t");
    const char *lines[3] = { "a", "b", "c" };
    uint8_t rgb[3] = { 0 };
    assert_false(tl_sheet_add(s, rgb, 0, 1, lines, TL_SHEET_VERIFIED));
    assert_false(tl_sheet_add(s, rgb, 1, 0, lines, TL_SHEET_VERIFIED));
    tl_sheet_close(s);
    tl_sheet_close(NULL);
}

static void sheet_when_the_disk_is_full_then_names_it_and_leaves_nothing(void **state)
{
    (void)state;
    char why[256] = "";
    const char *lines[3] = { "a", "b", "c" };
    uint8_t *rgb = noise(3 * 200 * 200);
    tl_sheet *s = tl_sheet_open(2, 200, "t");
    assert_true(tl_sheet_add(s, rgb, 200, 200, lines, TL_SHEET_VERIFIED));
    disk_full(5000);
    bool good = tl_sheet_write(s, path_of("s.png"), why, sizeof why);
    disk_full(RLIM_INFINITY);
    assert_false(good);
    assert_non_null(strstr(why, "s.png"));
    assert_int_equal(files_in_folder(), 0);
    tl_sheet_close(s);
    free(rgb);
}

static void sheet_without_pictures_is_still_a_page(void **state)
{
    (void)state;
    char why[256] = "";
    tl_sheet *s = tl_sheet_open(3, 100, "nothing to see");
    assert_true(tl_sheet_write(s, path_of("s.png"), why, sizeof why));
    tl_sheet_close(s);
    unlink(path_of("s.png"));
}

static int folder_make(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    snprintf(folder, sizeof folder, "/tmp/trueline-picture-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(demosaic_of_a_constant_colour_gives_that_colour_everywhere),
        cmocka_unit_test(demosaic_of_full_white_does_not_overflow),
        cmocka_unit_test(demosaic_of_a_gradient_stays_between_its_neighbours),
        cmocka_unit_test(demosaic_puts_each_filter_in_its_place),
        cmocka_unit_test(demosaic_when_the_size_is_odd_or_nothing_then_refuses),
        cmocka_unit_test(demosaic_when_bits_are_out_of_range_then_refuses),
        cmocka_unit_test(png_read_back_holds_the_same_pixels),
        cmocka_unit_test(png_written_twice_replaces_the_first),
        cmocka_unit_test(png_permissions_follow_the_umask),
        cmocka_unit_test(png_when_the_disk_is_full_then_names_it_and_leaves_nothing),
        cmocka_unit_test(png_when_only_the_last_bytes_do_not_fit_then_fails_too),
        cmocka_unit_test(png_when_the_old_one_stands_and_the_disk_is_full_then_the_old_one_stays),
        cmocka_unit_test(png_to_a_full_device_fails_and_the_device_stays),
        cmocka_unit_test(png_into_a_folder_that_is_not_there_names_the_cause),
        cmocka_unit_test(png_of_no_size_is_refused_by_libpng_and_leaves_nothing),
        cmocka_unit_test(y4m_holds_a_header_and_frames_of_the_right_size),
        cmocka_unit_test(y4m_colours_are_those_of_bt709),
        cmocka_unit_test(y4m_when_the_disk_is_full_then_says_so),
        cmocka_unit_test(sheet_of_five_pictures_is_a_png_with_both_colours),
        cmocka_unit_test(sheet_when_its_numbers_are_absurd_then_refuses),
        cmocka_unit_test(sheet_when_the_disk_is_full_then_names_it_and_leaves_nothing),
        cmocka_unit_test(sheet_without_pictures_is_still_a_page),
    };
    return cmocka_run_group_tests_name("picture", tests, folder_make, folder_remove);
}
