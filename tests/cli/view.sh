#!/bin/bash
# The live view over HTTP: what it shows of a stream, whom it refuses, and that hostile clients cost the receiver nothing.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/loopback.bash"
http() { # METHOD PATH [HEADER...]
    perl "$root/tests/cli/view_http.pl" "$port" "$@" || true
}
status_of() { head -n1 <<<"$1" | tr -d '\r'; }
# A value of the state.
state() { # KEYS
    http get /state.json | KEYS=$1 perl -MJSON::PP -0777 -ne '
        s/.*?\r\n\r\n//s;
        my $v = decode_json($_);
        for my $key (split /[.]/, $ENV{KEYS}) { $v = ref $v eq "ARRAY" ? $v->[$key] : $v->{$key} }
        print ref $v eq "ARRAY" ? scalar @$v : $v // "null", "\n"' 2>/dev/null || echo unknown
}
wait_until() { # COMMAND...
    local i
    for i in $(seq 150); do
        if "$@"; then return 0; fi
        sleep 0.1
    done
    return 1
}
more_than() { local n; n=$(state "$1"); [[ $n =~ ^[0-9]+$ ]] && [ "$n" -gt "$2" ]; }
equals() { [ "$(state "$1")" = "$2" ]; }
children() { # PID: other processes may go while their names are looked at
    { cat /proc/[0-9]*/stat 2>/dev/null || true; } | sed -nE "s/^([0-9]+) \\(.*\\) [^Z] $1 .*/\\1/p" | sort -n
}
memory() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }

# ---- addresses ----
small_stream "$tmp/cam.json" --encrypt >/dev/null
for at in 0.0.0.0:0 192.0.2.1:80 example.org:80 '[::]:0' '*:80'; do
    run "$program" controller --stream "$tmp/cam.json" --view "$at"
    is "$code" 2 "view_when_at_${at//[^a-z0-9]/_}_then_exits_2"
    like "$err" "view: .*(own address|'|address)" "view_when_at_${at//[^a-z0-9]/_}_then_names_it"
done
for at in 65536 123456 -1 80x; do
    run "$program" controller --stream "$tmp/cam.json" --view "$at"
    is "$code" 2 "view_when_port_is_${at}_then_exits_2"
done
run "$program" controller --stream "$tmp/cam.json" --view-attacks "$tmp/none"
is "$code" 2 view_attacks_when_without_view_then_exits_2
run "$program" demo --view 0.0.0.0:0
is "$code" 2 demo_view_when_not_on_this_machine_then_exits_2
run "$program" demo --view 0 --json
is "$code" 2 demo_view_when_json_is_asked_for_then_exits_2
start_peer ''
run "$program" controller --stream "$tmp/cam.json" --view "$port"
is "$code" 4 view_when_port_is_taken_then_exits_4
like "$err" "127.0.0.1:$port.*in use" view_when_port_is_taken_then_says_so
run "$program" demo --view "$port"
is "$code" 4 demo_view_when_port_is_taken_then_exits_4

# ---- a stream from a file, by frames ----
start_sensor sensor --stream "$tmp/cam.json" --input scene --loop --rate 20
"$program" controller --connect ":$port" --stream "$tmp/cam.json" --view 0 --keep-going >"$tmp/controller" 2>"$tmp/controller.err" &
controller=$!
wait_until grep -qs 'the view is on' "$tmp/controller.err"
port=$(sed -nE 's|.*the view is on http://127.0.0.1:([0-9]+)/|\1|p' "$tmp/controller.err")
if wait_until more_than counts.frames_ok 3; then ok view_when_frames_verify_then_counts_them; else not_ok view_when_frames_verify_then_counts_them; fi
is "$(state phase) $(state stream.width) $(state stream.release) $(state live.verdict) $(state live.have)" "receiving 64 frame ok 16" view_when_frames_verify_then_says_what
is "$(state refused_frame) $(state identity_number) $(state presses)" "null 0 null" view_when_nothing_is_wrong_then_nothing_is_told
answer=$(http get /)
is "$(status_of "$answer")" 'HTTP/1.1 200 OK' page_when_asked_for_then_comes
like "$answer" "^Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" page_when_asked_for_then_forbids_all_from_elsewhere
like "$answer" '^X-Content-Type-Options: nosniff' page_when_asked_for_then_no_type_is_guessed
unlike "$(grep -v 'xmlns=' <<<"$answer$(http get /page.css)$(http get /page.js)$(http get /icon.svg)")" '(https?:)?//[a-z]+[.]' page_when_read_then_names_no_other_place
is "$(http get /live.png | grep -c PNG)" 1 picture_when_asked_for_then_is_a_png
is "$(status_of "$(http get /refused.png)")" 'HTTP/1.1 404 Not Found' picture_when_no_frame_was_refused_then_not_found
is "$(status_of "$(http get /identity.json)")" 'HTTP/1.1 404 Not Found' identity_when_keys_come_from_a_file_then_not_found
is "$(status_of "$(http get /attacks.json)")" 'HTTP/1.1 404 Not Found' attacks_when_it_is_no_demo_then_not_found
is "$(status_of "$(http post '/attack?row=1' "Origin: http://127.0.0.1:$port")")" 'HTTP/1.1 404 Not Found' attack_when_it_is_no_demo_then_not_found
for path in /../etc/passwd //etc/passwd /page.js/ /state.json%00 /STATE.JSON; do
    is "$(status_of "$(http get "$path")")" 'HTTP/1.1 404 Not Found' "path_${path//[^a-zA-Z]/_}_then_not_found"
