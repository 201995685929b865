# Recordings for the tests of the dissectors.
#   merge LINK AS OUT IN...       the packets of a link type, one recording behind the other, as another link type
#   mutate LINK SEED COUNT OUT IN...   COUNT packets of this link type, each with bytes changed, cut or added, as classic pcap
#   pick LINK NUMBERS OUT IN      those packets of a link type, in this order: 1,2,5,5
#   shuffle LINK SEED COUNT OUT IN...   the packets of a link type, COUNT of them lost, repeated or in another's place
#   compare A B                their packets side by side, a line each: link type in A, in B, `same` bytes or `other`
#   spoil NUMBERS OUT IN       the pcapng IN, the last byte of those packets, counted from 1, another one: 3,8
#   data PORT SEED HELLO IN OUT   CSI-2 packets on a TCP connection, behind a greeting (hex), in segments
#   bytes LINK HEX OUT            one packet
#   dsp0287 IN OUT             the messages in clear of an MCTP recording, as they go over TCP
#   tcp PORT SEED IN OUT       the same on a TCP connection, in segments that begin and end anywhere
use strict;
use warnings;

sub slurp {
    open my $f, '<:raw', $_[0] or die "$_[0]: $!\n";
    local $/;
    return scalar <$f>;
}

sub spill {
    my ($name, $bytes) = @_;
    open my $f, '>:raw', $name or die "$name: $!\n";
    print $f $bytes;
    close $f or die "$name: $!\n";
}

sub header { return pack 'VvvVVVV', 0xa1b2c3d4, 2, 4, 0, 0, 1 << 21, $_[0] }

# The packets of a recording with their link types, of classic pcap or pcapng, both little-endian.
sub all_packets {
    my ($name) = @_;
    my $d = slurp($name);
    my (@found, @links);
    # Each: link type, bytes, where they stand in the file.
    if (unpack('V', $d) != 0x0a0d0d0a) {
        my $link = unpack 'V', substr $d, 20, 4;
        for (my $at = 24; $at + 16 <= length $d;) {
            my $n = unpack 'V', substr $d, $at + 8, 4;
            push @found, [$link, substr($d, $at + 16, $n), $at + 16];
            $at += 16 + $n;
        }
        return @found;
    }
    for (my $at = 0; $at + 12 <= length $d;) {
        my ($type, $n) = unpack 'VV', substr $d, $at, 8;
        @links = () if $type == 0x0a0d0d0a;
        push @links, unpack 'v', substr $d, $at + 8, 2 if $type == 1;
        if ($type == 6) {
            my ($interface, undef, undef, $caught) = unpack 'V4', substr $d, $at + 8, 16;
            push @found, [$links[$interface], substr($d, $at + 28, $caught), $at + 28];
        }
        $at += $n;
    }
    return @found;
}

# Those of one link type.
sub packets {
    my ($name, $wanted) = @_;
    return map { $_->[1] } grep { $_->[0] == $wanted } all_packets($name);
}

sub mutated {
    my ($p) = @_;
    my $kind = int rand 10;
    return substr $p, 0, int rand(1 + length $p) if $kind == 0;
    return $p . join '', map { chr int rand 256 } 1 .. 1 + rand 40 if $kind == 1;
    for (1 .. 1 + int rand 4) {
        # Headers are at the beginning: most changes go there.
        my $span = rand() < 0.7 ? 48 : length $p;
        my $at = int rand($span < length $p ? $span : length $p);
        my $new = rand() < 0.4 ? (0, 1, 0x7F, 0x80, 0xFF)[rand 5] : int rand 256;
        substr($p, $at, 1) = chr $new if length $p;
    }
    return $p;
}

# SPDM in clear of an MCTP recording, each with the header of DSP0287.
sub messages {
    return map { pack('vCC', length($_) - 3, 1, 5) . substr $_, 5 } grep { ord(substr $_, 4) == 5 } packets($_[0], 291);
}

sub classic { # LINK PACKETS...
    my ($link, @p) = @_;
    my $n = 0;
    return header($link) . join '', map { pack('V4', $n++, 0, length $_, length $_) . $_ } @p;
}

