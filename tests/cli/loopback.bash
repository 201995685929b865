# Sourced by the tests that run a sensor and a controller, behind tap.sh: both over loopback, every wait bounded.

program=$build/trueline

# Starts a sensor on a free port: sets $sensor (pid) and $port. Its output goes to $tmp/NAME.out and .err.
start_sensor() { # NAME ARGUMENT...
    local name=$1 i
    shift
    : >"$tmp/$name.out"
    "$program" sensor --listen 127.0.0.1:0 "$@" >"$tmp/$name.out" 2>"$tmp/$name.err" &
    sensor=$!
    for ((i = 0; i < 200; i++)); do
        port=$(sed -n 's/^listening on 127.0.0.1:\([0-9]*\)$/\1/p' "$tmp/$name.out")
        [ -n "$port" ] && return 0
        kill -0 "$sensor" 2>/dev/null || return 0
        sleep 0.05
    done
}

# Waits for a background program, at most 40 seconds: sets $code.
finish() { # PID
    local i
    code=0
    for ((i = 0; i < 800; i++)); do
        kill -0 "$1" 2>/dev/null || break
        sleep 0.05
    done
    kill -9 "$1" 2>/dev/null && code=124
    [ "$code" -eq 124 ] && return 0
    wait "$1" || code=$?
}

# Waits until a file has a line that matches, at most 10 seconds.
wait_line() { # FILE PATTERN
    local i
    for ((i = 0; i < 200; i++)); do
        grep -Eq -e "$2" "$1" 2>/dev/null && return 0
        sleep 0.05
    done
    return 0
}

# A listener that is no sensor, in perl: sets $peer (pid) and $port. CODE sees the connection as $c.
start_peer() { # CODE
    local i
    rm -f "$tmp/peer.port"
    perl -MIO::Socket::INET -e '
        my $l = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 1) or die;
        open(my $f, ">", "$ARGV[0].part") or die; print $f $l->sockport, "\n"; close($f);
        rename("$ARGV[0].part", $ARGV[0]);
        alarm(20);
        my $c = $l->accept or die; binmode($c);
        '"$1" "$tmp/peer.port" &
    peer=$!
    for ((i = 0; i < 200; i++)); do
        [ -s "$tmp/peer.port" ] && break
        sleep 0.05
    done
    port=$(cat "$tmp/peer.port")
}

# A small stream file: fast, and every kind of line in it.
small_stream() { # FILE ARGUMENT...
    local file=$1
    shift
    "$program" stream new "$file" --width 64 --height 16 "$@"
}

# A relay in front of a sensor that flips one bit of the sensor's byte number OFFSET: sets $peer and $port.
start_relay() { # SENSOR-PORT OFFSET
    start_peer '
        my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => '"$1"') or die; binmode($s);
        my ($at, $b) = (0, "");
        while (1) {
            my $r = ""; vec($r, fileno($c), 1) = 1; vec($r, fileno($s), 1) = 1;
            select($r, undef, undef, undef);
            if (vec($r, fileno($s), 1)) {
                my $n = sysread($s, $b, 65536) or last;
                my $i = '"$2"' - $at;
                vec($b, $i * 8 + 3, 1) ^= 1 if $i >= 0 && $i < $n;
                $at += $n;
                for (my $o = 0; $o < $n;) { my $w = syswrite($c, $b, $n - $o, $o) or last; $o += $w }
            }
            if (vec($r, fileno($c), 1)) { my $n = sysread($c, $b, 65536) or last; syswrite($s, $b) }
        }'
}
