# Are the fields that the dissectors show those that `trueline dump --json` prints? Reads the dump's lines from the first
# file (of CSI-2 packets, with -v), what `wireshark_pdml.pl --values` printed from the second. Prints each field that differs, and "messages=N values=N
# wrong=N".
use strict;
use warnings;
use JSON::PP;

my ($dump, $shown) = @ARGV;
my (%seen, $messages, $values, $wrong);
($messages, $values, $wrong) = (0, 0, 0);

open my $s, '<', $shown or die "$shown: $!\n";
while (<$s>) {
    my ($number, $name, $show, $bytes) = /^(\d+) trueline\.(\S+) (\S*) ?(\S*)$/ or next;
    $name =~ s/.*\.//;
    $show = /^0x/i ? hex : $_ for $show;
    $seen{$number}{$name}{$show}++;
    $seen{$number}{$name}{$bytes}++;
    $seen{$number}{''}{$bytes}++;
}

sub compare {
    my ($number, $name, $value) = @_;
    if (ref $value eq 'HASH') {
        compare($number, tr/ /_/r, $value->{$_}) for sort keys %$value;
    } elsif (ref $value eq 'ARRAY') {
        compare($number, ref $_ ? $name : '', $_) for @$value;
    } elsif ($value ne '') {
        return if $name eq 'data_type_name' || $name eq 'crc32' && $value eq '0'; # there is none
        $values++;
        $name = 'status' if $name eq 'ecc' || $name eq 'crc16_is';
        $name = 'number' if $name eq 'word_count' && !$seen{$number}{$name};
        $name = '' if $name eq 'rest'; # which has a name there
        return if $seen{$number}{$name}{$value};
        $wrong++;
        print "packet $number: $name is $value, shown: ", join(' ', sort keys %{ $seen{$number}{$name} || {} }), "\n";
    }
}

open my $d, '<', $dump or die "$dump: $!\n";
while (<$d>) {
    my $line = decode_json($_);
    next if !$line->{message} || !$line->{fields} || $line->{fields}{packets}; # that is a frame
    my $fields = $line->{fields};
    delete $_->{names} for ref $fields->{tables} ? @{ $fields->{tables} } : ();
    delete $fields->{bytes};          # of what has no rows
    delete $fields->{metadata}{rest} if $fields->{metadata}; # a number of bytes
    $messages++;
    compare($line->{message}, '', $fields);
}
print "messages=$messages values=$values wrong=$wrong\n";
