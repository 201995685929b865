#!/bin/bash
# Recorded streams: verified again as they were live, whole and in segments; exported; and what is refused, by name.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/loopback.bash"
cd "$tmp"

# What a report says of frames and lines, without times.
verdicts() { # REPORT
    sed -nE 's/^\{("event".*)\},?$/\1/p' "$1" | sed -E 's/,"(revoked|sent_us|at_us|packet|offset|first_packet|first_offset)":[^,]*//g'
}

# Records a live stream: NAME.pcapng, NAME.keys, and the controller's NAME.json.
record() { # NAME "STREAM OPTIONS" "SENSOR OPTIONS" "CONTROLLER OPTIONS"
    # shellcheck disable=SC2086
    small_stream "$1.stream" $2
    # shellcheck disable=SC2086
    start_sensor "$1" --stream "$1.stream" --rate 0 --frames 14 --once ${3-}
    # shellcheck disable=SC2086
    run "$program" controller --connect ":$port" --stream "$1.stream" --capture "$1.pcapng" --export-secrets "$1.keys" \
        --report "$1.json" --out "$1.live" ${4-}
}

# Changes the byte at OFFSET of a copy.
flip() { # FROM TO OFFSET
    perl -e 'open(F,"<:raw",$ARGV[0]) or die; local $/; $_=<F>; substr($_,$ARGV[2],1)=chr(ord(substr($_,$ARGV[2],1))^0x5a);
        open(G,">:raw",$ARGV[1]) or die; print G $_' "$1" "$2" "$3"
}

# ---- as live ----
i=0
for options in "--encrypt" "--tag-mode type --suite aes256-cmac" "--tag-mode frame" "--variants 2,3,5 --pattern middle:0,1,2" \
    "--suite none"; do
    i=$((i + 1))
    record "r$i" "$options" ""
    run "$program" verify "r$i.pcapng" --keys "r$i.keys" --report "v$i.json"
    is "$code $(tail -1 <<<"$out")" "0 frames_ok=14 frames_bad=0 frames_lost=0 frames_unfinished=0" \
        "recording_when_verified_again_${options//[^a-z0-9]/_}_then_ok"
    is "$(verdicts "v$i.json")" "$(verdicts "r$i.json")" "recording_when_verified_again_${options//[^a-z0-9]/_}_then_as_live"
done
for command in "verify r5.pcapng" "export r5.pcapng --out e5"; do
    run "$program" $command
    is "$code" 0 "suite_when_none_then_checksums_are_judged_${command%% *}"
    like "$err" "no suite: .* nothing is proven" "suite_when_none_then_said_${command%% *}"
done
run "$program" verify r1.pcapng --keys r1.keys
is "$code $err" "0 " "suite_when_there_is_one_then_nothing_to_say"
perl -pe 'BEGIN { binmode STDIN; binmode STDOUT } s/layout=...../layout=\e[31m/' <r1.pcapng >escape.pcapng
run "$program" verify escape.pcapng --keys r1.keys
is "$code" 2 "recording_when_its_words_are_a_terminals_orders_then_refused"
like "$err" "layout '\?\[31m" "recording_when_its_words_are_a_terminals_orders_then_shown_as_text"
record fsed "--encrypt" "--carrier fsed" "--carrier fsed"
run "$program" verify fsed.pcapng --keys fsed.keys --report fsed.v
is "$code $(tail -1 <<<"$out")" "0 frames_ok=14 frames_bad=0 frames_lost=0 frames_unfinished=0" "fsed_when_verified_again_then_ok"
is "$(verdicts fsed.v)" "$(verdicts fsed.json)" "fsed_when_verified_again_then_as_live"

# ---- evidence ----
tail -1 v1.json >last
like "$(cat last)" "\"sha256\":\"$(sha256sum r1.pcapng | cut -d' ' -f1)\"" "evidence_when_written_then_the_files_digest"
like "$(cat last)" '"configuration":\{"from":"the recording","digest":"[0-9a-f]{64}".*"carried":"in the begin of every frame, under its tag' \
    "evidence_when_written_then_where_the_configuration_came_from"
