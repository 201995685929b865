#!/bin/bash
# Captures of sensor and controller on each way, and what dump reads in them: the same counts as the controller's, records
# opened with exported secrets alone, and nothing secret in a file that was not asked for.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/loopback.bash"
"$program" pki new "$tmp/keys" >/dev/null
server=(--pki "$tmp/keys/sensor" --trust "$tmp/keys/root.pem" --size 64x16)
client=(--trust "$tmp/keys/root.pem" --pki "$tmp/keys/controller")
small_stream "$tmp/s.json"
json() { # TEXT KEY
    grep -Eo "\"$2\":[^,}]*" <<<"$1" | head -1 | cut -d: -f2
}
# The sums of a capture must be those of the controller's JSON. What came in one batch with the last frame that was asked for is
# recorded and verified, too, but its frames are not counted: as many frames as the packets make, the last one perhaps in part.
same() { # CAPTURE JSON NAME
    local packets each
    run "$program" dump "$1"
    packets=$(json "$2" packets)
    each=$(sed -n '0,/ frame / s/^.* frame .* \([0-9]*\) packets: .*$/\1/p' <<<"$out")
    like "$(tail -n 2 <<<"$out" | grep ^csi2:)" \
        "^csi2: frames=$(((packets + each - 1) / each)) packets=$packets bytes=[0-9]+ ecc_corrected=0 ecc_bad=0 crc_bad=0 cut=0\$" \
        "$3"
}

# ---- provisioned, over TCP ----
start_sensor tcp --stream "$tmp/s.json" --once --rate 0 --frames 7 --capture "$tmp/ts.pcapng" --export-secrets "$tmp/ts.keys"
run "$program" controller --connect ":$port" --stream "$tmp/s.json" --json --capture "$tmp/tc.pcapng"
totals=$out
is "$code" 0 "tcp_when_recorded_then_frames_verify"
finish "$sensor"
is "$code" 0 "tcp_when_recorded_then_the_sensor_ends_well"
is "$(json "$totals" packets)" $((7 * 24)) "tcp_when_recorded_then_each_packet_is_counted"
same "$tmp/tc.pcapng" "$totals" "tcp_when_dumped_then_the_counts_of_the_controller"
same "$tmp/ts.pcapng" "$totals" "tcp_when_dumped_then_the_sensor_has_the_same"
is "$("$program" dump "$tmp/tc.pcapng" | grep -c 'frame [0-9]* .*<-\|<- .*frame [0-9]')" 7 "tcp_when_dumped_then_a_line_a_frame"
is "$("$program" dump "$tmp/ts.pcapng" --json | grep -c '"name":"frame [1-7]"')" 7 "tcp_when_dumped_as_json_then_an_object_a_frame"
"$program" dump "$tmp/tc.pcapng" -v >"$tmp/verbose"
like "$(cat "$tmp/verbose")" "service header" "packet_when_verbose_then_its_service_header"
like "$(cat "$tmp/verbose")" "tag [0-9a-f]{32}" "packet_when_verbose_then_its_footer"
like "$(cat "$tmp/verbose")" "configuration [0-9a-f]{64}" "packet_when_verbose_then_what_begin_says"
is "$(grep -c 'crc16 is right' "$tmp/verbose")" $((7 * 22)) "packets_when_verbose_then_every_checksum"
is "$(stat -c %a "$tmp/ts.keys")" 600 "secrets_when_exported_then_for_their_owner_alone"
like "$(cat "$tmp/ts.keys")" "^stream 1 epoch 0 secret [0-9a-f]{64}\$" "secrets_when_exported_then_of_the_stream"

# ---- with SPDM, new keys on the way ----
start_sensor pki "${server[@]}" --once --rate 150 --capture "$tmp/ps.pcapng" --export-secrets "$tmp/ps.pcapng"
run "$program" controller --connect ":$port" "${client[@]}" --frames 120 --rekey 15 --reauth 0.3 --json --capture "$tmp/pc.pcapng" \
    --export-secrets "$tmp/pc.keys"
