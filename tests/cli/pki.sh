#!/bin/bash
# Keys and certificates on the command line: made, shown, revoked, and refused.
. "$(dirname "$0")/tap.sh"
program=$build/trueline
d=$tmp/keys

status_of() { # DIR NAME: sets $out to the status that `pki show` gives the leaf
    run "$program" pki show "$1"
    out=$(awk -v file="$2/chain.pem" '$1 == "file" { at = $2 == file } at && $1 == "status" { sub(/^ *status */, ""); print }' <<<"$out")
}

# ---- new ----
run "$program" pki new "$d"
is "$code" 0 "new_when_the_folder_is_missing_then_made"
is "$(find "$d" -name '*key.pem' | wc -l)" 9 "new_when_made_then_nine_keys"
is "$(find "$d" -name '*key.pem' ! -perm 600)" "" "new_when_made_then_keys_are_for_their_owner_alone"
is "$(find "$d" -type d ! -perm 700)" "" "new_when_made_then_folders_are_for_their_owner_alone"
is "$(grep -lr 'PRIVATE KEY' "$d" | grep -v 'key\.pem$')" "" "new_when_made_then_no_key_elsewhere"
for role in sensor bridge controller debugger; do
    is "$(grep -c BEGIN "$d/$role/chain.pem")" 3 "new_when_made_then_the_${role}_has_a_chain_of_three"
    status_of "$d" "$role"
    is "$out" ok "new_when_made_then_the_${role}s_chain_holds"
done
before=$(cat "$d"/*.pem "$d"/*/*.pem | sha256sum)
run "$program" pki new "$d"
is "$code" 2 "new_when_something_is_there_then_refused"
like "$err" "root.pem: is there already.*--force" "new_when_something_is_there_then_named_with_the_way_out"
is "$(cat "$d"/*.pem "$d"/*/*.pem | sha256sum)" "$before" "new_when_refused_then_everything_stands"
mkdir -p "$tmp/half/debugger"
run "$program" pki new "$tmp/half"
is "$code" 2 "new_when_one_name_is_taken_then_refused"
is "$(ls "$tmp/half")" debugger "new_when_one_name_is_taken_then_nothing_is_written"
(umask 0; "$program" pki new "$tmp/open")
is "$(find "$tmp/open" -name '*key.pem' ! -perm 600) $(find "$tmp/open" -type d ! -perm 700)" " " \
    "new_when_the_umask_is_open_then_still_private"
run "$program" pki new "$tmp/open" --force
is "$code" 0 "new_when_forced_then_written_over"
status_of "$tmp/open" sensor
is "$out" ok "new_when_forced_then_the_chain_holds"
run "$program" pki new "$tmp/none/keys"
is "$code" 5 "new_when_the_parent_is_missing_then_output_fault"
"$program" pki new "$tmp/strong" --curve p384 --days 1
run "$program" pki show "$tmp/strong/sensor/chain.pem"
is "$(grep -c '^  curve *p384$' <<<"$out")" 3 "new_when_p384_then_all_three_are"
like "$out" "^  SPDM digest  sha384:[0-9a-f]{96}$" "new_when_p384_then_the_digest_is_sha384"

# ---- show ----
run "$program" pki show "$d"
is "$code" 0 "show_when_a_folder_then_shown"
is "$(grep -c '^  file ' <<<"$out")" 9 "show_when_a_folder_then_five_authorities_and_four_leaves"
is "$(grep -cE '^  SPDM digest  sha256:[0-9a-f]{64}$' <<<"$out")" 4 "show_when_a_folder_then_a_digest_for_each_chain"
run "$program" pki show "$d" --json
like "$out" '"role": "bridge"' "show_when_json_then_with_roles"
like "$out" '"use": "requester"' "show_when_json_then_with_uses"
run "$program" pki show "$d/sensor/chain.pem"
like "$out" "^  role +sensor$" "show_when_a_chain_then_its_role"
like "$out" "^  device info +Trueline:trueline-sensor:sensor$" "show_when_a_chain_then_its_device_info"
like "$out" "^  status +ok$" "show_when_a_chain_with_its_root_then_checked"
awk '/BEGIN/ { n++ } n == 3' "$d/sensor/chain.pem" >"$tmp/leaf.pem"
run "$program" pki show "$tmp/leaf.pem"
like "$out" "^  status +no root$" "show_when_a_leaf_alone_then_says_so"
unlike "$out" "SPDM digest" "show_when_a_leaf_alone_then_no_digest"
if command -v openssl >/dev/null; then
    is "$(openssl verify -x509_strict -CAfile "$d/root.pem" -untrusted "$d/ca/sensor.pem" "$tmp/leaf.pem" 2>&1)" \
        "$tmp/leaf.pem: OK" "chain_when_verified_by_another_program_then_right"
