#!/bin/bash
# Recordings of one-way streams, verified again: with the secret that proves announcements, with keys that were given, in segments,
# and what is refused.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/loopback.bash"
cd "$tmp"
small_stream s.json --encrypt
small_stream other.json --encrypt
small_stream ninth.json --stream 9

verdicts() { # REPORT
    sed -nE 's/^\{("event".*)\},?$/\1/p' "$1" | sed -E 's/,"(revoked|sent_us|at_us|packet|offset|first_packet|first_offset)":[^,]*//g'
}
# Changes the byte at OFFSET of a copy, inside of the packet whose payload is FROM to TO, and puts its CRC-16 right.
change() { # FILE COPY OFFSET FROM TO
    perl -e 'my ($file, $copy, $offset, $from, $to) = @ARGV; local $/;
        open(F, "<:raw", $file) or die; $_ = <F>; substr($_, $offset, 1) = chr(ord(substr($_, $offset, 1)) ^ 0x24);
        my $crc = 0xffff;
        for my $c (unpack("C*", substr($_, $from, $to - $from))) {
            $crc ^= $c; $crc = $crc & 1 ? $crc >> 1 ^ 0x8408 : $crc >> 1 for 1 .. 8;
        }
        substr($_, $to, 2) = pack("v", $crc);
        open(G, ">:raw", $copy) or die; print G $_' "$@"
}
# Records a controller that hears two starts of a sender, over UDP: NAME.pcapng, NAME.keys, NAME.json.
record() { # NAME
    "$program" controller --stream s.json --from udp:127.0.0.1:0 --frames 25 --capture "$1.pcapng" --export-secrets "$1.keys" \
        --report "$1.json" >"$1.out" 2>"$1.err" &
    local controller=$! start
    wait_line "$1.err" "receiving on"
    port=$(sed -n 's/^.*receiving on udp:127.0.0.1:\([0-9]*\).*$/\1/p' "$1.err")
    for start in 15 10; do # no more than the controller waits for: what it reads behind the last frame is recorded, too
        "$program" sensor --stream s.json --to "udp:127.0.0.1:$port" --rate 100 --frames "$start" 2>/dev/null || true
    done
    finish "$controller"
    is "$code $(tail -1 "$1.out")" "0 frames_ok=25 frames_bad=0 frames_lost=0" "recording_${1}_when_made_then_its_frames_verify"
}
refused() { # CODE PATTERN NAME ARGUMENT...
    local want=$1 pattern=$2 name=$3
    shift 3
    run "$program" verify "$@"
    is "$code" "$want" "${name}_then_$want"
    like "$err" "$pattern" "${name}_then_named"
}
good="frames_ok=25 frames_bad=0 frames_lost=0 frames_unfinished=0"

# ---- as live ----
record sep
run "$program" verify sep.pcapng --one-way --stream s.json --report v.json --map sep.map
is "$code $(tail -1 <<<"$out")" "0 $good" "oneway_when_the_stream_file_has_the_secret_then_verified"
is "$(verdicts v.json)" "$(verdicts sep.json)" "oneway_when_verified_then_as_live"
like "$(tail -1 v.json)" '"keys":\{"from":"announcements"\}' "oneway_when_verified_then_where_the_keys_came_from"
like "$(tail -1 v.json)" '"epochs":\[\{"start":0,"epoch":0,[^}]*"tied":false,[^}]*\},\{"start":1,"epoch":0,' "oneway_when_verified_then_both_starts_are_listed"
like "$(tail -1 v.json)" '"class":"proven","protected":true,"bytes":[1-9][0-9]*,' "oneway_when_verified_then_announcements_are_proven"
run "$program" verify sep.pcapng --one-way --keys sep.keys --report k.json
is "$code $(tail -1 <<<"$out")" "0 $good" "oneway_when_there_are_keys_then_verified"
is "$(verdicts k.json)" "$(verdicts sep.json)" "oneway_when_there_are_keys_then_as_live"
like "$(tail -1 k.json)" '"class":"unproven","protected":false,"bytes":[1-9][0-9]*,' "oneway_when_there_are_keys_then_announcements_prove_nothing"
for n in 2 5; do
    parts=()
    for ((k = n; k >= 1; k--)); do
        "$program" verify sep.pcapng --one-way --stream s.json --segment "$k/$n" --report "p$k.json" --quiet >/dev/null 2>&1 || true
        parts+=("p$k.json")
    done
    run "$program" verify --join "${parts[@]}" --report joined.json
    is "$code $(verdicts joined.json)" "0 $(verdicts v.json)" "oneway_when_in_${n}_segments_then_they_add_up"
    is "$(grep -o '"bytes":\[.*\]' joined.json)" "$(grep -o '"bytes":\[.*\]' v.json)" "oneway_when_in_${n}_segments_then_their_bytes_too"
