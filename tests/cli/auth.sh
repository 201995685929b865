#!/bin/bash
# Authenticated streams: what flows after both ends have proved themselves, who gets none, and how each end goes when the other
# fails, at any step.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/loopback.bash"
keys=$tmp/keys
"$program" pki new "$keys" >/dev/null
"$program" pki new "$tmp/foreign" >/dev/null
"$program" pki leaf "$keys" late --role controller --expired >/dev/null
"$program" pki leaf "$keys" gone --role controller >/dev/null
"$program" pki revoke "$keys" gone >/dev/null
mkdir "$tmp/stolen"
cp "$keys/controller/chain.pem" "$tmp/stolen/"
cp "$keys/gone/key.pem" "$tmp/stolen/"
server=(--pki "$keys/sensor" --trust "$keys/root.pem" --crl "$keys/crl.pem" --size 64x16)
client=(--trust "$keys/root.pem" --crl "$keys/crl.pem" --reference "$tmp/ref.json")
"$program" sensor --pki "$keys/sensor" --size 64x16 --measurements >"$tmp/ref.json"

totals() { # PATH
    perl -MJSON::PP -0777 -e 'open(my $f, "<", $ARGV[0]); my $v = decode_json(join("", <$f>));
        for my $k (split /[.]/, $ARGV[1]) { $v = ref $v eq "ARRAY" ? $v->[$k] : $v->{$k} }
        print ref $v eq "ARRAY" ? scalar @$v : $v, "\n"' "$tmp/report.json" "totals.$1"
}

# ---- a controller that is slower than the sensor, looked at below: all frames are sent while it waits for its reader ----
start_sensor patient "${server[@]}" --once --rate 0 --frames 200
patient=$sensor
"$program" controller --connect ":$port" "${client[@]}" --pki "$keys/controller" --y4m - 2>"$tmp/slow.err" \
    > >(perl -e 'while (sysread(STDIN, my $b, $ARGV[0])) { select(undef, undef, undef, 0.5) }' 16384) &
slow=$!

# ---- streams ----
start_sensor clean "${server[@]}" --once --rate 0
run "$program" controller --connect ":$port" "${client[@]}" --pki "$keys/controller" --frames 20 --out "$tmp/frames" --report "$tmp/report.json"
is "$code $out" "0 frames_ok=20 frames_bad=0 frames_lost=0" "stream_when_both_are_right_then_every_frame_verifies"
like "$err" "is Trueline:trueline-sensor:sensor, role sensor; its measurements are those of the reference" "stream_when_both_are_right_then_the_sensor_is_named"
is "$(ls "$tmp/frames" | wc -l)" 20 "stream_when_both_are_right_then_pictures"
is "$(totals spdm.steps.5.step) $(totals spdm.identity.role) $(totals spdm.measurements)" "VENDOR_DEFINED chain sensor 3" "report_when_written_then_holds_the_authentication"
finish "$sensor"
is "$code" 0 "stream_when_the_controller_has_enough_then_the_sensor_ends_well"

start_sensor ends "${server[@]}" --once --rate 0 --frames 7
run "$program" controller --connect ":$port" "${client[@]}" --pki "$keys/controller" --variants 1,2,1 --suite aes256-gmac
is "$code $out" "0 frames_ok=7 frames_bad=0 frames_lost=0" "stream_when_the_sensor_ends_it_then_every_frame_verified"
finish "$sensor"
is "$code" 0 "stream_when_the_sensor_ends_it_then_it_ends_well"

start_sensor keys "${server[@]}" --once --rate 200
run "$program" controller --connect ":$port" "${client[@]}" --pki "$keys/controller" --frames 120 --rekey 10 --report "$tmp/report.json"
is "$code $out" "0 frames_ok=120 frames_bad=0 frames_lost=0" "rekey_while_streaming_then_no_frame_is_lost"
if [ "$(totals spdm.keys)" -ge 8 ]; then ok "rekey_while_streaming_then_keys_change"; else not_ok "rekey_while_streaming_then_keys_change" "$(totals spdm.keys)"; fi
finish "$sensor"

