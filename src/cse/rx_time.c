/* What the receiver makes of time, which others tell it: frames over their time, silence, and the age of frames by the
 * sender's clock.
 *
 *   sender's clock now = anchor.sender_us + e       e: elapsed since the anchor, by the receiver's clock
 *   slack              = anchor.error_us + e * drift + 1 ms
 *   age of a frame    <= sender's clock now + slack - time in its begin
 *
 * Against the frame before it nothing is judged: a delay that grows by a little with each frame would never be seen. */
#include "cse/rx.h"

enum { US_PER_MS = 1000, PPM_PER_MS = 1000, GRAIN_US = 1000 };

static uint64_t plus(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static void tell_silence(tl_stream_rx *rx, uint64_t now_ms)
{
    uint64_t since = now_ms - rx->heard_ms;
    tl_stream_event e = { .kind = TL_EVENT_SILENT,
                          .verdict = TL_VERDICT_LATE,
                          .frame = (uint32_t)(rx->expected - (rx->expected > rx->config.first_frame)),
                          .epoch = rx->key.epoch,
                          .count = since > UINT32_MAX ? UINT32_MAX : (uint32_t)since };

    rx->silent = true;
    rx->counters.silences++;
    tl_cse_emit(rx, &e);
}

void tl_stream_rx_tick(tl_stream_rx *rx, uint64_t now_ms)
{
    uint64_t patience = (uint64_t)rx->config.interval_ms + rx->config.tolerance_ms;

    /* A clock that was set back proves nothing against the frame; the old time may lie far ahead. */
    if (rx->open && now_ms < rx->opened_ms)
        rx->opened_ms = now_ms;
    if (!rx->listening || now_ms < rx->heard_ms)
        rx->heard_ms = now_ms;
    rx->listening = true;
    if (rx->open && rx->config.frame_timeout_ms != 0 && now_ms - rx->opened_ms > rx->config.frame_timeout_ms)
        tl_cse_frame_close(rx, TL_VERDICT_CUT);
    if (rx->config.interval_ms != 0 && !rx->silent && now_ms - rx->heard_ms > patience)
        tell_silence(rx, now_ms);
}

void tl_cse_heard(tl_stream_rx *rx, uint64_t now_ms)
{
    rx->heard_ms = now_ms;
    rx->silent = false;
}

void tl_stream_rx_anchor(tl_stream_rx *rx, const tl_clock_anchor *anchor)
{
    rx->anchor = *anchor;
    rx->anchored = true;
}

bool tl_cse_age(tl_stream_rx *rx, uint64_t now_ms, uint64_t time_us)
{
    uint64_t elapsed, now_us, slack;

    rx->age_us = 0;
    rx->age_known = rx->anchored && now_ms >= rx->anchor.now_ms &&
                    now_ms - rx->anchor.now_ms <= UINT64_MAX / US_PER_MS / (rx->config.drift_ppm + 1u);
    if (!rx->age_known)
        return true;
    elapsed = now_ms - rx->anchor.now_ms;
    now_us = plus(rx->anchor.sender_us, elapsed * US_PER_MS);
    slack = (uint64_t)rx->anchor.error_us + elapsed * rx->config.drift_ppm / PPM_PER_MS + GRAIN_US;
    if (time_us > plus(now_us, slack)) {
        rx->age_known = false; /* it has not been yet: one of the two is wrong */
        return rx->config.age_max_us == 0;
    }
    rx->age_us = plus(now_us, slack) - time_us;
    return rx->config.age_max_us == 0 || rx->age_us <= rx->config.age_max_us;
}