else
    skip "chain_when_verified_by_another_program_then_right" "no openssl command"
fi
run bash -c "'$program' pki show '$d' >/dev/full"
is "$code" 5 "show_when_stdout_is_full_then_output_fault"

refuse_show() { # NAME PATTERN PATH
    run "$program" pki show "$3"
    is "$code" 2 "show_when_$1_then_refused"
    like "$err" "$2" "show_when_$1_then_named"
}
refuse_show missing "nothing: No such file" "$tmp/nothing"
refuse_show a_key "sensor/key.pem: no certificate" "$d/sensor/key.pem"
refuse_show an_empty_folder "root.pem: No such file" "$tmp/half"
head -c 300 "$d/root.pem" >"$tmp/cut.pem"
refuse_show cut "cut.pem: no certificate" "$tmp/cut.pem"
head -c 70000 /dev/zero >"$tmp/long.pem"
refuse_show too_long "longer than the 65536 bytes" "$tmp/long.pem"
for _ in 1 2 3 4; do cat "$d/sensor/chain.pem"; done >"$tmp/many.pem"
refuse_show of_twelve "more than 10 certificates" "$tmp/many.pem"

# ---- leaf: further ones, and bad ones ----
bad() { # NAME STATUS OPTION...
    local name=$1 status=$2
    shift 2
    run "$program" pki leaf "$d" "$name" "$@"
    is "$code" 0 "leaf_when_${name}_then_made"
    status_of "$d" "$name"
    is "$out" "$status" "leaf_when_${name}_then_its_status"
}
bad rear ok --role sensor
bad strong ok --role sensor --curve p384
bad expired "expired" --role sensor --expired
bad not_yet "not yet valid" --role sensor --not-yet
bad authority "profile: the leaf is a certificate authority" --role sensor --authority
bad no_signing "profile: key usage" --role sensor --no-signing
bad no_san ok --role sensor --no-san
bad odd ok --role sensor --san "ACME:WIDGET:1" --use none
bad escape "profile: device info" --role sensor --san $'ACME:\e[2J:1'
bad crossed ok --role debugger --ca sensor
role_of() { # NAME
    run "$program" pki show "$d/$1/chain.pem"
    sed -n 's/^  role *//p' <<<"$out"
}
is "$(role_of rear)" sensor "leaf_when_a_sensor_then_its_role"
is "$(role_of crossed)" debugger "leaf_when_another_intermediate_signs_then_still_its_role"
is "$(role_of no_san)" - "leaf_when_without_device_info_then_no_role"
is "$(role_of odd)" - "leaf_when_of_another_maker_then_no_role"
run "$program" pki leaf "$d" rear --role sensor
is "$code" 2 "leaf_when_the_name_is_taken_then_refused"
run "$program" pki leaf "$d" rear --role sensor --force
is "$code" 0 "leaf_when_forced_then_written_over"
run "$program" pki leaf "$tmp/half" front --role sensor
is "$code" 2 "leaf_when_the_folder_holds_no_authority_then_refused"
chmod 640 "$tmp/open/ca/sensor-key.pem"
run "$program" pki leaf "$tmp/open" rear --role sensor
is "$code" 2 "leaf_when_others_may_read_the_key_then_refused"
like "$err" "sensor-key.pem.*chmod 600" "leaf_when_others_may_read_the_key_then_says_what_to_do"
"$program" stream new "$tmp/open/ca/sensor-key.pem" --force
chmod 644 "$tmp/open/ca/sensor-key.pem"
run "$program" pki leaf "$tmp/open" rear --role sensor
like "$code $err" "^2 .*sensor-key.pem: it is no PEM\$" "leaf_when_the_key_is_a_stream_file_then_its_mode_is_nobodys_fault"
cp "$tmp/open/ca/bridge-key.pem" "$tmp/open/ca/sensor-key.pem"
chmod 600 "$tmp/open/ca/sensor-key.pem"
run "$program" pki leaf "$tmp/open" rear --role sensor
is "$code" 2 "leaf_when_the_authoritys_key_is_anothers_then_refused"
like "$err" "not the key of" "leaf_when_the_authoritys_key_is_anothers_then_named"