start_sensor again "${server[@]}" --once --rate 100
run "$program" controller --connect ":$port" "${client[@]}" --pki "$keys/controller" --frames 250 --reauth 0.4 --rekey 25 --report "$tmp/report.json"
is "$code $out" "0 frames_ok=250 frames_bad=0 frames_lost=0" "reauth_while_streaming_then_no_frame_is_lost"
if [ "$(totals spdm.again)" -ge 3 ]; then ok "reauth_while_streaming_then_again_and_again"; else not_ok "reauth_while_streaming_then_again_and_again" "$(totals spdm.again)"; fi
finish "$sensor"
is "$code" 0 "reauth_while_streaming_then_the_sensor_ends_well"

start_sensor several "${server[@]}" --frames 3 --rate 0
for i in 1 2 3; do
    run "$program" controller --connect ":$port" "${client[@]}" --pki "$keys/controller"
    is "$code $out" "0 frames_ok=3 frames_bad=0 frames_lost=0" "connection_when_number_${i}_then_served"
done
kill -INT "$sensor" 2>/dev/null || true
finish "$sensor"
is "$code" 0 "connection_when_several_were_served_then_the_sensor_ends_well"

# ---- controllers that get no stream ----
refuse() { # NAME SENSOR-PATTERN CONTROLLER-PATTERN ARGUMENT...
    local name=$1 sensor_says=$2 controller_says=$3
    shift 3
    start_sensor "$name" "${server[@]}" --once
    run "$program" controller --connect ":$port" "${client[@]}" --frames 1 "$@"
    is "$code" 3 "controller_when_${name}_then_exits_3"
    like "$err" "$controller_says" "controller_when_${name}_then_the_step_is_named"
    finish "$sensor"
    is "$code" 3 "controller_when_${name}_then_the_sensor_exits_3"
    like "$(cat "$tmp/$name.err")" "$sensor_says" "controller_when_${name}_then_the_sensor_says_why"
}
refuse without_a_certificate "VENDOR_DEFINED: the controller is not authenticated" "the sensor refuses: the controller is not authenticated"
refuse foreign "KEY_EXCHANGE: the controller's chain: " "KEY_EXCHANGE: the peer answers ERROR" --pki "$tmp/foreign/controller"
refuse a_debugger "KEY_EXCHANGE: the controller's chain: .*role is debugger" "KEY_EXCHANGE: " --pki "$keys/debugger"
refuse a_sensor "KEY_EXCHANGE: the controller's chain: " "identity: $keys/sensor: its role is sensor: a sensor wants a controller" --pki "$keys/sensor"
refuse expired "KEY_EXCHANGE: the controller's chain: .*expired" "identity: $keys/late: its certificates: expired: a sensor will refuse them" --pki "$keys/late"
refuse revoked "KEY_EXCHANGE: the controller's chain: .*revoked" "KEY_EXCHANGE: " --pki "$keys/gone"
refuse a_thief "FINISH: " "FINISH: the peer answers ERROR" --pki "$tmp/stolen"
start_sensor untrusting --pki "$keys/sensor" --size 64x16 --once
run "$program" controller --connect ":$port" "${client[@]}" --pki "$keys/controller" --frames 1
is "$code" 3 "sensor_when_it_trusts_nobody_then_no_stream"
finish "$sensor"

# ---- the data port ----
# Strangers who dial it first, one silent, one with a wrong token: the right one still gets the stream.
start_sensor strangers "${server[@]}" --once --rate 0 --data 127.0.0.1:0
"$program" controller --connect ":$port" "${client[@]}" --pki "$keys/controller" --frames 3 --data 127.0.0.1:1 >/dev/null 2>&1 || true
wait_line "$tmp/strangers.out" '^data on '
finish "$sensor"
is "$code" 4 "data_port_when_nobody_comes_then_link_fault"
perl -MIO::Socket::INET -e 'my $l = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1) or die; print $l->sockport, "\n"' >"$tmp/free"
free=$(cat "$tmp/free")
start_sensor taken "${server[@]}" --once --rate 0 --data "127.0.0.1:$free"
# Dials the data port as soon as it is open, before the controller can.
perl -MIO::Socket::INET -MTime::HiRes=sleep -e '
    my @s; my $t = time;
    while (@s < 2 && time < $t + 10) { my $s = IO::Socket::INET->new("127.0.0.1:'"$free"'"); $s ? push(@s, $s) : sleep(0.002) }
    print {$s[0]} "truedata" . ("x" x 60); $s[0]->flush; sleep(2);' &
