#!/bin/bash
# Somebody on the data connection who withholds: the programs must notice, and say so.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/loopback.bash"
small_stream "$tmp/s.json"

# ---- packets go on coming, but none that counts: here all of them on a virtual channel that is not accepted ----
start_sensor frozen --stream "$tmp/s.json" --rate 20 --virtual-channel 3
RUN_LIMIT=12 run "$program" controller --connect ":$port" --stream "$tmp/s.json" --json
is "$code" 4 "frames_when_withheld_among_other_packets_then_4"
like "$err" "no frame for 5 s" "frames_when_withheld_among_other_packets_then_named"
like "$err" "came on another virtual channel than 0" "frames_when_on_another_channel_then_told"
kill "$sensor"

# ---- slow, but alive ----
start_sensor slow --stream "$tmp/s.json" --rate 0.3 --frames 3
RUN_LIMIT=20 run "$program" controller --connect ":$port" --stream "$tmp/s.json"
is "$code $out" "0 frames_ok=3 frames_bad=0 frames_lost=0" "frames_when_slow_then_ok"
kill "$sensor"

end