done

# ---- who is refused ----
n=0
for host in evil.example "evil.example:$port" 127.0.0.1.evil.example localhost.evil.example "127.0.0.1:$port@evil" 127.0.0.1:99999 127.0.0.1:8x 10.0.0.1 0.0.0.0 '[::2]' ''; do
    n=$((n + 1))
    is "$(status_of "$(http get /state.json "Host: $host")")" 'HTTP/1.1 403 Forbidden' "host_${n}_when_it_is_another_then_refused"
done
for host in "localhost:$port" LOCALHOST 127.0.0.1 '[::1]:1'; do
    is "$(status_of "$(http get /state.json "Host: $host")")" 'HTTP/1.1 200 OK' "host_${host//[^a-zA-Z]/_}_when_it_is_this_machine_then_answered"
done
unlike "$(http get / none)" '200 OK' host_when_missing_then_refused
unlike "$(http get / "Host: 127.0.0.1" "Host: evil.example")" '200 OK' host_when_twice_then_refused
for method in PUT DELETE OPTIONS TRACE CONNECT; do
    like "$(http raw "$method / HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nConnection: close\\r\\n\\r\\n")" '^HTTP/1.1 405 ' "method_${method}_then_not_allowed"
done
like "$(http raw 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9999999999\r\n\r\n')" '^HTTP/1.1 413 ' body_when_announced_then_refused
like "$(http raw 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n')" '^HTTP/1.1 413 ' body_when_chunked_then_refused
unlike "$(http raw '\x00\xff\x16\x03\x01\r\n\r\n')" '200 OK' bytes_when_no_request_then_no_answer
like "$(http huge 100000)" '^(HTTP/1.1 (4|5)|closed)' header_when_huge_then_refused

# ---- clients that mean no good, beside the stream ----
server=$(children "$controller" | head -n1)
before=$(memory "$server")
frames=$(state counts.frames_ok)
http crowd 200 hold 8 >"$tmp/crowd" &
http drip 3 >"$tmp/drip" &
is "$(http noise 150 7)" 150 noise_when_sent_then_the_server_lives
wait_until test -s "$tmp/crowd"
like "$(http get /state.json)" '^HTTP/1.1 200 OK' crowd_when_it_holds_connections_then_a_browser_is_served
if wait_until more_than counts.frames_ok "$((frames + 5))"; then ok crowd_when_it_holds_connections_then_frames_verify; else not_ok crowd_when_it_holds_connections_then_frames_verify "$(state counts.frames_ok) of $frames"; fi
is "$(state counts.frames_bad) $(state counts.frames_lost)" "0 0" crowd_when_it_holds_connections_then_no_frame_is_lost
after=$(memory "$server")
if [ "$after" -lt $((before + 6000)) ] || [ "$build" != "${build%asan*}" ]; then ok crowd_when_over_then_memory_has_not_grown; else not_ok crowd_when_over_then_memory_has_not_grown "$before kB, then $after kB"; fi
is "$(ls "/proc/$server/fd" | wc -l | awk '{ print ($1 < 90) }')" 1 crowd_when_there_then_connections_are_bounded

# ---- the process that serves ----
unlike "$(cat "/proc/$server/maps")" 'cam.json' server_when_running_then_has_no_key_file
is "$(awk '/^NoNewPrivs/ { print $2 }' "/proc/$server/status")" 1 server_when_running_then_can_gain_nothing
kill -KILL "$server"
sleep 0.3
if kill -0 "$controller" 2>/dev/null; then ok server_when_killed_then_the_controller_goes_on; else not_ok server_when_killed_then_the_controller_goes_on; fi
kill -INT "$controller"
code=0
wait "$controller" || code=$?
is "$code" 0 controller_when_told_to_stop_then_exits_0

