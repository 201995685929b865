#!/bin/bash
# One-way streams: over UDP and through a ring, from the first frame or late, and what a recording is worth with a memory of
# what was seen and without one.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/loopback.bash"
small_stream "$tmp/s.json"
small_stream "$tmp/other.json" --stream 9

# Starts a controller on a one-way link: sets $controller (pid) and, of UDP, $port. Its output goes to $tmp/NAME.out and .err.
start_controller() { # NAME WAY ARGUMENT...
    local name=$1 way=$2
    shift 2
    "$program" controller --stream "$tmp/s.json" --from "$way" --json "$@" >"$tmp/$name.out" 2>"$tmp/$name.err" &
    controller=$!
    wait_line "$tmp/$name.err" "receiving on"
    port=$(sed -n 's/^.*receiving on udp:127.0.0.1:\([0-9]*\).*$/\1/p' "$tmp/$name.err")
}
json() { # NAME KEY
    grep -Eo "\"$2\":[^,}]*" "$tmp/$1.out" | head -1 | cut -d: -f2
}

# ---- nothing; looked at below ----
start_controller nothing udp:127.0.0.1:0
nothing=$controller

# ---- UDP ----
start_controller udp udp:127.0.0.1:0 --frames 5 --out "$tmp/udp" --state "$tmp/seen"
run "$program" sensor --stream "$tmp/s.json" --to "udp:127.0.0.1:$port" --rate 50 --frames 8
is "$code" 0 "udp_when_sent_then_the_sensor_needs_no_answer"
finish "$controller"
is "$code" 0 "udp_when_received_then_frames_verify"
is "$(json udp frames_ok)" 5 "udp_when_received_then_as_many_frames_as_asked_for"
is "$(json udp fresh)" true "udp_when_a_state_is_kept_then_said_to_be_fresh"
is "$(find "$tmp/udp" -name 'frame_*.png' | wc -l)" 5 "udp_when_received_then_pictures_are_written"
is "$(stat -c %a "$tmp/seen")" 600 "state_when_written_then_for_its_owner_alone"
like "$(cat "$tmp/seen")" "one-way state 1: stream 1 start [0-9]+ epoch 0 next 6" "state_when_written_then_it_says_what_was_seen"

# ---- late ----
"$program" sensor --stream "$tmp/s.json" --to "udp:127.0.0.1:$port" --rate 50 --frames 300 2>"$tmp/late_sensor.err" &
sensor=$!
sleep 0.7
start_controller late "udp:127.0.0.1:$port" --frames 3
finish "$controller"
is "$code" 0 "controller_when_late_then_it_waits_for_an_announcement_and_verifies"
is "$(json late frames_lost)" 0 "controller_when_late_then_what_went_before_is_not_lost"
is "$(json late fresh)" false "controller_without_state_then_said_not_to_be_fresh"
like "$(cat "$tmp/late.err")" "without --state a recording verifies" "controller_without_state_then_told"
kill -TERM "$sensor"
finish "$sensor"
like "$(cat "$tmp/late_sensor.err")" "nobody listened there, [0-9]+ times" "sensor_when_nobody_listens_then_it_goes_on_and_says_so"

# ---- a recording ----
# Takes what comes on a port of its own for a while, each datagram with its length before it; then plays it, as often as asked.
perl -MIO::Socket::INET -e '
    my $s = IO::Socket::INET->new(Proto => "udp", LocalAddr => "127.0.0.1", LocalPort => 0) or die;
    open(my $p, ">", "$ARGV[0].part") or die; print $p $s->sockport, "\n"; close($p);
    rename("$ARGV[0].part", "$ARGV[0].port");
    open(my $f, ">", $ARGV[0]) or die; binmode($f);
    alarm(15);
    while ($s->recv(my $d, 65536)) { last if $d eq "stop"; print $f pack("V", length $d), $d; }' "$tmp/tape" &
