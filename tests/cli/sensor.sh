#!/bin/bash
# The sensor: whom it serves, whom it refuses and how long that takes, and what it says of its input.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/loopback.bash"
small_stream "$tmp/s.json"
small_stream "$tmp/other.json" --stream 9

# ---- peers that are no controllers, each at a sensor of its own, all at once ----
start_sensor garbage --stream "$tmp/s.json"
garbage=$sensor garbage_port=$port
start_sensor silent --stream "$tmp/s.json" --once
silent=$sensor silent_port=$port
start_sensor half --stream "$tmp/s.json" --once
half=$sensor half_port=$port
start_sensor closing --stream "$tmp/s.json" --once
closing=$sensor closing_port=$port
started=$(date +%s%N)
exec 3<>"/dev/tcp/127.0.0.1/$garbage_port"
head -c 200 /dev/zero | tr '\0' G >&3
exec 4<>"/dev/tcp/127.0.0.1/$silent_port"
exec 5<>"/dev/tcp/127.0.0.1/$half_port"
printf 'truelin' >&5
exec 6<>"/dev/tcp/127.0.0.1/$closing_port"
printf 'true' >&6
exec 6>&-

wait_line "$tmp/garbage.err" garbage
like "$(cat "$tmp/garbage.err")" "hello: 127.0.0.1:[0-9]+: garbage: it begins with 47 47 47 47" \
    "peer_when_garbage_then_named"
exec 3>&-
run "$program" controller --connect ":$garbage_port" --stream "$tmp/s.json" --frames 2
is "$code" 0 "peer_when_garbage_then_the_next_controller_is_served"
kill -TERM "$garbage"
finish "$garbage"
is "$code" 0 "signal_when_waiting_then_a_clean_end"
like "$(cat "$tmp/garbage.err")" "stopped by a signal" "signal_when_waiting_then_said"

finish "$closing"
is "$code" 4 "peer_when_closing_early_then_link_fault"
like "$(cat "$tmp/closing.err")" "closed the connection after 4 of" "peer_when_closing_early_then_named"
finish "$silent"
is "$code" 4 "peer_when_silent_then_link_fault"
like "$(cat "$tmp/silent.err")" "time-out: the peer sent 0 of" "peer_when_silent_then_named"
finish "$half"
is "$code" 4 "peer_when_half_a_hello_then_link_fault"
like "$(cat "$tmp/half.err")" "time-out: the peer sent 7 of" "peer_when_half_a_hello_then_named"
waited=$((($(date +%s%N) - started) / 1000000))
if [ "$waited" -le 8000 ]; then ok "peer_when_silent_then_left_after_5_s"; else not_ok "peer_when_silent_then_left_after_5_s" "$waited ms"; fi

start_sensor stopped --stream "$tmp/s.json" --once --rate 0
stopped=$sensor
"$program" controller --connect ":$port" --stream "$tmp/s.json" >/dev/null 2>&1 &
stopped_controller=$!
sleep 0.5
kill -STOP "$stopped_controller" # looked at below, 5 seconds later

# ---- a controller with another configuration ----
start_sensor wrong --stream "$tmp/s.json" --once
run "$program" controller --connect ":$port" --stream "$tmp/other.json"
is "$code" 3 "hello_when_the_stream_differs_then_the_controller_refuses"
like "$err" "refused: stream: ours is 9, theirs is 1" "hello_when_the_stream_differs_then_the_controller_names_it"
finish "$sensor"
is "$code" 3 "hello_when_the_stream_differs_then_the_sensor_refuses"
like "$(cat "$tmp/wrong.err")" "refused: stream: ours is 1, theirs is 9" "hello_when_the_stream_differs_then_the_sensor_names_it"

# ---- controllers that go ----
start_sensor enough --stream "$tmp/s.json" --once --rate 0
run "$program" controller --connect ":$port" --stream "$tmp/s.json" --frames 3
is "$code $out" "0 frames_ok=3 frames_bad=0 frames_lost=0" "controller_when_it_has_enough_then_exactly_so_many"
finish "$sensor"
is "$code" 0 "controller_when_it_has_enough_then_the_sensor_ends_well"

for rate in 0 30; do
    start_sensor "killed$rate" --stream "$tmp/s.json" --once --rate "$rate"
    "$program" controller --connect ":$port" --stream "$tmp/s.json" >/dev/null 2>&1 &
    controller=$!
    sleep "0.$((RANDOM % 5 + 4))"
    { kill -9 "$controller" && wait "$controller"; } 2>/dev/null || true
    finish "$sensor"
    is "$code" 4 "controller_when_killed_at_rate_${rate}_then_link_fault"
    like "$(cat "$tmp/killed$rate.err")" "link: (the controller is lost|cannot send)" \
        "controller_when_killed_at_rate_${rate}_then_named"
done

finish "$stopped"
is "$code" 4 "controller_when_it_does_not_read_then_link_fault"
like "$(cat "$tmp/stopped.err")" "link: time-out: the peer did not read for 5 s" "controller_when_it_does_not_read_then_named"
{ kill -9 "$stopped_controller" && wait "$stopped_controller"; } 2>/dev/null || true

# ---- one run after the other: new keys each time ----
start_sensor again --stream "$tmp/s.json" --frames 2
for i in 1 2 3; do
    run "$program" controller --connect ":$port" --stream "$tmp/s.json"
    like "$out" "^frames_ok=2 frames_bad=0 frames_lost=0$" "connection_when_number_${i}_then_served_from_the_first_frame"