unlike "$(cat v1.json)" "$(sed -n 's/.* secret //p' r1.keys | head -1)" "evidence_when_written_then_no_secret"
is "$(grep -o '"bytes":[0-9]*,"packets"' last | grep -o '[0-9]*' | awk '{ n += $1 } END { print n }')" "$(stat -c %s r1.pcapng)" \
    "evidence_when_written_then_every_byte_of_the_file_is_accounted_for"
run "$program" verify r1.pcapng --keys r1.keys --json
is "$code $(sed -n 's/,"seconds":[0-9.e-]*//p' <<<"$out" | md5sum)" "0 $(sed -n 's/,"seconds":[0-9.e-]*//p' v1.json | md5sum)" \
    "json_when_asked_then_the_report"
run "$program" verify r1.pcapng --keys r1.keys --stream r1.stream --quiet
is "$code $out" "0 frames_ok=14 frames_bad=0 frames_lost=0 frames_unfinished=0" "stream_when_the_recordings_then_ok"
run "$program" verify r1.pcapng --keys r1.keys --stream r2.stream --quiet
is "$code" 1 "stream_when_another_then_1"
like "$err" "another than r2.stream says; r2.stream is what counts" "stream_when_another_then_said"

cp r1.pcapng "$(printf 'r\3771.pcapng')"
sed 's/csi2\(.*layout=\)/cs\xff2\1/' r1.pcapng >bytes.pcapng
run "$program" verify bytes.pcapng --keys r1.keys --report bytes.json
like "$code $(tail -1 bytes.json)" '^0 .*"interface":"cs\?2"' "interface_when_its_name_is_no_utf8_then_written_all_the_same"
run "$program" verify "$(printf 'r\3771.pcapng')" --keys r1.keys --report bytes.json
like "$code $(tail -1 bytes.json)" '^0 .*"file":\{"name":"r\?1.pcapng"' "file_when_its_name_is_no_utf8_then_written_all_the_same"

# ---- a byte ----
"$program" verify r4.pcapng --keys r4.keys --map map --quiet >out1
is "$(awk '$1 != at { print "hole at " at } { at = $2 } END { print at }' map)" "$(stat -c %s r4.pcapng)" \
    "map_when_written_then_every_byte_once"
missed='' loose=0
for offset in $(perl -e 'srand(7); print int(rand($ARGV[0])), "\n" for 1 .. 40' "$(stat -c %s r4.pcapng)"); do
    flip r4.pcapng flipped.pcapng "$offset"
    run "$program" verify flipped.pcapng --keys r4.keys --quiet
    if [ "$code $out" = "0 frames_ok=14 frames_bad=0 frames_lost=0 frames_unfinished=0" ]; then
        class=$(awk -v o="$offset" '$1 <= o && o < $2 { print $3 }' map)
        case $class in
        tagged) missed="$missed $offset" ;;
        *) loose=$((loose + 1)) ;;
        esac
    elif [ "$code" -gt 5 ]; then
        missed="$missed $offset=$code"
    fi
done
is "$missed" "" "byte_when_any_is_changed_then_noticed_or_of_a_class_that_is_not_protected"

# ---- segments ----
at=$(awk '$3 == "tagged" { at = $1 } END { print at }' map)
flip r4.pcapng bad.pcapng "$at"
"$program" verify bad.pcapng --keys r4.keys --report whole.json >/dev/null 2>&1 || true
for n in 1 2 4 7; do
    parts=()
    for ((k = n; k >= 1; k--)); do
        "$program" verify bad.pcapng --keys r4.keys --segment "$k/$n" --report "p$k.json" --quiet >/dev/null 2>&1 || true
        parts+=("p$k.json")
    done
    run "$program" verify --join "${parts[@]}" --report "joined.json"
    is "$code $(diff <(sed '$d' whole.json) <(sed '$d' joined.json) && echo same)" "1 same" "segments_when_${n}_then_they_add_up"
    is "$(grep -o '"bytes":\[.*\]' joined.json)" "$(grep -o '"bytes":\[.*\]' whole.json)" "segments_when_${n}_then_their_bytes_too"
