#!/bin/bash
# The program that runs scenarios of the simulated world, and the docs' example of one.
. "$(dirname "$0")/tap.sh"
world=$build/tests/world/world

run "$world" --runs 3
is "$code" 0 'scenarios_when_run_then_all_that_was_said_is_true'
is "$(grep -c '^[a-z-]* *0x' <<<"$out")" 27 'scenarios_when_run_three_times_then_a_line_for_each'
like "$out" '^camera +0x1 +30 +30 +0 +0 +0 +0 +0 +0$' 'camera_when_nothing_goes_wrong_then_all_frames_are_ok'
like "$out" '^late +0x1 +30 +[1-9][0-9]* +[1-9][0-9]* ' 'late_when_at_the_edge_then_some_are_and_some_are_not'
first=$out
run "$world" --runs 3
is "$out" "$first" 'scenarios_when_run_again_then_the_same_happens'

run "$world" --scenario four --loss 20000 --seed 0x10 --trace
like "$out" '^ +[0-9]+\.[0-9]{6} ms  sensor 4 > aggregator +[0-9]+ bytes  VC 0 RAW12 stream 0x1004 frame 1 message 0' \
    'trace_when_asked_then_packets_with_moments_and_numbers'
like "$out" '^ +[0-9]+\.[0-9]{6} ms  aggregator > +.* LOST$' 'trace_when_asked_then_what_became_of_them'
like "$out" 'controller: stream 0x1001 frame [0-9]+: gap, proven' 'trace_when_asked_then_what_the_controller_says'
run "$world" --scenario session --seed 3 --trace
like "$out" 'controller > sensor, SPDM .* KEY_EXCHANGE' 'trace_when_there_is_a_session_then_its_messages'

run "$world" --list
is "$(grep -c . <<<"$out")" 9 'list_when_asked_then_names_the_scenarios'
for wrong in '--scenario nowhere' '--loss 1000001' '--loss -1' '--runs 0' '--seed x' '--trace' 'more'; do
    run "$world" $wrong
    is "$code" 2 "world_when_given_${wrong// /_}_then_refused"
done

shows_compiled "$root/docs/SIMULATION.md" "$root/tests/flow/world_example.c" SIMULATION \
    'docs_when_they_show_a_scenario_then_it_is_the_one_that_is_compiled'
end
