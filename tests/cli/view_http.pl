# Requests to the live page, byte by byte: what a browser would never send, too. Core modules of Perl alone.
#   view_http.pl PORT get PATH [HEADER...]       prints the answer
#   view_http.pl PORT raw TEXT                   the same for the bytes of TEXT (\r \n \0 and \xNN stand for themselves)
#   view_http.pl PORT huge BYTES                 one header of so many bytes; prints the first line of the answer
#   view_http.pl PORT drip SECONDS               a request that never ends, a byte each 0.2 s; prints how long the server bore it
#   view_http.pl PORT crowd N [hold SECONDS]     N connections that say nothing; prints how many were taken, holds them
#   view_http.pl PORT noise N SEED               N connections of random bytes and of halves of requests; prints N
use strict;
use warnings;
use IO::Socket::INET;
use Time::HiRes qw(sleep time);

my ($port, $what, @rest) = @ARGV;
$SIG{PIPE} = 'IGNORE';

sub dial { return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 3) }

sub send_all {
    my ($s, $bytes) = @_;
    while (length $bytes) {
        my $n = syswrite($s, $bytes);
        return 0 unless defined $n;
        substr($bytes, 0, $n) = '';
    }
    return 1;
}

sub take_all {
    my ($s) = @_;
    my ($all, $end) = ('', time + 5);
    while (time < $end) {
        my $r = '';
        vec($r, fileno($s), 1) = 1;
        next unless select($r, undef, undef, 0.2);
        my $n = sysread($s, my $more, 65536);
        last unless $n;
        $all .= $more;
    }
    return $all;
}

if ($what eq 'get' or $what eq 'post') {
    my ($path, @headers) = @rest;
    unshift @headers, "Host: 127.0.0.1:$port" unless grep { /^Host:/ or $_ eq 'none' } @headers;
    @headers = grep { $_ ne 'none' } @headers;
    my $s = dial() or die "no connection\n";
    send_all($s, uc($what) . " $path HTTP/1.1\r\n" . join('', map { "$_\r\n" } @headers, 'Connection: close') . "\r\n");
    print take_all($s);
} elsif ($what eq 'raw') {
    my $bytes = $rest[0];
    $bytes =~ s/\\r/\r/g;
    $bytes =~ s/\\n/\n/g;
    $bytes =~ s/\\x([0-9a-f]{2})/chr hex $1/ge;
    my $s = dial() or die "no connection\n";
    send_all($s, $bytes);
    shutdown($s, 1);
    print take_all($s);
} elsif ($what eq 'huge') {
    my $s = dial() or die "no connection\n";
    send_all($s, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " . 'a' x $rest[0]);
    send_all($s, "\r\n\r\n");
    print +(split /\r\n/, take_all($s))[0] // 'closed', "\n";
} elsif ($what eq 'drip') {
    my $s = dial() or die "no connection\n";
    my $begun = time;
    send_all($s, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ");
    while (time - $begun < $rest[0]) {
        last unless send_all($s, 'a');
        my $r = '';
        vec($r, fileno($s), 1) = 1;
        last if select($r, undef, undef, 0.2) and !sysread($s, my $more, 4096);
    }
    printf "%d\n", time - $begun;
} elsif ($what eq 'crowd') {
    my @all = grep { defined } map { dial() } 1 .. $rest[0];
    $| = 1;
    print scalar(@all), "\n";
    sleep $rest[2] if @rest > 1;
} elsif ($what eq 'noise') {
    srand $rest[1];
    my $good = "GET /state.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    for (1 .. $rest[0]) {
        my $s = dial() or next;
        my $kind = int rand 4;
        my $bytes = $kind == 0 ? join '', map { chr int rand 256 } 1 .. int rand 3000
            : $kind == 1 ? substr($good, 0, int rand length $good)
            : $kind == 2 ? $good x int rand 40
            : do { my $b = $good; substr($b, int rand length $b, 1) = chr int rand 256; $b };
        send_all($s, $bytes);
        close $s if rand() < 0.7;
    }
    print "$rest[0]\n";
}
