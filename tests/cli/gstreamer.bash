# Sourced by the tests of the GStreamer elements, behind tap.sh: leaves the test where they cannot run, and sets the
# environment in which they are found.

RUN_LIMIT=60
plugin=$build/gstreamer/libgsttrueline.so
for need in gst-launch-1.0 gst-inspect-1.0; do
    command -v "$need" >/dev/null || skip_all "$need is missing: scripts/deps --gstreamer"
done
[ -f "$plugin" ] || skip_all "the plugin was not built: GStreamer's headers were missing"
export GST_PLUGIN_PATH=$build/gstreamer GST_REGISTRY=$tmp/registry GST_REGISTRY_FORK=no G_DEBUG=fatal-criticals
if grep -q 'TL_SANITIZE:BOOL=ON' "$build/CMakeCache.txt"; then
    # The program is not ours: the sanitizer must be there before it, and GLib keeps what it has allocated.
    launch_env=(env LD_PRELOAD="$(gcc -print-file-name=libasan.so)" ASAN_OPTIONS=detect_leaks=0:abort_on_error=1)
else
    launch_env=(env)
fi
for need in checksumsink rawvideoparse pngenc multifilesink udpsink; do
    "${launch_env[@]}" gst-inspect-1.0 --exists "$need" || skip_all "element $need is missing: scripts/deps --gstreamer"
done
trueline=$build/trueline
cd "$tmp"

launch() { # ARGUMENT...
    run "${launch_env[@]}" gst-launch-1.0 "$@"
}

# Checksums of the frames that a pipeline ends with, with their time stamps.
sums() { # ARGUMENT...
    launch -q "$@" ! checksumsink hash=md5 sync=false
    grep -E '^[0-9]:[0-9:.]+ [0-9a-f]{32}$' <<<"$out" || true
}
