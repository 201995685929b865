#!/bin/bash
# The controller: what it verifies and writes, what it refuses, and how it ends when the sensor or the disk fails.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/loopback.bash"
small_stream "$tmp/s.json"

# ---- a sensor that stops, looked at below ----
start_sensor stopped --stream "$tmp/s.json"
stopped=$sensor
"$program" controller --connect ":$port" --stream "$tmp/s.json" >"$tmp/stopped.out" 2>"$tmp/stopped.err" &
stopped_controller=$!
sleep 0.5
kill -STOP "$stopped"

# ---- all is well ----
start_sensor good --stream "$tmp/s.json" --rate 0 --frames 5
run "$program" controller --connect ":$port" --stream "$tmp/s.json" --out "$tmp/out" --report "$tmp/report.json"
is "$code" 0 "frames_when_all_verify_then_0"
is "$out" "frames_ok=5 frames_bad=0 frames_lost=0" "frames_when_all_verify_then_counted"
is "$(ls "$tmp/out" | tr '\n' ' ')" \
    "frame_000001.png frame_000002.png frame_000003.png frame_000004.png frame_000005.png " \
    "frames_when_all_verify_then_a_png_each"
is "$(head -c 4 "$tmp/out/frame_000003.png" | tail -c 3)" PNG "frames_when_written_then_png"
is "$(grep -c '"event":"frame".*"verdict":"ok"' "$tmp/report.json")" 5 "report_when_asked_then_every_frame"
like "$(tail -1 "$tmp/report.json")" '"totals": \{"frames_ok":5,' "report_when_asked_then_totals"
run "$program" controller --connect ":$port" --stream "$tmp/s.json" --out "$tmp/third" --png 3
is "$(ls "$tmp/third" | tr '\n' ' ')" "frame_000001.png frame_000004.png " "png_when_every_third_then_two_of_five"
run "$program" controller --connect ":$port" --stream "$tmp/s.json" --out "$tmp/nopng" --png none
is "$code $(ls "$tmp/nopng" | wc -l)" "0 0" "png_when_none_then_none"
run "$program" controller --connect ":$port" --stream "$tmp/s.json" --y4m -
is "$code" 0 "y4m_when_on_stdout_then_0"
is "$(head -c 18 "$tmp/.out")" "YUV4MPEG2 W64 H16 " "y4m_when_on_stdout_then_video"
like "$err" "^frames_ok=5 frames_bad=0 frames_lost=0$" "y4m_when_on_stdout_then_the_summary_is_not"
run "$program" controller --connect ":$port" --stream "$tmp/s.json" --y4m "$tmp/video.y4m"
is "$(head -c 9 "$tmp/video.y4m")" YUV4MPEG2 "y4m_when_to_a_file_then_video"
run "$program" controller --connect ":$port" --stream "$tmp/s.json" --release line --out "$tmp/lines"
is "$code" 0 "release_when_by_lines_then_0"
is "$(cmp "$tmp/lines/frame_000002.png" "$tmp/out/frame_000002.png" && echo same)" same \
    "release_when_by_lines_then_the_same_pixels"
run "$program" controller --connect ":$port" --stream "$tmp/s.json" --json
like "$out" '^\{"frames_ok":5,.*"exit":0,"fault":"",.*\}$' "json_when_asked_then_one_object"
run "$program" controller --connect ":$port" --stream "$tmp/s.json" --frames 6
is "$code" 4 "frames_when_fewer_than_asked_then_4"
like "$err" "the sensor ended the stream after 5 of 6 frames" "frames_when_fewer_than_asked_then_named"
run "$program" controller --connect ":$port" --stream "$tmp/s.json" --virtual-channel 2
is "$code" 4 "channel_when_another_then_4"
like "$err" "came on another virtual channel than 2" "channel_when_another_then_named"
kill "$sensor"