# An IPv4 packet with a segment; from: 0 the client, 1 the server.
sub segment {
    my ($from, $port, $sequence, $other, $bytes) = @_;
    my @ports = $from ? ($port, 40000) : (40000, $port);
    my $tcp = pack('n2N2CCn3', @ports, $sequence, $other, 0x50, 0x18, 65535, 0, 0) . $bytes;
    return pack('CCnnnCCnC4C4', 0x45, 0, 20 + length $tcp, 0, 0, 64, 6, 0, 127, 0, 0, 1 + $from, 127, 0, 0, 2 - $from) . $tcp;
}

sub connection {
    my ($port, @messages) = @_;
    my @sequence = (1000, 5000);
    my @packets;
    for my $m (@messages) {
        my $from = ord(substr $m, 5) & 0x80 ? 0 : 1;
        while (length $m) {
            my $part = substr $m, 0, 1 + int rand 400, '';
            push @packets, segment($from, $port, $sequence[$from], $sequence[!$from], $part);
            $sequence[$from] += length $part;
        }
    }
    return @packets;
}

my ($command, $link, @rest) = @ARGV;
if ($command eq 'merge') {
    my ($as, $out, @in) = @rest;
    spill($out, classic($as, map { packets($_, $link) } @in));
} elsif ($command eq 'mutate') {
    my ($seed, $count, $out, @in) = @rest;
    srand $seed;
    my @from = map { packets($_, $link) } @in;
    die "no packets of link type $link\n" if !@from;
    my $bytes = header($link);
    for my $i (0 .. $count - 1) {
        # In their order, so that what a message depends on came before it.
        my $p = mutated($from[$i % @from]);
        $bytes .= pack('V4', 0, $i, length $p, length $p) . $p;
    }
    spill($out, $bytes);
} elsif ($command eq 'pick') {
    my ($numbers, $out, $in) = @rest;
    my @from = packets($in, $link);
    spill($out, classic($link, map { $from[$_ - 1] // die "no packet $_\n" } split /,/, $numbers));
} elsif ($command eq 'shuffle') {
    my ($seed, $count, $out, @in) = @rest;
    srand $seed;
    my @p = map { packets($_, $link) } @in;
    for (1 .. $count) {
        my ($kind, $at, $to) = (int rand 3, int rand @p, int rand @p);
        splice @p, $at, 1 if $kind == 0;
        splice @p, $to, 0, $p[$at] if $kind == 1;
        splice @p, $at, 0, splice @p, $at + 1, 1 if $kind == 2 && $at + 1 < @p;
    }
    spill($out, classic($link, @p));
} elsif ($command eq 'compare') {
    my ($was, $is) = ([all_packets($link)], [all_packets($rest[0])]);
    die @$was . ' packets, and ' . @$is . "\n" if @$was != @$is;
    for my $i (0 .. $#$was) {
        my ($a, $b) = ($was->[$i], $is->[$i]);
        print "$a->[0] $b->[0] ", $a->[1] eq $b->[1] ? 'same' : 'other', "\n";
    }
} elsif ($command eq 'spoil') {
    my ($out, $in) = @rest;
    my ($d, @p) = (slurp($in), all_packets($in));
    for my $p (map { $p[$_ - 1] // die "no packet $_\n" } split /,/, $link) {
        substr($d, $p->[2] + length($p->[1]) - 1, 1) ^= "\x01";
    }
    spill($out, $d);
} elsif ($command eq 'data') {
    my ($seed, $hello, $in, $out) = @rest;
    srand $seed;
    spill($out, classic(228, connection($link, pack('H*', $hello), map { pack('V', length) . $_ } packets($in, 147))));
} elsif ($command eq 'bytes') {
    spill($rest[1], classic($link, pack 'H*', $rest[0]));
} elsif ($command eq 'dsp0287') {
    spill($rest[0], classic(148, messages($link)));
} elsif ($command eq 'tcp') {
    my ($seed, $in, $out) = @rest;
    srand $seed;
    spill($out, classic(228, connection($link, messages($in))));
} else {
    die "what is $command?\n";
}
