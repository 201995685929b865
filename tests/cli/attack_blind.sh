#!/bin/bash
# The attack suite with a receiver that finds every tag right must fail, and in exactly the rows that only a tag can
# judge: if it passed, it would prove nothing about tags.
. "$(dirname "$0")/tap.sh"
export CMOCKA_MESSAGE_OUTPUT=TAP
RUN_LIMIT=100

cases() { # EXPRESSION: names of cases, sorted
    sed -nE "s/$1 (.*)/\\1/p" "$tmp/blind.tap" | sort
}

# A case that fails leaves its memory behind.
run env ASAN_OPTIONS=detect_leaks=0 "$build/tests/blind/attacks"
cp "$tmp/.out" "$tmp/blind.tap"
cat "$tmp/.err" >>"$tmp/blind.tap"
out='' err=''
needing=$(cases '^# needs-tag')
failing=$(cases '^not ok [0-9]+ -')

like "$code" '^[1-9][0-9]?$' attacks_when_every_tag_is_found_right_then_the_suite_fails
is "$(grep -c . <<<"$needing")" "$code" attacks_when_every_tag_is_found_right_then_as_many_fail_as_need_tags
is "$failing" "$needing" attacks_when_every_tag_is_found_right_then_exactly_these_fail
like "$needing" '^pixel-bit_when_all_then_frame_tag$' attacks_when_listed_then_a_repaired_pixel_needs_the_tag
unlike "$needing" '_when_raw_then_frame_crc16$' attacks_when_listed_then_a_raw_change_needs_none
end
