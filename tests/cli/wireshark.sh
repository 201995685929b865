#!/bin/bash
# The dissectors in tshark: recordings of streams are taken apart to the last byte, as `trueline dump` takes them apart, and
# what is changed or cut is told without an error in Lua. TL_SEED=N repeats a run.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/wireshark.bash"

# ---- does this script notice an error? ----
cp "$lua" "$tmp/right.lua"
sed 's/^function S.message(.*/&\n  local beyond = tvb(1000000, 1)/' "$tmp/right.lua" >"$tmp/wrong.lua"
packets bytes 148 0600010510840000 "$tmp/one.pcap"
lua=$tmp/right.lua clean "$tmp/one.pcap" "message_when_right_then_nothing_is_wrong"
lua=$tmp/wrong.lua judge "$tmp/one.pcap"
like "$sums" 'uncovered=4 .* lua=[1-9]' "message_when_the_script_has_an_error_then_it_is_noticed"

# ---- CSI-2 ----

cd "$tmp"

for way in "sep:" "bare:--no-crc32 --suite aes256-cmac --tag-size 8 --encrypt" "list:--tag-mode frame" "fsed:--tag-size 12"; do
    name=${way%%:*}
    carrier=sep
    [ "$name" != fsed ] || carrier=fsed
    record $name ${way#*:} -- --carrier $carrier
    clean $name.pcapng "stream_when_${name}_then_every_byte_has_a_field_and_nothing_is_wrong"
    same_values $name.pcapng 300 "stream_when_${name}_then_the_values_are_those_of_dump" -v
done
shark sep.pcapng -Y 'trueline.sep.crc32.status == "right" && trueline.sep.tag_bytes == 16' -T fields -e frame.number
is "$(wc -w <<<"$out")" 66 "footer_when_it_has_a_crc32_then_found_out_and_right"
shark bare.pcapng -Y 'trueline.sep.tag_bytes == 8 && !trueline.sep_footer.crc32' -T fields -e frame.number
is "$(wc -w <<<"$out")" 60 "footer_when_it_has_8_bytes_then_they_are_its_tag"

# ---- a frame's metadata is put together ----

record fsed5 --suite aes256-cmac --no-crc32 --tag-size 8 --variants 2,5,2 -- --carrier fsed
clean fsed5.pcapng "metadata_when_pixels_have_no_tag_then_every_byte_has_a_field_and_nothing_is_wrong"
packets pick 147 "$(seq -s, 1 29)" frame.pcap fsed.pcapng
# In two passes each packet says where the whole is, and the whole of what it is made.
shark frame.pcap -2 -Y trueline.fsed.bytes -T fields -E separator=: -e frame.number -e trueline.fsed.whole_in -e trueline.fsed.fragment
is "$out" "2:3:
3::2,3
24:28:
25:28:
26:28:
27:28:
28::24,25,26,27,28" "metadata_when_a_frame_is_whole_then_put_together_from_its_packets"
shark frame.pcap -V
is "$(grep -cE '^ +tag: [0-9a-f]{24} \(tag of (embedded data [0-3]|RAW12 1?[0-9])\)$' <<<"$out"):$(grep -cE '^ +crc32: 0x[0-9a-f]{8} \(CRC-32 of ' <<<"$out")" \
    "20:20" "metadata_when_a_frame_is_whole_then_each_tag_and_crc32_is_named"
shark fsed5.pcapng -Y trueline.fsed.tag -T fields -e _ws.col.Info
is "$(sed 's/.*: //' <<<"$out")" "stream 1 frame 1 end, 4 tags
stream 1 frame 2 end, 4 tags
stream 1 frame 3 end, 4 tags" "metadata_when_pixels_have_no_tag_then_the_others_tags_are_found"

spoilt() { # NUMBERS FILTER ARGUMENT...: frames of these packets where the filter says yes, with the words of the last one
    packets pick 147 "$1" spoilt.pcap fsed.pcapng
    shark spoilt.pcap -Y "$2" -T fields -E separator=: -e frame.number -e _ws.col.Info "${@:3}"
    out=$(sed 's/VC0 //; s/stream 1 metadata bottom at/bottom/' <<<"$out")
}
# The third packet's bytes are lost: 20 tags of 12 bytes stand in front of 20 CRC-32s.
a=$((96 - $(sed -n 's/.*TL_FSED_HEADER_SIZE = \([0-9]*\).*/\1/p' "$root/layout/$layout/limits.h"))) # bytes of a packet
tags=$((20 - (240 - 2 * a + 11) / 12)) checks=$((20 - (3 * a - 240 + 3) / 4))
spoilt "$(seq -s, 1 25),$(seq -s, 27 29)" 'trueline.fsed.gap || trueline.fsed.incomplete'
is "$out" "26:bottom $((3 * a))
27:bottom $((4 * a)): stream 1 frame 1 end, $tags of 20 tags, $checks of 20 CRC-32s" "metadata_when_a_packet_is_lost_then_said_and_the_rest_is_shown"
spoilt "$(seq -s, 1 27),29" trueline.fsed.incomplete
is "$out" "28:frame end 2" "metadata_when_the_last_packet_is_lost_then_said_at_the_frames_end"
spoilt "$(seq -s, 1 27),29" trueline.fsed.incomplete -2
is "$(cut -d: -f1 <<<"$out" | xargs)" "24 25 26 27 28" "metadata_when_the_last_packet_is_lost_then_two_passes_mark_each"
spoilt "1,$(seq -s, 3 29)" trueline.fsed.incomplete
is "$out" "2:stream 1 metadata top at $a: not whole" "metadata_when_the_first_packet_is_lost_then_no_begin_is_shown"
spoilt "$(seq -s, 1 25),25,$(seq -s, 26 29)" 'trueline.fsed.again || trueline.sep_end.parts'
is "$out" "26:bottom $a
29:bottom $((4 * a)): stream 1 frame 1 end, 20 tags, 20 CRC-32s" "metadata_when_a_packet_is_repeated_then_said_and_the_whole_is_right"
spoilt "$(seq -s, 1 24),26,25,$(seq -s, 27 29)" 'trueline.fsed.order || trueline.fsed.gap'
is "$out" "25:bottom $((2 * a))
26:bottom $a" "metadata_when_packets_are_swapped_then_what_does_not_follow_is_not_used"
shark spoilt.pcap -C Trueline --color -Y trueline.fsed.order -T fields -e frame.coloring_rule.name
is "$out" "Trueline metadata not whole" "colours_when_metadata_is_out_of_order_then_by_the_rule"
spoilt "$(seq -s, 1 27)" trueline.fsed.incomplete
is "$out" "" "metadata_when_the_recording_ends_inside_of_a_frame_then_nothing_is_claimed"

# Parts of two frames can fit together by their places: then the CRC-32 says so, and nothing else is an error.
packets shuffle 147 "$((seed))" 80 mixed.pcap fsed.pcapng fsed5.pcapng list.pcapng
judge mixed.pcap -2
mixed=$(grep -c 'CRC-32 of the footer is wrong' <<<"$told" || true)
like "$sums" "^packets=[1-9][0-9]* .* uncovered=0 malformed=0 errors=$mixed lua=0\$" "metadata_when_80_packets_are_lost_repeated_or_swapped_then_no_byte_is_lost"
packets mutate 147 "$((seed))" 300 bad.pcap mixed.pcap
judge bad.pcap -2
like "$sums" '^packets=300 .* uncovered=0 malformed=[1-9][0-9]* errors=[1-9][0-9]* lua=0$' "metadata_when_it_is_changed_as_well_then_told_and_no_byte_is_lost"

# ---- colours ----

# Whatever has a verdict is apart from all else that has one, for eyes without one kind of cones, too.
judged="Trueline refused,Trueline checksum wrong,Trueline malformed,SPDM error,Trueline metadata not whole"
judged+=",Trueline verified,Trueline one bit corrected"
run perl "$here/wireshark_colours.pl" --apart 23 --contrast 4.5 --only "$judged" "$root/wireshark/colorfilters"
is "$code:$out" "0:rules=9 near=0 faint=0" "colours_when_seen_by_colour_blind_eyes_then_apart_and_legible"
printf '@a@x@[0,39321,0][0,0,0]\n@b@x@[52428,32896,0][0,0,0]\n@c@x@[0,0,65535][0,0,0]\n' >green.colours
run perl "$here/wireshark_colours.pl" --apart 23 --contrast 4.5 green.colours
like "$out" '^a, b: .*\(red\)$' "colours_when_two_are_one_to_colour_blind_eyes_then_noticed"
like "$out" '^c: contrast 2\.[0-9]$' "colours_when_text_is_faint_then_noticed"

# ---- where Wireshark looks ----

run cmake -DCMAKE_INSTALL_PREFIX="$tmp/prefix" -P "$build/wireshark/cmake_install.cmake"
line=$(sed -n 's/^-- *\(mkdir .*\)/\1/p' <<<"$out")
bash -c "$line"
is "$(cat "$HOME/.config/wireshark/profiles/Trueline/colorfilters")" "$(cat "$root/wireshark/colorfilters")" \
    "install_when_its_lines_are_followed_then_wireshark_finds_the_profile"
run tshark -n -r sep.pcapng -c 2
like "$out" 'CSI-2 .*VC0 stream 1 frame 1 begin' "install_when_its_line_is_followed_then_wireshark_finds_the_dissectors"
shark sep.pcapng -c 2
like "$out$err" 'stream 1 frame 1 begin' "script_when_given_beside_an_installation_then_still_works"
rm -r "$HOME/.local"
DESTDIR=$tmp/root run cmake -DCMAKE_INSTALL_PREFIX=/usr -P "$build/wireshark/cmake_install.cmake"
is "$(cd "$tmp/root/usr" && find . -name 'trueline.lua' | grep -c wireshark/plugins/trueline.lua)" 1 \
    "install_when_below_usr_then_in_the_folder_of_plugins"
is "$(cd "$tmp/root/usr" && find . -path '*/profiles/Trueline/colorfilters' | wc -l)" 1 "install_when_below_usr_then_with_the_profile"

# ---- the data connection ----

if [ "$layout" = default ]; then
    hello=747275656c696e65$(printf '01000100010001000000000%0129d' 0)
    packets data 5555 "$((seed))" "$hello" sep.pcapng data.pcap
    shark data.pcap -d tcp.port==5555,trueline_data -T pdml
    is "$(grep -c 'proto name="trueline_csi2"' "$tmp/.out"):$(grep -c 'trueline.hello.magic' "$tmp/.out")$err" "72:1" \
        "data_when_segments_begin_anywhere_then_the_greeting_and_each_packet"
    packets data 5555 "$((seed))" "${hello//6/7}" sep.pcapng data.pcap
    shark data.pcap -d tcp.port==5555,trueline_data -Y trueline.value -T fields -e _ws.col.Info
    like "$out$err" '^no packet' "data_when_the_greeting_is_none_then_told"
fi

# ---- what is changed ----

packets mutate 147 "$((seed))" 600 bad.pcap sep.pcapng fsed.pcapng list.pcapng
judge bad.pcap
like "$sums" '^packets=600 .* uncovered=0 malformed=[1-9][0-9]+ errors=[1-9][0-9]+ lua=0$' \
    "packets_when_changed_then_told_and_no_byte_is_lost"
end