recorder=$!
wait_line "$tmp/tape.port" '[0-9]'
run "$program" sensor --stream "$tmp/s.json" --to "udp:127.0.0.1:$(cat "$tmp/tape.port")" --rate 50 --frames 4
perl -MIO::Socket::INET -e 'IO::Socket::INET->new(Proto => "udp", PeerAddr => "127.0.0.1", PeerPort => $ARGV[0])->send("stop")' \
    "$(cat "$tmp/tape.port")"
finish "$recorder"
play() { # PORT
    perl -MIO::Socket::INET -e '
        my $s = IO::Socket::INET->new(Proto => "udp", PeerAddr => "127.0.0.1", PeerPort => $ARGV[0]) or die;
        open(my $f, "<", $ARGV[1]) or die; binmode($f);
        while (read($f, my $n, 4) == 4) { read($f, my $d, unpack("V", $n)); $s->send($d); select(undef, undef, undef, 0.0005); }
        ' "$1" "$tmp/tape"
}
start_controller first udp:127.0.0.1:0 --frames 4 --state "$tmp/memory"
play "$port"
finish "$controller"
is "$code $(json first frames_ok)" "0 4" "recording_when_it_was_never_seen_then_nothing_tells_it_from_the_stream"
start_controller again udp:127.0.0.1:0 --frames 4 --keep-going --state "$tmp/memory"
play "$port"
finish "$controller"
is "$code $(json again frames_ok) $(json again replayed)" "1 0 4" "recording_when_played_again_then_each_frame_is_a_replay"
start_controller refused udp:127.0.0.1:0 --frames 4 --state "$tmp/memory"
play "$port"
finish "$controller"
is "$code" 1 "recording_when_played_again_then_refused"
like "$(cat "$tmp/refused.err")" "refused: frame 1: it was verified before: a replay" "recording_when_played_again_then_named"
start_controller newer udp:127.0.0.1:0 --frames 2 --state "$tmp/memory"
run "$program" sensor --stream "$tmp/s.json" --to "udp:127.0.0.1:$port" --rate 50 --frames 4
finish "$controller"
is "$code" 0 "sender_when_started_again_then_taken"
start_controller older udp:127.0.0.1:0 --frames 4 --state "$tmp/memory"
play "$port"
finish "$controller"
is "$code" 4 "recording_when_older_than_the_newest_start_then_no_frame_of_it"
is "$(json older frames_ok) $(json older starts) $(json older announcements_refused)" "0 0 1" "recording_when_older_then_its_announcement_is_refused"
like "$(cat "$tmp/older.err")" "announcement: refused: start [0-9]+ is not after [0-9]+" "recording_when_older_then_named"
start_controller trusting udp:127.0.0.1:0 --frames 4
play "$port"
finish "$controller"
is "$code $(json trusting fresh)" "0 false" "recording_without_state_then_it_verifies_and_is_not_fresh"

# ---- ring ----
start_controller ring "ring:$tmp/ring" --out "$tmp/ring.frames"
is "$(stat -c %a "$tmp/ring")" 600 "ring_when_listening_then_for_its_owner_alone"
run "$program" sensor --stream "$tmp/s.json" --to "ring:$tmp/ring" --rate 0 --frames 20
is "$code" 0 "ring_when_sent_then_fine"
finish "$controller"
is "$code $(json ring frames_ok)" "0 20" "ring_when_the_sender_is_done_then_the_end_of_the_stream"
is "$([ -e "$tmp/ring" ] && echo there)" "" "ring_when_over_then_its_path_is_free"
start_controller enough "ring:$tmp/ring" --frames 2
run "$program" sensor --stream "$tmp/s.json" --to "ring:$tmp/ring" --rate 0
is "$code" 0 "ring_when_the_controller_has_enough_then_the_sensor_ends"
finish "$controller"
is "$code" 0 "ring_when_enough_then_fine"
start_controller killed "ring:$tmp/ring" --frames 1000
"$program" sensor --stream "$tmp/s.json" --to "ring:$tmp/ring" --rate 100 2>/dev/null &
sensor=$!
sleep 0.4
kill -KILL "$sensor"
finish "$controller"
is "$code" 4 "ring_when_the_sensor_is_killed_then_link_fault"
like "$(cat "$tmp/killed.err")" "the producer is gone without a word" "ring_when_the_sensor_is_killed_then_named"
start_controller gone "ring:$tmp/ring" --frames 1000
"$program" sensor --stream "$tmp/s.json" --to "ring:$tmp/ring" --rate 100 2>"$tmp/gone_sensor.err" &
sensor=$!
sleep 0.4
kill -KILL "$controller"
finish "$sensor"
is "$code" 4 "ring_when_the_controller_is_killed_then_link_fault"
like "$(cat "$tmp/gone_sensor.err")" "the consumer is gone" "ring_when_the_controller_is_killed_then_named"

