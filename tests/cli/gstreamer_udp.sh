#!/bin/bash
# A real clip over UDP from tlprotect to tlverify, through a relay that tampers: which frames come, as what, and what is said.
. "$(dirname "$0")/tap.sh"
. "$root/tests/cli/gstreamer.bash"

"$trueline" stream new cam.json >/dev/null

# ---- a clip, UDP, and a relay ----

WIDTH=320 HEIGHT=180
FRAME=$((WIDTH * HEIGHT * 3 / 2))
clip=/usr/share/forensics-samples/original-files/movie1/VID_20191220_170832.mp4

free_port() {
    perl -MIO::Socket::INET -e \
        'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Proto => "udp")->sockport'
}

# Waits until a UDP port is bound, at most 15 seconds.
wait_port() { # PORT
    local i hex
    hex=$(printf ':%04X ' "$1")
    for ((i = 0; i < 300; i++)); do
        ! grep -q "0100007F$hex" /proc/net/udp || return 0
        sleep 0.05
    done
}

# Starts a receiver on a free port, which writes each frame as PNG and as raw bytes: sets $receiver (pid) and $port.
start_receiver() { # NAME TLVERIFY-OPTIONS...
    local name=$1
    shift
    mkdir -p "$name"
    port=$(free_port)
    "${launch_env[@]}" timeout --foreground --kill-after=5 60 gst-launch-1.0 -m -e \
        udpsrc address=127.0.0.1 port="$port" buffer-size=4000000 caps=application/x-trueline ! \
        queue max-size-buffers=0 max-size-time=0 max-size-bytes=100000000 ! tlverify "$@" ! tee name=t ! \
        queue ! videoconvert ! pngenc ! multifilesink location="$name/%02d.png" t. ! \
        queue ! multifilesink location="$name/%02d.raw" >"$name/said" 2>&1 &
    receiver=$!
    wait_port "$port"
}

# Ends it as Ctrl-C does, so that files are whole. The time-out passes the signal on to its child, once.
stop_receiver() {
    local i
    sleep 0.3
    kill -INT "$receiver" 2>/dev/null || true
    receiver_code=0
    wait "$receiver" || receiver_code=$?
}

send_clip() { # PORT TLPROTECT-OPTIONS...
    local to=$1
    shift
    launch -q filesrc location=clip.raw ! rawvideoparse format=i420 width=$WIDTH height=$HEIGHT framerate=27/1 ! \
        tlprotect "$@" ! udpsink host=127.0.0.1 port="$to" max-bitrate=30000000
}

# The whole way with a relay of that mode between: leaves NAME/NN.raw, NAME/NN.png and NAME/said.
over() { # NAME MODE TLVERIFY-OPTIONS...
    local name=$1 mode=$2 relay i
    shift 2
    start_receiver "$name" "$@"
    rm -f relay.port
    perl "$root/tests/cli/udp_relay.pl" "$mode" "$port" relay.port &
    relay=$!
    for ((i = 0; i < 200; i++)); do
        [ ! -s relay.port ] || break
        sleep 0.05
    done
    send_clip "$(cat relay.port)" keys="${keys-cam.json}"
    kill "$relay" 2>/dev/null || true
    wait "$relay" || true
    stop_receiver
}

frame_of_clip() { # NUMBER, from 0
    dd if=clip.raw bs=$FRAME skip="$1" count=1 status=none
}