done
run "$program" verify --join p1.json p3.json
is "$code" 2 "join_when_a_segment_is_missing_then_2"
like "$err" "segment 2 of 7 is missing" "join_when_a_segment_is_missing_then_named"
"$program" verify r4.pcapng --keys r4.keys --segment 2/7 --report other.json >/dev/null 2>&1
run "$program" verify --join p1.json other.json p3.json p4.json p5.json p6.json p7.json --report never.json
is "$code $(ls never.json 2>/dev/null)" "2 " "join_when_a_segment_is_of_another_file_then_2_and_nothing_written"
like "$err" "other.json: it is of another file than p1.json" "join_when_a_segment_is_of_another_file_then_named"
run "$program" verify --join whole.json whole.json
like "$code $err" "^2 .*segment 1, as" "join_when_a_segment_is_there_twice_then_named"
run "$program" verify --join r1.json
like "$code $err" "^2 .*r1.json: (no report|it is no report)" "join_when_it_is_a_controllers_report_then_refused"

# ---- what is refused ----
refused() { # CODE PATTERN NAME ARGUMENT...
    local want=$1 pattern=$2 name=$3
    shift 3
    run "$program" "$@"
    is "$code" "$want" "${name}_then_$want"
    like "$err" "$pattern" "${name}_then_named"
}
refused 4 "nowhere.pcapng: No such file" file_when_not_there verify nowhere.pcapng
refused 4 "no pcap file" file_when_no_recording verify r1.stream
refused 2 "nowhere.keys: No such file" keys_when_not_there verify r1.pcapng --keys nowhere.keys
refused 2 "no secret of stream 1" keys_when_missing verify r1.pcapng
refused 2 "line 1: neither a message" keys_when_garbage verify r1.pcapng --keys r1.stream
refused 1 "refused: packet 2 at offset [0-9]*: frame 1, frame begin" keys_when_anothers verify r1.pcapng --keys r2.keys
refused 2 "two numbers, such as 2/4" segment_when_one_number verify r1.pcapng --segment 2
refused 2 "segment" segment_when_behind_the_last verify r1.pcapng --segment 5/4
refused 2 "segment" segment_when_0 verify r1.pcapng --segment 0/4
refused 2 "one of them" report_when_json_too verify r1.pcapng --json --report x.json
refused 2 "give one recording" file_when_two verify r1.pcapng r2.pcapng
refused 2 "give the reports" join_when_nothing verify --join
refused 4 "no CSI-2 packets of an interface 'front'" interface_when_another verify r1.pcapng --interface front
refused 4 "no frame of stream" carrier_when_another verify r1.pcapng --keys r1.keys --carrier fsed
sed 's/layout=[a-z]\{5\}/layout=other/' r1.pcapng >relabelled.pcapng
refused 2 "layout 'other" layout_when_another verify relabelled.pcapng
refused 4 "is no file on disk" file_when_a_pipe verify <(cat r1.pcapng)
run "$program" verify r1.pcapng --keys r1.keys --virtual-channel 2
is "$code" 4 "channel_when_another_then_4"
head -c $(($(stat -c %s r1.pcapng) - 407)) r1.pcapng >cut.pcapng
refused 4 "packet [0-9]* at offset [0-9]*" file_when_cut verify cut.pcapng --keys r1.keys --report cut.json
like "$(tail -1 cut.json)" '"broken":' "file_when_cut_then_the_evidence_says_so"
if [ -w /dev/full ]; then
    run bash -c "'$program' verify r1.pcapng --keys r1.keys >/dev/full"
    is "$code" 5 "output_when_the_disk_is_full_then_5"
fi