stranger=$!
run "$program" controller --connect ":$port" "${client[@]}" --pki "$keys/controller" --frames 3
is "$code $out" "0 frames_ok=3 frames_bad=0 frames_lost=0" "data_port_when_strangers_dial_too_then_the_controller_gets_the_stream"
finish "$sensor"
is "$code" 0 "data_port_when_strangers_dial_too_then_the_sensor_ends_well"
kill "$stranger" 2>/dev/null || true
# Somebody in the place of the sensor's data port.
start_peer 'sysread($c, my $b, 100); print $c "truedata" . ("x" x 60); $c->flush; sleep 1;'
fake=$port
start_sensor replaced "${server[@]}" --once
run "$program" controller --connect ":$port" "${client[@]}" --pki "$keys/controller" --frames 3 --data ":$fake"
is "$code" 3 "data_port_when_it_is_somebody_elses_then_exits_3"
like "$err" "its token is not the session's" "data_port_when_it_is_somebody_elses_then_named"
kill "$sensor" 2>/dev/null || true

# ---- peers that fail, at any step ----
start_sensor quiet "${server[@]}" --once
exec 3<>"/dev/tcp/127.0.0.1/$port"
quiet=$sensor
start_sensor half "${server[@]}" --once
exec 4<>"/dev/tcp/127.0.0.1/$port"
printf '\x06\x00\x01' >&4
half=$sensor
start_sensor garbage "${server[@]}" --once
exec 5<>"/dev/tcp/127.0.0.1/$port"
printf 'GET / HTTP/1.0\r\n\r\n' >&5
finish "$sensor"
is "$code" 4 "peer_when_garbage_then_the_sensor_exits_4"
like "$(cat "$tmp/garbage.err")" "garbage: it begins with 47 45 54 20" "peer_when_garbage_then_the_sensor_names_it"
finish "$quiet"
is "$code" 4 "peer_when_silent_then_the_sensor_exits_4"
like "$(cat "$tmp/quiet.err")" "time-out: nothing came for 5 s" "peer_when_silent_then_the_sensor_names_it"
finish "$half"
is "$code" 4 "peer_when_half_a_header_then_the_sensor_exits_4"
like "$(cat "$tmp/half.err")" "a message is incomplete for 5 s|nothing came for 5 s" "peer_when_half_a_header_then_the_sensor_names_it"
exec 3>&- 4>&- 5>&-

finish "$slow"
is "$code" 0 "controller_when_slow_after_the_last_frame_was_sent_then_0"
like "$(cat "$tmp/slow.err")" "^frames_ok=200 frames_bad=0 frames_lost=0$" "controller_when_slow_after_the_last_frame_was_sent_then_every_frame_verified"
finish "$patient"
is "$code" 0 "controller_when_slow_after_the_last_frame_was_sent_then_the_sensor_waits"

# A relay that closes both ends after so many bytes of the sensor's: the connection breaks in each step.
for bytes in 5 20 60 130 300 1600 1800 2100 2300; do
    start_sensor "cut$bytes" "${server[@]}" --once
    cut=$sensor
    start_peer '
        my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => '"$port"') or die; binmode($s);
        my ($at, $b) = (0, "");
        while ($at < '"$bytes"') {
            my $r = ""; vec($r, fileno($c), 1) = 1; vec($r, fileno($s), 1) = 1;
            select($r, undef, undef, undef);
            if (vec($r, fileno($s), 1)) { my $n = sysread($s, $b, '"$bytes"' - $at) or last; $at += $n; syswrite($c, $b) }
            if (vec($r, fileno($c), 1)) { my $n = sysread($c, $b, 65536) or last; syswrite($s, $b) }
        }'
    run "$program" controller --connect ":$port" "${client[@]}" --pki "$keys/controller" --frames 1
    is "$code" 4 "link_when_cut_after_${bytes}_bytes_then_the_controller_exits_4"
    finish "$cut"
    if [ "$code" -eq 0 ] || [ "$code" -eq 4 ]; then ok "link_when_cut_after_${bytes}_bytes_then_the_sensor_ends"; else not_ok "link_when_cut_after_${bytes}_bytes_then_the_sensor_ends" "$code $(cat "$tmp/cut$bytes.err")"; fi
