#!/bin/bash
# Recorded exchanges of an independent implementation: dumped, computed again with their secrets, and with one thing changed
# in each kind of line and of message. TL_VECTORS names the folder, ../shared/vectors is the default; TL_SEED=N repeats a run.
. "$(dirname "$0")/tap.sh"
program=$build/trueline
vectors=${TL_VECTORS:-$root/../shared/vectors}/spdm
bad=$tmp/bad
seed=${TL_SEED:-$$}
RANDOM=$((seed))
echo "# seed $((seed))"

# ---- without recordings ----
run "$program" dump
is "$code" 2 "dump_when_no_file_is_named_then_usage"
run "$program" dump "$tmp/none.pcap"
is "$code" 4 "dump_when_the_file_is_missing_then_input_fails"
like "$err" "none.pcap: No such file" "dump_when_the_file_is_missing_then_named"
run "$program" dump /dev/null
is "$code" 4 "dump_when_the_file_is_empty_then_input_fails"
like "$err" "offset 0: no pcap file" "dump_when_the_file_is_empty_then_named"
run "$program" dump "$tmp"
is "$code" 4 "dump_when_the_file_is_a_folder_then_input_fails"
if [ ! -d "$vectors" ]; then
    skip "dump_of_recordings" "$vectors is not there"
    end
    exit
fi

sums() { # NAME EXPECTED
    run "$program" dump "$vectors/$1.pcap" --keys "$vectors/$1.keys"
    is "$(tail -n 1 <<<"$out")" "spdm: $2 failed=0" "keys_when_$1_then_all_of_it_is_computed_again"
    is "$code" 0 "keys_when_$1_then_exit_code_0"
}

# ---- recordings that must verify ----
for name in hs_p256_1.1 hs_p256_1.2 hs_p384_1.3 hs_p384_1.4; do
    sums $name "sessions=2 records=8 signatures=2"
done
for name in basic_p256_1.2 basic_p384_1.3; do
    sums $name "sessions=2 records=28 signatures=6"
done
sums v1.0_MCTP "sessions=0 records=0 signatures=2"

# ---- recordings with something that is not known: it is named, and what is known is right ----
named() { # NAME EXPECTED PATTERN: the only kinds of failure
    run "$program" dump "$vectors/$1.pcap" --keys "$vectors/$1.keys"
    is "$code" 1 "keys_when_$1_has_what_is_not_known_then_exit_code_1"
    is "$(tail -n 1 <<<"$out")" "spdm: $2" "keys_when_$1_has_what_is_not_known_then_counted"
    is "$(grep ^FAILED <<<"$out" | grep -Evc "$3")" 0 "keys_when_$1_has_what_is_not_known_then_nothing_else_fails"
}
signature='not checked: requester-finish signing: the algorithm is not known'
named k_upd_ALL "sessions=2 records=16 signatures=2 failed=2" "$signature"
named secver_1.0 "sessions=2 records=12 signatures=2 failed=2" "$signature"
named no_handshake_in_clear "sessions=2 records=36 signatures=2 failed=2" "$signature"
for name in a_ed25519 a_p384_sha384_chacha_1.2 a_rsapss3072_ffdhe3072 chunk_v12_long m_mut_W_ENCAP m_mut_WO_ENCAP \
    mac_only psk_only psk_ver_only pubkey_nomut_1.3 pqc_mldsa65_mlkem768 v1.1_MCTP v1.2_MCTP v1.3_MCTP v1.3_PCI_DOE v1.4_MCTP; do
    run "$program" dump "$vectors/$name.pcap" --keys "$vectors/$name.keys"
    is "$code" 1 "keys_when_${name}_then_what_is_not_known_counts"
    like "$(tail -n 1 <<<"$out")" "^spdm: sessions=[1-4] records=[0-9]+ signatures=[0-9]+ failed=[1-9]" \
        "keys_when_${name}_then_the_last_line_counts"
done

# ---- what is printed ----
p=$vectors/basic_p256_1.2.pcap k=$vectors/basic_p256_1.2.keys
run "$program" dump "$p"
is "$code" 0 "dump_when_without_keys_then_exit_code_0"
is "$(grep -c '^ *[0-9]' <<<"$out")" 54 "dump_when_without_keys_then_a_line_for_each_packet"
like "$out" "^ +6 .*<- 1.2 ALGORITHMS .* SHA_256 ECDSA_P256 SECP_256_R1 AES_128_GCM" "dump_when_algorithms_then_told"
is "$(grep -c -- ' -- .* record ' <<<"$out")" 28 "dump_when_without_keys_then_records_stay_closed"
run "$program" dump "$p" -v
like "$out" "^ +base_hash 1$" "dump_when_verbose_then_fields_by_their_names"
like "$out" "^ +sha256 [0-9a-f]{64}$" "dump_when_verbose_then_fingerprints_of_certificates"
like "$out" "^ +index 253$" "dump_when_verbose_then_measurement_blocks"
like "$out" "^ +element_version 1$" "dump_when_verbose_then_opaque_elements"
run "$program" dump "$vectors/v1.3_PCI_DOE.pcap"
like "$out" "^ +[0-9]+ .* -> 1.3 GET_CAPABILITIES " "dump_when_the_link_is_doe_then_read"
run bash -c "'$program' dump '$p' >/dev/full"
is "$code" 5 "dump_when_stdout_is_full_then_output_fault"

