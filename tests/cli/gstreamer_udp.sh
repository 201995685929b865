#!/bin/bash
# A real clip over UDP from tlprotect to tlverify, through a relay that tampers: which frames come, as what, and what is said.
. "$(dirname "$0")/tap.sh"
. "$root/tests/cli/gstreamer.bash"

"$trueline" stream new cam.json >/dev/null

# ---- a clip, UDP, and a relay ----

WIDTH=320 HEIGHT=180
FRAME=$((WIDTH * HEIGHT * 3 / 2)) FRAMES=22
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

# Bytes that wait at a UDP port of this machine, and datagrams that the system dropped there for want of room.
port_state() { # PORT
    local hex
    hex=$(printf '0100007F:%04X' "$1")
    awk -v at="$hex" '$2 == at { split($5, queue, ":"); print queue[2], $NF; found = 1 } END { if (!found) print "00000000 0" }' \
        /proc/net/udp
}

# Waits until nothing waits there any more, at most 15 seconds.
wait_empty() { # PORT
    local i
    for ((i = 0; i < 300; i++)); do
        [[ $(port_state "$1") != 00000000* ]] || return 0
        sleep 0.05
    done
}

# One way with a relay between: leaves NAME/NN.raw, NAME/NN.png, NAME/said, and in $dropped what the system itself lost.
over_once() { # NAME WHAT TLVERIFY-OPTIONS...
    local name=$1 what=$2 relay relay_port i
    shift 2
    rm -rf "$name"
    start_receiver "$name" "$@"
    rm -f relay.port
    perl "$root/tests/cli/udp_relay.pl" "$port" relay.port $what &
    relay=$!
    for ((i = 0; i < 200; i++)); do
        [ ! -s relay.port ] || break
        sleep 0.05
    done
    relay_port=$(cat relay.port)
    send_clip "$relay_port" keys="${keys-cam.json}"
    wait_empty "$relay_port"
    dropped=$(port_state "$relay_port" | cut -d' ' -f2)
    kill "$relay" 2>/dev/null || true
    wait "$relay" || true
    wait_empty "$port"
    dropped=$((dropped + $(port_state "$port" | cut -d' ' -f2)))
    stop_receiver
}

# The same, again if the system dropped datagrams on the way, as it may on a machine with much else to do.
over() { # NAME WHAT TLVERIFY-OPTIONS...
    local attempt
    for attempt in 1 2 3 4; do
        over_once "$@"
        [ "$dropped" != 0 ] || break
        echo "# attempt $attempt: the system dropped $dropped datagrams"
    done
}

frame_of_clip() { # NUMBER, from 0 [FILE]
    dd if="${2-clip.raw}" bs=$FRAME skip="$1" count=1 status=none
}

# Each frame of the clip as it came: `.` the same, `x` another, by place; a frame that was dropped leaves no place.
frames_of() { # NAME [FILE]
    local file at=0 line=''
    for file in "$1"/*.raw; do
        [ -f "$file" ] || continue
        if cmp -s "$file" <(frame_of_clip $at "${2-clip.raw}"); then line+=.; else line+=x; fi
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
        video/x-raw,format=I420,width=$WIDTH,height=$HEIGHT ! filesink location=all.raw
else
    clip=
    launch -q videotestsrc num-buffers=$FRAMES pattern=ball ! video/x-raw,format=I420,width=$WIDTH,height=$HEIGHT ! \
        filesink location=all.raw
fi
head -c $((FRAMES * FRAME)) all.raw >clip.raw
[ "$(($(stat -c %s clip.raw) / FRAME))" = $FRAMES ] || not_ok "the_clip_has_frames" "$(tap_said)"
for ((i = 0; i < FRAMES; i++)); do
    frame_of_clip $i | md5sum
done >clip.sums

whole=$(printf '.%.0s' $(seq $FRAMES))

if [ -n "$clip" ]; then
    start_receiver real keys=cam.json
    launch -q filesrc location="$clip" ! decodebin ! videoconvert ! videoscale ! \
        video/x-raw,format=I420,width=$WIDTH,height=$HEIGHT ! tlprotect keys=cam.json ! \
        udpsink host=127.0.0.1 port="$port" max-bitrate=30000000
    wait_empty "$port"
    stop_receiver
    is "$(frames_of real all.raw)" "$(printf '.%.0s' $(seq $(($(stat -c %s all.raw) / FRAME))))" "clip_over_udp_is_the_same_to_the_bit"
else
    skip "clip_over_udp_is_the_same_to_the_bit" "forensics-samples-files or gstreamer1.0-libav is missing"
fi

over pass '' keys=cam.json messages=all
is "$(frames_of pass) $receiver_code" "$whole 0" "relay_that_passes_changes_nothing"
is "$(ls pass/*.png | wc -l) $(head -c 4 pass/00.png | tr -d '\211')" "$FRAMES PNG" "relay_that_passes_gives_pictures"
like "$(cat pass/said)" 'what=\(string\)stream-start.*fresh=\(boolean\)false' "without_a_state_file_the_stream_is_not_fresh"
like "$(cat pass/said)" "what=\(string\)frame-ok.*frames-ok=\(guint64\)$FRAMES, frames-bad=\(guint64\)0, frames-lost=\(guint64\)0" \
    "good_frames_are_counted"

line_is_paint() { # FILE LINE: magenta and black in luma, 16 pixels each
    local row
    row=$(dd if="$1" bs=$WIDTH skip="$2" count=1 status=none | od -An -v -tu1 -w16 | sort | uniq -c | sed 's/^ *//; s/ \+/ /g')
    [ "$(cut -d' ' -f2 <<<"$row" | sort -n | paste -sd' ')" = "16 106" ]
}

