#!/bin/bash
# The live page in a browser, by keyboard alone: it loads nothing from elsewhere, shows frames as they verify, attacks at a button's
# press, and says what was refused, where, and why. With VIEW_PICTURES=FOLDER the docs' pictures are left there.
. "$(dirname "$0")/tap.sh"
program=$build/trueline
[ "$build" = "$root/build" ] || skip_all "the same for every build: it is done once"
for tool in chromedriver chromium; do
    command -v $tool >/dev/null || skip_all "$tool is missing; scripts/deps --browser installs it"
done
perl -MHTTP::Tiny -MJSON::PP -e 1 2>/dev/null || skip_all "Perl's modules HTTP::Tiny and JSON::PP are missing"
export TMPDIR=$tmp/temporary
mkdir "$TMPDIR"

"$program" demo --view 0 --input scene --width 1280 --height 720 >"$tmp/demo" 2>&1 &
demo=$!
for i in $(seq 150); do
    url=$(sed -nE 's|.*the view is on (http://127.0.0.1:[0-9]+/).*|\1|p' "$tmp/demo" 2>/dev/null || true)
    [ -z "$url" ] || break
    sleep 0.1
done
perl "$root/tests/cli/view_browser.pl" "$url" "${VIEW_PICTURES-}" >"$tmp/found" 2>"$tmp/browser.err" &
browser=$!
code=0
wait "$browser" || code=$?
err=$(cat "$tmp/browser.err")
found() { # NAME
    sed -n "s/^$1\\t//p" "$tmp/found"
}
is "$(found failed)" '' browser_when_it_looked_then_found_all
is "$(found done)" yes browser_when_it_looked_then_came_to_the_end
is "$(found title)" 'Trueline: live view' page_when_loaded_then_has_its_title
is "$(found console)" none page_when_used_then_the_console_stays_empty
is "$(found elsewhere)" none page_when_used_then_nothing_is_fetched_from_elsewhere
is "$(found requests | awk '{ print ($1 > 10) }')" 1 page_when_used_then_requests_were_seen_at_all
is "$(found counters)" advance page_when_frames_come_then_counters_advance
is "$(found status)" 'Every frame has verified' page_when_all_is_right_then_says_so
like "$(found live)" '^Frame [0-9]+: verified, all 720 lines' page_when_frames_come_then_names_the_latest
is "$(found pixels)" 'many colours' page_when_frames_come_then_shows_their_pictures
like "$(found identity)" 'Rolesensor.*SPDMversion 1\.[23].*Chain digest' page_when_agreed_then_says_who_the_sensor_is
is "$(found measurements | sed 's/[^a-z|]//g')" 'equal|equal|equal' page_when_measured_then_says_that_it_equals_the_reference
like "$(found focus)" '^A.skip=seen INPUT=seen( [A-Z#.:a-z-]+=seen)* BUTTON:pixel-bit=seen$' keyboard_when_tab_is_pressed_then_focus_is_seen_on_its_way_to_the_button
like "$(found refused)" '^Frame [0-9]+: refused, tag .*at RAW12 line 360.*719 of 720 lines' attack_when_enter_is_pressed_then_the_frame_is_refused_and_shown
like "$(found spoken)" '^Refused: frame [0-9]+, RAW12 line 360: tag' attack_when_refused_then_the_status_says_it
is "$(found marks)" 'line 360: tag' attack_when_refused_then_the_line_is_marked_by_text
like "$(found mark_place)" '^0\.(49|50).*\|1[2-9].*repeating-linear-gradient' attack_when_refused_then_the_line_is_hatched_at_its_place
like "$(found event)" '^frame refused\|[0-9]+\|RAW12\|360\|[^ ]+ tag$' attack_when_refused_then_stands_among_the_events
like "$(found outcome)" '^a bit in the pixels\|.*\|tag\|tag\|[^ ]+ as expected$' attack_when_refused_then_its_outcome_is_as_it_must_be
like "$(found verdict_counted)" 'tag1' attack_when_refused_then_its_verdict_is_counted
like "$(found again)" '^Frames verify again' attack_when_over_then_frames_verify_again
is "$(found nameless)" none access_when_controls_are_read_out_then_each_has_a_name
is "$(found structure)" 'en 1 1 true 1 true' access_when_read_then_language_headings_and_tables_are_there
is "$(found contrast_light)" none access_when_light_then_contrast_is_enough
is "$(found contrast_dark)" none access_when_dark_then_contrast_is_enough
is "$(found motion)" 0s access_when_motion_is_unwanted_then_nothing_moves
is "$(found cut)" none access_when_the_page_has_any_width_then_no_count_is_cut
is "$(found narrow)" fits access_when_narrow_then_the_page_fits
kill -INT "$demo"
code=0
wait "$demo" || code=$?
is "$code" 0 demo_when_told_to_stop_then_exits_0
is "$(find "$TMPDIR" -mindepth 1 -maxdepth 1 -name 'trueline-*' | wc -l)" 0 demo_when_told_to_stop_then_nothing_is_left
end
