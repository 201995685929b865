#!/bin/bash
# `trueline annotate`: verdicts beside the packets, records opened or left as they came, and what becomes of them in tshark.
# TL_SEED=N repeats a run.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/wireshark.bash"
cd "$tmp"

# ---- verdicts ----

record sep -- --carrier sep
run "$program" annotate sep.pcapng shown.pcapng --keys sep.keys
is "$code:$out" "0:annotated: packets=72 opened=0 verified=66 refused=0" "annotate_when_all_is_right_then_counted"
is "$(stat -c %a shown.pcapng)" 600 "annotate_when_done_then_for_its_owner_alone"
clean shown.pcapng "annotated_when_all_is_right_then_clean"
shark shown.pcapng -C Trueline --color -T fields -e _ws.col.Info -e frame.coloring_rule.name
like "$out" '^VC0 stream 1 frame [0-9]+ end \[frame [0-9]+ verified\]' "annotated_when_a_frame_is_right_then_said_at_its_end"
is "$(grep -Pc '\tTrueline verified$' <<<"$out")" 66 "colours_when_verified_then_by_the_rule"

# A byte of a line's payload is another one, here and in what reaches the receiver again.
perl -0777 -pe 'my $at = length($_) / 2; substr($_, $at - $at % 4, 1) ^= "\x10"' sep.pcapng >bent.pcapng
run "$program" annotate bent.pcapng shown.pcapng --keys sep.keys
is "$code" 1 "annotate_when_a_byte_is_changed_then_exit_code_1"
like "$out" ' refused=[1-9]' "annotate_when_a_byte_is_changed_then_refused"
shark shown.pcapng -C Trueline --color -Y 'trueline.verdict.bad' -T fields -e _ws.col.Info -e frame.coloring_rule.name
like "$out" 'REFUSED: [a-z0-9]+\]' "annotated_when_a_byte_is_changed_then_said_in_words"
is "$(grep -Pc '\tTrueline refused$' <<<"$out")" "$(wc -l <<<"$out")" "colours_when_refused_then_by_the_rule"
shark bent.pcapng -C Trueline --color -T fields -e frame.coloring_rule.name
like "$out" '^Trueline checksum wrong$' "colours_when_a_checksum_is_wrong_then_by_the_rule"
run "$program" annotate bent.pcapng shown.pcapng
is "$code:$out" "0:annotated: packets=72 opened=0 verified=0 refused=0" "annotate_when_there_are_no_secrets_then_no_verdicts"

# Secrets are taken from a file of them, from a capture that has them, or from the recording itself.
secrets_type=$(sed -n 's/.*TL_SECRETS_TYPE = \(0x[0-9A-F]*\).*/\1/p' "$root/layout/$layout/ids.h")
with_secrets() { # RECORDING KEYS...: the recording, with these texts as blocks of secrets in front of its packets
    perl -e '
        my ($type, $recording, @texts) = @ARGV;
        my $slurp = sub { open my $f, "<:raw", $_[0] or die; local $/; scalar <$f> };
        my $d = $slurp->($recording);
        my $head = unpack "V", substr $d, 4, 4;
        my $blocks = "";
        for my $text (map { $slurp->($_) } @texts) {
            my $body = pack("V2", hex $type, length $text) . $text . "\0" x (-length($text) % 4);
            $blocks .= pack("V2", 10, 12 + length $body) . $body . pack "V", 12 + length $body;
        }
        print substr($d, 0, $head), $blocks, substr $d, $head' "$secrets_type" "$@"
}
right=0:"annotated: packets=72 opened=0 verified=66 refused=0"
with_secrets sep.pcapng sep.keys >holds.pcapng
run "$program" annotate holds.pcapng shown.pcapng
is "$code:$out" "$right" "annotate_when_the_recording_has_secrets_then_they_are_used"
run "$program" annotate sep.pcapng shown.pcapng --keys holds.pcapng
is "$code:$out" "$right" "annotate_when_the_keys_are_a_capture_with_secrets_then_they_are_used"
perl -pe 's/(secret ..)/${1}0/; s/.$// if /secret/' sep.keys >other.keys
with_secrets sep.pcapng other.keys >wrong.pcapng
run "$program" annotate wrong.pcapng shown.pcapng
like "$code:$out" '^1:.* verified=0 refused=[1-9]' "annotate_when_the_recording_has_other_secrets_then_refused"
run "$program" annotate wrong.pcapng shown.pcapng --keys sep.keys
is "$code:$out" "$right" "annotate_when_keys_are_given_then_those_of_the_recording_do_not_count"

refused() { # NAME CODE PATTERN ARGUMENTS...: and no file is left
    rm -f none.pcapng
    run "$program" annotate "${@:4}"
    is "$code" "$2" "annotate_when_$1_then_exit_code_$2"
    like "$err" "$3" "annotate_when_$1_then_named"
    is "$(ls | grep -c 'none')" 0 "annotate_when_$1_then_no_file_is_left"
}
refused no_result_is_named 2 'RECORDING and a name for the RESULT' sep.pcapng
refused too_much_is_named 2 "'c' is too much" a b c
refused the_recording_is_missing 4 'lost.pcapng: No such file' lost.pcapng none.pcapng
refused the_recording_is_none 4 'no pcap file' sep.json none.pcapng
refused the_keys_are_missing 2 'lost.keys: No such file' sep.pcapng none.pcapng --keys lost.keys
refused the_keys_are_none 2 'sep.json: line 1' sep.pcapng none.pcapng --keys sep.json
refused the_keys_are_a_capture_without_secrets 2 'sep.pcapng: a capture without secrets' sep.pcapng none.pcapng --keys sep.pcapng
with_secrets sep.pcapng sep.json >broken.pcapng
refused the_keys_are_a_capture_with_others 2 'broken.pcapng: line 1' sep.pcapng none.pcapng --keys broken.pcapng
refused the_secrets_in_the_recording_are_none 2 'broken.pcapng: line 1' broken.pcapng none.pcapng
refused the_keys_are_a_pipe 2 'keys: ' sep.pcapng none.pcapng --keys <(cat sep.keys)
refused the_result_cannot_be_written 5 'nowhere' sep.pcapng nowhere/none.pcapng --keys sep.keys
head -c 3000 sep.pcapng >cut.pcapng
refused the_recording_is_cut 4 'cut.pcapng: .*packet' cut.pcapng none.pcapng --keys sep.keys
LC_ALL=C sed 's/layout=[a-z]/layout=#/' sep.pcapng >foreign.pcapng
refused the_layout_is_another 4 "layout" foreign.pcapng none.pcapng --keys sep.keys