i=0
for options in "--encrypt" "--bits 10 --tag-size 12 --no-crc32" "--suite aes256-gmac --variant 1,1,1" \
    "--embedded-top 0 --embedded-bottom 0"; do
    i=$((i + 1))
    # shellcheck disable=SC2086
    small_stream "$tmp/o$i.json" $options
    start_sensor "o$i" --stream "$tmp/o$i.json" --rate 0 --frames 3 --once
    run "$program" controller --connect ":$port" --stream "$tmp/o$i.json" --out "$tmp/o$i"
    is "$code $out" "0 frames_ok=3 frames_bad=0 frames_lost=0" "stream_when_$(tr -c '[:alnum:]\n' _ <<<"$options")_then_ok"
done
is "$(cmp "$tmp/o1/frame_000002.png" "$tmp/out/frame_000002.png" && echo same)" same \
    "stream_when_encrypted_then_the_same_pixels"

# ---- the start's order does not matter ----
start_sensor first --stream "$tmp/s.json" --once --frames 1
kill -9 "$sensor"
{ wait "$sensor"; } 2>/dev/null || true
"$program" controller --connect ":$port" --stream "$tmp/s.json" >"$tmp/early.out" 2>&1 &
controller=$!
sleep 0.5
"$program" sensor --listen ":$port" --stream "$tmp/s.json" --once --frames 1 >/dev/null 2>&1 &
finish "$controller"
is "$code" 0 "dial_when_the_sensor_starts_later_then_served"

# ---- another secret, another configuration ----
small_stream "$tmp/secret.json"
start_sensor secret --stream "$tmp/secret.json" --rate 0 --frames 4
run "$program" controller --connect ":$port" --stream "$tmp/s.json" --out "$tmp/forged"
is "$code" 1 "secret_when_another_then_1"
like "$err" "refused: frame 1, frame begin: tag" "secret_when_another_then_the_first_cause_is_named"
like "$err" "perhaps another secret" "secret_when_another_then_the_likely_cause_is_named"
is "$(ls "$tmp/forged" | wc -l)" 0 "secret_when_another_then_no_picture"
run "$program" controller --connect ":$port" --stream "$tmp/s.json" --keep-going --report "$tmp/forged.json"
is "$code" 1 "secret_when_another_and_going_on_then_1"
is "$(grep -c '"verdict":"tag"' "$tmp/forged.json")" 88 "secret_when_another_and_going_on_then_every_message_is_reported"
is "$(grep -c '"data_type":"frame begin"' "$tmp/forged.json")" 4 "secret_when_another_and_going_on_then_begins_too"
kill "$sensor"
small_stream "$tmp/enc.json" --encrypt
start_sensor enc --stream "$tmp/enc.json" --once
run "$program" controller --connect ":$port" --stream "$tmp/s.json"
is "$code" 3 "configuration_when_another_then_3"
like "$err" "refused: configuration digest: ours is [0-9a-f]{16}, theirs is [0-9a-f]{16}" \
    "configuration_when_another_then_named"
finish "$sensor"
is "$code" 3 "configuration_when_another_then_the_sensor_refuses_too"

# ---- a sensor that dies ----
for rate in 0 30; do
    start_sensor "dies$rate" --stream "$tmp/s.json" --rate "$rate"
    "$program" controller --connect ":$port" --stream "$tmp/s.json" --frames 100000 >"$tmp/d.out" 2>"$tmp/d.err" &
    controller=$!
    sleep "0.$((RANDOM % 5 + 4))"
    { kill -9 "$sensor" && wait "$sensor"; } 2>/dev/null || true
    finish "$controller"
    is "$code" 4 "sensor_when_killed_at_rate_${rate}_then_4"
    like "$(cat "$tmp/d.err")" "link: " "sensor_when_killed_at_rate_${rate}_then_named"
    like "$(cat "$tmp/d.out")" "^frames_ok=[0-9]+ frames_bad=0 frames_lost=0$" \
        "sensor_when_killed_at_rate_${rate}_then_still_counted"
done

finish "$stopped_controller"
is "$code" 4 "sensor_when_it_stops_then_4"
like "$(cat "$tmp/stopped.err")" "link: packet [0-9]+: time-out" "sensor_when_it_stops_then_named"
like "$(cat "$tmp/stopped.out")" "^frames_ok=[1-9]" "sensor_when_it_stops_then_what_came_counts"
{ kill -9 "$stopped" && wait "$stopped"; } 2>/dev/null || true

