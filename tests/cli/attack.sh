#!/bin/bash
# `make attack`, a shorter one: nothing is accepted, memory stays as it is. And it would tell: with a check left out something
# is accepted, and the case that it names shows it again.
. "$(dirname "$0")/tap.sh"
attack=$build/tests/world/attack
RUN_LIMIT=100

# The whole number in the plain default build, other changes and fewer of them in the others: of seeds that reach every target.
plain=1 number=20000 seed=1
case ${build#"$root"/} in
build) ;;
build/asan) plain='' number=4000 seed=3 ;;
*) plain='' number=4000 seed=4 ;;
esac

run "$attack" -n "$number" --seed "$seed"
is "$code" 0 'attack_when_nothing_is_left_out_then_nothing_is_accepted'
like "$out" "^attack: [0-9]+ tried, 0 accepted, [0-9.]+ s, (heap [0-9]+ KiB at a tenth and [0-9]+ KiB at the end|memory is the sanitizer's)" \
    'attack_when_over_then_the_last_line_says_so'
like "$(tail -1 <<<"$out")" "^attack: $((number / 1000))[0-9]{3} tried" 'attack_when_over_then_as_many_as_asked_for'
for target in 'stream' 'streams, aggregated' 'stream in memory \(FSED\)' 'stream over a bridge to FSED' \
    'stream over two bridges' 'sensor \(SPDM responder\)' 'controller \(SPDM requester\)'; do
    like "$out" "^$target: [1-9][0-9]*$" "attack_when_over_then_counts_are_there_for_${target// /_}"
done
for row in "a stream's next key" "a stream's key that was given up" HEARTBEAT 'KEY_UPDATE UpdateKey' 'KEY_UPDATE UpdateAllKeys' \
    'KEY_UPDATE VerifyNewKey'; do
    like "$out" "^  $row +([1-9][0-9]*|-) +[1-9]" "attack_when_over_then_changes_are_counted_while_${row// /_}_was_under_way"
done
if [ -n "$plain" ]; then
    is "$(grep -A6 '^keys under way' <<<"$out" | grep -cE ' 0( |$)')" 0 'attack_when_over_then_each_kind_happened_in_each_manner'
fi

run "$attack" -n 4000 --only streams --without forgetting
is "$code" 1 'attack_when_an_old_key_of_a_stream_is_kept_then_fails'
like "$out" '^accepted: stream 0x.*under a key that was given up' 'attack_when_an_old_key_of_a_stream_is_kept_then_says_so'
run "$attack" -n 4000 --only spdm --without forgetting
is "$code" 1 'attack_when_records_of_old_keys_are_taken_then_fails'
like "$out" '^accepted: the sensor took a record again' 'attack_when_records_of_old_keys_are_taken_then_says_so'

run "$attack" -n 20000 --only streams --without tags
is "$code" 1 'attack_when_every_tag_is_found_right_then_fails'
like "$out" '^accepted: stream 0x' 'attack_when_every_tag_is_found_right_then_says_what_was_accepted'
what=$(sed -n 's/^accepted: //p' <<<"$out" | head -1)
case=$(sed -n 's/.*--case \(streams:0x[0-9a-f]*\) .*/\1/p' <<<"$out" | head -1)
run "$attack" --case "$case" --without tags
is "$code" 1 'case_when_run_again_then_fails_again'
is "$(sed -n 's/^accepted: //p' <<<"$out")" "$what" 'case_when_run_again_then_the_same_is_accepted'
run "$attack" --case "$case" --trace
is "$code" 0 'case_when_tags_are_checked_then_nothing_is_accepted'
like "$out" ' ms  attacker on ' 'case_when_traced_then_the_attacker_is_seen'

if [ -n "$plain" ]; then
    run "$attack" -n 30000 --only spdm --without signatures
    is "$code" 1 'attack_when_every_signature_is_found_right_then_fails'
    like "$out" '^accepted: other measurements were believed$' 'attack_when_every_signature_is_found_right_then_says_what'
else
    skip 'attack_when_every_signature_is_found_right_then_fails' 'in the plain default build alone'
fi

for wrong in '-n 0' '-n -5' '-n x' '--only nothing' '--case 5' '--case streams:x' '--without crc' '--trace' 'more'; do
    run "$attack" $wrong
    is "$code" 2 "attack_when_given_${wrong// /_}_then_refused"
done
run "$attack" -n " -5"
is "$code" 2 "attack_when_a_number_below_zero_stands_behind_a_blank_then_2"
end
