#!/bin/bash
# tlprotect, tlverify, tlsink and tlsrc in pipelines of one machine: formats there and back, recordings, and what they say
# when they cannot work. The commands of docs/GSTREAMER.md are run here too.
. "$(dirname "$0")/tap.sh"
. "$root/tests/cli/gstreamer.bash"

# ---- elements ----

run "${launch_env[@]}" gst-inspect-1.0 tlprotect
is "$code" 0 "tlprotect_is_found"
like "$out" 'keys +: The stream file' "tlprotect_explains_its_keys"
like "$out" 'Example: gst-launch-1.0' "tlprotect_shows_an_example"
run "${launch_env[@]}" gst-inspect-1.0 tlverify
is "$code" 0 "tlverify_is_found"
like "$out" 'on-bad +: ' "tlverify_explains_on_bad"

"$trueline" stream new cam.json >/dev/null
"$trueline" stream new other.json >/dev/null
"$trueline" stream new secret.json --encrypt --suite aes256-gmac --tag-size 12 >/dev/null

# ---- formats ----

there_and_back() { # NAME KEYS OPTIONS CAPS...
    local name=$1 keys=$2 options=$3 source plain got
    shift 3
    source="videotestsrc num-buffers=3 ! $*"
    plain=$(sums $source)
    got=$(sums $source ! tlprotect keys="$keys" $options ! tlverify keys="$keys" ${options//mtu=*/})
    is "$got" "$plain" "$name"
    [ "$(grep -c . <<<"$plain")" = 3 ] || not_ok "${name}_has_frames" "$plain"
}

for format in I420 NV12 RGB GRAY16_LE v210 P010_10LE; do
    there_and_back "${format}_comes_back_as_it_was" cam.json "" "video/x-raw,format=$format,width=192,height=108"
done
there_and_back "bayer_comes_back_as_it_was" cam.json "" "video/x-bayer,format=grbg,width=192,height=108"
there_and_back "tiles_come_back_as_they_were" cam.json "" "video/x-raw,format=NV12_64Z32,width=192,height=128"
there_and_back "palette_comes_back_as_it_was" cam.json "" "video/x-raw,format=RGB8P,width=192,height=108"
there_and_back "lines_in_pieces_come_back_as_they_were" cam.json mtu=300 "video/x-raw,format=RGB,width=332,height=60"
there_and_back "encrypted_frames_come_back_as_they_were" secret.json "" "video/x-raw,format=I420,width=192,height=108"
there_and_back "encryption_may_be_asked_for_in_the_pipeline" cam.json encrypt=true \
    "video/x-raw,format=I420,width=192,height=108"

for suite in aes256-gmac aes128-cmac; do
    for mode in data-type frame; do
        there_and_back "${suite}_with_a_tag_for_each_${mode}_works" cam.json "suite=$suite tag-mode=$mode" \
            "video/x-raw,format=I420,width=192,height=108"
    done
done
there_and_back "cmac_tags_of_8_bytes_work" cam.json "suite=aes128-cmac tag-size=8 encrypt=true" \
    "video/x-raw,format=I420,width=192,height=108"

# Encrypted packets hold nothing of a picture that is of one value throughout, and plain ones do.
white='videotestsrc num-buffers=1 pattern=white ! video/x-raw,format=GRAY8,width=192,height=108'
launch -q $white ! tlprotect keys=cam.json ! filesink location=plain.bin
launch -q $white ! tlprotect keys=cam.json encrypt=true ! filesink location=cipher.bin
is "$(grep -c "$(printf '\xeb%.0s' {1..64})" -a plain.bin | sed 's/^[1-9].*/some/')" some "plain_packets_hold_the_picture"
is "$(LC_ALL=C grep -c "$(printf '\xeb%.0s' {1..4})" -a cipher.bin)" 0 "encrypted_packets_do_not"
is "$(grep -c 'video/x-raw' -a plain.bin) $(grep -c 'video/x-raw' -a cipher.bin)" "1 0" "the_format_is_encrypted_too"

# Rows that stand wider than the format's own: a crop leaves them so.
crop='videotestsrc num-buffers=3 ! video/x-raw,format=I420,width=200,height=100 ! videocrop left=6 right=2 top=4'
plain=$(sums $crop ! videoconvert ! video/x-raw,format=RGB)
is "$(sums $crop ! tlprotect keys=cam.json ! tlverify keys=cam.json ! videoconvert ! video/x-raw,format=RGB)" "$plain" \
    "cropped_frames_come_back_as_they_were"

# Caps that change in mid-stream.
one='videotestsrc num-buffers=3 ! video/x-raw,format=I420,width=192,height=108,framerate=10/1'
two='videotestsrc num-buffers=3 ! video/x-raw,format=RGB,width=96,height=50,framerate=10/1'
both=$(sums concat name=c $one ! c. $two ! c. c. ! tlprotect keys=cam.json ! tlverify keys=cam.json)
is "$(cut -d' ' -f2 <<<"$both")" "$({ sums $one; sums $two; } | cut -d' ' -f2)" "caps_that_change_change_there_too"

# ---- replay of a recording, and what is remembered ----

record='videotestsrc num-buffers=9 pattern=ball ! video/x-raw,format=I420,width=192,height=108'
launch -q $record ! tlprotect keys=cam.json ! gdppay ! filesink location=recording.gdp
play() { # TLVERIFY-OPTIONS...
    sums filesrc location=recording.gdp ! gdpdepay ! tlverify "$@"
}
plain=$(sums $record)
is "$(play keys=cam.json)" "$plain" "recording_plays"
is "$(play keys=cam.json)" "$plain" "recording_plays_again_without_a_state_file"
is "$(play keys=cam.json state=seen)" "$plain" "recording_plays_once_with_one"
play keys=cam.json state=seen >/dev/null
is "$(grep -cE '^[0-9:.]+ [0-9a-f]{32}$' <<<"$out")" 0 "recording_does_not_play_again"
like "$err" 'No frame verified|announcement' "and_says_so"

launch -m filesrc location=recording.gdp ! gdpdepay ! tlverify keys=cam.json state=seen messages=all ! fakesink async=false
unlike "$out$err" 'fresh=\(boolean\)true' "and_calls_nothing_of_it_fresh"
launch -m filesrc location=recording.gdp ! gdpdepay ! tlverify keys=cam.json state=first messages=all ! fakesink async=false
like "$out$err" 'frame-ok.*fresh=\(boolean\)true' "frames_of_the_first_time_are_fresh"

# ---- the ring ----

"${launch_env[@]}" timeout 40 gst-launch-1.0 -q tlsrc path="$tmp/ring" ! tlverify keys=cam.json ! \
    checksumsink hash=md5 sync=false >ring.sums 2>ring.err &
reader=$!
launch -q $record ! tlprotect keys=cam.json mtu=65541 ! tlsink path="$tmp/ring"
is "$code" 0 "ring_takes_the_stream"
reader_code=0
wait "$reader" || reader_code=$?
is "$reader_code $(cat ring.sums)" "0 $plain" "ring_gives_the_stream_to_another_process"
[ ! -e ring ] && ok "ring_leaves_no_socket" || not_ok "ring_leaves_no_socket"

# ---- a frame that is cut: painted, and flagged ----

cut="videotestsrc num-buffers=2 pattern=white ! video/x-raw,format=GRAY8,width=64,height=32 ! tlprotect keys=cam.json !
    identity eos-after=59 ! tlverify keys=cam.json"
launch -v $cut on-bad=mark ! identity name=out silent=false ! fakesink
is "$(grep -c 'out: last-message = chain' <<<"$out") $(grep -c 'last-message = chain.*corrupted' <<<"$out")" "2 1" \
    "marked_frame_has_the_flag"
launch -v $cut ! identity name=out silent=false ! fakesink
is "$(grep -c 'out: last-message = chain' <<<"$out") $(grep -c 'last-message = chain.*corrupted' <<<"$out")" "1 0" \
    "dropped_frame_does_not_come"

cut="videotestsrc num-buffers=2 pattern=white ! video/x-raw,format=GRAY8,width=64,height=32 !
    tlprotect keys=cam.json tag-mode=frame ! identity eos-after=59 ! tlverify keys=cam.json tag-mode=frame"
launch -q $cut on-bad=mark ! multifilesink location=whole%d.raw
is "$(od -An -v -tu1 -w1 whole1.raw | sort -un | xargs)" "16 106" "without_tags_for_lines_the_whole_frame_is_painted"

# ---- the document ----

# A command of docs/GSTREAMER.md, for a machine without camera and screen.
documented() { # PATTERN
    sed -n 's/^    \(gst-launch-1.0 .*\)/\1/p' "$root/docs/GSTREAMER.md" | grep -- "$1" | head -n1 |
        sed "s/v4l2src/videotestsrc num-buffers=9/; s/autovideosink/checksumsink hash=md5 sync=false/; s/=5000/=$port/"
}

# Runs the receiver's command, then the sender's: $got is how many frames came.
both_ends() { # RECEIVER-PATTERN SENDER-PATTERN
    local receiver i
    "${launch_env[@]}" timeout --foreground 40 $(documented "$1" | sed 's/gst-launch-1.0/& -e/') >doc.out 2>&1 &
    receiver=$!
    for ((i = 0; i < 100; i++)); do
        ! grep -q 'PLAYING' doc.out 2>/dev/null || break
        sleep 0.05
    done
    run "${launch_env[@]}" $(documented "$2")
    sleep 0.5
    kill -INT "$receiver" 2>/dev/null || true
    wait "$receiver" || true
    got=$(grep -cE '^[0-9]:[0-9:.]+ [0-9a-f]{32}$' doc.out || true)
}

port=$(perl -MIO::Socket::INET -e \
    'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Proto => "udp")->sockport')
cp -p cam.json gst.json # the page's name for it
both_ends 'udpsrc port' 'udpsink host'
is "$code $got" "0 9" "two_hosts_work_as_documented"
both_ends 'tlsrc path' 'tlsink path'
is "$code $got" "0 9" "two_processes_work_as_documented"
for pattern in 'encrypt=true.*encrypt=true' 'gdppay' 'gdpdepay'; do
    run "${launch_env[@]}" $(documented "$pattern")
    is "$code" 0 "documented_command_with_${pattern%%[=.]*}_works"
done

# ---- what cannot work says why ----

refuses() { # NAME PATTERN PIPELINE...
    local name=$1 pattern=$2
    shift 2
    launch -q "$@"
    [ "$code" != 0 ] && [ "$code" != 124 ] && ok "$name" || not_ok "$name" "$(tap_said)"
    like "$err" "$pattern" "${name}_and_says_why"
}

# gst-launch may miss an error while a sink waits for its first frame; this one does not wait.
away='fakesink async=false'
source='videotestsrc num-buffers=3 ! video/x-raw,format=I420,width=64,height=48'
refuses "no_keys" 'keys: no stream file was given' $source ! tlprotect ! $away
refuses "missing_file" 'absent.json' $source ! tlprotect keys=absent.json ! $away
cp cam.json open.json && chmod 640 open.json
refuses "file_that_others_may_read" 'open.json.*others may' $source ! tlprotect keys=open.json ! $away
echo '{' >broken.json && chmod 600 broken.json
refuses "file_that_is_none" 'broken.json.*no JSON' $source ! tlprotect keys=broken.json ! $away
refuses "receiver_without_keys" 'keys: no stream file was given' \
    $source ! tlprotect keys=cam.json ! tlverify ! $away
refuses "other_keys" 'not made with our stream file.s secret' \
    $source ! tlprotect keys=cam.json ! tlverify keys=other.json ! $away
refuses "other_policy" 'another configuration' \
    $source ! tlprotect keys=cam.json encrypt=true ! tlverify keys=cam.json ! $away
refuses "unknown_suite" 'aes128-gmac' $source ! tlprotect keys=cam.json suite=rot13 ! $away
refuses "tag_too_short" 'tag size|tag' $source ! tlprotect keys=cam.json tag-size=4 ! $away
refuses "mtu_too_small_for_the_format" 'larger mtu' $source ! \
    capssetter caps="video/x-raw,note=(string)$(printf 'x%.0s' {1..300})" ! tlprotect keys=cam.json mtu=256 ! $away
refuses "frames_without_a_format" 'without their format' \
    filesrc location=cam.json ! tlprotect keys=cam.json ! $away
refuses "not_pictures" 'could not link|not-linked' audiotestsrc num-buffers=3 ! tlprotect keys=cam.json ! $away
refuses "state_that_is_none" 'cam.json' $source ! tlprotect keys=cam.json ! tlverify keys=cam.json state=cam.json ! \
    $away
refuses "ring_without_a_path" 'path: none was given' $source ! tlprotect keys=cam.json ! tlsink
refuses "ring_without_a_reader" 'ring' $source ! tlprotect keys=cam.json ! tlsink path=nobody.ring wait=300
launch $source ! tlprotect keys=cam.json ! tlsink path=nobody.ring wait=300
like "$out$err" 'Waiting for a receiver at nobody.ring' "ring_without_a_reader_is_told_while_it_waits"
refuses "ring_where_no_ring_can_be" 'there is no folder' $source ! tlprotect keys=cam.json ! tlsink path=/nonexist/ring
refuses "pictures_that_are_too_wide" 'cannot be protected|larger mtu' $source ! capssetter \
    caps="video/x-raw,note=(string)$(printf 'x%.0s' {1..300})" ! tlprotect keys=cam.json mtu=256 ! $away
is "$(grep -c '^ERROR: from element.*TlProtect' <<<"$out
$err")" 1 "refusal_of_caps_is_told_once"
refuses "ring_on_a_file_that_is_there" 'cam.json' tlsrc path=cam.json ! $away
secret=$(sed -n 's/.*"secret": *"\([0-9a-f]*\)".*/\1/p' cam.json)
launch -v $source ! tlprotect keys=cam.json ! tlverify keys=cam.json ! $away
unlike "$out$err" "$secret" "secret_is_not_printed"
end
