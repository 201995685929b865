#!/bin/bash
# The dissectors in tshark: recordings are taken apart to the last byte, as `trueline dump` takes them apart, and what is
# changed or cut is told without an error in Lua. TL_SEED=N repeats a run; TL_VECTORS names the folder of the recordings.
. "$(dirname "$0")/tap.sh"
RUN_LIMIT=60
here=$root/tests/cli
lua=$build/wireshark/trueline.lua
vectors=${TL_VECTORS:-$root/../shared/vectors}/spdm
seed=${TL_SEED:-$$}
layout=$(sed -n 's/^TL_LAYOUT:[A-Z]*=//p' "$build/CMakeCache.txt")

! grep -q '^TL_SANITIZE:BOOL=ON' "$build/CMakeCache.txt" || skip_all "tshark is not of this build"
command -v tshark >/dev/null || skip_all "tshark is missing: scripts/deps --wireshark"
perl -MJSON::PP -e 1 2>/dev/null || skip_all "perl has no JSON::PP"
export HOME=$tmp XDG_CONFIG_HOME=$tmp/config
echo "# seed $((seed))"

shark() { # FILE ARGUMENT...
    local file=$1
    shift
    run tshark -n -X "lua_script:$lua" -r "$file" "$@"
    err=$(grep -v '^Running as user' <<<"$err" || true)
}

# Judges each packet of a recording: sets $sums and $told, and leaves what tshark printed.
judge() { # FILE ARGUMENT...
    shark "$1" -T pdml "${@:2}"
    cp "$tmp/.out" "$tmp/pdml"
    perl "$here/wireshark_pdml.pl" <"$tmp/pdml" >"$tmp/judged"
    sums=$(tail -n 1 "$tmp/judged")
    told=$(sed '$d' "$tmp/judged")
    [ -z "$err" ] || sums="$sums; stderr: $err"
}

clean() { # FILE NAME ARGUMENT...: nothing is wrong, and no byte is without a field
    judge "$1" "${@:3}"
    if [[ $sums =~ ^packets=[1-9][0-9]*\ bytes=[1-9][0-9]*\ uncovered=0\ malformed=0\ errors=0\ lua=0$ ]]; then
        ok "$2"
    else
        not_ok "$2" "$sums
$told"
    fi
}

# The dump of this file and what was judged last must be the same.
same_values() { # FILE AT-LEAST NAME ARGUMENT...
    local counted
    run "$build/trueline" dump --json "$1" "${@:4}"
    cp "$tmp/.out" "$tmp/dumped"
    perl "$here/wireshark_pdml.pl" --values <"$tmp/pdml" >"$tmp/shown"
    counted=$(perl "$here/wireshark_values.pl" "$tmp/dumped" "$tmp/shown")
    if [[ $(tail -n 1 <<<"$counted") =~ values=([0-9]+)\ wrong=0$ ]] && [ "${BASH_REMATCH[1]}" -ge "$2" ]; then
        ok "$3"
    else
        not_ok "$3" "$counted"
    fi
}

packets() {
    perl "$here/wireshark_packets.pl" "$@"
}

# ---- does this script notice an error? ----
cp "$lua" "$tmp/right.lua"
sed 's/^function S.message(.*/&\n  local beyond = tvb(1000000, 1)/' "$tmp/right.lua" >"$tmp/wrong.lua"
packets bytes 148 0600010510840000 "$tmp/one.pcap"
lua=$tmp/right.lua clean "$tmp/one.pcap" "message_when_right_then_nothing_is_wrong"
lua=$tmp/wrong.lua judge "$tmp/one.pcap"
like "$sums" 'uncovered=4 .* lua=[1-9]' "message_when_the_script_has_an_error_then_it_is_noticed"

# ---- CSI-2 ----

. "$root/tests/cli/loopback.bash"
cd "$tmp"