# ---- revoke ----
run "$program" pki revoke "$d" rear
is "$code" 0 "revoke_when_a_leaf_then_done"
status_of "$d" rear
is "$out" revoked "revoke_when_a_leaf_then_it_is"
status_of "$d" sensor
is "$out" ok "revoke_when_a_leaf_then_its_neighbour_is_not"
run "$program" pki revoke "$d" rear
is "$code" 0 "revoke_when_it_is_already_then_no_harm"
status_of "$d" rear
is "$out" revoked "revoke_when_repeated_then_still_revoked"
run "$program" pki revoke "$d" crossed
status_of "$d" crossed
is "$out" revoked "revoke_when_signed_by_another_kind_then_on_that_list"
run "$program" pki revoke "$d" ca/bridge
is "$code" 0 "revoke_when_an_intermediate_then_done"
status_of "$d" bridge
is "$out" revoked "revoke_when_an_intermediate_then_its_leaves_fall"
status_of "$d" rear
is "$out" revoked "revoke_when_another_follows_then_the_first_stays"
is "$(grep -c BEGIN "$d/crl.pem")" 5 "revoke_when_done_then_five_lists_still"
refuse_revoke() { # NAME PATTERN LEAF
    run "$program" pki revoke "$d" "$3"
    is "$code" 2 "revoke_when_$1_then_refused"
    like "$err" "$2" "revoke_when_$1_then_named"
}
before=$(sha256sum "$d/crl.pem")
refuse_revoke unknown "nobody/chain.pem: No such file" nobody
refuse_revoke no_name "give a leaf's name" ../keys/sensor
refuse_revoke an_unknown_kind "give a leaf's name" ca/camera
cp -r "$tmp/strong/sensor" "$d/foreign"
refuse_revoke foreign "none of its authorities" foreign
is "$(sha256sum "$d/crl.pem")" "$before" "revoke_when_refused_then_the_lists_stand"

# ---- usage ----
usage() { # PATTERN ARGUMENT...
    local pattern=$1
    shift
    run "$program" pki "$@"
    is "$code" 2 "usage_when_pki_${*//[^a-zA-Z0-9]/_}_then_2"
    like "$err" "$pattern" "usage_when_pki_${*//[^a-zA-Z0-9]/_}_then_explained"
}
usage "Usage: trueline pki new"
usage "none of new, leaf, revoke, show" frobnicate
usage "give a DIR" new
usage "'b' is too much" new a b
usage "p256 or p384" new a --curve p521
usage "1 to 36500" new a --days 0
usage "give a DIR and a NAME" leaf a
usage "give --role" leaf a b
usage "sensor, bridge, controller or debugger" leaf a b --role camera
usage "sensor, bridge, controller or debugger" leaf a b --role sensor --ca root
usage "responder, requester or none" leaf a b --role sensor --use both
usage "letters, digits" leaf a ../b --role sensor
usage "letters, digits" leaf a ca --role sensor
usage "give a DIR and a NAME" revoke a
usage "give a DIR or a FILE" show
is "$(ls -d a 2>/dev/null)" "" "usage_when_wrong_then_no_folder"
for part in "" new leaf revoke show; do
    run "$program" pki $part --help
    is "$code" 0 "help_when_asked_of_pki_${part}_then_0"
    like "$out" "Examples:" "help_when_asked_of_pki_${part}_then_teaches_by_example"
done
end
