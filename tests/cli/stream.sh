#!/bin/bash
# Stream files on the command line: made, shown, and refused.
. "$(dirname "$0")/tap.sh"
program=$build/trueline
f=$tmp/cam.json

# ---- new ----
run "$program" stream new "$f"
is "$code" 0 "new_when_the_name_is_free_then_made"
is "$(stat -c %a "$f")" 600 "new_when_made_then_for_its_owner_alone"
before=$(cat "$f")
run "$program" stream new "$f"
is "$code" 2 "new_when_the_file_is_there_then_refused"
like "$err" "cam.json: is there already.*--force" "new_when_the_file_is_there_then_named_with_the_way_out"
is "$(cat "$f")" "$before" "new_when_refused_then_the_old_file_stands"
run "$program" stream new "$f" --force
is "$code" 0 "new_when_forced_then_written_over"
unlike "$(cat "$f")" "$(grep secret <<<"$before")" "new_when_made_twice_then_another_secret"
(umask 0; "$program" stream new "$tmp/open.json")
is "$(stat -c %a "$tmp/open.json")" 600 "new_when_the_umask_is_open_then_still_private"
run "$program" stream new "$tmp/none/cam.json"
is "$code" 5 "new_when_the_folder_is_missing_then_output_fault"
run bash -c "(ulimit -f 0; exec '$program' stream new '$tmp/full.json') 2>&1 | cat >&2; exit \${PIPESTATUS[0]}"
is "$code" 5 "new_when_the_disk_is_full_then_output_fault"
like "$err" "full.json: not written: File too large" "new_when_the_disk_is_full_then_named"
is "$(ls "$tmp" | grep -c full)" 0 "new_when_the_disk_is_full_then_nothing_is_left"

# ---- show ----
run "$program" stream show "$f"
is "$code" 0 "show_when_right_then_printed"
unlike "$out" "secret" "show_when_not_asked_then_no_secret"
like "$out" "^digest +[0-9a-f]{64}$" "show_when_right_then_with_digest"
digest=$(sed -n 's/^digest *//p' <<<"$out")
run "$program" stream show "$f" --secret
like "$out" "^secret +[0-9a-f]{64}$" "show_when_asked_then_the_secret_too"
run "$program" stream show "$f" --json
like "$out" "^\{.*\"digest\": \"$digest\"\}$" "show_when_json_then_one_object"
run "$program" stream show "$tmp/open.json"
like "$out" "^digest +$digest$" "show_when_only_the_secret_differs_then_the_same_digest"
"$program" stream new "$tmp/enc.json" --encrypt
run "$program" stream show "$tmp/enc.json"
unlike "$out" "$digest" "show_when_encrypted_then_another_digest"
like "$out" "^variant_middle +1$" "show_when_encrypted_then_the_pixels_are"
"$program" stream new "$tmp/all.json" --stream 77 --width 1920 --height 1080 --bits 10 --embedded-top 3 \
    --embedded-bottom 0 --suite aes256-gmac --variant 1,2,1 --tag-size 12 --no-crc32
run "$program" stream show "$tmp/all.json"
for line in "stream +77" "width +1920" "height +1080" "bits +10" "embedded_top +3" "embedded_bottom +0" \
    "suite +aes256-gmac" "variant_top +1" "variant_middle +2" "variant_bottom +1" "tag_size +12" "crc32 +without"; do
    like "$out" "^$line$" "show_when_made_with_options_then_${line%% *}"
done
run bash -c "'$program' stream show '$f' >/dev/full"
is "$code" 5 "show_when_stdout_is_full_then_output_fault"