# What is changed anywhere in the file is refused, or told; nothing else comes of it.
codes=''
for ((i = 0; i < 40; i++)); do
    perl -0777 -e 'srand(shift); my $d = <>; substr($d, rand(rand() < 0.3 ? 1500 : length $d), 1) = chr(rand(256)) for 1 .. 3; print $d' \
        $((seed + i)) sep.pcapng >hurt.pcapng
    run "$program" annotate hurt.pcapng hurt.shown --keys sep.keys
    codes+=$code
done
like "$codes" '^[0124]{40}$' "annotate_when_40_recordings_are_changed_then_no_crash"
like "$codes" '1' "annotate_when_40_recordings_are_changed_then_some_are_refused"
is "$(ls | grep -c '\.part$')" 0 "annotate_when_40_recordings_are_changed_then_nothing_half_written"

# ---- the demo: sessions opened, attacks told ----

run "$program" demo --input scene --width 64 --height 16 --frames 3 --out out --capture demo.pcapng --export-secrets demo.keys
is "$code" 0 "demo_when_recorded_then_exit_code_0"
run "$program" annotate demo.pcapng shown.pcapng --keys demo.keys
like "$out" 'opened=[1-9][0-9]* verified=[1-9][0-9]+ refused=[1-9][0-9]+$' "demo_when_annotated_then_opened_and_judged"
with_keys=$out
with_secrets demo.pcapng demo.keys >holds.pcapng
run "$program" annotate holds.pcapng held.pcapng
is "$out" "$with_keys" "demo_when_the_recording_has_the_sessions_secrets_then_opened_and_judged_as_well"
shark shown.pcapng -T fields -e frame.number -e _ws.col.Info -e _ws.malformed -e trueline.verdict.bad
again=$(grep -P '\tGET_VERSION' <<<"$out" | sed -n '2s/\t.*//p')
is "$(grep -P '\tMalformed' <<<"$out" | grep -vc REFUSED)" 0 "demo_when_attacked_then_what_is_malformed_is_refused"
is "$(grep -Pc '\tsession [0-9a-f]{8} record of' <<<"$out")" 0 "demo_when_annotated_then_no_record_is_closed"
like "$out" 'session [0-9a-f]{8} VENDOR_DEFINED_RESPONSE: offer' "demo_when_annotated_then_the_agreement_is_in_clear"
clean shown.pcapng "demo_when_clean_then_every_byte_has_a_field_and_nothing_is_malformed" -c "$((again - 1))"

# Records that do not open are there as they came, byte for byte. First one of the demo's, then all of them.
packets compare demo.pcapng shown.pcapng >rows
is "$(sort -u rows)" "147 147 same
148 148 same
148 149 other" "demo_when_annotated_then_nothing_but_what_was_opened_is_another"
mapfile -t records < <(grep -n ' 149 ' rows | cut -d: -f1)
one=${records[${#records[@]} / 2]}
all=$(IFS=,; echo "${records[*]}")
for which in one all; do
    spoiled=${!which}
    packets spoil "$spoiled" spoiled.pcapng demo.pcapng
    run "$program" annotate spoiled.pcapng closed.pcapng --keys demo.keys
    is "$code" 1 "records_when_${which}_of_them_cannot_be_opened_then_exit_code_1"
    packets compare spoiled.pcapng closed.pcapng >rows
    is "$(sed -n "${spoiled//,/p;}p" rows | sort -u)" "148 148 same" "records_when_${which}_of_them_cannot_be_opened_then_written_as_they_came"
    shark closed.pcapng -Y trueline.failed -T fields -e frame.number
    is "$(grep -Fxc -f <(tr , '\n' <<<"$spoiled") <<<"$out")" "$(tr , '\n' <<<"$spoiled" | wc -l)" \
        "records_when_${which}_of_them_cannot_be_opened_then_each_is_marked"
done

# A value of a session is another one, and secrets of another run follow.
perl -pe 's/^(response_handshake_secret: .)(.)/$1 . ($2 eq "0" ? "1" : "0")/e' demo.keys >bent.keys
run "$program" annotate demo.pcapng shown.pcapng --keys bent.keys
is "$code" 1 "demo_when_a_secret_is_changed_then_exit_code_1"
shark shown.pcapng -Y 'trueline.failed' -T fields -e trueline.failed -e _ws.col.Info
like "$out$err" '^[1-9][0-9]*[[:space:]].*\[REFUSED: checks failed: [1-9]' "demo_when_a_secret_is_changed_then_the_message_is_marked"
(cat demo.keys; echo 'th9: 00') >more.keys
run "$program" annotate demo.pcapng shown.pcapng --keys more.keys
like "$code:$err" '^1:.*secrets that nothing goes with' "demo_when_secrets_are_left_then_exit_code_1"
end
