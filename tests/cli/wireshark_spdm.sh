#!/bin/bash
# SPDM's dissector in tshark: exchanges that others recorded are taken apart to the last byte, as `trueline dump` takes them
# apart, and what is changed or cut is told without an error in Lua. The same in every layout: the plain default build runs it.
# TL_SEED=N repeats a run; TL_VECTORS names the folder of the recordings.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/wireshark.bash"
vectors=${TL_VECTORS:-$root/../shared/vectors}/spdm

[ "$layout" = default ] || skip_all "the plain default build has them"
[ -d "$vectors" ] || skip_all "$vectors is not there"

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
end