# ---- one changed digit in the file of secrets ----
fails() { # PCAP KEYS: exit code 1, and the last line counts a failure
    code=0 err=''
    out=$("$program" dump "$1" --keys "$2" 2>&1) || code=$?
    [ "$code" -eq 1 ] && [[ ${out##*$'\n'} =~ ^spdm:.*\ failed=[1-9] ]]
}

changed_digit() { # NAME LINE COLUMN
    local digit=$(sed -n "$2p" "$k" | cut -c"$3") other=$((RANDOM % 10))
    [ "$other" != "$digit" ] || other=$(((other + 1) % 10))
    sed "$2s/^\(.\{$(($3 - 1))\}\)./\1$other/" "$k" >"$bad.keys"
    fails "$p" "$bad.keys"
}

noticed() { # NAME COMMAND...
    local name=$1
    shift
    if "$@"; then ok "$name"; else not_ok "$name" "$*
$(tap_said)"; fi
}

some_line() { # PATTERN: sets $line to the number of one line that matches
    local lines
    mapfile -t lines < <(grep -nE -e "$1" "$k" | cut -d: -f1)
    line=${lines[RANDOM % ${#lines[@]}]}
}

for kind in $(sed -n 's/^\([a-z_0-9]*\):.*/\1/p' "$k" | sort -u); do
    some_line "^$kind: "
    text=$(sed -n "${line}p" "$k")
    noticed "keys_when_a_digit_of_${kind}_is_changed_then_failed" \
        changed_digit "$kind" "$line" $((${#kind} + 3 + RANDOM % (${#text} - ${#kind} - 2)))
done
for pattern in '0x' 'size ' 'session '; do
    some_line "$pattern[0-9]"
    text=$(sed -n "${line}p" "$k")
    before=${text%%"$pattern"*}
    noticed "keys_when_a_digit_of_a_messages_${pattern% }_is_changed_then_failed" \
        changed_digit message "$line" $((${#before} + ${#pattern} + 1))
done

changed_keys() { # SED-SCRIPT
    sed "$1" "$k" >"$bad.keys"
    fails "$p" "$bad.keys"
}
noticed "keys_when_a_direction_is_turned_then_failed" changed_keys '20s/<-/->/;20s/->/<-/'
noticed "keys_when_a_name_is_changed_then_failed" changed_keys '3s/GET_CAPABILITIES/GET_CAPABILITIEZ/'
noticed "keys_when_a_value_is_missing_then_failed" changed_keys '/^th1/d'
noticed "keys_when_a_message_is_missing_then_failed" changed_keys '7d'
noticed "keys_when_a_value_is_repeated_then_failed" changed_keys '/^th2/p'
noticed "keys_when_an_input_is_missing_then_failed" changed_keys '/^dhe_secret/d'
noticed "keys_when_they_end_early_then_failed" changed_keys '$d'
noticed "keys_when_they_go_on_then_failed" changed_keys '$p'
sed '30s/$/x/' "$k" >"$bad.keys"
run "$program" dump "$p" --keys "$bad.keys"
is "$code" 2 "keys_when_a_line_is_no_hex_then_a_wrong_file"
like "$err" "bad.keys: line 30: neither a message nor a value" "keys_when_a_line_is_no_hex_then_named"
run "$program" dump "$p" --keys "$vectors/hs_p256_1.2.keys"
is "$code" 1 "keys_when_of_another_exchange_then_failed"

# ---- one changed byte in the recording ----
messages=$("$program" dump "$p" --keys "$k" --json |
    sed -n 's/.*"message":\([0-9]*\),"offset":\([0-9]*\),.*"name":"\([^"]*\)","session":\([^,]*\),"size":\([0-9]*\).*/\3|\4|\2|\5/p')

changed_byte() { # OFFSET
    local byte=$(od -An -tu1 -j "$1" -N 1 "$p") other
    other=$(((byte + 1 + RANDOM % 255) % 256))
    cp "$p" "$bad.pcap"
    chmod u+w "$bad.pcap"
    printf "\\x$(printf %x "$other")" | dd of="$bad.pcap" bs=1 seek="$1" conv=notrunc status=none
    fails "$bad.pcap" "$k"
}

is "$(wc -l <<<"$messages")" 54 "messages_when_as_json_then_all_are_found"
seen=' '
while IFS='|' read -r name session offset size; do
    case $seen in *" $name/$session "*) continue ;; esac
    seen+="$name/$session "
    inside=$((offset + 16 + 5)) where=clear
    [ "$session" = null ] || where=session
    # A record is longer than the message inside: its header and its tag are around it.
    noticed "bytes_when_one_of_${name}_in_${where}_is_changed_then_failed" changed_byte $((inside + RANDOM % size))
done <<<"${messages// /_}"

# ---- cut recordings ----
hs=$vectors/hs_p256_1.2.pcap
size=$(stat -c %s "$hs")
borders=" $("$program" dump "$hs" --json | sed -n 's/^{"message":[0-9]*,"offset":\([0-9]*\),.*/\1/p' | tr '\n' ' ')"
wrong=''
for ((n = 0; n < size; n += 97)); do
    head -c "$n" "$hs" >"$bad.pcap"
    code=0 expected=4
    case $borders in *" $n "*) expected=0 ;; esac # between two packets nothing is missing
    out=$("$program" dump "$bad.pcap" 2>&1 >/dev/null) || code=$?
    [ "$code" -eq "$expected" ] || wrong+="$n: exit code $code; "
    [ "$code" -eq 0 ] || [[ $out =~ bad\.pcap:\ (packet\ [0-9]+\ at\ )?offset\ [0-9]+:\  ]] || wrong+="$n: $out; "
done
is "$wrong" "" "dump_when_cut_anywhere_then_input_fails_with_packet_and_offset"
head -c 2000 "$hs" >"$bad.pcap"
run "$program" dump "$bad.pcap" --keys "$vectors/hs_p256_1.2.keys"
is "$code" 4 "keys_when_the_recording_is_cut_then_input_fails"
end
