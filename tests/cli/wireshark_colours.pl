# Are the rules of a file of Wireshark's colours apart for colour-blind eyes? Each rule's background as it is seen without the
# cones for red, green or blue (Machado, Oliveira and Fernandes 2009, full severity). Prints a line for each pair of rules that
# is nearer than --apart (CIE 1976) to one of these eyes or to all cones, one for each rule whose text has less than the contrast
# --contrast (WCAG 2) with its background, and "rules=N near=N faint=N". --only NAME,NAME: pairs of these alone.
use strict;
use warnings;
use Getopt::Long;

my ($apart, $contrast, $only) = (0, 0, '');
GetOptions('apart=f' => \$apart, 'contrast=f' => \$contrast, 'only=s' => \$only) or exit 2;

my %eyes = (
    all   => [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    red   => [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    green => [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    blue  => [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
);

sub linear { map { my $v = $_ / 65535; $v <= 0.04045 ? $v / 12.92 : (($v + 0.055) / 1.055)**2.4 } @_ }

sub seen {
    my ($m, @v) = @_;
    return map { my $row = $_; my $sum = 0; $sum += $row->[$_] * $v[$_] for 0 .. 2; $sum < 0 ? 0 : $sum > 1 ? 1 : $sum } @$m;
}

sub lab {
    my ($r, $g, $b) = @_;
    my @f = map { $_ > 0.008856 ? $_**(1 / 3) : 7.787 * $_ + 16 / 116 } (0.4124 * $r + 0.3576 * $g + 0.1805 * $b) / 0.9505,
        0.2126 * $r + 0.7152 * $g + 0.0722 * $b, (0.0193 * $r + 0.1192 * $g + 0.9505 * $b) / 1.089;
    return (116 * $f[1] - 16, 500 * ($f[0] - $f[1]), 200 * ($f[1] - $f[2]));
}

sub light { 0.2126 * $_[0] + 0.7152 * $_[1] + 0.0722 * $_[2] + 0.05 }

my (@rules, $near, $faint);
($near, $faint) = (0, 0);
while (<>) {
    next if /^#/ || !/\S/;
    /^@([^@]+)@[^@]+@\[(\d+),(\d+),(\d+)\]\[(\d+),(\d+),(\d+)\]$/ or die "line $.: no rule\n";
    push @rules, { name => $1, back => [linear($2, $3, $4)], text => [linear($5, $6, $7)] };
}
for my $rule (@rules) {
    my ($high, $low) = sort { $b <=> $a } light(@{ $rule->{back} }), light(@{ $rule->{text} });
    next if $high / $low >= $contrast;
    $faint++;
    printf "%s: contrast %.1f\n", $rule->{name}, $high / $low;
}
my @asked = grep { my $name = $_->{name}; !$only || grep { $_ eq $name } split /,/, $only } @rules;
die "a rule that there is not\n" if $only && @asked != split /,/, $only;
for my $i (0 .. $#asked) {
    for my $j ($i + 1 .. $#asked) {
        for my $eye (sort keys %eyes) {
            my @one = lab(seen($eyes{$eye}, @{ $asked[$i]{back} }));
            my @two = lab(seen($eyes{$eye}, @{ $asked[$j]{back} }));
            my $d = sqrt(($one[0] - $two[0])**2 + ($one[1] - $two[1])**2 + ($one[2] - $two[2])**2);
            next if $d >= $apart;
            $near++;
            printf "%s, %s: %.0f apart (%s)\n", $asked[$i]{name}, $asked[$j]{name}, $d, $eye;
        }
    }
}
printf "rules=%d near=%d faint=%d\n", scalar @rules, $near, $faint;
