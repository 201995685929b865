#!/bin/bash
# trueline-input on small inputs made here: what it writes byte for byte, what it says and how it exits.
. "$(dirname "$0")/tap.sh"
input=$build/trueline-input
RUN_LIMIT=20
cd "$tmp"

bytes() { # OFFSET COUNT: of what the last run wrote, as hex
    od -An -v -tx1 -j "$1" -N "$2" .out | tr -d ' \n'
}

size_out() {
    stat -c %s .out
}

refused() { # EXIT-CODE PATTERN NAME: one sentence on stderr that matches, nothing on stdout
    is "$code $(size_out) $(grep -c . .err)" "$1 0 1" "$3"
    like "$err" "^trueline-input: .*$2" "${3}_and_says_so"
}

usage_error() { # NAME ARGUMENTS...
    local name=$1
    shift
    run "$input" "$@"
    is "$code $(size_out)" "2 0" "$name"
}

ppm() { # WIDTH HEIGHT R G B (octal)
    printf 'P6\n%d %d\n255\n' "$1" "$2"
    for ((i = 0; i < $1 * $2; i++)); do printf "\\$3\\$4\\$5"; done
}

ppm 4 4 310 144 062 >colour.ppm # 200 100 50
png=iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAEElEQVR42mM4kWIERwzEcQBCchXhyRq85AAAAABJRU5ErkJggg==

# what is written

run "$input" colour.ppm
is "$code $(size_out) $err" "0 72 " "picture_when_plain_then_is_one_frame"
is "$(bytes 0 8)" 544c494e50555431 "header_begins_with_the_magic"
is "$(bytes 8 12)" 04000000040000000c000000 "header_names_width_height_and_12_bits"
is "$(bytes 28 4)" 00000000 "header_ends_with_zero"
is "$(bytes 32 8)" 4652414d20000000 "frame_begins_with_magic_and_length"
is "$(bytes 40 16)" 8c0c46068c0c46064606230346062303 "samples_are_red_green_green_blue_of_12_bits"
is "$(bytes 56 16)" 8c0c46068c0c46064606230346062303 "samples_of_the_next_rows_are_the_same"
run "$input" --bits 8 colour.ppm
is "$(bytes 16 4) $(bytes 40 16)" "08000000 c8006400c80064006400320064003200" "samples_of_8_bits_are_those_of_the_picture"
run "$input" --bits 10 colour.ppm
is "$(bytes 16 4) $(bytes 40 4) $(bytes 50 2)" "0a000000 22039101 c900" "samples_of_10_bits_are_stretched"
run "$input" --bits 14 colour.ppm
is "$(bytes 16 4) $(bytes 40 4) $(bytes 50 2)" "0e000000 31321919 8c0c" "samples_of_14_bits_are_stretched"
ppm 2 2 377 377 377 >white.ppm
run "$input" white.ppm
is "$(bytes 40 8)" ff0fff0fff0fff0f "white_is_the_largest_sample"
{ printf 'P6 2 2 65535\n' && printf '\x12\x34\x56\x78\x9a\xbc%.0s' 1 2 3 4; } >deep.ppm
run "$input" --bits 14 deep.ppm
is "$(bytes 40 8)" 8d049e159e15af26 "picture_of_16_bits_keeps_its_precision"
base64 -d <<<"$png" >colour.png
run "$input" colour.png
is "$code $(bytes 40 16)" "0 8c0c46068c0c46064606230346062303" "png_gives_the_same_samples"
run bash -c '"$1" - <colour.ppm' - "$input"
is "$code $(size_out)" "0 72" "picture_on_stdin_is_read"

# size

ppm 5 3 310 144 062 >odd.ppm
run "$input" odd.ppm
is "$code $(bytes 8 8) $(bytes 40 16)" "0 0400000002000000 8c0c46068c0c46064606230346062303" "odd_size_loses_one_column_and_row"
ppm 1 1 310 144 062 >dot.ppm
run "$input" dot.ppm
is "$code $(bytes 8 8) $(size_out)" "0 0200000002000000 48" "single_pixel_becomes_two_by_two"
run "$input" --size 9x7 colour.ppm
is "$code $(bytes 8 8) $(size_out)" "0 0800000006000000 136" "asked_size_is_made_even"
run "$input" --size 2x2 --bits 8 colour.ppm
is "$code $(size_out)" "0 48" "picture_is_scaled_down"
samples=($(od -An -v -tu2 -j 40 .out))
near=yes
for i in 0 1 2 3; do
    want=(200 100 100 50)
    ((samples[i] >= want[i] - 2 && samples[i] <= want[i] + 2)) || near="no: ${samples[*]}"