# One pass in which each kind of tampering has its frame; those between must not suffer.
tampered='flip@3 drop@5 repeat@7 swap@9 end@11 plain@13 cut@15 lose@17 replay@19'
over dropped "$tampered" keys=cam.json
is "$(numbers_of dropped)" "1 2 4 6 8 10 12 14 16 18 19 20 21 22" "each_tampered_frame_is_dropped_and_no_other"
said() { # PATTERN NAME
    like "$(sed 's/([a-z0-9]*)//g' dropped/said)" "$1" "$2"
}
bad='what=frame-bad, action=dropped, fresh=false'
said "$bad, frame=3, verdict=crc32, cause=crc32, count=1, .*line=57," "flipped_bit_is_called_crc32_and_its_line_named"
said "$bad, frame=5, verdict=gap, .*count=1, .*line=57," "dropped_line_is_called_gap"
said "$bad, frame=7, verdict=repeat" "repeated_line_is_called_repeat"
said "$bad, frame=9, verdict=order" "swapped_lines_are_called_order"
said "$bad, frame=11, verdict=cut" "missing_end_is_called_cut"
said "$bad, frame=13, verdict=unprotected" "plain_line_is_called_unprotected"
said "$bad, frame=15, verdict=cut" "half_a_frame_is_called_cut"
said 'what=frames-lost, .*frame=17, .*count=1,' "lost_frame_is_told"
said 'trueline-stats, frames-ok=14, frames-bad=7, frames-lost=1,.*refused-repeat=[1-9]' "replayed_frame_is_counted"

over marked "$tampered" keys=cam.json on-bad=mark
is "$(frames_of marked | head -c 16)" "..x.x.x.x.x.x.x." "each_tampered_frame_is_passed_on_when_asked"
is "$(ls marked/*.raw | wc -l)" $((FRAMES - 1)) "frame_that_never_came_is_not_made_up"
is "$(grep -c 'frame-bad, action=(string)marked' marked/said)" 7 "each_is_said_to_be_marked"
painted() { # FILE LINE NAME
    if line_is_paint "$1" "$2"; then ok "$3"; else not_ok "$3"; fi
}
painted marked/02.raw 57 "line_with_the_flipped_bit_is_painted"
painted marked/02.raw 0 "frame_with_a_fault_has_a_painted_edge"
painted marked/06.raw 0 "frame_whose_lines_are_all_right_too"
painted marked/14.raw 90 "frame_that_lost_its_colours_is_painted"
if line_is_paint marked/02.raw 60; then not_ok "other_lines_are_not_painted"; else ok "other_lines_are_not_painted"; fi

over garbage garbage@1 keys=cam.json
is "$(frames_of garbage)" "$whole" "garbage_costs_nothing"
over shuffle shuffle@4 keys=cam.json on-bad=mark
is "$receiver_code $(grep -ciE 'critical|segfault|assert' shuffle/said)" "0 0" "shuffled_packets_break_nothing"
like "$(cat shuffle/said)" 'verdict=\(string\)order' "shuffled_packets_are_out_of_order"

# The tag alone finds it where no CRC-32 stands beside it.
"$trueline" stream new bare.json --no-crc32 >/dev/null
keys=bare.json over tag flip@4 keys=bare.json
like "$(cat tag/said)" 'frame=\(uint\)4, verdict=\(string\)tag' "without_crc32_the_tag_is_wrong"
end