# ---- export ----
run "$program" export r1.pcapng --keys r1.keys --out e1 --raw e1.raw --y4m e1.y4m
is "$code $out" "0 frames_exported=14 refused=0" "export_when_all_verify_then_0"
is "$(diff -r e1 r1.live && echo same)" same "export_when_png_then_the_pictures_of_the_controller"
is "$(stat -c %s e1.raw)" $((14 * 16 * 96)) "export_when_raw_then_every_line"
like "$(head -1 e1.y4m | tr -d '\0')" "^YUV4MPEG2 W64 H16 " "export_when_y4m_then_video"
run "$program" export fsed.pcapng --keys fsed.keys --out e2 --frames 3-5
is "$code $(ls e2 | tr '\n' ' ')" "0 frame_000003.png frame_000004.png frame_000005.png " "export_when_some_frames_then_those"
is "$(cmp e2/frame_000004.png fsed.live/frame_000004.png && echo same)" same "export_when_fsed_then_the_pictures_of_the_controller"
run "$program" export bad.pcapng --keys r4.keys --out e3
is "$code $(ls e3 | wc -l)" "1 13" "export_when_a_frame_was_refused_then_1_and_the_others"
refused 2 "the pixels are encrypted" unverified_when_encrypted export r1.pcapng --unverified --out e4
refused 2 "not to stdout" unverified_when_to_stdout export r2.pcapng --unverified --y4m -
refused 2 "who has no keys" unverified_when_there_are_keys export r2.pcapng --unverified --keys r2.keys --out e4
refused 2 "where to" export_when_nowhere export r2.pcapng --keys r2.keys
refused 2 "frames" export_when_frames_are_none export r2.pcapng --out e4 --frames 5-2
refused 4 "no frame that was asked for" export_when_no_frame_is_there export r2.pcapng --keys r2.keys --out e5 --frames 99 --y4m e5.y4m
is "$(ls e4 e5.y4m 2>/dev/null)" "" "export_when_nothing_came_then_nothing_is_there"
run "$program" export r2.pcapng --unverified --out e6 --y4m e6.y4m
is "$code $out" "0 frames_unverified=14 refused=0" "unverified_when_in_clear_then_0"
is "$(ls e6 | head -2 | tr '\n' ' ')$(ls e6.*)" "unverified_000001.png unverified_000002.png e6.unverified.y4m" \
    "unverified_when_written_then_marked_so"
is "$(cmp e6/unverified_000003.png r2.live/frame_000003.png && echo same)" same "unverified_when_nobody_changed_it_then_the_same"

# ---- with the SPDM exchange ----
"$program" pki new pki >/dev/null
start_sensor spdm --pki pki/sensor --trust pki/root.pem --input scene --size 64x16 --rate 0 --frames 20 --once
run "$program" controller --connect ":$port" --trust pki/root.pem --pki pki/controller --rekey 6 --frames 14 \
    --capture spdm.pcapng --export-secrets spdm.keys
run "$program" verify spdm.pcapng --keys spdm.keys --report spdm.v --map spdm.map
is "$code" 0 "spdm_when_computed_again_then_0"
tail -1 spdm.v >last
like "$(cat last)" '"computed":true,.*"failed":0,"without_proof":0,"sessions":\[\{"id":"[0-9a-f]{8}".*"subject":"CN=sensor,O=Trueline","chain_digest":"[0-9a-f]{96}"' \
    "spdm_when_computed_again_then_session_and_peer"
like "$(cat last)" '"measurements":\[\{"index":1,' "spdm_when_computed_again_then_what_was_measured"
tied='"tied":true,"session":"([0-9a-f]{8})","session_offset":[0-9]+,"peer":\{"subject":"CN=sensor,O=Trueline","leaf_sha256":"[0-9a-f]{64}"'
like "$(cat last)" "\"epochs\":\[\{\"start\":0,\"epoch\":0,\"packet\":[0-9]+,\"offset\":[0-9]+,$tied" \
    "secret_when_agreed_in_a_session_then_tied_to_session_and_peer"