done
run "$program" sensor --listen ":$port" --stream "$tmp/s.json"
is "$code" 4 "listen_when_the_port_is_taken_then_fault"
like "$err" "listen: 127.0.0.1:$port: Address already in use" "listen_when_the_port_is_taken_then_named"
kill -INT "$sensor"
finish "$sensor"
is "$code" 0 "signal_when_served_before_then_a_clean_end"

start_sensor json --stream "$tmp/s.json" --once --frames 1
"$program" sensor --listen 127.0.0.1:0 --stream "$tmp/s.json" --once --frames 1 --json >"$tmp/j.out" 2>"$tmp/j.err" &
json=$!
wait_line "$tmp/j.err" "listening on"
run "$program" controller --connect "$(sed -n 's/^listening on //p' "$tmp/j.err")" --stream "$tmp/s.json"
finish "$json"
is "$(wc -l <"$tmp/j.out")" 1 "json_when_asked_then_one_line"
like "$(cat "$tmp/j.out")" '^\{"connections":1,"frames":1,"bytes":[0-9]+,.*"exit":0,"fault":""\}$' "json_when_asked_then_counts"
kill "$sensor"

# ---- input ----
input() { # NAME CODE PATTERN INPUT
    RUN_LIMIT=15 run "$program" sensor --listen 127.0.0.1:0 --stream "$tmp/s.json" --input "$4"
    is "$code" "$2" "input_when_$1_then_code_$2"
    like "$err" "$3" "input_when_$1_then_named"
}
input a_wrong_scene 2 "input: scene:many" "scene:many"
input an_empty_scene 2 "scene:0x0: width and height go from 2" "scene:0x0"
input a_huge_scene 2 "scene:99999x99999: width and height" "scene:99999x99999"
input a_scene_of_another_size 2 "scene:128x32: the stream's frames are 64x16" "scene:128x32"
if [ -x "$build/trueline-input" ]; then
    printf 'this is a text\n' >"$tmp/text.mp4"
    : >"$tmp/empty.mp4"
    input no_video 4 "input: .*text.mp4" "$tmp/text.mp4"
    input empty 4 "input: .*empty.mp4" "$tmp/empty.mp4"
    input missing 4 "input: .*missing.mp4" "$tmp/missing.mp4"
    start_sensor video --stream "$tmp/s.json" --rate 0 --frames 4 --once
    "$program" controller --connect ":$port" --stream "$tmp/s.json" --y4m "$tmp/video.y4m" >/dev/null
    size=$(stat -c %s "$tmp/video.y4m")
    head -c $((size * 5 / 8)) "$tmp/video.y4m" >"$tmp/cut.y4m"
    for video in video cut; do
        start_sensor "$video" --stream "$tmp/s.json" --rate 0 --once --input "$tmp/$video.y4m"
        run "$program" controller --connect ":$port" --stream "$tmp/s.json"
        frames=$out
        finish "$sensor"
        is "$frames $code" "frames_ok=$([ $video = cut ] && echo 2 || echo 4) frames_bad=0 frames_lost=0 $([ $video = cut ] && echo 4 || echo 0)" \
            "input_when_a_${video}_then_frames_and_code"
    done
    like "$(cat "$tmp/cut.err")" "input: .*cut.y4m.*truncated" "input_when_cut_then_named"
else
    skip "input_when_no_video_then_code_4" "trueline-input was not built"
fi

# ---- usage ----
usage() { # NAME PATTERN ARGUMENT...
    local name=$1 pattern=$2
    shift 2
    RUN_LIMIT=5 run "$program" sensor "$@"
    is "$code" 2 "usage_when_${name}_then_2"
    like "$err" "$pattern" "usage_when_${name}_then_explained"
}
usage no_stream "give --pki DIR, or a stream file: --stream FILE"
usage no_such_stream "none.json: No such file" --stream "$tmp/none.json"
usage an_argument_is_too_much "'clip.mp4' is too much" --stream "$tmp/s.json" clip.mp4
usage the_rate_is_negative "--rate: '-1'" --stream "$tmp/s.json" --rate=-1
usage the_rate_is_too_slow "give 0, or 0.25 and more" --stream "$tmp/s.json" --rate 0.1
usage the_rate_is_nan "--rate: 'nan'" --stream "$tmp/s.json" --rate nan
usage frames_is_0 "--frames: '0'" --stream "$tmp/s.json" --frames 0
usage the_channel_is_4 "--virtual-channel: '4'" --stream "$tmp/s.json" --virtual-channel 4
usage the_port_is_too_high "the port is a number" --stream "$tmp/s.json" --listen :65536
usage the_address_has_no_brackets "stands in brackets" --stream "$tmp/s.json" --listen ::1:80
for option in "--controller-role x" "--trust x" "--crl x" --measurements "--size 64x16" "--bits 10" "--embedded 1,1" "--data :1"; do
    name=${option%% *}
    # shellcheck disable=SC2086
    usage "${name#--}_with_a_stream_file" "$name needs --(pki|trust)" --stream "$tmp/s.json" $option
done
usage state_without_to "--state needs --to" --stream "$tmp/s.json" --state x
usage to_and_listen "--to needs no --listen" --stream "$tmp/s.json" --to udp::1 --listen :1
usage bits_are_11 "--bits: '11': give 10 or 12" --pki x --bits 11
usage the_option_is_unknown "unrecognized option" --frobnicate
end
