#!/bin/bash
# Attestation: what is told of a sensor that is right, and every refusal with its exit code.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/loopback.bash"
keys=$tmp/keys
"$program" pki new "$keys" >/dev/null
"$program" pki new "$tmp/foreign" >/dev/null
"$program" pki leaf "$keys" expired --role sensor --expired >/dev/null
"$program" pki leaf "$keys" revoked --role sensor >/dev/null
"$program" pki revoke "$keys" revoked >/dev/null
mkdir "$tmp/stolen"
cp "$keys/sensor/chain.pem" "$tmp/stolen/"
cp "$keys/revoked/key.pem" "$tmp/stolen/"
cp -r "$keys/controller" "$tmp/open"
chmod 644 "$tmp/open/key.pem"
small=(--size 64x16)
"$program" sensor --pki "$keys/sensor" "${small[@]}" --measurements >"$tmp/ref.json"

attest() { # ARGUMENT...: against the sensor started last
    run "$program" attest ":$port" --trust "$keys/root.pem" "$@"
}

# ---- a sensor that is what it should be ----
start_sensor right --pki "$keys/sensor" --trust "$keys/root.pem" "${small[@]}"
right=$sensor
attest --reference "$tmp/ref.json"
is "$code" 0 "attest_when_all_is_right_then_exits_0"
like "$out" "^verdict +trusted$" "attest_when_all_is_right_then_trusted"
like "$out" "^identity +Trueline:trueline-sensor:sensor$" "attest_when_all_is_right_then_names_the_device"
like "$out" "^measurement 1 +set-up +[0-9a-f]{48}" "attest_when_all_is_right_then_shows_measurements"
attest
is "$code" 0 "attest_without_a_reference_then_exits_0"
like "$out" "^verdict +authenticated$" "attest_without_a_reference_then_does_not_say_trusted"
attest --pki "$keys/controller" --crl "$keys/crl.pem" --reference "$tmp/ref.json" --json
is "$code" 0 "json_when_asked_then_exits_0"
is "$(wc -l <<<"$out")" 1 "json_when_asked_then_one_line"
evidence() { # PATH
    perl -MJSON::PP -e 'my $v = decode_json($ARGV[0]);
        for my $k (split /[.]/, $ARGV[1]) { $v = ref $v eq "ARRAY" ? $v->[$k] : $v->{$k} }
        print ref $v eq "ARRAY" ? scalar @$v : $v, "\n"' "$out" "$1"
}
is "$(evidence verdict) $(evidence exit) $(evidence version)" "trusted 0 1.3" "json_when_asked_then_verdict_and_version"
is "$(evidence identity.role) $(evidence identity.certificates)" "sensor 3" "json_when_asked_then_role_and_chain"
like "$(evidence identity.leaf_sha256) $(evidence identity.root_digest) $(evidence identity.chain_digest)" \
    "^[0-9a-f]{64} [0-9a-f]{96} [0-9a-f]{96}$" "json_when_asked_then_fingerprints"
is "$(evidence algorithms.hash) $(evidence algorithms.signature)" "sha384 ecdsa-p256" "json_when_asked_then_algorithms"
is "$(evidence measurements) $(evidence measurements.1.raw)" "3 1" "json_when_asked_then_measurements"
like "$(evidence proof.nonce) $(evidence proof.sensor_nonce) $(evidence proof.signature)" \
    "^[0-9a-f]{64} [0-9a-f]{64} [0-9a-f]{128}$" "json_when_asked_then_nonces_and_signature"
first=$(evidence proof.nonce)
like "$(evidence messages.0)" "^10840000$" "json_when_asked_then_the_messages_from_the_first_on"
is "$(evidence messages)" 14 "json_when_asked_then_all_messages"
attest --json
unlike "$(evidence proof.nonce)" "^$first$" "nonce_when_asked_again_then_another"

# ---- references ----
refuse() { # NAME CODE PATTERN ARGUMENT...
    local name=$1 expected=$2 pattern=$3
    shift 3
    attest "$@"
    is "$code" "$expected" "attest_when_${name}_then_exits_$expected"
    like "$err" "$pattern" "attest_when_${name}_then_named"
}
sed 's/"sha384": "./"sha384": "f/' "$tmp/ref.json" >"$tmp/changed.json"
cmp -s "$tmp/ref.json" "$tmp/changed.json" && sed -i 's/"sha384": "f/"sha384": "0/' "$tmp/changed.json"
refuse the_set_up_differs 3 "MEASUREMENTS: measurement 1 \(set-up\) is changed" --reference "$tmp/changed.json"
sed 's/trueline-sensor/other-sensor/' "$tmp/ref.json" >"$tmp/other.json"
refuse the_manifest_differs 3 "measurement 2 \(manifest\) is changed: the reference has 'other-sensor" --reference "$tmp/other.json"
perl -MJSON::PP -0777 -ne '$v = decode_json($_); splice(@{$v->{blocks}}, 1, 1); print encode_json($v)' "$tmp/ref.json" >"$tmp/fewer.json"
refuse a_block_is_not_known 3 "measurement 2 is not in the reference" --reference "$tmp/fewer.json"
perl -MJSON::PP -0777 -ne '$v = decode_json($_); push(@{$v->{blocks}}, {%{$v->{blocks}[0]}, index => 9, name => "rom"}); print encode_json($v)' \
    "$tmp/ref.json" >"$tmp/more.json"