is "$(sed -nE "s/.*$tied.*/\1/p" last)" "$(sed -nE 's/.*"sessions":\[\{"id":"([0-9a-f]{8})".*/\1/p' last)" \
    "secret_when_tied_then_to_the_session_that_is_listed"
like "$out" "secrets of ([0-9]+) of \\1 epochs? follow from sessions of the recording, with CN=sensor,O=Trueline" "secret_when_tied_then_said"
run "$program" verify r1.pcapng --keys r1.keys --report given.json
like "$(tail -1 given.json)" '"epochs":\[\{[^]]*"tied":false,"why":"no exchange of SPDM was computed"' "secret_when_only_given_then_not_tied"
like "$out" "secrets of 1 epoch are tied to no session" "secret_when_only_given_then_said"

# Epochs of one session, and of the next one on the same connection, which takes the stream over.
start_sensor renewed --pki pki/sensor --trust pki/root.pem --input scene --size 64x16 --rate 100 --once
run "$program" controller --connect ":$port" --trust pki/root.pem --pki pki/controller --rekey 20 --reauth 1 --frames 150 \
    --capture renewed.pcapng --export-secrets renewed.keys
run "$program" verify renewed.pcapng --keys renewed.keys --report renewed.json
is "$code" 0 "secrets_when_keys_change_then_verified"
is "$(tail -1 renewed.json | grep -oE "$tied" | cut -d'"' -f6 | sort -u | wc -l) $(tail -1 renewed.json | grep -c '"tied":false')" "2 0" \
    "secrets_when_a_session_takes_over_then_each_tied_to_its_own"

# Secrets in the recording itself.
start_sensor inside --pki pki/sensor --trust pki/root.pem --input scene --size 64x16 --rate 0 --frames 20 --once
run "$program" controller --connect ":$port" --trust pki/root.pem --pki pki/controller --frames 14 \
    --capture inside.pcapng --export-secrets inside.pcapng
run "$program" verify inside.pcapng --report inside.json --map inside.map
is "$code" 0 "secrets_when_inside_then_verified"
like "$(tail -1 inside.json)" '"computed":true,"records":[1-9][0-9]*,"signatures":3,"messages":[0-9]+,"failed":0,"without_proof":0,"sessions":\[\{"id"' \
    "secrets_when_inside_then_spdm_is_computed_again"
like "$(tail -1 inside.json)" "$tied" "secrets_when_inside_then_the_streams_are_tied"
like "$(cat inside.map)" ' spdm$' "secrets_when_inside_then_the_map_says_what_they_protect"
unlike "$(cat inside.json)" "$(grep -aoE 'master_secret: [0-9a-f]{40}' inside.pcapng | head -1 | cut -d' ' -f2)" "secrets_when_inside_then_the_evidence_tells_none"
for k in 1 2; do
    run "$program" verify inside.pcapng --segment "$k/2" --report "i$k.json" --quiet
done
run "$program" verify --join i1.json i2.json --report i.json
is "$code $(grep -o '"epochs":\[.*' i.json | sed 's/,"joined":2//')" "0 $(grep -o '"epochs":\[.*' inside.json)" "secrets_when_inside_then_segments_say_the_same"
missed=''
for offset in $(awk '$3 == "spdm" { for (i = 0; i < 3; i++) print int($1 + ($2 - $1 - 1) * i / 2) }' inside.map | awk 'NR % 11 == 0'); do
    flip inside.pcapng flipped.pcapng "$offset"
    run "$program" verify flipped.pcapng --quiet
    [ "$code" -ne 0 ] || missed="$missed $offset"
