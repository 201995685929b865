#!/bin/bash
# The demo with small pictures: it ends as it must, leaves what it says, and fails cleanly when a child is killed, when
# it is told to stop, and when its input is not there.
. "$(dirname "$0")/tap.sh"
program=$build/trueline
small=(--input scene --width 64 --height 16 --frames 5)
export TMPDIR=$tmp/temporary
mkdir "$TMPDIR"

# A value of report.json.
report() { # KEYS
    perl -MJSON::PP -0777 -ne '
        my $v = decode_json($_);
        for my $key (split /[.]/, $ENV{KEYS}) { $v = ref $v eq "ARRAY" ? $v->[$key] : $v->{$key} }
        print ref $v eq "ARRAY" ? scalar @$v : $v, "\n"' "$tmp/out/report.json"
}
value() { # KEYS
    KEYS=$1 report
}
leftovers() {
    find "$TMPDIR" -mindepth 1 | wc -l
}
# Children of a process that still run, oldest first. Other processes may go while their names are looked at.
children() { # PID
    { cat /proc/[0-9]*/stat 2>/dev/null || true; } |
        sed -nE "s/^([0-9]+) \\(.*\\) [^Z] $1 .*/\\1/p" | sort -n
}
running() { # PID: a zombie that nobody reaps does not
    grep -qsE '^[0-9]+ \(.*\) [^ZX] ' "/proc/$1/stat"
}

run "$program" demo "${small[@]}" --out "$tmp/out"
frames=$(value attacks)
rows=$(value attacks_total)
is "$code" 0 demo_when_all_is_right_then_exits_0
is "$(tail -n1 <<<"$out")" "demo: frames_ok=5 frames_bad=0 attacks_noticed=$rows/$rows" demo_when_all_is_right_then_the_last_line_says_so
is "$(ls "$tmp/out/frames" | paste -sd' ')" \
    "frame_000001.png frame_000002.png frame_000003.png frame_000004.png frame_000005.png" demo_when_done_then_its_frames_are_there
like "$(file -b "$tmp/out/attacks.png" 2>/dev/null || head -c8 "$tmp/out/attacks.png" | tr -dc 'A-Z')" PNG demo_when_done_then_the_contact_sheet_is_a_png
is "$(value frames_ok) $(value frames_bad) $(value attacks_noticed) $(value attacks_total)" "5 0 $rows $rows" report_when_read_then_says_the_same
is "$(value sessions.clean.controller.totals.frames_ok)" 5 report_when_read_then_holds_the_controllers_own
is "$(value attacks.0.name) $(value attacks.0.seen.verdict)" "pixel-bit crc16" report_when_read_then_names_attack_and_verdict
is "$(sed -n '/^  attack  /,$p' <<<"$out" | grep -cE '(noticed|harmless)$')" "$frames" demo_when_done_then_each_attack_on_the_stream_has_a_line
is "$(grep -c ' processes  *exit 3, .* 1/1 noticed$' <<<"$out")" 10 demo_when_done_then_each_pretender_was_refused_with_exit_3
is "$(sed -nE 's/^.* in process .* ([0-9]+)\/\1 noticed.*$/\1/p; s/^.* processes .* ([0-9]+)\/\1 noticed$/\1/p' <<<"$out" | awk '{ n += $1 } END { print n }')" \
    $((rows - frames)) demo_when_done_then_the_lines_on_spdm_hold_all_its_attacks
for step in VERSION CAPABILITIES ALGORITHMS CERTIFICATE KEY_EXCHANGE FINISH MEASUREMENTS "VENDOR_DEFINED choice"; do
    like "$out" "^  $step +[0-9.]+ ms +[0-9.]+ k?B$" "demo_when_it_authenticates_then_shows_${step// /_}_with_time_and_bytes"
done
unlike "$out" 'NOT AS EXPECTED' demo_when_done_then_no_attack_went_unseen
is "$(leftovers)" 0 demo_when_done_then_nothing_temporary_is_left

: >"$tmp/out/frames/frame_000099.png"
run "$program" demo "${small[@]}" --out "$tmp/out" --json --capture "$tmp/demo.pcapng" --export-secrets "$tmp/demo.keys"
is "$code" 0 demo_when_json_is_asked_for_then_exits_0
is "$(perl -MJSON::PP -e 'print decode_json(<STDIN>)->{attacks_noticed}' <<<"$out")" "$rows" demo_when_json_is_asked_for_then_stdout_is_json
is "$(tail -n1 <<<"$err")" "demo: frames_ok=5 frames_bad=0 attacks_noticed=$rows/$rows" demo_when_json_is_asked_for_then_the_narrative_is_on_stderr
is "$(ls "$tmp/out/frames" | wc -l)" 5 demo_when_run_again_then_older_frames_are_gone

# ---- its capture ----
run "$program" dump "$tmp/demo.pcapng" --keys "$tmp/demo.keys"
is "$code" 0 demo_when_recorded_then_dump_computes_its_sessions_again
like "$(tail -n 1 <<<"$out")" "^spdm: sessions=3 records=[0-9]+ signatures=9 failed=0$" demo_when_recorded_then_a_section_for_each_session
like "$out" "with bad CRC-16" demo_when_recorded_then_attacked_packets_are_there_as_they_came
is "$(stat -c %a "$tmp/demo.keys")" 600 demo_when_secrets_are_exported_then_for_their_owner_alone