# ---- refusals of a file ----
refuse() { # NAME PATTERN CONTENT
    printf '%s' "$3" >"$tmp/bad.json"
    chmod 600 "$tmp/bad.json"
    run "$program" stream show "$tmp/bad.json"
    is "$code" 2 "show_when_$1_then_refused"
    like "$err" "$2" "show_when_$1_then_named"
}
right=$(cat "$f")
refuse empty "no JSON" ""
refuse no_json "bad.json: line 1, column [0-9]+: no JSON" "this is no JSON"
refuse an_array "no JSON object" "[1, 2]"
refuse a_key_is_unknown "\"colour\" is no key" "${right/\"stream\"/\"colour\": 1, \"stream\"}"
refuse a_key_is_missing "\"width\" .* is missing" "$(grep -v width <<<"$right")"
refuse a_number_is_too_large "\"height\" .*: 99999; allowed are 2 to 16384" "${right/\"height\": 720/\"height\": 99999}"
refuse a_number_is_text "\"height\" .* wrong kind" "${right/\"height\": 720/\"height\": \"720\"}"
refuse the_layout_is_another "\"layout\" is 'other'" "$(sed 's/"layout": ".*"/"layout": "other"/' <<<"$right")"
refuse the_secret_is_short "\"secret\" has 2 characters" "$(sed 's/"secret": ".*"/"secret": "00"/' <<<"$right")"
refuse too_long "longer than the 65536 bytes" "$(head -c 65537 /dev/zero | tr '\0' ' ')"
chmod 640 "$f"
run "$program" stream show "$f"
is "$code" 2 "show_when_others_may_read_it_then_refused"
like "$err" "chmod 600 $f" "show_when_others_may_read_it_then_says_what_to_do"
run "$program" stream show /bin/ls
is "$code" 2 "show_when_a_program_then_refused"
like "$err" "/bin/ls: it is no JSON" "show_when_a_program_then_its_mode_is_nobodys_fault"
"$program" pki new "$tmp/pki" >/dev/null
run "$program" stream show "$tmp/pki/root.pem"
like "$code $err" "^2 .*root.pem: it is no JSON\$" "show_when_a_certificate_then_its_mode_is_nobodys_fault"
mkfifo -m 600 "$tmp/pipe.json"
RUN_LIMIT=5 run "$program" stream show "$tmp/pipe.json"
is "$code" 2 "show_when_it_is_a_pipe_then_refused_at_once"
run "$program" stream show "$tmp/nothing.json"
is "$code" 2 "show_when_missing_then_refused"
like "$err" "nothing.json: No such file" "show_when_missing_then_named"

# ---- every kind of protection ----
for options in "--suite aes128-cmac --tag-size 8" "--suite aes256-cmac --tag-mode type --variants 1,1,1" \
    "--tag-mode frame --tag-size 8" "--variants 5,3,5 --pattern middle:0,1,4" "--variants 4,4,4 --pattern top:0,8,16
    --pattern middle:3,3,6 --pattern bottom:0,1,2" "--suite none"; do
    # shellcheck disable=SC2086
    run "$program" stream new "$tmp/kind.json" --force --width 64 --height 16 $options
    is "$code" 0 "new_when_${options//[^a-z0-9]/_}_then_made"
    run "$program" stream show "$tmp/kind.json"
    is "$code" 0 "show_when_${options//[^a-z0-9]/_}_then_read_back"
done
run "$program" stream new "$tmp/kind.json" --force --variants 2,3,2 --pattern middle:2,3,9
run "$program" stream show "$tmp/kind.json"
like "$out" "^pattern_middle +3 from 2 on, every 9$" "show_when_a_pattern_then_in_words"
refused() { # WHAT OPTIONS...
    local what=$1
    shift
    run "$program" stream new "$tmp/no.json" "$@"
    is "$code" 2 "new_when_${*//[^a-z0-9]/_}_then_2"
    like "$err" "$what" "new_when_${*//[^a-z0-9]/_}_then_the_reason_is_named"
    is "$(ls "$tmp/no.json" 2>/dev/null)" "" "new_when_${*//[^a-z0-9]/_}_then_no_file"
}
refused "8 bytes" --tag-size 8
refused "variant 3 of the middle block needs a pattern: --pattern middle:FIRST,COUNT,PERIOD" --variants 2,3,2
refused "variant 4 of the bottom block needs a pattern: --pattern bottom:" --variants 2,3,4 --pattern middle:0,1,2
refused "middle block: pattern: its block is neither" --pattern middle:0,1,2
refused "middle block: pattern: its count" --variants 2,3,2 --pattern middle:0,4,2
refused "top block: pattern: its count" --variants 3,3,2 --pattern middle:0,1,2 --pattern top:0,4,2
refused "without a suite the CRC-32" --suite none --no-crc32
refused "pattern: '" --pattern side:0,1,2
refused "pattern: '" --pattern middle:0,1
refused "tag-mode: '" --tag-mode line
refused "." --suite none --variants 2,2,2