done
is "$missed" "" "secrets_when_inside_and_a_byte_of_spdm_is_changed_then_refused"
perl -pe 'BEGIN { binmode STDIN; binmode STDOUT } s/(master_secret: ..)......../$1deadbeef/' <inside.pcapng >wrong.pcapng
run "$program" verify wrong.pcapng
like "$code $err" "^1 .*refused: SPDM: message [0-9]+: master_secret" "secrets_when_inside_and_wrong_then_refused"
perl -pe 'BEGIN { binmode STDIN; binmode STDOUT } s/(th1: ..)../${1}xx/' <inside.pcapng >garbage.pcapng
run "$program" verify garbage.pcapng
like "$code $err" "^2 .*line [0-9]+" "secrets_when_inside_and_garbage_then_2_and_named"

# A run that was killed: secrets of all messages that it recorded.
for keys in killed.pcapng killed.keys; do
    start_sensor killed --pki pki/sensor --trust pki/root.pem --input scene --size 64x16 --rate 100 --once
    "$program" controller --connect ":$port" --trust pki/root.pem --pki pki/controller --rekey 20 --capture killed.pcapng \
        --export-secrets $keys >killed.out 2>&1 &
    controller=$!
    sleep 0.9
    kill -KILL "$controller"
    wait "$controller" 2>/dev/null || true
    run "$program" verify killed.pcapng $([ $keys = killed.pcapng ] || echo --keys $keys) --report killed.json
    is "$code" 0 "run_when_killed_then_what_it_recorded_verifies_${keys#*.}"
    like "$(tail -1 killed.json)" '"computed":true,.*"failed":0,.*"tied":true' "run_when_killed_then_its_secrets_are_tied_${keys#*.}"
    unlike "$(tail -1 killed.json)" '"tied":false' "run_when_killed_then_all_of_them_${keys#*.}"
    finish "$sensor"
done

# Another run's stream under this run's session: its packets, and secrets of both.
start_sensor second --pki pki/sensor --trust pki/root.pem --input scene --size 64x16 --rate 0 --frames 20 --once
run "$program" controller --connect ":$port" --trust pki/root.pem --pki pki/controller --frames 14 \
    --capture second.pcapng --export-secrets second.keys
perl -e 'my ($type_of, @files) = (sub { unpack("VV", substr $_[0], $_[1], 8) });
    for my $name (@ARGV) { local $/; open F, "<:raw", $name or die; push @files, scalar <F> }
    binmode STDOUT; my ($out, $rest) = ("", "");
    for my $i (0, 1) {
        my ($at, $csi2) = (0, 0);
        while ($at < length $files[$i]) {
            my ($type, $n) = $type_of->($files[$i], $at);
            my $block = substr $files[$i], $at, $n;
            $csi2 = $type == 6 && unpack("V", substr $block, 8, 4) == 1;
            $out .= $block if $i == 0 && !$csi2;
            $rest .= $block if $i == 1 && $csi2;
            $at += $n;
        }
    }
    print $out, $rest' spdm.pcapng second.pcapng >spliced.pcapng
{ grep -v '^stream' spdm.keys; grep '^stream' second.keys; } >spliced.keys
run "$program" verify spliced.pcapng --keys spliced.keys --report spliced.json
is "$code $(tail -1 <<<"$out" | grep -c 'frames_bad=0')" "1 1" "secret_when_of_another_session_then_refused_though_each_frame_verifies"
like "$err" "refused: stream 1, start 0, epoch 0: its secret does not follow from session $(sed -nE 's/.*"sessions":\[\{"id":"([0-9a-f]{8})".*/\1/p' last)," \
    "secret_when_of_another_session_then_named"
like "$(tail -1 spliced.json)" '"tied":false,"contradicts":true,"refused":true,"session":"[0-9a-f]{8}".*"why":"the stream was agreed in that session' \
    "secret_when_of_another_session_then_in_the_evidence"
for k in 1 2; do
    run "$program" verify spliced.pcapng --keys spliced.keys --segment "$k/2" --report "x$k.json" --quiet
done
run "$program" verify --join x1.json x2.json --report x.json
is "$code $(grep -o '"epochs":\[[^]]*\]' x.json)" "1 $(grep -o '"epochs":\[[^]]*\]' spliced.json)" \
    "secret_when_of_another_session_then_the_join_refuses_too"