done
is "$near" yes "scaled_colour_stays_within_two_steps"

# how many

run "$input" --frames 5 colour.ppm
is "$code $(size_out)" "0 72" "picture_without_loop_comes_once"
run "$input" --loop --frames 5 colour.ppm
is "$code $(size_out)" "0 232" "picture_in_a_loop_repeats"
is "$(bytes 192 8)" 4652414d20000000 "fifth_frame_has_its_prefix"
y4m() { # FRAMES
    printf 'YUV4MPEG2 W4 H4 F25:1 C420jpeg\n'
    for ((i = 0; i < $1; i++)); do printf 'FRAME\n' && head -c 24 /dev/zero | tr '\0' '\200'; done
}
y4m 3 >clip.y4m
run "$input" clip.y4m
is "$code $(size_out) $(bytes 20 8)" "0 152 1900000001000000" "video_gives_each_frame_and_its_rate"
run "$input" --frames 2 clip.y4m
is "$code $(size_out)" "0 112" "video_ends_after_the_asked_frames"
run "$input" --loop --frames 7 clip.y4m
is "$code $(size_out)" "0 312" "video_in_a_loop_starts_again"
run "$input" --info colour.ppm
is "$code $out" "0 4x4, 25 frames/s, PPM (Portable PixelMap) image" "info_says_what_the_input_is"
cp colour.ppm 'a:b %03d.ppm'
run "$input" 'a:b %03d.ppm'
is "$code $(size_out)" "0 72" "name_with_colon_and_percent_is_a_name"

# what is refused

run "$input" none.png
refused 4 'none.png: no such file' "missing_file_is_refused"
: >empty.png
run "$input" empty.png
refused 4 'empty.png: is empty' "empty_file_is_refused"
run "$input" .
refused 4 'is a folder' "folder_is_refused"
for name in letter.txt letter.png letter; do
    printf 'Dear camera,\nI am no picture.\n' >"$name"
    run "$input" "$name"
    refused 4 "$name: is (text, )?no picture or video" "text_called_${name}_is_refused"
done
head -c 55 colour.png >cut.png
run "$input" cut.png
refused 4 'cut.png: is no picture or video, or a damaged one' "truncated_png_is_refused"
{ head -c 45 colour.png && printf 'X' && tail -c +47 colour.png; } >spoilt.png
run "$input" spoilt.png
refused 4 'spoilt.png: is no picture or video, or a damaged one' "png_with_a_wrong_byte_is_refused"
head -c 30 colour.ppm >cut.ppm
run "$input" cut.ppm
refused 4 'cut.ppm: is no picture or video, or a damaged one' "truncated_ppm_is_refused"
run "$input" --frames 2 /dev/zero
refused 4 '/dev/zero: is no picture or video' "endless_zeros_are_refused"
run "$input" --loop --frames 2 /dev/null
refused 4 '/dev/null: is ' "nothing_in_a_loop_is_refused"
run "$input" nosuch:thing
refused 4 'nosuch:thing: no such file' "unknown_kind_of_stream_is_refused"
{ printf 'P6 9000 2 255\n' && head -c 54000 /dev/zero; } >wide.ppm
run "$input" wide.ppm
refused 4 'wide.ppm: is too large: 9000x2, the limit is 8192x8192' "picture_too_wide_is_refused"
printf 'P6 2000000 2000000 255\nabc' >huge.ppm
run "$input" huge.ppm
refused 4 'huge.ppm: is ' "picture_that_claims_a_terabyte_is_refused"
{ printf 'RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data\x08\0\0\0' && printf 'aaaaaaaa'; } >sound.wav
run "$input" sound.wav
refused 4 'sound.wav: has no video stream, only sound' "sound_is_refused"
chmod 000 colour.png
if [ -r colour.png ]; then
    if command -v setpriv >/dev/null && chmod 755 "$tmp" &&
        setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$input"; then
        run setpriv --reuid=65534 --regid=65534 --clear-groups "$input" colour.png
        refused 4 'colour.png: cannot be read: Permission denied' "unreadable_file_is_refused"
    else
        skip "unreadable_file_is_refused" "this user may read everything"
    fi
else
    run "$input" colour.png
    refused 4 'colour.png: cannot be read: Permission denied' "unreadable_file_is_refused"
