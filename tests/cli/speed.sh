#!/bin/bash
# That `make bench` runs here, that each row's results equal its peer's, and the shape of what it prints. Never how fast
# anything is. With sanitizers only the short rows: a gigabyte of frames is no test of memory.
. "$(dirname "$0")/tap.sh"
RUN_LIMIT=110
program=$build/trueline-bench

sanitized() { grep -q '^TL_SANITIZE:BOOL=ON' "$build/CMakeCache.txt"; }
installed() { grep -q "^$1:FILEPATH=/" "$build/CMakeCache.txt"; }

run cmake --build "$build" --target trueline_bench
is "$code" 0 "bench_when_built_then_no_complaint"

# Every row there is, in a memory that is small.
if sanitized; then
    skip "bench_when_all_rows_are_run_then_results_equal_the_peers" "with sanitizers the short rows alone"
else
    run "$program" --rounds 1 --ring 2 --level best
    is "$code" 0 "bench_when_all_rows_are_run_then_results_equal_the_peers"
    for row in cmac_batch_packed cmac_batch_aliased_verify sv1 cmac_lanes_16 packet_1500 packet_1500_sv1 receive \
               receive_checked_huge streams_64 two_cores; do
        like "$out" "^bench $row [0-9]+\.[0-9][0-9] x [a-z0-9-]+$" "bench_when_all_rows_are_run_then_has_a_line_for_$row"
    done
fi

# Rows that need no peer which may be missing.
run "$program" --rounds 1 --level best --only gmac --json "$tmp/bench.json"
is "$code" 0 "bench_when_run_then_results_equal_the_peers"
for row in gmac gmac_verify gmac_64 gmac_64_verify; do
    like "$out" "^bench $row [0-9]+\.[0-9][0-9] x openssl$" "bench_when_run_then_has_a_line_for_$row"
done
is "$(grep -cvE '^bench [a-z0-9_]+ [0-9]+\.[0-9][0-9] x [a-z0-9-]+$|^      ' <<<"$out")" 0 \
    "bench_when_run_then_no_line_of_another_shape"
is "$(perl -MJSON::PP -e 'local $/; my $j = decode_json(<>);
       print join " ", map { $_->{name} } grep { $_->{peer} eq "openssl" && $_->{ratio} > 0 } @{$j->{rows}}' \
       "$tmp/bench.json")" "gmac gmac_verify gmac_64 gmac_64_verify" "bench_when_json_then_the_same_rows"

if installed TL_IPSEC_MB; then
    like "$out" "^bench gmac [0-9]+\.[0-9][0-9] x ipsec-mb$" "bench_when_ipsec_mb_is_there_then_compared_with_it"
else
    skip "bench_when_ipsec_mb_is_there_then_compared_with_it" "no ipsec-mb here"
fi

run "$root/scripts/bench-table" --self-test
is "$code" 0 "bench_table_when_it_tests_itself_then_all_is_well"

for arguments in '--rounds 0' '--rounds 102' '--ring 1' '--level fast' 'word'; do
    run "$program" $arguments
    is "$code" 2 "bench_when_'$arguments'_then_refused"
    is "$out" "" "bench_when_'$arguments'_then_nothing_is_measured"
done
run "$program" --rounds 1 --only crc --json "$tmp/no/such/file"
is "$code" 5 "bench_when_the_file_cannot_be_written_then_output_fault"
end