# ---- a bit that flips on the way, in the second frame's pixels ----
start_sensor flips --stream "$tmp/s.json" --rate 0 --frames 4
sensor_port=$port
start_relay "$sensor_port" 4600
run "$program" controller --connect ":$port" --stream "$tmp/s.json"
is "$code $out" "1 frames_ok=1 frames_bad=1 frames_lost=0" "bit_when_it_flips_then_the_frame_is_refused_and_it_ends"
like "$err" "refused: frame 2: [a-z0-9]+; first cause: crc16, RAW12, line [0-9]+" "bit_when_it_flips_then_cause_and_line_are_named"
start_relay "$sensor_port" 4600
run "$program" controller --connect ":$port" --stream "$tmp/s.json" --keep-going --out "$tmp/flip" --report "$tmp/flip.json"
is "$code $out" "1 frames_ok=3 frames_bad=1 frames_lost=0" "bit_when_going_on_then_only_that_frame_is_refused"
is "$(ls "$tmp/flip" | tr '\n' ' ')" "frame_000001.png frame_000003.png frame_000004.png " \
    "bit_when_going_on_then_its_picture_is_missing"
like "$(cat "$tmp/flip.json")" '"event":"frame","frame":2,"verdict":"[a-z0-9]+",.*"cause":"crc16","line":[0-9]+,"data_type":"RAW12"' \
    "bit_when_reported_then_with_cause_and_line"
start_relay "$sensor_port" 4600
run "$program" controller --connect ":$port" --stream "$tmp/s.json" --keep-going --release line --keep-revoked \
    --out "$tmp/revoked"
is "$(ls "$tmp/revoked" | tr '\n' ' ')" "frame_000001.png frame_000003.png frame_000004.png revoked_000002.png " \
    "bit_when_released_by_lines_then_the_revoked_frame_is_marked"
kill "$sensor"

# ---- peers that are no sensors ----
start_peer 'sleep 15'
silent=$peer
"$program" controller --connect ":$port" --stream "$tmp/s.json" >/dev/null 2>"$tmp/silent.err" &
silent_controller=$!
start_peer 'print $c "x" x 200; $c->flush; sleep 2'
run "$program" controller --connect ":$port" --stream "$tmp/s.json"
is "$code" 4 "peer_when_garbage_then_4"
like "$err" "garbage: it begins with 78 78 78 78" "peer_when_garbage_then_named"
start_peer 'my $b; while (sysread($c, $b, 4096)) { syswrite($c, $b) }'
run "$program" controller --connect ":$port" --stream "$tmp/s.json"
is "$code" 3 "peer_when_a_mirror_then_3"
like "$err" "mirror" "peer_when_a_mirror_then_named"
start_peer 'close($c)'
run "$program" controller --connect ":$port" --stream "$tmp/s.json"
is "$code" 4 "peer_when_it_closes_then_4"
finish "$silent_controller"
is "$code" 4 "peer_when_silent_then_4"
like "$(cat "$tmp/silent.err")" "time-out: the peer sent 0 of" "peer_when_silent_then_named"
kill "$silent" 2>/dev/null || true

# ---- output that fails ----
start_sensor out --stream "$tmp/s.json" --rate 0 --frames 3
: >"$tmp/file"
run "$program" controller --connect ":$port" --stream "$tmp/s.json" --out "$tmp/file"
is "$code" 5 "output_when_the_folder_is_a_file_then_5"
like "$err" "folder: $tmp/file: Not a directory" "output_when_the_folder_is_a_file_then_named"
run bash -c "'$program' controller --connect :$port --stream '$tmp/s.json' --y4m - >/dev/full"
is "$code" 5 "output_when_stdout_is_full_then_5"
like "$err" "output: -.*No space left" "output_when_stdout_is_full_then_named"
run bash -c "(ulimit -f 0; exec '$program' controller --connect :$port --stream '$tmp/s.json' --out '$tmp/full') 2>&1 |
    cat >&2; exit \${PIPESTATUS[0]}"
