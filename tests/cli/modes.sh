#!/bin/bash
# Every kind of protection from a sensor process to a controller process: carriers, tag modes, suites, variants, without keys,
# and release before the frame's tag has come. The pixels that come out are always the same.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/loopback.bash"

# One stream, sent and received; its pictures go to $tmp/NAME.
pass() { # NAME SENSOR'S-OPTIONS CONTROLLER'S-OPTIONS STREAM'S-OPTIONS...
    local name=$1 sensor_options=$2 controller_options=$3
    shift 3
    small_stream "$tmp/$name.json" "$@"
    # shellcheck disable=SC2086
    start_sensor "$name" --stream "$tmp/$name.json" --rate 0 --frames 3 --once $sensor_options
    # shellcheck disable=SC2086
    run "$program" controller --connect ":$port" --stream "$tmp/$name.json" --out "$tmp/$name" $controller_options
    is "$code $out" "0 frames_ok=3 frames_bad=0 frames_lost=0" "${name}_when_right_then_ok"
    [ "$name" = plain ] ||
        is "$(cmp "$tmp/$name/frame_000002.png" "$tmp/plain/frame_000002.png" && echo same)" same \
            "${name}_when_right_then_the_same_pixels"
}
fsed="--carrier fsed"

pass plain "" ""
pass cmac "" "" --suite aes128-cmac --tag-size 8
pass cmac_encrypted "" "" --suite aes256-cmac --variants 1,1,1
pass by_type "" "" --tag-mode type --encrypt
pass by_frame "" "" --tag-mode frame --tag-size 8
pass early "" "--release early" --tag-mode frame --suite aes128-cmac
pass some_lines "" "" --variants 5,3,2 --pattern middle:0,1,4
pass some_bytes "" "" --variants 4,4,4 --pattern top:0,8,16 --pattern middle:3,3,6 --pattern bottom:0,1,2
pass no_keys "" "" --suite none
pass fsed "$fsed" "$fsed"
pass fsed_encrypted "$fsed" "$fsed" --encrypt --tag-size 12 --no-crc32
pass fsed_by_frame "$fsed" "$fsed" --tag-mode frame --variants 1,1,1 --suite aes256-cmac
pass fsed_some_lines "$fsed" "$fsed" --variants 5,3,2 --pattern middle:0,1,4 --suite aes128-cmac
pass fsed_no_keys "$fsed" "$fsed" --suite none

# ---- carriers that do not fit ----
start_sensor other --stream "$tmp/fsed.json" --rate 0 --frames 3 --once --carrier fsed
run "$program" controller --connect ":$port" --stream "$tmp/fsed.json" --out "$tmp/other"
is "$code" 1 "carrier_when_another_than_the_sensor_s_then_1"
like "$err" "unprotected" "carrier_when_another_than_the_sensor_s_then_named"
is "$(ls "$tmp/other" | wc -l)" 0 "carrier_when_another_than_the_sensor_s_then_no_picture"

# ---- self-test ----
for name in plain cmac_encrypted by_frame some_bytes no_keys; do
    run "$program" stream test "$tmp/$name.json"
    is "$code" 0 "self_test_when_${name}_then_0"
    like "$out" "^crc16 +noticed$" "self_test_when_${name}_then_checksums_are_noticed"
    unlike "$out" "NOT NOTICED" "self_test_when_${name}_then_all_is_noticed"
done
like "$out" "^tag +this stream has none$" "self_test_when_without_keys_then_no_tags"

# ---- what does not go together ----
refused() { # PATTERN ARGUMENT...
    local pattern=$1 name
    shift
    name=$(tr -c '[:alnum:]' _ <<<"${*//$tmp\//}")
    run "$program" "$@"
    is "$code" 2 "usage_when_${name}_then_2"
    like "$err" "$pattern" "usage_when_${name}_then_named"
}
for carriers in "sep fsed" "fsed sep"; do
    start_sensor carrier --stream "$tmp/plain.json" --carrier "${carriers% *}" --once --rate 0 --frames 2
    run "$program" controller --connect ":$port" --stream "$tmp/plain.json" --carrier "${carriers#* }"
    like "$err" "packets came that carrier ${carriers% *} has .* give both ends the same --carrier" \
        "carrier_when_${carriers/ /_for_}_then_named"
    finish "$sensor"
done
refused "give sep or fsed" sensor --stream "$tmp/plain.json" --carrier tape
refused "give sep or fsed" controller --stream "$tmp/plain.json" --carrier tape
refused "give sep or fsed" verify "$tmp/none.pcapng" --carrier tape
for channels in "" 4 0, ,0 0,,1 00 "0 1"; do
    refused "--virtual-channel: '$channels': give 0 to 3" controller --stream "$tmp/plain.json" --virtual-channel "$channels"
    refused "--virtual-channel: '$channels': give 0 to 3" verify "$tmp/none.pcapng" --virtual-channel "$channels"
done
refused "needs --release frame" controller --stream "$tmp/plain.json" --carrier fsed --release line
refused "one-way link" sensor --stream "$tmp/plain.json" --carrier fsed --to udp:127.0.0.1:9
refused "give frame, line or early" controller --stream "$tmp/plain.json" --release late
refused "release" controller --stream "$tmp/plain.json" --release early
refused "release" controller --stream "$tmp/by_frame.json" --release line
end
