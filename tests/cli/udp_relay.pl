# A relay between two UDP ports of this machine that tampers with a protected stream on its way. It knows CSI-2 alone:
# frames are counted by their start packets, and what it changes gets a right checksum again.
#
#   perl udp_relay.pl TO-PORT PORT-FILE [WHAT@FRAME...]     frames are numbered from 1
#
#   flip      one bit of one line                  drop     one line is missing
#   repeat    one line comes twice                 swap     two lines change places
#   cut       the frame loses its last half        end      what follows its last line is missing
#   plain     a line without protection is put in  lose     the whole frame is missing
#   replay    the frame comes again, two frames later
#   garbage   random datagrams of any length come in between, from that frame on
#   shuffle   each packet may change places with its neighbour, from that frame on
#
# It ends with SIGTERM, when nothing more is waiting.
use strict;
use warnings;
use IO::Socket::INET;

my ($to, $file, @wanted) = @ARGV;
my $LINE = 60; # the packet of a frame that suffers
my (%what, $garbage, $shuffle, $replay);
for (@wanted) {
    my ($mode, $at) = /^([a-z]+)@([0-9]+)$/ or die "relay: $_: give WHAT\@FRAME\n";
    if ($mode eq 'garbage') { $garbage = $at }
    elsif ($mode eq 'shuffle') { $shuffle = $at }
    elsif ($mode eq 'replay') { $replay = $at }
    else { $what{$at} = $mode }
}
my $in = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Proto => 'udp') or die "relay: $!";
my $out = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $to, Proto => 'udp') or die "relay: $!";
setsockopt($in, SOL_SOCKET, SO_RCVBUF, pack('i', 8 << 20));
setsockopt($out, SOL_SOCKET, SO_SNDBUF, pack('i', 8 << 20));
open(my $port, '>', "$file.part") or die "relay: $!";
print $port $in->sockport, "\n";
close($port);
rename("$file.part", $file);

my ($end, $frame, $index, $held, $count) = (0, 0, 0, undef, 0);
my @recorded;
$SIG{TERM} = sub { $end = 1 };
alarm(60);
srand(7);

# The payload's checksum: x^16 + x^12 + x^5 + 1, reflected.
sub crc16 {
    my $crc = 0xFFFF;
    for my $byte (unpack('C*', $_[0])) {
        $crc ^= $byte;
        $crc = $crc & 1 ? $crc >> 1 ^ 0x8408 : $crc >> 1 for 1 .. 8;
    }
    return $crc;
}

# The packet with the checksum that its payload needs.
sub repaired {
    my ($packet) = @_;
    return substr($packet, 0, -2) . pack('v', crc16(substr($packet, 4, -2)));
}

# A long packet of a data type, with the error-correcting code of its header.
sub long_packet {
    my ($type, $payload) = @_;
    my $bits = $type | length($payload) << 8;
    my @masks = (0xF12CB7, 0xF2555B, 0x749A6D, 0xB8E38E, 0xDF03F0, 0xEFFC00);
    my $ecc = 0;
    for my $i (0 .. 5) {
        my $ones = unpack('%32b*', pack('V', $bits & $masks[$i]));
        $ecc |= ($ones & 1) << $i;
    }
    return repaired(pack('V', $bits | $ecc << 24) . $payload . 'xx');
}

sub post {
    for my $packet (@_) {
        send($out, $packet, 0);
        select(undef, undef, undef, 0.001) if ++$count % 16 == 0; # receive buffers are small on many machines
    }
}

# What becomes of a packet of a frame that is to suffer.
sub tamper {
    my ($mode, $packet, $short) = @_;
    my $line = $index == $LINE;
    if ($mode eq 'flip' && $line) {
        substr($packet, 80, 1) ^= "\x10";
        return repaired($packet);
    }
    return () if $mode eq 'drop' && $line or $mode eq 'lose' or $mode eq 'cut' && $index > 180;
    return () if $mode eq 'end' && $index > 0 && ($short || length($packet) < 120 && $index > 5);
    return ($packet, $packet) if $mode eq 'repeat' && $line;
    return (long_packet(0x2A, 'p' x 320), $packet) if $mode eq 'plain' && $line;
    if ($mode eq 'swap' && $line) { $held = $packet; return () }
    if ($mode eq 'swap' && defined $held) { my @both = ($packet, $held); undef $held; return @both }
    return $packet;
}

# Holds a packet back now and then, and lets it go behind the next one.
sub shuffled {
    my ($packet) = @_;
    if (defined $held) { my @both = ($packet, $held); undef $held; return @both }
    if (rand() < 0.02) { $held = $packet; return () }
    return $packet;
}

sub relay {
    my ($packet) = @_;
    my $short = (ord(substr($packet, 0, 1)) & 0x3F) < 0x10;
    if ($short && ord($packet) == 0 && length($packet) == 4) {
        $frame++;
        $index = 0;
        post(@recorded) if defined $replay && $frame == $replay + 2;
    }
    push(@recorded, $packet) if defined $replay && $frame == $replay;
    if (defined $garbage && $frame >= $garbage && rand() < 0.05) {
        post(pack('C*', map { int(rand(256)) } 1 .. int(rand(200))));
        post(substr($packet, 0, int(rand(length($packet)))));
        post($packet . 'more');
    }
    my @out = exists $what{$frame} ? tamper($what{$frame}, $packet, $short) : $packet;
    post(defined $shuffle && $frame >= $shuffle ? map { shuffled($_) } @out : @out);
    $index++;
}

while (1) {
    my $ready = '';
    vec($ready, fileno($in), 1) = 1;
    if (select($ready, undef, undef, 0.2) > 0) {
        my $packet;
        defined($in->recv($packet, 70000)) and length($packet) and relay($packet);
    } elsif ($end) {
        last;
    }
}
post($held) if defined $held;