record() { # NAME STREAM-OPTIONS... -- SENSOR-OPTIONS...: a recording of three frames, and its secrets
    local name=$1 options=()
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    small_stream "$name.json" "${options[@]}" >/dev/null
    start_sensor "$name" --stream "$name.json" --once "${@:2}"
    run "$program" controller --connect "127.0.0.1:$port" --stream "$name.json" --frames 3 "${@:2}" \
        --capture "$name.pcapng" --export-secrets "$name.keys"
    finish "$sensor"
}

for way in "sep:" "bare:--no-crc32 --suite aes256-cmac --tag-size 8 --encrypt" "list:--tag-mode frame" "fsed:--tag-size 12"; do
    name=${way%%:*}
    carrier=sep
    [ "$name" != fsed ] || carrier=fsed
    record $name ${way#*:} -- --carrier $carrier
    clean $name.pcapng "stream_when_${name}_then_every_byte_has_a_field_and_nothing_is_wrong"
    same_values $name.pcapng 300 "stream_when_${name}_then_the_values_are_those_of_dump" -v
done
shark sep.pcapng -Y 'trueline.sep.crc32.status == "right" && trueline.sep.tag_bytes == 16' -T fields -e frame.number
is "$(wc -w <<<"$out")" 66 "footer_when_it_has_a_crc32_then_found_out_and_right"
shark bare.pcapng -Y 'trueline.sep.tag_bytes == 8 && !trueline.sep_footer.crc32' -T fields -e frame.number
is "$(wc -w <<<"$out")" 60 "footer_when_it_has_8_bytes_then_they_are_its_tag"

mkdir -p "$XDG_CONFIG_HOME/wireshark/profiles/Trueline"
cp "$root/wireshark/colorfilters" "$XDG_CONFIG_HOME/wireshark/profiles/Trueline/"

# ---- a frame's metadata is put together ----

record fsed5 --suite aes256-cmac --no-crc32 --tag-size 8 --variants 2,5,2 -- --carrier fsed
clean fsed5.pcapng "metadata_when_pixels_have_no_tag_then_every_byte_has_a_field_and_nothing_is_wrong"
packets pick 147 "$(seq -s, 1 29)" frame.pcap fsed.pcapng
# In two passes each packet says where the whole is, and the whole of what it is made.
shark frame.pcap -2 -Y trueline.fsed.bytes -T fields -E separator=: -e frame.number -e trueline.fsed.whole_in -e trueline.fsed.fragment
is "$out" "2:3:
3::2,3
24:28:
25:28:
26:28:
27:28:
28::24,25,26,27,28" "metadata_when_a_frame_is_whole_then_put_together_from_its_packets"
shark frame.pcap -V
is "$(grep -cE '^ +tag: [0-9a-f]{24} \(tag of (embedded data [0-3]|RAW12 1?[0-9])\)$' <<<"$out"):$(grep -cE '^ +crc32: 0x[0-9a-f]{8} \(CRC-32 of ' <<<"$out")" \
    "20:20" "metadata_when_a_frame_is_whole_then_each_tag_and_crc32_is_named"
shark fsed5.pcapng -Y trueline.fsed.tag -T fields -e _ws.col.Info
is "$(sed 's/.*: //' <<<"$out")" "stream 1 frame 1 end, 4 tags
stream 1 frame 2 end, 4 tags
stream 1 frame 3 end, 4 tags" "metadata_when_pixels_have_no_tag_then_the_others_tags_are_found"

spoilt() { # NUMBERS FILTER ARGUMENT...: frames of these packets where the filter says yes, with the words of the last one
    packets pick 147 "$1" spoilt.pcap fsed.pcapng
    shark spoilt.pcap -Y "$2" -T fields -E separator=: -e frame.number -e _ws.col.Info "${@:3}"
    out=$(sed 's/VC0 //; s/stream 1 metadata bottom at/bottom/' <<<"$out")
}
# The third packet's bytes are lost: 20 tags of 12 bytes stand in front of 20 CRC-32s.
a=$((96 - $(sed -n 's/.*TL_FSED_HEADER_SIZE = \([0-9]*\).*/\1/p' "$root/layout/$layout/limits.h"))) # bytes of a packet
tags=$((20 - (240 - 2 * a + 11) / 12)) checks=$((20 - (3 * a - 240 + 3) / 4))
spoilt "$(seq -s, 1 25),$(seq -s, 27 29)" 'trueline.fsed.gap || trueline.fsed.incomplete'
is "$out" "26:bottom $((3 * a))
27:bottom $((4 * a)): stream 1 frame 1 end, $tags of 20 tags, $checks of 20 CRC-32s" "metadata_when_a_packet_is_lost_then_said_and_the_rest_is_shown"
spoilt "$(seq -s, 1 27),29" trueline.fsed.incomplete
is "$out" "28:frame end 2" "metadata_when_the_last_packet_is_lost_then_said_at_the_frames_end"
spoilt "$(seq -s, 1 27),29" trueline.fsed.incomplete -2
is "$(cut -d: -f1 <<<"$out" | xargs)" "24 25 26 27 28" "metadata_when_the_last_packet_is_lost_then_two_passes_mark_each"
spoilt "1,$(seq -s, 3 29)" trueline.fsed.incomplete
is "$out" "2:stream 1 metadata top at $a: not whole" "metadata_when_the_first_packet_is_lost_then_no_begin_is_shown"
spoilt "$(seq -s, 1 25),25,$(seq -s, 26 29)" 'trueline.fsed.again || trueline.sep_end.parts'
is "$out" "26:bottom $a
29:bottom $((4 * a)): stream 1 frame 1 end, 20 tags, 20 CRC-32s" "metadata_when_a_packet_is_repeated_then_said_and_the_whole_is_right"
spoilt "$(seq -s, 1 24),26,25,$(seq -s, 27 29)" 'trueline.fsed.order || trueline.fsed.gap'
is "$out" "25:bottom $((2 * a))
26:bottom $a" "metadata_when_packets_are_swapped_then_what_does_not_follow_is_not_used"
shark spoilt.pcap -C Trueline --color -Y trueline.fsed.order -T fields -e frame.coloring_rule.name
is "$out" "Trueline metadata not whole" "colours_when_metadata_is_out_of_order_then_by_the_rule"
spoilt "$(seq -s, 1 27)" trueline.fsed.incomplete
is "$out" "" "metadata_when_the_recording_ends_inside_of_a_frame_then_nothing_is_claimed"

packets shuffle 147 "$((seed))" 80 mixed.pcap fsed.pcapng fsed5.pcapng list.pcapng
judge mixed.pcap -2
like "$sums" '^packets=[1-9][0-9]* .* uncovered=0 malformed=0 errors=0 lua=0$' "metadata_when_80_packets_are_lost_repeated_or_swapped_then_no_byte_is_lost"
packets mutate 147 "$((seed))" 300 bad.pcap mixed.pcap
judge bad.pcap -2
like "$sums" '^packets=300 .* uncovered=0 malformed=[1-9][0-9]* errors=[1-9][0-9]* lua=0$' "metadata_when_it_is_changed_as_well_then_told_and_no_byte_is_lost"

# ---- verdicts ----

# Whatever has a verdict is apart from all else that has one, for eyes without one kind of cones, too.
judged="Trueline refused,Trueline checksum wrong,Trueline malformed,SPDM error,Trueline metadata not whole"
judged+=",Trueline verified,Trueline one bit corrected"
run perl "$here/wireshark_colours.pl" --apart 23 --contrast 4.5 --only "$judged" "$root/wireshark/colorfilters"
is "$code:$out" "0:rules=9 near=0 faint=0" "colours_when_seen_by_colour_blind_eyes_then_apart_and_legible"
printf '@a@x@[0,39321,0][0,0,0]\n@b@x@[52428,32896,0][0,0,0]\n@c@x@[0,0,65535][0,0,0]\n' >green.colours
run perl "$here/wireshark_colours.pl" --apart 23 --contrast 4.5 green.colours
like "$out" '^a, b: .*\(red\)$' "colours_when_two_are_one_to_colour_blind_eyes_then_noticed"
like "$out" '^c: contrast 2\.[0-9]$' "colours_when_text_is_faint_then_noticed"


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

# ---- where Wireshark looks ----

run cmake -DCMAKE_INSTALL_PREFIX="$tmp/prefix" -P "$build/wireshark/cmake_install.cmake"
line=$(sed -n 's/^-- *\(mkdir .*\)/\1/p' <<<"$out")
bash -c "$line"
is "$(cat "$HOME/.config/wireshark/profiles/Trueline/colorfilters")" "$(cat "$root/wireshark/colorfilters")" \
    "install_when_its_lines_are_followed_then_wireshark_finds_the_profile"
run tshark -n -r sep.pcapng -c 2
like "$out" 'CSI-2 .*VC0 stream 1 frame 1 begin' "install_when_its_line_is_followed_then_wireshark_finds_the_dissectors"
shark sep.pcapng -c 2
like "$out$err" 'stream 1 frame 1 begin' "script_when_given_beside_an_installation_then_still_works"
rm -r "$HOME/.local"
DESTDIR=$tmp/root run cmake -DCMAKE_INSTALL_PREFIX=/usr -P "$build/wireshark/cmake_install.cmake"
is "$(cd "$tmp/root/usr" && find . -name 'trueline.lua' | grep -c wireshark/plugins/trueline.lua)" 1 \
    "install_when_below_usr_then_in_the_folder_of_plugins"
is "$(cd "$tmp/root/usr" && find . -path '*/profiles/Trueline/colorfilters' | wc -l)" 1 "install_when_below_usr_then_with_the_profile"

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

# A value of a session is another one, and secrets of another run follow.
perl -pe 's/^(response_handshake_secret: .)(.)/$1 . ($2 eq "0" ? "1" : "0")/e' demo.keys >bent.keys
run "$program" annotate demo.pcapng shown.pcapng --keys bent.keys
is "$code" 1 "demo_when_a_secret_is_changed_then_exit_code_1"
shark shown.pcapng -Y 'trueline.failed' -T fields -e trueline.failed -e _ws.col.Info
like "$out$err" '^[1-9][0-9]*[[:space:]].*\[REFUSED: checks failed: [1-9]' "demo_when_a_secret_is_changed_then_the_message_is_marked"
(cat demo.keys; echo 'th9: 00') >more.keys
run "$program" annotate demo.pcapng shown.pcapng --keys more.keys
like "$code:$err" '^1:.*secrets that nothing goes with' "demo_when_secrets_are_left_then_exit_code_1"

# ---- the data connection ----

if [ "$layout" = default ]; then
    hello=747275656c696e65$(printf '01000100010001000000000%0129d' 0)
    packets data 5555 "$((seed))" "$hello" sep.pcapng data.pcap
    shark data.pcap -d tcp.port==5555,trueline_data -T pdml
    is "$(grep -c 'proto name="trueline_csi2"' "$tmp/.out"):$(grep -c 'trueline.hello.magic' "$tmp/.out")$err" "72:1" \
        "data_when_segments_begin_anywhere_then_the_greeting_and_each_packet"
    packets data 5555 "$((seed))" "${hello//6/7}" sep.pcapng data.pcap
    shark data.pcap -d tcp.port==5555,trueline_data -Y trueline.value -T fields -e _ws.col.Info
    like "$out$err" '^no packet' "data_when_the_greeting_is_none_then_told"
fi

# ---- what is changed ----

packets mutate 147 "$((seed))" 600 bad.pcap sep.pcapng fsed.pcapng list.pcapng
judge bad.pcap
like "$sums" '^packets=600 .* uncovered=0 malformed=[1-9][0-9]+ errors=[1-9][0-9]+ lua=0$' \
    "packets_when_changed_then_told_and_no_byte_is_lost"
cd "$root"

# ---- SPDM, the same in every layout ----

if [ "$layout" != default ]; then
    skip "spdm_recordings" "the plain default build has them"
elif [ -d "$vectors" ]; then
    mapfile -t mctp < <(ls "$vectors"/*.pcap | grep -vE 'PCI_DOE|pqc|v1\.4_MCTP')
    packets merge 291 291 "$tmp/mctp.pcap" "${mctp[@]}"
    packets merge 291 150 "$tmp/user3.pcap" "${mctp[@]}"
    packets merge 292 152 "$tmp/user5.pcap" "$vectors"/v1.3_PCI_DOE.pcap
    clean "$tmp/user3.pcap" "mctp_when_any_exchange_then_every_byte_has_a_field_and_nothing_is_malformed"
    same_values "$tmp/mctp.pcap" 5000 "mctp_when_any_exchange_then_the_values_are_those_of_dump"
    clean "$tmp/user5.pcap" "doe_when_any_exchange_then_every_byte_has_a_field_and_nothing_is_malformed"
    same_values "$vectors/v1.3_PCI_DOE.pcap" 300 "doe_when_any_exchange_then_the_values_are_those_of_dump"

    one=$vectors/basic_p384_1.3.pcap
    packets dsp0287 "$one" "$tmp/user1.pcap"
    clean "$tmp/user1.pcap" "tcp_messages_when_recorded_then_every_byte_has_a_field"
    shark "$tmp/user1.pcap" -T fields -e _ws.col.Info
    like "$out" '^ALGORITHMS SHA_384 ECDSA_P384 SECP_384_R1 AES_256_GCM$' "tcp_messages_when_recorded_then_told_by_name"
    whole=$out
    packets tcp 5555 "$((seed))" "$one" "$tmp/tcp.pcap"
    shark "$tmp/tcp.pcap" -d tcp.port==5555,trueline_tcp_stream -Y trueline_tcp -T fields -e _ws.col.Info
    is "$(sed 's/; /\n/g' <<<"$out")$err" "$whole" "tcp_when_segments_begin_anywhere_on_a_chosen_port_then_the_same_messages"
    packets tcp 4194 "$((seed))" "$one" "$tmp/tcp.pcap"
    shark "$tmp/tcp.pcap" -Y trueline_tcp -T fields -e _ws.col.Info
    is "$(sed 's/; /\n/g' <<<"$out")" "$whole" "tcp_when_port_4194_then_found_without_being_asked_for"
    packets tcp 5555 "$((seed))" "$one" "$tmp/tcp.pcap"
    shark "$tmp/tcp.pcap" -Y trueline_tcp
    is "$out" "" "tcp_when_another_port_and_not_asked_for_then_left_alone"

    shark "$tmp/user3.pcap" -Y 'trueline.spdm_capabilities.flags.MEAS_SIG == 1'
    like "$out" ' CAPABILITIES' "capabilities_when_filtered_by_a_bit_then_found"
    shark "$tmp/user3.pcap" -o trueline.link_mctp:0
    unlike "$out" 'GET_VERSION' "link_when_the_preference_is_0_then_left_alone"

    # ---- what is changed ----
    packets mutate 150 "$((seed))" 900 "$tmp/bad.pcap" "$tmp/user3.pcap"
    judge "$tmp/bad.pcap"
    like "$sums" '^packets=900 .* uncovered=0 malformed=[1-9][0-9]+ errors=[1-9][0-9]+ lua=0$' \
        "mctp_when_messages_are_changed_then_told_and_no_byte_is_lost"
    packets mutate 148 "$((seed))" 300 "$tmp/bad.pcap" "$tmp/user1.pcap"
    judge "$tmp/bad.pcap"
    like "$sums" '^packets=300 .* uncovered=0 malformed=[1-9][0-9]* errors=[1-9][0-9]* lua=0$' \
        "tcp_messages_when_changed_then_told_and_no_byte_is_lost"
    packets mutate 152 "$((seed))" 300 "$tmp/bad.pcap" "$tmp/user5.pcap"
    judge "$tmp/bad.pcap"
    like "$sums" '^packets=300 .* uncovered=0 malformed=[1-9][0-9]* errors=[1-9][0-9]* lua=0$' \
        "doe_when_objects_are_changed_then_told_and_no_byte_is_lost"
else
    skip "spdm_recordings" "$vectors is not there"
fi
end