done
# A bit changed on the way, in clear and in records.
for offset in 20 40 110 400 1700 2050 2300; do
    start_sensor "bit$offset" "${server[@]}" --once
    start_relay "$port" "$offset"
    run "$program" controller --connect ":$port" "${client[@]}" --pki "$keys/controller" --frames 1
    if [ "$code" -eq 3 ] || [ "$code" -eq 4 ]; then ok "byte_${offset}_when_changed_then_refused"; else not_ok "byte_${offset}_when_changed_then_refused" "$code"; fi
    like "$err" "spdm: [0-9.:]+: " "byte_${offset}_when_changed_then_named"
    finish "$sensor"
done

for who in controller sensor; do
    start_sensor "killed_$who" "${server[@]}" --once --rate 50
    "$program" controller --connect ":$port" "${client[@]}" --pki "$keys/controller" --reauth 0.2 >"$tmp/k.out" 2>"$tmp/k.err" &
    controller=$!
    sleep "0.$((RANDOM % 5 + 4))"
    if [ $who = controller ]; then victim=$controller other=$sensor; else victim=$sensor other=$controller; fi
    { kill -9 "$victim" && wait "$victim"; } 2>/dev/null || true
    finish "$other"
    is "$code" 4 "${who}_when_killed_then_the_other_exits_4"
done

# ---- usage ----
usage() { # NAME PATTERN ARGUMENT...
    local name=$1 pattern=$2
    shift 2
    RUN_LIMIT=5 run "$program" "$@"
    is "$code" 2 "usage_when_${name}_then_2"
    like "$err" "$pattern" "usage_when_${name}_then_explained"
}
usage both_on_the_sensor "one of them" sensor --pki "$keys/sensor" --stream x
start_sensor own --pki "$keys/controller" --trust "$keys/root.pem" --once
run "$program" controller --connect ":$port" --trust "$keys/root.pem" --pki "$keys/bridge"
finish "$sensor"
like "$(cat "$tmp/own.err")" "identity: .*: its role is controller: a controller wants a sensor" "sensor_when_its_role_is_another_then_said_at_the_start"
start_sensor once --pki "$keys/sensor" --trust "$keys/root.pem" --once
run "$program" controller --connect ":$port" --trust "$keys/root.pem" --pki "$keys/bridge"
finish "$sensor"
is "$code $(grep -c "the controller's chain: wrong role" "$tmp/once.err")" "3 1" "sensor_when_it_refuses_then_told_once"
small_stream "$tmp/kinds.json"
start_sensor judged --pki "$keys/sensor" --trust "$keys/root.pem" --rate 0 --once
run "$program" controller --connect ":$port" --trust "$keys/root.pem" --pki "$keys/controller" --frames 1
like "$code $err" "^0 .*; without --reference its measurements were not judged" "measurements_without_a_reference_then_said"
finish "$sensor"
start_sensor spdm --pki "$keys/sensor" --trust "$keys/root.pem" --once
run "$program" controller --connect ":$port" --stream "$tmp/kinds.json"
finish "$sensor"
like "$(cat "$tmp/spdm.err")" "a peer with a stream file .--stream. speaks none" "kinds_when_a_hello_comes_then_the_sensor_names_it"
start_sensor hello --stream "$tmp/kinds.json" --once
run "$program" controller --connect ":$port" --trust "$keys/root.pem"
like "$err" "a sensor with --stream speaks no SPDM" "kinds_when_a_stream_files_sensor_closes_then_named"
finish "$sensor"
like "$code $(cat "$tmp/hello.err")" "^4 .*SPDM came: the controller was started with --trust" "kinds_when_spdm_comes_then_the_sensor_names_it"
usage trust_without_pki "--trust needs --pki" sensor --stream x --trust y
usage a_wrong_size "--size: '64'" sensor --pki "$keys/sensor" --size 64
usage an_odd_size "multiples of 4" sensor --pki "$keys/sensor" --size 66x16
usage wrong_embedded "--embedded: '2'" sensor --pki "$keys/sensor" --embedded 2
usage no_keys "none/chain.pem" sensor --pki "$tmp/none"
usage both_on_the_controller "one of them" controller --trust x --stream y
usage neither "give the sensor's root" controller
usage rekey_without_trust "--rekey needs --trust" controller --stream x --rekey 5
usage a_wrong_variant "--variants: '2,6,2'" controller --trust x --variants 2,6,2
usage a_wrong_suite "--suite: 'des'" controller --trust x --suite des
usage reauth_of_nothing "--reauth" controller --trust x --reauth 0
end