# Each event of a report on a line of its own: of a session of the demo's report, of a report of `verify`.
events() { # FILE [SESSION]
    perl -MJSON::PP -e 'undef $/; my $r = decode_json(<STDIN>); $r = $r->{sessions}{$ARGV[0]}{controller} if @ARGV;
        print join("|", map { $_ // "" } @$_{qw(event frame verdict cause line data_type count epoch)}), "\n" for @{$r->{events}}' ${2-} <"$1"
}
for session in clean other_stream attacked harmless; do
    again=(verify "$tmp/demo.pcapng" --keys "$tmp/demo.keys" --interface "$session" --virtual-channel 0,1 --quiet)
    run "$program" "${again[@]}" --report "$tmp/whole.json"
    events "$tmp/out/report.json" "$session" >"$tmp/live"
    is "$(events "$tmp/whole.json")" "$(cat "$tmp/live")" "demo_when_${session}_is_verified_again_then_each_event_is_the_live_one"
    tied='"epochs":\[\{[^]]*"tied":true,"session":"[0-9a-f]{8}",[^]]*"subject":"CN=sensor,O=Trueline"'
    [ "$session" != other_stream ] || tied='"epochs":\[\{[^]]*"tied":false,"why":"no session'
    like "$(tail -n 1 "$tmp/whole.json")" "$tied" "demo_when_${session}_is_verified_again_then_its_secret_is_$(sed 's/.*"tied":\([a-z]*\).*/\1/' <<<"$tied")ly_its_sessions"
    is "$(test -s "$tmp/live" && echo some)" some "demo_when_${session}_was_recorded_then_there_are_events"
    for i in 1 2 3 4; do
        run "$program" "${again[@]}" --segment "$i/4" --report "$tmp/part$i.json"
    done
    run "$program" verify --join "$tmp"/part[1-4].json --report "$tmp/joined.json"
    is "$(events "$tmp/joined.json")" "$(cat "$tmp/live")" "demo_when_${session}_is_verified_from_4_segments_then_the_same"
done
run "$program" verify "$tmp/demo.pcapng" --keys "$tmp/demo.keys"
is "$code" 2 demo_when_verified_without_a_name_then_refused
like "$err" "two interfaces, 'clean' and 'other_stream': say which" demo_when_verified_without_a_name_then_says_which_there_are
run "$program" controller --stream "$tmp/none.json" --capture-name front
is "$code" 2 capture_name_when_nothing_is_captured_then_refused

run "$program" demo --input "$tmp/no-such-clip.mp4" --width 64 --height 16 --out "$tmp/none"
is "$code" 4 demo_when_the_input_is_missing_then_exits_4
like "$err" 'the sensor ended with code [0-9]+: .*no-such-clip' demo_when_the_input_is_missing_then_says_who_and_why
is "$(leftovers)" 0 demo_when_the_input_is_missing_then_nothing_temporary_is_left

run "$program" demo "${small[@]}" --out "$tmp/none/of/this"
is "$code" 5 demo_when_the_output_folder_cannot_be_made_then_exits_5
run "$program" demo --frames 2
is "$code" 2 demo_when_there_are_too_few_frames_then_exits_2
run "$program" demo --width 66 --height 16 --input scene --out "$tmp/none"
is "$code" 2 demo_when_the_width_does_not_fit_then_exits_2

# Starts a long demo and waits until both children are there.
start_long() {
    local i
    rm -rf "$tmp/long"
    "$program" demo --input scene --width 1280 --height 720 --frames 5000 --out "$tmp/long" >"$tmp/long.out" 2>"$tmp/long.err" &
    demo=$!
    for ((i = 0; i < 200; i++)); do
        [ -n "$(ls "$tmp/long/frames" 2>/dev/null)" ] && [ "$(children "$demo" | wc -l)" -eq 2 ] && return 0
        sleep 0.05
    done
}
# Waits for it, at most 15 seconds: sets $code.
finish_long() {
    local i
    for ((i = 0; i < 300; i++)); do
        kill -0 "$demo" 2>/dev/null || break
        sleep 0.05
    done
    code=0
    wait "$demo" || code=$?
}
gone() { # PIDS: how many are still there
    local pid n=0
    for pid in $1; do
        ! running "$pid" || n=$((n + 1))
    done
    echo "$n"
}

for victim in 1 2; do
    name=$([ "$victim" -eq 1 ] && echo sensor || echo controller)
    start_long
    both=$(children "$demo")
    kill -KILL "$(sed -n "${victim}p" <<<"$both")"
    finish_long
    is "$code" 4 "demo_when_the_${name}_is_killed_then_exits_4"
    like "$(cat "$tmp/long.err")" "the $name was ended by signal 9" "demo_when_the_${name}_is_killed_then_says_so"
    is "$(gone "$both")" 0 "demo_when_the_${name}_is_killed_then_no_child_is_left"
    is "$(leftovers)" 0 "demo_when_the_${name}_is_killed_then_nothing_temporary_is_left"
done

start_long
both=$(children "$demo")
kill -TERM "$demo"
finish_long
is "$code" 4 demo_when_told_to_stop_then_exits_4
like "$(cat "$tmp/long.err")" 'stopped by a signal' demo_when_told_to_stop_then_says_so
is "$(gone "$both")" 0 demo_when_told_to_stop_then_no_child_is_left
is "$(leftovers)" 0 demo_when_told_to_stop_then_nothing_temporary_is_left

start_long
both=$(children "$demo")
kill -KILL "$demo"
finish_long 2>/dev/null
for ((i = 0; i < 40 && $(gone "$both") > 0; i++)); do sleep 0.05; done
is "$(gone "$both")" 0 demo_when_killed_itself_then_no_child_is_left
end
