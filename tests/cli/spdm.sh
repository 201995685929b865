#!/bin/bash
# trueline spdm: our requester against our responder on the emulators' framing, in every version, curve and transport,
# and what each end refuses, by name and exit code.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/loopback.bash"
pki=$tmp/pki
"$program" pki new "$pki" >/dev/null
"$program" pki new "$tmp/p384" --curve p384 >/dev/null
"$program" pki new "$tmp/other" >/dev/null

# Starts a responder on a free port: sets $responder (pid) and $port. Its output goes to $tmp/NAME.out and .err.
start_responder() { # NAME ARGUMENT...
    local name=$1 i
    shift
    : >"$tmp/$name.out"
    "$program" spdm responder --emulator 127.0.0.1:0 "$@" >"$tmp/$name.out" 2>"$tmp/$name.err" &
    responder=$!
    for ((i = 0; i < 200; i++)); do
        port=$(sed -n 's/^listening on 127.0.0.1:\([0-9]*\)$/\1/p' "$tmp/$name.out")
        [ -n "$port" ] && return 0
        kill -0 "$responder" 2>/dev/null || return 0
        sleep 0.05
    done
}

request() { # ARGUMENT...
    run "$program" spdm requester --emulator 127.0.0.1:"$port" "$@"
}

# Both ends in one configuration, to the end.
whole() { # NAME PKI MUTUAL ARGUMENT...
    local name=$1 keys=$2 mutual=$3 theirs=()
    shift 3
    [ "$mutual" = none ] || theirs=(--mutual --peer-chain "$keys/controller/chain.pem")
    start_responder r --pki "$keys/sensor" "$@" "${theirs[@]}"
    request --pki "$keys/controller" --role sensor --profile strict "$@" ${theirs[0]+--mutual}
    is "$code" 0 "whole_when_${name}_then_0"
    like "$out" "^spdm requester: flows=8 messages=44 measurements=2 failed=0$" "whole_when_${name}_then_every_flow_ran"
    finish "$responder"
    is "$code" 0 "whole_when_${name}_then_the_responder_ends_with_0"
    like "$(cat "$tmp/r.out")" "^spdm responder: requests=22 refused=0$" "whole_when_${name}_then_nothing_was_refused"
}
for version in 1.2 1.3; do
    for transport in mctp tcp; do
        whole "p256_${version/./_}_$transport" "$pki" none --version $version --curve p256 --transport $transport
        whole "p384_${version/./_}_$transport" "$tmp/p384" none --version $version --curve p384 --transport $transport
    done
    whole "mutual_${version/./_}" "$pki" both --version $version
done
whole "nothing_is_pinned" "$pki" none

# ---- what is shown ----
start_responder r --pki "$pki/sensor"
request --pki "$pki/controller" --continue
is "$code" 0 "requester_when_it_leaves_the_responder_running_then_0"
like "$out" "^  > GET_VERSION +5 bytes$" "requester_when_it_sends_then_message_and_bytes_are_shown"
like "$out" "^session +ok  14 messages, [0-9]+ bytes sent, [0-9]+ received" "requester_when_a_flow_ends_then_its_sums_are_shown"
like "$out" "^SPDM 1.3, SHA_384, ECDSA_P256, SECP_384_R1, AES_256_GCM$" "requester_when_nothing_is_pinned_then_the_strongest_is_chosen"
like "$out" "^peer: .*role sensor" "requester_when_the_peer_is_authenticated_then_it_is_named"
like "$out" "^  measurement +2 type 1 digest 48 bytes [0-9a-f]{64}\.\.\.$" "requester_when_measured_then_the_blocks_are_shown"
request --pki "$pki/controller" --json
is "$code" 0 "requester_when_it_is_the_second_then_0"
like "$out" '"authenticated": true' "requester_when_json_then_says_who"
like "$out" '"aead": "AES_256_GCM"' "requester_when_json_then_the_algorithms"
like "$out" '"name": "key update, both"' "requester_when_json_then_every_flow"
unlike "$out" '"refused"' "requester_when_json_and_all_is_right_then_no_refusal"
digest=$(sha384sum "$program" | cut -d' ' -f1)
like "$out" "\"value\": \"$digest\"" "requester_when_measured_then_it_is_the_digest_of_the_running_program"
finish "$responder"
is "$code" 0 "responder_when_told_to_end_then_0"

