#!/bin/bash
# Captures to a disk that is full or slow: the stream goes on, frames verify, the capture is whole blocks and says what it lacks,
# and verify calls nobody an attacker for it.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/loopback.bash"
"$program" stream new "$tmp/s.json" --width 320 --height 240
frames=60
receive() { # NAME CAPTURE KILOBYTES: records where no file may be longer; sets $code, $out and $err
    start_sensor "$1" --stream "$tmp/s.json" --input scene:320x240 --once --rate 0 --frames "$frames"
    (ulimit -f "$3" && exec "$program" controller --connect ":$port" --stream "$tmp/s.json" --json --report "$tmp/$1.json" \
        --capture "$2" --export-secrets "$tmp/$1.keys") >"$tmp/c.out" 2>"$tmp/c.err" &
    finish $!
    out=$(cat "$tmp/c.out") err=$(cat "$tmp/c.err")
    local receiver=$code
    finish "$sensor"
    code=$receiver
}
count() { # TEXT KEY
    grep -Eo "\"$2\": ?[0-9]+" <<<"$1" | head -1 | grep -Eo '[0-9]+$'
}
lacks() { # NAME CAPTURE: what the receiver counted is what the capture holds and says
    local kept missing
    kept=$(count "$out" packets) missing=$(count "${out#*\"capture\"}" not_recorded)
    is "$(count "$out" frames_ok)" "$frames" "$1_then_every_frame_verifies"
    like "$err" "not recorded" "$1_then_told"
    like "$(tail -1 "$tmp/$1.json")" "\"not_recorded\": ?$missing" "$1_then_the_report_has_the_count"
    if [ "${missing:-0}" -gt 0 ]; then ok "$1_then_packets_are_missing"; else not_ok "$1_then_packets_are_missing" "$out"; fi
    is "$(("$(count "${out#*\"capture\"}" packets)" + missing))" "$kept" "$1_then_each_packet_is_recorded_or_counted"
    run "$program" dump "$2"
    like "$(tail -1 <<<"$out")" "^csi2: frames=[0-9]+ packets=$((kept - missing)) .* crc_bad=0 cut=0\$" "$1_then_the_capture_is_whole_blocks"
    is "$(tail -2 <<<"$out" | head -1)" "not recorded: packets=$missing" "$1_when_dumped_then_said"
    like "$("$program" dump "$2" --json)" "^\{\"sum\":\"not recorded\",\"packets\":$missing\}\$" "$1_when_dumped_as_json_then_an_object"
    run "$program" export "$2" --keys "$tmp/$1.keys" --stream "$tmp/s.json" --raw "$tmp/$1.raw"
    is "$code" 4 "$1_when_exported_then_no_refusal_and_not_every_frame"
    like "$out" "^frames_exported=[1-9][0-9]* refused=0\$" "$1_when_exported_then_the_frames_that_are_whole"
    like "$err" "$missing packets? (was|were) not recorded" "$1_when_exported_then_said"
    like "$err" "frames that were not recorded whole are left out" "$1_when_exported_then_what_is_left_out_is_said"
    run "$program" export "$2" --keys "$tmp/$1.keys" --stream "$tmp/s.json" --raw "$tmp/$1.raw" --frames 2-3
    is "$code $out" "0 frames_exported=2 refused=0" "$1_when_what_is_asked_for_is_there_then_exported"
    run "$program" annotate "$2" "$tmp/$1.shown.pcapng" --keys "$tmp/$1.keys"
    is "$code" 0 "$1_when_annotated_then_nothing_is_refused"
    like "$err" "$missing packets? (was|were) not recorded" "$1_when_annotated_then_said"
    run "$program" verify "$2" --keys "$tmp/$1.keys" --stream "$tmp/s.json" --report "$tmp/evidence.json"
    is "$code" 4 "$1_when_verified_then_no_refusal_and_not_all_verified"
    like "$err" "$missing packets? (was|were) not recorded, as the recording says itself" "$1_when_verified_then_said"
    like "$(tail -1 "$tmp/evidence.json")" "\"not_recorded\": ?$missing" "$1_when_verified_then_in_the_evidence"
    like "$(tail -1 "$tmp/evidence.json")" "\"refused\": ?0" "$1_when_verified_then_nothing_is_refused"
}

receive full "$tmp/full.pcapng" 2000
is "$code" 5 "full_then_exit_code_5"
like "$err" "capture: .*full.pcapng: File too large: nothing more of it is recorded" "full_then_said_at_once"
lacks full "$tmp/full.pcapng"

mkdir "$tmp/small"
if mount -t tmpfs -o size=1m none "$tmp/small" 2>/dev/null; then
    receive disk "$tmp/small/disk.pcapng" unlimited
    is "$code" 5 "disk_then_exit_code_5"
    like "$err" "disk.pcapng: No space left on device" "disk_then_named"
    lacks disk "$tmp/small/disk.pcapng"
    umount "$tmp/small"
else
    skip "disk_then_exit_code_5" "this user may not mount a small disk"
fi

# Nobody reads the pipe until the sensor has sent all, which is twice what waits for the pipe.
mkfifo "$tmp/pipe"
frames=600
(exec 3<"$tmp/pipe"; for ((i = 0; i < 600; i++)); do grep -qs 'frames sent' "$tmp/slow.err" && break; sleep 0.1; done
    exec cat <&3 >"$tmp/slow.pcapng") &
reader=$!
receive slow "$tmp/pipe" unlimited

wait "$reader"
is "$code" 5 "slow_then_exit_code_5"
like "$err" "packets not recorded: what it is written to is too slow" "slow_then_named"
lacks slow "$tmp/slow.pcapng"
end
