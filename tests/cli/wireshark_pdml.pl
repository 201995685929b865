# Reads what `tshark -T pdml` printed and judges each packet: is every byte under a field that has a name and nothing below
# it, is there an error? Prints "packets=N bytes=N uncovered=N malformed=N errors=N lua=N", and before it a line for each
# packet with something wrong. With --values it prints "NUMBER NAME SHOWN BYTES" for each field instead: what is shown, and its bytes.
use strict;
use warnings;

my $values = @ARGV && $ARGV[0] eq '--values' ? shift : '';
my ($number, $packets, $bytes, $uncovered, $malformed, $errors, $lua) = (0) x 7;
my ($size, @covered, @wrong);
my @open; # fields that are not closed yet: their attributes, and whether a field of ours stands below

# What was put together of several packets has offsets of its own, and covers none of this one's bytes.
sub cover {
    my ($a) = @_;
    return if grep { ($_->{name} // '') eq 'trueline.fsed.whole' } $a, @open;
    return if $a->{below} || ($a->{size} // 0) == 0;
    $covered[$_] = 1 for $a->{pos} .. $a->{pos} + $a->{size} - 1;
}

sub attributes {
    my ($text) = @_;
    my %a;
    $a{$1} = $2 while $text =~ /(\w+)="([^"]*)"/g;
    return %a;
}

while (my $line = <STDIN>) {
    if ($line =~ /<packet>/) {
        $number++;
        ($size, @covered, @wrong) = (0);
    } elsif ($line =~ m{</packet>}) {
        my @holes = grep { !$covered[$_] } 0 .. $size - 1;
        $packets++;
        $bytes += $size;
        $uncovered += @holes;
        push @wrong, "bytes without a field: @holes[0 .. ($#holes > 9 ? 9 : $#holes)]" if @holes;
        print "packet $number: $_\n" for $values ? () : @wrong;
    } elsif ($line =~ /<(proto|field) (.*?)(\/?)>\s*$/) {
        my ($kind, $leaf) = ($1, $3);
        my %a = attributes($2);
        my $name = $a{name} // '';
        if ($name eq 'frame.cap_len') {
            $size = $a{show};
        } elsif ($name =~ /^_ws\.malformed/) {
            $malformed++;
            push @wrong, 'malformed';
        } elsif ($name eq '_ws.lua.error' || ($a{show} // '') =~ /Lua Error/) {
            $lua++;
            push @wrong, 'Lua: ' . ($a{show} // '') . ($a{showname} // '');
        } elsif ($name eq '_ws.expert.severity' && $a{showname} =~ /Error/) {
            $errors++;
        } elsif ($name eq '_ws.expert.message') {
            push @wrong, $a{show};
        } elsif ($kind eq 'field' && $name =~ /^trueline\./) {
            print "$number $name ", $a{show} // "", " ", $a{value} // "", "\n" if $values;
            $_->{below} = 1 for ($a{size} // 0) > 0 ? @open : ();
            cover(\%a) if $leaf;
            push @open, \%a if !$leaf;
            next;
        }
        push @open, { below => 1 } if !$leaf;
    } elsif ($line =~ m{</(field|proto)>}) {
        cover(pop @open) if @open;
    }
}
print "packets=$packets bytes=$bytes uncovered=$uncovered malformed=$malformed errors=$errors lua=$lua\n" unless $values;