# ---- refusals of the peer ----
refused() { # NAME CODE PATTERN ARGUMENT...: of the requester, against the responder that runs
    local name=$1 expected=$2 pattern=$3
    shift 3
    request "$@"
    is "$code" "$expected" "requester_when_${name}_then_$expected"
    like "$err" "$pattern" "requester_when_${name}_then_named"
}
start_responder r --pki "$pki/sensor" --version 1.2 --curve p256
common=(--continue)
refused the_root_is_foreign 3 "attest: CERTIFICATE: unknown root" --trust "$tmp/other/root.pem" "${common[@]}"
refused the_role_is_another 3 "attest: CERTIFICATE: .*role" --pki "$pki/controller" --role bridge "${common[@]}"
refused the_version_is_another 3 "attest: VERSION: " --pki "$pki/controller" --version 1.3 "${common[@]}"
refused the_curve_is_another 3 "attest: ALGORITHMS: " --pki "$tmp/p384/controller" --curve p384 "${common[@]}"
refused the_transport_is_another 4 "closed the connection|ours is tcp" --pki "$pki/controller" --transport tcp
request --pki "$pki/controller" --role bridge --json "${common[@]}"
like "$out" '"refused": "attest: CERTIFICATE' "requester_when_json_and_refused_then_said"
request --pki "$pki/controller"
is "$code" 0 "responder_when_others_were_refused_then_it_still_serves"
finish "$responder"
like "$(cat "$tmp/r.err")" "the peer's transport is tcp" "responder_when_the_transport_is_another_then_named"

"$program" pki leaf "$pki" old --role sensor --expired >/dev/null
start_responder r --pki "$pki/old"
refused the_chain_is_expired 3 "attest: CERTIFICATE: .*expired" --pki "$pki/controller"
finish "$responder"
"$program" pki leaf "$pki" lost --role sensor >/dev/null
"$program" pki revoke "$pki" lost >/dev/null
start_responder r --pki "$pki/lost"
refused the_leaf_is_revoked 3 "attest: CERTIFICATE: .*revoked" --pki "$pki/controller" --revoked "$pki/crl.pem"
finish "$responder"
start_responder r --chain "$pki/sensor/chain.pem" --key "$pki/bridge/key.pem"
refused the_key_is_anothers 3 "attest: CHALLENGE: " --pki "$pki/controller"
finish "$responder"

# Mutual: the responder refuses, and the requester says where.
start_responder r --pki "$pki/sensor" --mutual --peer-chain "$tmp/other/controller/chain.pem"
refused the_responder_does_not_trust_it 3 "session: KEY_EXCHANGE|session: FINISH" --pki "$pki/controller" --mutual
finish "$responder"
like "$(cat "$tmp/r.out")" "refused=[1-9]" "responder_when_the_requesters_chain_is_foreign_then_refused"
start_responder r --pki "$pki/sensor" --mutual --peer-chain "$pki/controller/chain.pem"
refused it_has_the_chain_but_not_the_key 3 "session: FINISH" --chain "$pki/controller/chain.pem" \
    --key "$pki/debugger/key.pem" --trust "$pki/root.pem" --mutual
finish "$responder"

# ---- links ----
start_responder r --pki "$pki/sensor" --once
perl -MIO::Socket::INET -e '
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $ARGV[0]) or die;
    print $s "GET / HTTP/1.1\r\n\r\n"; $s->flush; sysread($s, my $b, 1)' "$port"
finish "$responder"
is "$code" 4 "responder_when_garbage_comes_once_then_4"
like "$(cat "$tmp/r.err")" "garbage: 0x47455420 is no command" "responder_when_garbage_comes_then_named"
request --pki "$pki/controller" --timeout 1
is "$code" 4 "requester_when_nobody_listens_then_4"
like "$err" "connect: 127.0.0.1:$port" "requester_when_nobody_listens_then_named"
start_peer 'sleep(10)'
request --pki "$pki/controller" --timeout 1
is "$code" 4 "requester_when_the_peer_is_silent_then_4"
like "$err" "time-out: no answer" "requester_when_the_peer_is_silent_then_named"
kill "$peer" 2>/dev/null || true
start_peer 'sysread($c, my $b, 26); print $c pack("NNN", 0xdead, 1, 0); $c->flush; sysread($c, $b, 17); sleep(10)'
request --pki "$pki/controller" --timeout 1
is "$code" 4 "requester_when_the_first_answer_stays_away_then_4"
like "$err" "attest: VERSION: the peer did not answer in time" "requester_when_the_first_answer_stays_away_then_the_step_is_named"
kill "$peer" 2>/dev/null || true
start_peer 'sysread($c, my $b, 26); print $c pack("NNN", 0xdead, 1, 0); $c->flush; sysread($c, $b, 17);
    print $c pack("NNN", 1, 1, 3), "\x85\x10\x04"; $c->flush; sleep(10)'