sed -i 's/,"contradicts":true,"refused":true//' x2.json
run "$program" verify --join x1.json x2.json
like "$code $err" "^2 .*its events are not those" "secret_when_the_report_no_longer_says_so_then_its_sums_tell"

# Two runs in one file: a session and a stream each, told apart by the second one's name.
cat spdm.pcapng <(sed 's/csi2\(.*layout=\)/side\1/' second.pcapng) >two.pcapng
cat spdm.keys second.keys >two.keys
for name in csi2 side; do
    run "$program" verify two.pcapng --keys two.keys --interface "$name" --report "two_$name.json"
    is "$code" 0 "sessions_when_two_then_${name}_verifies"
done
ids=$(grep -oE '"sessions":.*' two_csi2.json | grep -oE '"id":"[0-9a-f]{8}"' | cut -d'"' -f4 | tr '\n' ' ')
is "$(cat two_csi2.json two_side.json | grep -oE "$tied" | cut -d'"' -f6 | uniq | tr '\n' ' ')" "$ids" "sessions_when_two_then_each_stream_is_tied_to_its_own"
is "$(wc -w <<<"$ids")" 2 "sessions_when_two_then_both_are_listed"

# Whose the session is.
"$program" pki new other_pki >/dev/null
run "$program" verify spdm.pcapng --keys spdm.keys --trust pki/root.pem --report trusted.json
is "$code $(grep -o '"trusted":true' trusted.json | wc -l)" "0 2" "trust_when_both_ends_are_of_its_roots_then_verified"
run "$program" verify inside.pcapng --trust pki/root.pem --quiet
is "$code" 0 "trust_when_secrets_are_inside_then_verified"
run "$program" verify spdm.pcapng --keys spdm.keys --trust other_pki/root.pem --report stranger.json
is "$code" 1 "trust_when_the_roots_are_others_then_1"
like "$err" "refused: SPDM: message [0-9]+: the sensor's chain is not trusted: " "trust_when_the_roots_are_others_then_named"
like "$(tail -1 stranger.json)" '"trusted":false.*"tied":false,"refused":true,"why":"the exchange of SPDM did not come out right"' \
    "trust_when_the_roots_are_others_then_nothing_is_tied"
perl -e 'local $/; binmode STDIN; binmode STDOUT; $_ = <STDIN>; my $at = 0;
    while ($at < length) {
        my ($type, $n) = unpack "VV", substr $_, $at, 8;
        substr($_, $at + 12, 4) = pack "V", 0xf0000000 if $type == 6;
        $at += $n;
    }
    print' <spdm.pcapng >late.pcapng # its packets came in the year 2518
run "$program" verify late.pcapng --keys spdm.keys --quiet
is "$code" 0 "trust_when_not_asked_for_then_certificates_may_be_old"
run "$program" verify late.pcapng --keys spdm.keys --trust pki/root.pem
like "$code $err" "^1 trueline verify: refused: SPDM: message [0-9]+: the sensor's chain is not trusted: .*expired" "trust_when_certificates_had_run_out_then_refused"
for trust in "" "--trust pki/root.pem"; do
    sed 's/csi2\(.*layout=\)/side\1/' r1.pcapng | cat spdm.pcapng - >three.pcapng
    cat spdm.keys r1.keys >three.keys
    # shellcheck disable=SC2086
    run "$program" verify three.pcapng --keys three.keys --interface side --report three.json $trust
    is "$code" "$([ -z "$trust" ] && echo 0 || echo 1)" "trust_when_${trust:+asked_for_and_}the_secret_was_given_then_$([ -z "$trust" ] && echo 0 || echo 1)"
