#!/bin/bash
# The dissectors in tshark: recordings are taken apart to the last byte, as `trueline dump` takes them apart, and what is
# changed or cut is told without an error in Lua. TL_SEED=N repeats a run; TL_VECTORS names the folder of the recordings.
. "$(dirname "$0")/tap.sh"
RUN_LIMIT=60
here=$root/tests/cli
lua=$build/wireshark/trueline.lua
vectors=${TL_VECTORS:-$root/../shared/vectors}/spdm
seed=${TL_SEED:-$$}

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
same_values() { # FILE AT-LEAST NAME
    local counted
    run "$build/trueline" dump --json "$1"
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

# ---- SPDM ----

if [ -d "$vectors" ]; then
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
    for port in 4194 5555; do
        packets tcp $port "$((seed))" "$one" "$tmp/tcp.pcap"
        shark "$tmp/tcp.pcap" -d tcp.port==$port,trueline_tcp_stream -Y trueline_tcp -T fields -e _ws.col.Info
        is "$(sed 's/; /\n/g' <<<"$out")$err" "$whole" "tcp_when_segments_begin_anywhere_on_port_${port}_then_the_same_messages"
    done
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