request --pki "$pki/controller" --timeout 1
is "$code" 4 "requester_when_the_answer_is_no_message_then_4"
like "$err" "mctp: a message of 3 bytes" "requester_when_the_answer_is_no_message_then_named"
kill "$peer" 2>/dev/null || true

# ---- heartbeat ----
# A relay in front of the responder that holds the requester's third record back, inside of the session: sets $peer and $port.
start_slow_relay() { # RESPONDER-PORT SECONDS
    start_peer '
        my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => '"$1"') or die; binmode($s);
        my ($records, $b) = (0, "");
        while (1) {
            my $r = ""; vec($r, fileno($c), 1) = 1; vec($r, fileno($s), 1) = 1;
            select($r, undef, undef, undef);
            if (vec($r, fileno($s), 1)) { my $n = sysread($s, $b, 65536) or last; syswrite($c, $b) }
            if (vec($r, fileno($c), 1)) {
                my $n = sysread($c, $b, 65536) or last;
                # command 1, transport and size, then the message with its type: 6 is a record
                select(undef, undef, undef, '"$2"')
                    if $n > 12 && unpack("N", $b) == 1 && (ord(substr($b, 12, 1)) & 0x7F) == 6 && ++$records == 3;
                syswrite($s, $b);
            }
        }'
}
silent() { # HEARTBEAT SECONDS
    start_responder r --pki "$pki/sensor" --once --heartbeat "$1"
    start_slow_relay "$port" "$2"
    request --pki "$pki/controller" --timeout 4
    kill "$peer" 2>/dev/null || true
    finish "$responder"
}
silent 1 2.4
like "$out" "^measure +ok " "session_when_it_begins_then_it_stands"
like "$err" "heartbeat: HEARTBEAT: the peer did not answer in time" "session_when_silent_for_longer_than_twice_its_heartbeat_then_over"
like "$(cat "$tmp/r.out")" "^  record .* refused without an answer$" "session_when_over_then_its_next_record_is_refused"
like "$(cat "$tmp/r.out")" "^spdm responder: requests=[0-9]+ refused=1$" "session_when_over_then_nothing_else_was_refused"
silent 0 2.4
like "$out" "^heartbeat +ok +2 messages, .* [2-9][0-9]{3}\.[0-9] ms$" "session_when_without_heartbeats_then_it_may_be_silent"
is "$code" 0 "session_when_without_heartbeats_then_the_responder_ends_with_0"
like "$(cat "$tmp/r.out")" "refused=0$" "session_when_without_heartbeats_then_nothing_is_refused"

# ---- usage ----
usage() { # NAME PATTERN ARGUMENT...
    local name=$1 pattern=$2
    shift 2
    run "$program" spdm "$@"
    is "$code" 2 "usage_when_${name}_then_2"
    like "$err" "$pattern" "usage_when_${name}_then_explained"
}
usage nothing_is_said "Usage: trueline spdm requester"
usage the_role_is_unknown "'listener' is none of requester, responder" listener
usage no_trust "a requester needs --trust" requester
usage no_key "a responder needs --chain and --key" responder
usage only_a_chain "belong together" responder --chain "$pki/sensor/chain.pem"
usage mutual_without_a_chain "needs --chain, --key" requester --trust "$pki/root.pem" --mutual
usage mutual_without_the_peers_chain "belong together" responder --pki "$pki/sensor" --mutual
usage the_version_is_old "give 1.2 or 1.3" requester --version 1.1
usage the_curve_is_unknown "give p256 or p384" requester --curve p521
usage the_transport_is_unknown "give mctp or tcp" requester --transport doe
usage the_slot_is_too_high "0 to 7" requester --slot 8
usage the_heartbeat_is_too_long "0 to 255" responder --heartbeat 256
usage the_key_is_missing "No such file" responder --chain "$pki/sensor/chain.pem" --key "$tmp/none.pem"
usage the_key_is_of_another_curve "another curve than --curve p384" responder --pki "$pki/sensor" --curve p384
usage the_chain_is_no_chain "root-key.pem" responder --chain "$pki/root-key.pem" --key "$pki/sensor/key.pem"
for role in requester responder; do
    run "$program" spdm $role --help
    is "$code" 0 "help_when_asked_of_the_${role}_then_0"
    like "$out" "Examples:" "help_when_asked_of_the_${role}_then_teaches_by_example"
done
end