fi

# truncated in the middle: what decoded is delivered first

size=$(stat -c %s clip.y4m)
head -c $((size - 10)) clip.y4m >cut.y4m
run "$input" cut.y4m
is "$code $(size_out)" "4 112" "truncated_video_delivers_the_whole_frames"
like "$err" 'cut.y4m: is damaged or truncated: .*2' "truncated_video_is_reported_at_its_end"
run "$input" --loop --frames 9 cut.y4m
is "$code $(size_out)" "4 112" "truncated_video_is_not_looped"

# usage

usage_error "no_input_is_a_usage_error"
usage_error "two_inputs_are_a_usage_error" colour.ppm odd.ppm
usage_error "bits_of_9_are_a_usage_error" --bits 9 colour.ppm
usage_error "bits_of_16_are_a_usage_error" --bits 16 colour.ppm
usage_error "bits_with_a_tail_are_a_usage_error" --bits 12x colour.ppm
usage_error "negative_bits_are_a_usage_error" --bits=-8 colour.ppm
usage_error "size_without_height_is_a_usage_error" --size 640 colour.ppm
usage_error "size_of_nothing_is_a_usage_error" --size 0x480 colour.ppm
usage_error "size_of_one_is_a_usage_error" --size 640x1 colour.ppm
usage_error "size_above_the_limit_is_a_usage_error" --size 8194x2 colour.ppm
usage_error "size_beyond_64_bits_is_a_usage_error" --size 99999999999999999999999x2 colour.ppm
usage_error "no_frames_is_a_usage_error" --frames 0 colour.ppm
usage_error "unknown_option_is_a_usage_error" --nosuch colour.ppm
like "$err" 'nosuch' "unknown_option_is_named"
run "$input" --help
is "$code" 0 "help_when_asked_then_exits_0"
like "$out" 'trueline-input --info clip.mp4' "help_has_examples"
like "$out" 'Exit codes:' "help_names_the_exit_codes"

# the other end

run bash -c 'set -o pipefail; "$1" --loop colour.ppm | head -c 1000' - "$input"
is "$code $(size_out) $err" "0 1000 " "reader_that_goes_ends_it_quietly"
run bash -c '"$1" --loop colour.ppm >/dev/full' - "$input"
is "$code" 5 "full_disk_exits_5"
like "$err" 'stdout: No space left on device' "full_disk_is_named"
mkfifo pipe
sleep 30 <pipe &
bash -c '"$1" --loop colour.ppm >pipe & echo $! >child; sleep 0.3; kill -9 $$' - "$input" 2>/dev/null || true
gone=no
for ((i = 0; i < 40; i++)); do
    [ -d "/proc/$(cat child)" ] && [ "$(cut -d' ' -f3 "/proc/$(cat child)/stat" 2>/dev/null)" != Z ] || { gone=yes && break; }
    sleep 0.05
done
is "$gone" yes "parent_that_is_killed_takes_it_along"

# devices, where they are built in, and a real clip, where it is installed

run "$input" --frames 3 --size 64x48 lavfi:testsrc2=size=320x240:rate=30
if grep -q 'built without libavdevice' .err; then
    skip "test_pattern_gives_frames" "built without libavdevice"
else
    is "$code $(size_out) $(bytes 20 8)" "0 $((32 + 3 * (8 + 64 * 48 * 2))) 1e00000001000000" "test_pattern_gives_frames"
    run "$input" lavfi:nosuchfilter
    refused 4 'lavfi:nosuchfilter: ' "unknown_test_pattern_is_refused"
fi
clip=/usr/share/forensics-samples/original-files/movie1/VID_20191220_170832.mp4
if [ -r "$clip" ]; then
    run "$input" --frames 2 "$clip"
    is "$code $(size_out) $(bytes 8 8)" "0 $((32 + 2 * (8 + 1920 * 1080 * 2))) 8007000038040000" "clip_gives_frames_of_its_size"
    head -c $(($(stat -c %s "$clip") / 2)) "$clip" >half.mp4
    run "$input" --size 192x108 half.mp4
    is "$code $((($(size_out) - 32) % (8 + 192 * 108 * 2)))" "4 0" "half_a_clip_delivers_whole_frames"
    like "$err" 'half.mp4: is damaged or truncated' "half_a_clip_is_reported"
else
    skip "clip_gives_frames_of_its_size" "forensics-samples-files is missing"
fi
end