# ---- pictures ----
run "$program" stream new "$tmp/sv3.json" --force --width 64 --height 32 --variants 2,3,2 --pattern middle:0,1,4
run "$program" stream picture "$tmp/sv3.json" --out "$tmp/sv3.png"
is "$code" 0 "picture_when_right_then_drawn"
like "$(head -c 8 "$tmp/sv3.png" | tr -d '\r\n\032\211')" "PNG" "picture_when_right_then_a_png"
run "$program" stream picture "$tmp/sv3.json" --out "$tmp/sv3a.png" --attack
is "$code" 0 "picture_when_attacked_then_drawn"
is "$(cmp -s "$tmp/sv3.png" "$tmp/sv3a.png"; echo $?)" 1 "picture_when_attacked_then_another_one"
width_of() { # PNG
    echo $((0x$(od -An -tx1 -j 16 -N 4 "$1" | tr -d ' \n')))
}
for columns in 1 2; do
    run "$program" stream picture "$tmp/sv3.json" "$tmp/sv3.json" --out "$tmp/columns$columns.png" --columns $columns
done
is "$((2 * $(width_of "$tmp/columns1.png") > $(width_of "$tmp/columns2.png"))) $(($(width_of "$tmp/columns2.png") > $(width_of "$tmp/columns1.png")))" "1 1" \
    "picture_when_two_columns_are_asked_then_wider_than_one_and_less_than_twice"
run "$program" stream picture "$tmp/sv3.json" --out "$tmp/x.png" --columns 0
is "$code" 2 "picture_when_no_column_is_asked_then_2"
run "$program" stream picture "$tmp/sv3.json" --out "$tmp/none/x.png"
is "$code" 5 "picture_when_it_cannot_be_written_then_5"
run "$program" stream picture "$tmp/missing.json" --out "$tmp/x.png"
is "$code" 2 "picture_when_a_file_is_missing_then_2"
is "$(ls "$tmp/x.png" 2>/dev/null)" "" "picture_when_a_file_is_missing_then_none"

# ---- usage ----
usage() { # PATTERN ARGUMENT...
    local pattern=$1
    shift
    run "$program" "$@"
    is "$code" 2 "usage_when_${*//[^a-zA-Z0-9]/_}_then_2"
    like "$err" "$pattern" "usage_when_${*//[^a-zA-Z0-9]/_}_then_explained"
}
usage "Usage: trueline COMMAND"
usage "no command 'sensro'; did you mean 'sensor'" sensro
usage "no command 'nonsense'; .trueline --help" nonsense
usage "no command '-x'; .trueline --help" -x
usage "none of new, show, test, picture" stream frobnicate
usage "Usage: trueline stream new" stream
usage "give a FILE" stream new
usage "one FILE only" stream new "$tmp/a" "$tmp/b"
usage "16 to 16384" stream new "$tmp/a" --width 8
usage "multiples of 4" stream new "$tmp/a" --width 66
usage "10 or 12" stream new "$tmp/a" --bits 8
usage "three of 1 to 5" stream new "$tmp/a" --variant 2,6,2
usage "aes128-gmac, aes256-gmac" stream new "$tmp/a" --suite rot13
usage "give a FILE" stream picture --out "$tmp/a"
usage "say where to" stream picture "$tmp/sv3.json"
usage "8, 12 or 16" stream new "$tmp/a" --tag-size 13
is "$(ls "$tmp/a" 2>/dev/null)" "" "usage_when_wrong_then_no_file"
end