done
run "$program" export sep.pcapng --one-way --stream s.json --raw sep.raw
is "$code $out $(stat -c %s sep.raw)" "0 frames_exported=25 refused=0 $((25 * 16 * 96))" "oneway_when_exported_then_every_line"

# ---- announcements ----
at=($(awk '$3 == "proven" { print $1, $2 }' sep.map))
missed=''
for ((offset = at[0]; offset < at[1]; offset += 3)); do
    change sep.pcapng changed.pcapng "$offset" "${at[0]}" "${at[1]}"
    run "$program" verify changed.pcapng --one-way --stream s.json
    case "$code $out" in
    "0 "*"of others"*) ;; # another stream's
    0*) missed="$missed $offset" ;;
    esac
done
is "$missed" "" "announcement_when_a_byte_is_changed_then_noticed"
proof=$((at[1] - 5))
change sep.pcapng first.pcapng "$proof" "${at[0]}" "${at[1]}"
refused 1 "refused: packet 1 at offset [0-9]+: announcement: refused: not made with our stream file's secret" \
    announcement_when_its_proof_is_wrong first.pcapng --one-way --stream s.json --report first.json
is "$(tail -1 <<<"$out" | cut -d' ' -f1)" "frames_ok=10" "announcement_when_its_proof_is_wrong_then_the_next_start_still_verifies"
like "$(cat first.json)" '^\{"event":"announcement","verdict":"refused","proven":false,"why":"announcement: refused: not made' \
    "announcement_when_its_proof_is_wrong_then_in_the_report"
like "$(tail -1 first.json)" '"packets_before_announcement":[1-9]' "announcement_when_its_proof_is_wrong_then_what_it_opens_is_counted"
for k in 1 2 3; do
    run "$program" verify first.pcapng --one-way --stream s.json --segment "$k/3" --report "f$k.json" --quiet
done
run "$program" verify --join f1.json f2.json f3.json --report f.json
is "$code $(diff <(sed '$d' f.json) <(sed '$d' first.json) && echo same)" "1 same" "announcement_when_its_proof_is_wrong_then_segments_say_the_same"
run "$program" verify first.pcapng --one-way --keys sep.keys --quiet
is "$code $out" "0 $good" "announcement_when_its_proof_is_wrong_and_there_are_keys_then_it_does_not_matter"
# The first start's announcement once more, behind the second's.
perl -e 'local $/; binmode STDIN; binmode STDOUT; $_ = <STDIN>; my ($at, $first) = (0, "");
    while ($at < length) {
        my ($type, $n) = unpack "VV", substr $_, $at, 8;
        $first = substr $_, $at, $n if $type == 6 && $first eq "";
        $at += $n;
    }
    print $_, $first' <sep.pcapng >again.pcapng
refused 1 "announcement: refused: start [0-9]+ is not after [0-9]+" announcement_when_of_an_older_start again.pcapng --one-way --stream s.json

# ---- frames ----
tagged=$(awk '$3 == "tagged" { at[n++] = $1 } END { print at[int(n / 2)] }' sep.map)
perl -e 'local $/; open(F, "<:raw", $ARGV[0]); $_ = <F>; substr($_, $ARGV[1], 1) ^= "\x5a"; binmode STDOUT; print' sep.pcapng "$tagged" >bad.pcapng
run "$program" verify bad.pcapng --one-way --stream s.json --quiet
like "$code $out" "^1 frames_ok=24 frames_bad=1 " "oneway_when_a_byte_of_a_frame_is_changed_then_refused"

# ---- what is refused ----
refused 1 "refused: packet 1 at offset" oneway_when_not_said sep.pcapng --keys sep.keys
refused 2 "no secret of stream 1" oneway_when_neither_secret_nor_keys sep.pcapng --one-way
refused 2 "no secret of stream 1" oneway_when_not_said_and_without_keys sep.pcapng --stream s.json
refused 1 "not made with our stream file's secret" oneway_when_the_secret_is_anothers sep.pcapng --one-way --stream other.json
refused 4 "no frame of stream 9" oneway_when_the_stream_is_another sep.pcapng --one-way --stream ninth.json
sed '/"secret"/d' s.json >public.json
refused 2 "(no secret of stream 1|public.json)" oneway_when_the_stream_file_has_no_secret sep.pcapng --one-way --stream public.json
refused 1 "refused: " oneway_when_keys_are_anothers sep.pcapng --one-way --keys <(sed 's/secret ......../secret deadbeef/' sep.keys)
small_stream both.stream
start_sensor both --stream both.stream --rate 0 --frames 5 --once
run "$program" controller --connect ":$port" --stream both.stream --capture both.pcapng --export-secrets both.keys
refused 4 "no frame of stream 1" oneway_when_nothing_was_announced both.pcapng --one-way --stream both.stream
run "$program" verify both.pcapng --one-way --keys both.keys --quiet
is "$code" 0 "oneway_when_nothing_was_announced_but_there_are_keys_then_verified"
end
