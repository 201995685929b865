#!/bin/bash
# What `trueline bench` prints: its rows and their shape. Never how fast anything is.
. "$(dirname "$0")/tap.sh"
program=$build/trueline
RUN_LIMIT=60
rows='sep_protect:openssl sep_verify:openssl sep_protect_sv1:openssl sep_verify_sv1:openssl sender:60fps receiver:60fps
      handshake_p256:crypto handshake_p384:crypto'

run "$program" bench --rounds 1
is "$code" 0 "bench_when_run_then_exits_0"
for row in $rows; do
    like "$out" "^bench ${row%:*} [0-9]+\.[0-9][0-9] x ${row#*:}$" "bench_when_run_then_has_a_line_for_${row%:*}"
done
is "$(grep -c '^bench ' <<<"$out")" 8 "bench_when_run_then_has_no_other_line"
is "$(grep -cE ' a handshake of 16 messages, 2[0-9]{3} bytes; ' <<<"$out")" 2 \
    "bench_when_run_then_tells_messages_and_bytes_of_both_handshakes"
modes=$(grep -cE '^  (SEP|FSED) +(line|data type|frame) +aes(128|256)-[gc]mac +[a-z0-9 ]+ +[0-9]+ +[0-9]+$' <<<"$out")
is "$((modes > 0))" 1 "bench_when_run_then_has_a_table_of_modes"
like "$(tail -n1 <<<"$out")" "^One core of this machine verifies [0-9]+ cameras " "bench_when_run_then_ends_with_a_sentence"

run "$program" bench --rounds 1 --json
is "$code" 0 "bench_when_json_then_exits_0"
is "$(head -c1 <<<"$out")$(tail -c2 <<<"$out")" "{}" "bench_when_json_then_one_object"
is "$(sed -nE 's/^ *"name": "(.*)",$/\1/p' <<<"$out" | paste -sd' ')" "$(echo $rows | sed 's/:[^ ]*//g')" \
    "bench_when_json_then_the_same_rows"
is "$(grep -cE '^ *"ratio": [0-9]+\.[0-9]+,$' <<<"$out")" 8 "bench_when_json_then_each_row_has_a_ratio"
is "$(grep -cE '^ *"messages": 16,$' <<<"$out")" 2 "bench_when_json_then_handshakes_have_their_messages"
is "$(grep -cE '^ *"bytes": 2[0-9]{3},$' <<<"$out")" 2 "bench_when_json_then_handshakes_have_their_bytes"
is "$(grep -cE '^ *"calls": [0-9]+$' <<<"$out")" 2 "bench_when_json_then_handshakes_have_their_calls"
is "$(grep -c '^ *"verified_cameras": ' <<<"$out")" "$modes" "bench_when_json_then_the_same_modes"
unlike "$out" "^bench " "bench_when_json_then_no_other_lines"

for rounds in 0 102 -1 x ''; do
    run "$program" bench --rounds "$rounds"
    is "$code" 2 "bench_when_rounds_is_'$rounds'_then_refused"
    is "$out" "" "bench_when_rounds_is_'$rounds'_then_nothing_is_measured"
done
run "$program" bench fast
is "$code" 2 "bench_when_a_word_is_left_over_then_refused"
run bash -c "'$program' bench --rounds 1 --json >/dev/full"
is "$code" 5 "bench_when_stdout_is_full_then_output_fault"
end