# ---- the demo's buttons ----
export TMPDIR=$tmp/temporary
mkdir "$TMPDIR"
"$program" demo --view 0 --input scene --width 64 --height 16 >"$tmp/demo" 2>&1 &
demo=$!
wait_until grep -qs 'the view is on' "$tmp/demo" || true
port=$(sed -nE 's|.*the view is on http://127.0.0.1:([0-9]+)/.*|\1|p' "$tmp/demo")
wait_until more_than counts.frames_ok 2 || true
token=$(state token)
origin="Origin: http://127.0.0.1:$port"
is "${#token}" 32 token_when_it_is_the_demo_then_has_32_digits
row=$(http get /attacks.json | perl -MJSON::PP -0777 -ne 's/.*?\r\n\r\n//s; for (@{decode_json($_)}) { print $_->{row} if $_->{name} eq "pixel-bit" && $_->{repair} eq "all" }')
is "$(status_of "$(http post "/attack?row=$row" "$origin")")" 'HTTP/1.1 403 Forbidden' attack_when_without_token_then_refused
is "$(status_of "$(http post "/attack?row=$row" "$origin" "X-Trueline-Token: ${token%?}g")")" 'HTTP/1.1 403 Forbidden' attack_when_token_is_another_then_refused
is "$(status_of "$(http post "/attack?row=$row" "X-Trueline-Token: $token")")" 'HTTP/1.1 403 Forbidden' attack_when_without_origin_then_refused
for other in http://evil.example null "https://127.0.0.1:$port" "http://127.0.0.1:$((port - 1))" "http://localhost:$port" "http://127.0.0.1:$port.evil.example"; do
    is "$(status_of "$(http post "/attack?row=$row" "Origin: $other" "X-Trueline-Token: $token")")" 'HTTP/1.1 403 Forbidden' "attack_when_origin_is_${other//[^a-z]/_}_then_refused"
done
is "$(status_of "$(http get "/attack?row=$row" "$origin" "X-Trueline-Token: $token")")" 'HTTP/1.1 404 Not Found' attack_when_asked_by_get_then_not_found
for bad in '' -1 99999 1x 0x1 1e1 18446744073709551617; do
    is "$(status_of "$(http post "/attack?row=$bad" "$origin" "X-Trueline-Token: $token")")" 'HTTP/1.1 400 Bad Request' "attack_when_row_is_${bad:-empty}_then_refused"
done
is "$(state presses) $(state counts.frames_bad)" "0 0" attack_when_all_were_refused_then_nothing_was_attacked
is "$(status_of "$(http post "/attack?row=$row" "$origin" "X-Trueline-Token: $token")")" 'HTTP/1.1 202 Accepted' attack_when_all_is_right_then_taken
if wait_until equals presses.0.outcome 'as expected'; then ok attack_when_taken_then_refused_by_the_receiver; else not_ok attack_when_taken_then_refused_by_the_receiver "$(http get /state.json)"; fi
is "$(state counts.frames_bad) $(state refused_frame.verdict) $(state refused_frame.place) $(state refused_frame.have)" "1 tag RAW12 line 8 15" attack_when_refused_then_frame_and_line_are_named
is "$(state refused_frame.marks.0.from) $(state refused_frame.marks.0.to) $(state refused_frame.marks.0.verdict)" "8 8 tag" attack_when_refused_then_the_line_is_marked
is "$(state presses.0.seen) $(state events.0.kind) $(state events.0.data_type) $(state events.0.line)" "tag frame refused RAW12 8" attack_when_refused_then_stands_among_the_events
is "$(http get /refused.png | grep -c PNG)" 1 attack_when_refused_then_its_picture_is_there
is "$(http get /identity.json | grep -o '"reference":"[a-z]*"' | sort | uniq -c | tr -s ' ')" ' 3 "reference":"equal"' identity_when_agreed_then_measurements_equal_the_reference
kill -INT "$demo"
code=0
wait "$demo" || code=$?
is "$code" 0 demo_when_told_to_stop_then_exits_0
like "$(tail -n1 "$tmp/demo")" '^demo: frames=[0-9]+ frames_ok=[0-9]+ frames_refused=1 attacks=1$' demo_when_told_to_stop_then_says_what_was
is "$(find "$TMPDIR" -mindepth 1 | wc -l)" 0 demo_when_told_to_stop_then_nothing_is_left
is "$(children "$demo" | wc -l)" 0 demo_when_told_to_stop_then_no_child_is_left
run "$program" demo --view 0 --input scene --width 64 --height 16 --frames 5
is "$code" 0 demo_when_frames_are_given_then_ends_after_them
like "$(tail -n1 <<<"$out")" '^demo: frames=5 frames_ok=5 frames_refused=0 attacks=0$' demo_when_frames_are_given_then_all_verify
end
