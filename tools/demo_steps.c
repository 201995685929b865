/* The demo's lines for people, and the same as JSON. */
#include "demo_steps.h"
#include "clock.h"

#include <stdarg.h>
#include <unistd.h>

void demo_steps_open(demo_steps *steps, FILE *to)
{
    *steps = (demo_steps){ .to = to, .terminal = isatty(fileno(to)) == 1, .list = json_array() };
    steps->started_us = steps->last_us = tl_clock_us();
}

void demo_steps_close(demo_steps *steps)
{
    json_decref(steps->list);
    steps->list = NULL;
}

void demo_heading(demo_steps *steps, const char *text)
{
    (void)fprintf(steps->to, steps->terminal ? "\n\033[1m%s\033[0m\n" : "\n%s\n", text);
    (void)fflush(steps->to);
}

static void bytes_text(uint64_t bytes, char text[24])
{
    static const char *const units[] = { "B", "kB", "MB", "GB" };
    double n = (double)bytes;
    int unit = 0;

    for (; n >= 1000 && unit < 3; unit++)
        n /= 1000;
    (void)snprintf(text, 24, unit == 0 ? "%.0f %s" : "%.1f %s", n, units[unit]);
}

static void tell(demo_steps *steps, double seconds, uint64_t bytes, const char *text)
{
    char size[24] = "";

    if (bytes > 0)
        bytes_text(bytes, size);
    (void)fprintf(steps->to, seconds < 0.1 ? "  %-76s %6.1f ms %10s\n" : "  %-76s %7.2f s %10s\n", text,
                  seconds < 0.1 ? seconds * 1000 : seconds, size);
    (void)fflush(steps->to);
    (void)json_array_append_new(steps->list, json_pack("{s:s, s:f, s:I}", "step", text, "seconds", seconds,
                                                       "bytes", (json_int_t)bytes));
}

void demo_step(demo_steps *steps, uint64_t bytes, const char *format, ...)
{
    uint64_t now_us = tl_clock_us();
    char text[200];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    tell(steps, (double)(now_us - steps->last_us) / 1e6, bytes, text);
    steps->last_us = now_us;
}

void demo_step_timed(demo_steps *steps, double seconds, uint64_t bytes, const char *format, ...)
{
    char text[200];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    tell(steps, seconds, bytes, text);
}

double demo_steps_seconds(const demo_steps *steps)
{
    return (double)(tl_clock_us() - steps->started_us) / 1e6;
}