is "$code" 5 "output_when_the_disk_is_full_then_5"
like "$err" "frame_000001.png.*File too large" "output_when_the_disk_is_full_then_named"
is "$(ls -A "$tmp/full" | wc -l)" 0 "output_when_the_disk_is_full_then_nothing_half_written"
mkfifo "$tmp/pipe"
cat "$tmp/pipe" >"$tmp/piped.y4m" &
reader=$!
run "$program" controller --connect ":$port" --stream "$tmp/s.json" --y4m "$tmp/pipe"
finish "$reader"
is "$(head -c 9 "$tmp/piped.y4m") $(stat -c %F "$tmp/pipe")" "YUV4MPEG2 fifo" "output_when_a_pipe_then_its_reader_has_it"
ln -s real.json "$tmp/link.json"
run "$program" controller --connect ":$port" --stream "$tmp/s.json" --report "$tmp/link.json"
is "$code $(stat -c %F "$tmp/link.json" "$tmp/real.json" | tr '\n' ,)" "0 symbolic link,regular file," \
    "output_when_a_link_then_its_target_is_written"
if mknod "$tmp/device" c 1 7 2>/dev/null && { : >"$tmp/device"; } 2>/dev/null; then
    for option in --y4m --report; do
        run "$program" controller --connect ":$port" --stream "$tmp/s.json" "$option" "$tmp/device"
        is "$code $(stat -c %F "$tmp/device")" "5 character special file" "output_when_${option#--}_is_a_device_then_it_stays"
        like "$err" "device: .*No space left" "output_when_${option#--}_is_a_full_device_then_named"
    done
else
    skip "output_when_y4m_is_a_device_then_it_stays" "no device can be made here"
fi
run "$program" controller --connect ":$port" --stream "$tmp/s.json" --report "$tmp/none/report.json"
is "$code" 5 "output_when_the_report_has_no_folder_then_5"
kill "$sensor"

# ---- usage ----
usage() { # NAME PATTERN ARGUMENT...
    local name=$1 pattern=$2
    shift 2
    RUN_LIMIT=5 run "$program" controller "$@"
    is "$code" 2 "usage_when_${name}_then_2"
    like "$err" "$pattern" "usage_when_${name}_then_explained"
}
usage no_stream "give the sensor's root: --trust FILE, or a stream file: --stream FILE"
usage two_outputs "one of them" --stream "$tmp/s.json" --out a --y4m b
usage stdout_twice "room for one" --stream "$tmp/s.json" --json --y4m -
for option in "--suite aes128-cmac" --encrypt "--tag-mode frame" "--tag-size 8" "--variants 2,1,2" "--variant 2,1,2" \
    "--pattern top:0,1,2" --no-crc32 "--role bridge" "--crl x" "--pki x" "--reference x" "--reauth 5" --steps "--data :1"; do
    name=${option%% *}
    # shellcheck disable=SC2086
    usage "${name#--}_without_trust" "$name needs --trust" --stream "$tmp/s.json" $option
done
usage png_without_out "--png needs --out" --stream "$tmp/s.json" --png 3
usage from_and_connect "--from needs no --connect" --stream "$tmp/s.json" --from udp::1 --connect :1
usage trust_without_a_suite "an agreed stream has keys" --trust x --suite none
usage the_tag_size_is_9 "--tag-size: '9': give 8, 12 or 16" --trust x --tag-size 9
usage revoked_without_lines "needs --release line" --stream "$tmp/s.json" --out a --keep-revoked
usage the_release_is_unknown "frame, line or early" --stream "$tmp/s.json" --release pixel
usage png_is_no_number "--png: 'some'" --stream "$tmp/s.json" --png some
is "$out" "" "usage_when_wrong_then_nothing_is_counted"
usage the_way_is_none "give udp:HOST:PORT or ring:PATH" --stream "$tmp/s.json" --from tcp:1
is "$out" "" "usage_when_the_way_is_none_then_nothing_is_counted"
usage an_argument_is_too_much "is too much" --stream "$tmp/s.json" host:1
usage the_address_is_wrong "give HOST:PORT" --stream "$tmp/s.json" --connect "[::1"
usage the_address_is_a_port_alone "a number alone is no host; give HOST:PORT" --stream "$tmp/s.json" --connect 4194
usage the_host_is_a_number "a number alone is no host" --stream "$tmp/s.json" --connect 4194:4194
end