# ---- refusals ----
start_controller foreign udp:127.0.0.1:0 --frames 1
run "$program" sensor --stream "$tmp/other.json" --to "udp:127.0.0.1:$port" --rate 50 --frames 2
finish "$controller"
is "$code" 4 "stream_when_another_one_then_no_frame"
like "$(cat "$tmp/foreign.err")" "no announcement of this stream came; [0-9]+ other packets did" "stream_when_another_one_then_told"
for way in tcp:127.0.0.1:1 udp ring: udp:1234 "ring:$tmp/none/ring"; do
    run "$program" controller --stream "$tmp/s.json" --from "$way"
    is "$code" 2 "controller_when_from_is_$(tr -c 'a-z0-9\n' _ <<<"${way#*:$tmp}")_then_refused"
done
for way in udp:127.0.0.1:0 ring:/nonexist/x ring:. "ring:$tmp/s.json"; do
    RUN_LIMIT=3 run "$program" sensor --stream "$tmp/s.json" --to "$way"
    is "$code" 2 "sensor_when_to_is_$(tr -c 'a-z0-9\n' _ <<<"${way#*:$tmp}")_then_refused_at_once"
done
like "$err" "it is there, and no ring's socket" "sensor_when_a_file_is_in_the_rings_place_then_named"
"$program" sensor --stream "$tmp/s.json" --to "ring:$tmp/late" --frames 2 2>"$tmp/waiting.err" &
sensor=$!
wait_line "$tmp/waiting.err" "waiting for a receiver at ring:$tmp/late"
start_controller late_ring "ring:$tmp/late"
finish "$sensor"
like "$code $(cat "$tmp/waiting.err")" "^0 .*waiting for a receiver" "sensor_when_it_waits_for_a_ring_then_told"
finish "$controller"
wait_line "$tmp/nothing.err" "nothing has come"
kill -TERM "$nothing"
finish "$nothing"
is "$code" 4 "controller_when_nothing_comes_then_it_waits_until_it_is_stopped"
like "$(cat "$tmp/nothing.err")" "nothing has come yet on udp:127.0.0.1:" "controller_when_nothing_comes_then_told"
run "$program" sensor --stream "$tmp/s.json" --to tcp:127.0.0.1:1
is "$code" 2 "sensor_when_to_is_no_way_then_refused"
run "$program" sensor --pki "$tmp" --to udp:127.0.0.1:1
is "$code" 2 "sensor_when_to_and_pki_then_refused"
run "$program" controller --stream "$tmp/s.json" --state "$tmp/x"
is "$code" 2 "controller_when_state_without_from_then_refused"
echo garbage >"$tmp/garbage"
run "$program" controller --stream "$tmp/s.json" --from udp:127.0.0.1:0 --state "$tmp/garbage"
is "$code" 2 "controller_when_the_state_is_garbage_then_refused"
like "$err" "no state file of a one-way stream" "controller_when_the_state_is_garbage_then_named"
end