done
like "$err" "refused: stream 1, start [0-9], epoch 0: its secret follows from no session, and --trust asks for one" "trust_when_the_secret_was_given_then_named"
refused 2 "no session whose secrets are here: nobody proves who he is" trust_when_there_is_no_session verify r1.pcapng --keys r1.keys --trust pki/root.pem --report never2.json
refused 2 "no session whose secrets are here" trust_when_there_are_no_secrets_of_it verify spdm.pcapng --keys <(grep '^stream' spdm.keys) --trust pki/root.pem
is "$(ls never2.json 2>/dev/null)" "" "trust_when_there_is_no_session_then_nothing_is_written"
refused 2 "(r1.keys|identity)" trust_when_no_certificate verify spdm.pcapng --keys spdm.keys --trust r1.keys
sed 's/"tied":true/"tied":false,"contradicts":true/' trusted.json >edited.json
refused 2 "its events are not those that its totals count" join_when_an_epoch_contradicts_and_is_not_counted verify --join edited.json
refused 2 "join takes reports" trust_when_joining verify --join trusted.json --trust pki/root.pem

# An exchange that begins once more and goes no further: nothing will ever prove it.
perl -e 'local $/; binmode STDIN; binmode STDOUT; $_ = <STDIN>; my ($at, @link, @first) = 0;
    while ($at < length) {
        my ($type, $n) = unpack "VV", substr $_, $at, 8;
        push @link, unpack "v", substr $_, $at + 8, 2 if $type == 1;
        push @first, substr $_, $at, $n if $type == 6 && $link[unpack "V", substr $_, $at + 8, 4] == 148 && @first < 2;
        $at += $n;
    }
    print $_, @first' <spdm.pcapng >again.pcapng
{ cat spdm.keys; grep '^# ' spdm.keys | head -2; } >again.keys
run "$program" verify again.pcapng --keys again.keys --report again.json
is "$code" 0 "spdm_when_an_exchange_is_given_up_then_no_failure"
like "$out" "SPDM, not computed +not protected" "spdm_when_an_exchange_is_given_up_then_not_called_protected"
like "$(tail -1 again.json)" '"failed":0,"without_proof":2,' "spdm_when_an_exchange_is_given_up_then_its_messages_are_counted"
missed=''
for offset in $(awk '$3 == "spdm" { for (i = 0; i < 3; i++) print int($1 + ($2 - $1 - 1) * i / 2) }' spdm.map | awk 'NR % 7 == 0'); do
    flip spdm.pcapng flipped.pcapng "$offset"
    run "$program" verify flipped.pcapng --keys spdm.keys --quiet
    [ "$code" -ne 0 ] || missed="$missed $offset"
done
is "$missed" "" "spdm_when_a_byte_of_it_is_changed_then_refused"
for k in 1 2; do
    run "$program" verify spdm.pcapng --keys spdm.keys --segment "$k/2" --report "s$k.json" --quiet
done
run "$program" verify --join s1.json s2.json --report s.json
is "$code $(grep -o '"bytes":\[.*' s.json | sed 's/,"joined":2//')" "0 $(grep -o '"bytes":\[.*' spdm.v)" \
    "spdm_when_in_segments_then_the_same_sessions_and_bytes"
sed 's/^\(master_secret: ..\)......../\1deadbeef/' spdm.keys >wrong.keys
run "$program" verify spdm.pcapng --keys wrong.keys --report wrong.json
like "$code $err" "^1 .*SPDM: message [0-9]+: master_secret: computed .not shown., line [0-9]+ says .not shown." \
    "spdm_when_a_secret_is_wrong_then_named"
is "$(sed -n 's/^[a-z_0-9]*secret: .\{10\}\(.\{12\}\).*/\1/p' spdm.keys | grep -Fcf - <(cat wrong.json; echo "$err") || true)" 0 \
    "spdm_when_a_secret_is_wrong_then_no_evidence_shows_the_right_one"
run "$program" verify spdm.pcapng --keys <(grep '^stream' spdm.keys) --quiet
is "$code" 0 "spdm_when_there_are_secrets_of_the_stream_alone_then_frames_verify"
end