totals=$out
is "$code" 0 "spdm_when_recorded_then_frames_verify"
is "$(json "$totals" frames_ok)" 120 "spdm_when_frames_are_given_then_so_many_are_counted"
finish "$sensor"
is "$code" 0 "spdm_when_recorded_then_the_sensor_ends_well"
same "$tmp/pc.pcapng" "$totals" "spdm_when_dumped_then_the_counts_of_the_controller"
is "$("$program" dump "$tmp/pc.pcapng" | tail -n 1)" "spdm: messages=$(json "${totals#*\"spdm\"}" messages) malformed=0" \
    "spdm_when_dumped_then_as_many_messages_as_the_controller_counted"
run "$program" dump "$tmp/pc.pcapng" --keys "$tmp/pc.keys"
is "$code" 0 "spdm_when_dumped_with_secrets_then_all_of_it_is_computed_again"
like "$(tail -n 1 <<<"$out")" "^spdm: sessions=[2-9] records=[0-9]+ signatures=[0-9]+ failed=0\$" "spdm_when_dumped_with_secrets_then_counted"
like "$out" "END_SESSION_ACK" "spdm_when_dumped_with_secrets_then_records_are_open"
epochs=$(grep -c '^stream 1 epoch' "$tmp/pc.keys") switched=$(json "${totals#*\"spdm\"}" keys)
# One that the sensor was told and has not come to yet is there, too.
if [ "$switched" -ge 2 ] && [ "$epochs" -gt "$switched" ]; then ok "secrets_when_keys_change_then_each_epoch"; else
    not_ok "secrets_when_keys_change_then_each_epoch" "$epochs of $switched"; fi
run "$program" dump "$tmp/ps.pcapng" --keys "$tmp/ps.pcapng"
is "$code" 0 "secrets_when_inside_of_the_capture_then_found_there"
is "$(stat -c %a "$tmp/ps.pcapng")" 600 "capture_with_secrets_when_written_then_for_its_owner_alone"
run "$program" dump "$tmp/pc.pcapng" --keys "$tmp/pc.pcapng"
is "$code" 2 "secrets_when_not_inside_of_the_capture_then_refused"
like "$err" "without secrets" "secrets_when_not_inside_of_the_capture_then_said"
sed 's/^\(dhe_secret: \)\(..\)/\1ff/; t; s/^\(dhe_secret: \)ff/\100/' "$tmp/pc.keys" >"$tmp/bad.keys"
run "$program" dump "$tmp/pc.pcapng" --keys "$tmp/bad.keys"
is "$code" 1 "secrets_when_changed_then_nothing_verifies"

# Nothing of the secrets stands in the capture beside them, as text or as bytes.
cut -d' ' -f6 <(grep ^stream "$tmp/pc.keys") >"$tmp/secrets"
sed -n 's/^[a-z_]*secret[a-z_]*: //p; s/^key: //p' "$tmp/pc.keys" >>"$tmp/secrets"
is "$(perl -e '
    open(my $f, "<:raw", $ARGV[0]) or die; local $/; my $all = <$f>;
    open(my $s, "<", $ARGV[1]) or die; my ($n, $found) = (0, 0);
    for (split /\n/, <$s>) { $n++; $found++ if index($all, $_) >= 0 || index($all, pack("H*", $_)) >= 0 }
    print $n > 20 ? "many" : "few", " $found\n"' "$tmp/pc.pcapng" "$tmp/secrets")" "many 0" "capture_without_the_option_then_holds_no_secret"

# ---- one way, and metadata packets ----
"$program" controller --stream "$tmp/s.json" --from udp:127.0.0.1:0 --frames 4 --json --capture "$tmp/uc.pcapng" >"$tmp/u.out" 2>"$tmp/u.err" &
controller=$!
wait_line "$tmp/u.err" "receiving on"
port=$(sed -n 's/^.*receiving on udp:127.0.0.1:\([0-9]*\).*$/\1/p' "$tmp/u.err")
run "$program" sensor --stream "$tmp/s.json" --to "udp:127.0.0.1:$port" --rate 50 --frames 6 --capture "$tmp/us.pcapng"
finish "$controller"
is "$code" 0 "udp_when_recorded_then_frames_verify"
like "$("$program" dump "$tmp/us.pcapng" | tail -n 1)" "^csi2: frames=6 packets=14[5-7] " "udp_when_dumped_then_every_packet_of_the_sensor"
like "$("$program" dump "$tmp/us.pcapng")" "between frames" "udp_when_dumped_then_announcements_stand_between_frames"
like "$("$program" dump "$tmp/us.pcapng" -v)" "proof [0-9a-f]{64}" "announcement_when_verbose_then_its_fields"
start_sensor fsed --stream "$tmp/s.json" --once --rate 0 --frames 3 --carrier fsed --capture "$tmp/fs.pcapng"
run "$program" controller --connect ":$port" --stream "$tmp/s.json" --carrier fsed --json --capture "$tmp/fc.pcapng"
totals=$out
is "$code" 0 "fsed_when_recorded_then_frames_verify"
finish "$sensor"
same "$tmp/fc.pcapng" "$totals" "fsed_when_dumped_then_the_counts_of_the_controller"
like "$("$program" dump "$tmp/fs.pcapng" -v)" "metadata" "fsed_when_verbose_then_metadata_by_its_rows"

# ---- what cannot be read or written ----
perl -e 'open(my $f, "<:raw", $ARGV[0]) or die; local $/; my $all = <$f>; $all =~ s/layout=\w+/"layout=" . "x" x (length($&) - 7)/e; print $all' \
    "$tmp/tc.pcapng" >"$tmp/layout.pcapng"
run "$program" dump "$tmp/layout.pcapng"
is "$code" 4 "layout_when_another_then_refused"
like "$err" "interface 0: its layout is x+; this program has [a-z]+" "layout_when_another_then_named"
head -c 20001 "$tmp/tc.pcapng" >"$tmp/cut.pcapng"
run "$program" dump "$tmp/cut.pcapng"
is "$code" 4 "capture_when_cut_then_input_fails"
like "$err" "cut.pcapng: packet [0-9]+ at offset [0-9]+: the file ends inside of its" "capture_when_cut_then_packet_and_offset"
like "$out" "frame 1 .*24 packets" "capture_when_cut_then_what_was_before_is_shown"
like "$(tail -n 1 <<<"$out")" "^csi2: frames=" "capture_when_cut_then_summed_up"
perl -e 'open(my $f, "<:raw", $ARGV[0]) or die; local $/; my $all = <$f>; substr($all, 2000, 1) ^= "\x10"; print $all' "$tmp/tc.pcapng" >"$tmp/bit.pcapng"
run "$program" dump "$tmp/bit.pcapng"
like "$out" "with bad CRC-16" "packet_when_a_bit_is_wrong_then_its_checksum_is_bad"
like "$(tail -n 1 <<<"$out")" "crc_bad=1 " "packet_when_a_bit_is_wrong_then_counted"
run "$program" controller --connect :1 --stream "$tmp/s.json" --capture "$tmp/no/where.pcapng"
is "$code" 5 "capture_when_its_folder_is_missing_then_exit_code_5"
like "$err" "capture: .*where.pcapng: cannot be written: No such file" "capture_when_its_folder_is_missing_then_named"
if [ -c /dev/full ]; then
    run "$program" sensor --stream "$tmp/s.json" --listen 127.0.0.1:0 --once --capture /dev/full
    is "$code" 5 "capture_when_the_disk_is_full_then_exit_code_5"
    like "$err" "No space left" "capture_when_the_disk_is_full_then_named"
    start_sensor full --stream "$tmp/s.json" --once --rate 0 --frames 3 --export-secrets /dev/full
    run "$program" controller --connect ":$port" --stream "$tmp/s.json"
    finish "$sensor"
    is "$code" 5 "secrets_when_the_disk_is_full_then_exit_code_5"
fi

# ---- by others ----
if [ "$build" != "$root/build" ]; then
    skip "tshark" "it reads the same in each build"
elif ! command -v tshark >/dev/null; then
    skip "tshark" "tshark is not installed (scripts/deps --wireshark)"
else
    is "$(tshark -r "$tmp/pc.pcapng" 2>/dev/null | wc -l)" "$("$program" dump "$tmp/pc.pcapng" |
        awk '/^csi2:/ { sub("packets=", "", $3); n += $3 } /^spdm:/ { sub("messages=", "", $2); n += $2 } END { print n }')" \
        "tshark_when_it_reads_a_capture_then_every_packet"
fi
end