# Each frame of the clip as it came: `.` the same, `x` another, by place; a frame that was dropped leaves no place.
frames_of() { # NAME
    local file at=0 line=''
    for file in "$1"/*.raw; do
        [ -f "$file" ] || continue
        if cmp -s "$file" <(frame_of_clip $at); then line+=.; else line+=x; fi
        at=$((at + 1))
    done
    echo "$line"
}

# The same, but each is looked for in the whole clip: the numbers of the frames that came.
numbers_of() { # NAME
    local file sum list=()
    for file in "$1"/*.raw; do
        [ -f "$file" ] || continue
        sum=$(md5sum <"$file")
        list+=("$(grep -nF "${sum%% *}" clip.sums | head -n1 | cut -d: -f1)")
    done
    echo "${list[*]}"
}

if [ -f "$clip" ] && "${launch_env[@]}" gst-inspect-1.0 --exists avdec_h264; then
    launch -q filesrc location="$clip" ! decodebin ! videoconvert ! videoscale ! \
        video/x-raw,format=I420,width=$WIDTH,height=$HEIGHT ! identity eos-after=13 ! filesink location=clip.raw
else
    clip=
    launch -q videotestsrc num-buffers=13 pattern=ball ! video/x-raw,format=I420,width=$WIDTH,height=$HEIGHT ! \
        filesink location=clip.raw
fi
[ "$(($(stat -c %s clip.raw) / FRAME))" = 13 ] || not_ok "the_clip_has_frames" "$(tap_said)"
for ((i = 0; i < 13; i++)); do
    frame_of_clip $i | md5sum
done >clip.sums

if [ -n "$clip" ]; then
    start_receiver real keys=cam.json
    launch -q filesrc location="$clip" ! decodebin ! videoconvert ! videoscale ! \
        video/x-raw,format=I420,width=$WIDTH,height=$HEIGHT ! identity eos-after=13 ! tlprotect keys=cam.json ! \
        udpsink host=127.0.0.1 port="$port" max-bitrate=30000000
    stop_receiver
    is "$(frames_of real)" ............. "clip_over_udp_is_the_same_to_the_bit"
else
    skip "clip_over_udp_is_the_same_to_the_bit" "forensics-samples-files or gstreamer1.0-libav is missing"
fi

over pass pass keys=cam.json messages=all
is "$(frames_of pass) $receiver_code" "............. 0" "relay_that_passes_changes_nothing"
is "$(ls pass/*.png | wc -l) $(head -c 4 pass/00.png | tr -d '\211')" "13 PNG" "relay_that_passes_gives_pictures"
like "$(cat pass/said)" 'what=\(string\)stream-start.*fresh=\(boolean\)false' "without_a_state_file_the_stream_is_not_fresh"
like "$(cat pass/said)" 'what=\(string\)frame-ok.*frames-ok=\(guint64\)13, frames-bad=\(guint64\)0, frames-lost=\(guint64\)0' \
    "good_frames_are_counted"

costs() { # MODE VERDICT: frame 4 alone suffers
    over "$1" "$1" keys=cam.json
    is "$(numbers_of "$1")" "1 2 3 5 6 7 8 9 10 11 12 13" "$1_costs_the_frame"
    like "$(cat "$1/said")" "what=\(string\)frame-bad, action=\(string\)dropped.*frame=\(uint\)4, verdict=\(string\)$2" \
        "$1_is_called_$2"
}

marks() { # MODE
    over "$1.marked" "$1" keys=cam.json on-bad=mark
    is "$(frames_of "$1.marked")" ...x......... "$1_is_passed_on_when_asked"
    like "$(cat "$1.marked/said")" "frame-bad, action=\(string\)marked" "$1_is_said_to_be_marked"
}

line_is_paint() { # FILE LINE: magenta and black in luma, 16 pixels each
    local row
    row=$(dd if="$1" bs=$WIDTH skip="$2" count=1 status=none | od -An -v -tu1 -w16 | sort | uniq -c | sed 's/^ *//; s/ \+/ /g')
    [ "$(cut -d' ' -f2 <<<"$row" | sort -n | paste -sd' ')" = "16 106" ]
}

costs flip crc32
marks flip
if line_is_paint flip.marked/03.raw 57; then ok "marked_line_is_painted"; else not_ok "marked_line_is_painted"; fi
if line_is_paint flip.marked/03.raw 0; then ok "marked_frame_has_an_edge"; else not_ok "marked_frame_has_an_edge"; fi
if line_is_paint flip.marked/03.raw 60; then not_ok "other_lines_are_not"; else ok "other_lines_are_not"; fi
like "$(cat flip/said)" 'line=\(int\)57' "the_line_is_named"
costs drop gap
costs repeat repeat
costs swap order
costs end cut
costs plain unprotected
marks cut
if line_is_paint cut.marked/03.raw 90; then ok "cut_frame_is_painted"; else not_ok "cut_frame_is_painted"; fi
over lose lose keys=cam.json
is "$(numbers_of lose)" "1 2 3 5 6 7 8 9 10 11 12 13" "lost_frame_is_missing"
like "$(cat lose/said)" 'what=\(string\)frames-lost.*frame=\(uint\)4,.*count=\(uint\)1' "lost_frame_is_told"
over replay replay keys=cam.json
is "$(numbers_of replay)" "1 2 3 4 5 6 7 8 9 10 11 12 13" "replayed_frame_does_not_come_again"
like "$(cat replay/said)" 'refused-repeat=\(guint64\)1' "replayed_frame_is_counted"
over garbage garbage keys=cam.json
is "$(frames_of garbage)" ............. "garbage_costs_nothing"
over shuffle shuffle keys=cam.json on-bad=mark
is "$receiver_code $(grep -ciE 'critical|segfault|assert' shuffle/said)" "0 0" "shuffled_packets_break_nothing"
like "$(cat shuffle/said)" 'verdict=\(string\)order' "shuffled_packets_are_out_of_order"

# The tag alone finds it where no CRC-32 stands beside it.
"$trueline" stream new bare.json --no-crc32 >/dev/null
keys=bare.json over tag flip keys=bare.json
like "$(cat tag/said)" 'frame=\(uint\)4, verdict=\(string\)tag' "without_crc32_the_tag_is_wrong"

end