refuse a_block_is_missing 3 "measurement 9 \(rom\) is missing" --reference "$tmp/more.json"
refuse the_reference_is_no_json 2 "reference: .*no JSON" --reference "$keys/root.pem"
refuse the_reference_is_not_there 2 "none.json: No such file" --reference "$tmp/none.json"

# ---- trust ----
refuse the_root_is_another 3 "CERTIFICATE: .*(anchor|trust|root)" --trust "$tmp/foreign/root.pem"
refuse the_role_is_another 3 "CERTIFICATE: .*role is sensor" --role bridge
refuse the_trust_is_no_certificate 2 "ref.json" --trust "$tmp/ref.json"
kill "$right"

# ---- sensors that are not what they should be, all at once ----
pretend() { # NAME PKI PATTERN [ARGUMENT...]
    local name=$1 pki=$2 pattern=$3
    shift 3
    start_sensor "$name" --pki "$pki" "${small[@]}" --once "$@"
    attest --crl "$keys/crl.pem" --reference "$tmp/ref.json"
    is "$code" 3 "sensor_when_${name}_then_exits_3"
    like "$err" "$pattern" "sensor_when_${name}_then_the_step_is_named"
    finish "$sensor"
    hindsight=$(cat "$tmp/$name.err")
}
pretend foreign_root "$tmp/foreign/sensor" ": CERTIFICATE: "
pretend a_bridge "$keys/bridge" ": CERTIFICATE: .*role is bridge"
pretend a_debugger "$keys/debugger" ": CERTIFICATE: "
pretend a_controller "$keys/controller" ": CERTIFICATE: "
like "$hindsight" "sensor: identity: $keys/controller: its role is controller: a controller wants a sensor" "sensor_when_of_another_role_then_it_says_so"
pretend expired "$keys/expired" ": CERTIFICATE: expired: Certificates \(its role is sensor\)"
like "$hindsight" "sensor: identity: $keys/expired: its certificates: expired: a controller will refuse them" "sensor_when_expired_then_it_says_so"
pretend revoked "$keys/revoked" ": CERTIFICATE: .*revoked"
pretend of_another_set_up "$keys/sensor" ": MEASUREMENTS: measurement 1 \(set-up\)" --bits 10
pretend a_thief "$tmp/stolen" ": CHALLENGE: .*signature"
like "$(cat "$tmp/a_thief.err")" "the key is not that of the chain" "sensor_when_its_key_does_not_fit_then_it_says_so"

# ---- links ----
port=1
run "$program" attest 127.0.0.1:1 --trust "$keys/root.pem"
is "$code" 4 "attest_when_nobody_listens_then_exits_4"
link() { # NAME PATTERN CODE
    start_peer "$3"
    attest
    is "$code" 4 "peer_when_$1_then_exits_4"
    like "$err" "$2" "peer_when_$1_then_named"
    wait "$peer" 2>/dev/null || true
}
link garbage "garbage: it begins with 47 45 54 20" 'sysread($c, my $b, 8); print $c "GET / HTTP/1.0\r\n\r\n"; $c->flush; sleep 1;'
link closing "VERSION: the peer closed the connection" 'sysread($c, my $b, 8); close($c);'
link half_a_message "closed inside a message" 'sysread($c, my $b, 8); print $c "\x09\x00\x01\x05\x10"; $c->flush; close($c);'
link silent "VERSION: the peer did not answer in time" 'sysread($c, my $b, 8); sleep 9;'
link half_open "a message is incomplete for 5 s" 'sysread($c, my $b, 8); print $c "\x09\x00\x01\x05"; $c->flush; sleep 9;'
start_peer 'sysread($c, my $b, 8); print $c "\x06\x00\x01\x05\x10\x7f\x01\x00"; $c->flush; sleep 1;'
attest
is "$code" 3 "peer_when_it_refuses_then_exits_3"
like "$err" "VERSION: the peer answers ERROR InvalidRequest" "peer_when_it_refuses_then_named"

# ---- usage ----
usage() { # NAME PATTERN ARGUMENT...
    local name=$1 pattern=$2
    shift 2
    RUN_LIMIT=5 run "$program" attest "$@"
    is "$code" 2 "usage_when_${name}_then_2"
    like "$err" "$pattern" "usage_when_${name}_then_explained"
}
usage no_address "give the sensor's HOST:PORT" --trust "$keys/root.pem"
usage no_trust "give the roots" :1
usage two_addresses "':2' is too much" :1 :2 --trust "$keys/root.pem"
usage the_key_is_readable_by_others "others may read it" :1 --trust "$keys/root.pem" --pki "$tmp/open"
end
