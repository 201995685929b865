# Sourced by the tests of the dissectors, behind tap.sh: recordings, tshark, and what it makes of them. TL_SEED=N repeats a run.
. "$root/tests/cli/loopback.bash"
RUN_LIMIT=60
here=$root/tests/cli
lua=$build/wireshark/trueline.lua
seed=${TL_SEED:-$$}
layout=$(sed -n 's/^TL_LAYOUT:[A-Z]*=//p' "$build/CMakeCache.txt")

! grep -q '^TL_SANITIZE:BOOL=ON' "$build/CMakeCache.txt" || skip_all "tshark is not of this build"
command -v tshark >/dev/null || skip_all "tshark is missing: scripts/deps --wireshark"
perl -MJSON::PP -e 1 2>/dev/null || skip_all "perl has no JSON::PP"
export HOME=$tmp XDG_CONFIG_HOME=$tmp/config
mkdir -p "$XDG_CONFIG_HOME/wireshark/profiles/Trueline"
cp "$root/wireshark/colorfilters" "$XDG_CONFIG_HOME/wireshark/profiles/Trueline/"

echo "# seed $((seed))"

shark() { # FILE ARGUMENT...
    local file=$1
    shift
    run tshark -n -X "lua_script:$lua" -r "$file" "$@"
    err=$(grep -v '^Running as user' <<<"$err" || true)
}

# Judges each packet of a recording: sets $sums and $told, and leaves what tshark printed.
judge() { # FILE ARGUMENT...
    shark "$1" -T pdml "${@:2}"
    cp "$tmp/.out" "$tmp/pdml"
    perl "$here/wireshark_pdml.pl" <"$tmp/pdml" >"$tmp/judged"
    sums=$(tail -n 1 "$tmp/judged")
    told=$(sed '$d' "$tmp/judged")
    [ -z "$err" ] || sums="$sums; stderr: $err"
}

clean() { # FILE NAME ARGUMENT...: nothing is wrong, and no byte is without a field
    judge "$1" "${@:3}"
    if [[ $sums =~ ^packets=[1-9][0-9]*\ bytes=[1-9][0-9]*\ uncovered=0\ malformed=0\ errors=0\ lua=0$ ]]; then
        ok "$2"
    else
        not_ok "$2" "$sums
$told"
    fi
}

# The dump of this file and what was judged last must be the same.
same_values() { # FILE AT-LEAST NAME ARGUMENT...
    local counted
    run "$build/trueline" dump --json "$1" "${@:4}"
    cp "$tmp/.out" "$tmp/dumped"
    perl "$here/wireshark_pdml.pl" --values <"$tmp/pdml" >"$tmp/shown"
    counted=$(perl "$here/wireshark_values.pl" "$tmp/dumped" "$tmp/shown")
    if [[ $(tail -n 1 <<<"$counted") =~ values=([0-9]+)\ wrong=0$ ]] && [ "${BASH_REMATCH[1]}" -ge "$2" ]; then
        ok "$3"
    else
        not_ok "$3" "$counted"
    fi
}

packets() {
    perl "$here/wireshark_packets.pl" "$@"
}

record() { # NAME STREAM-OPTIONS... -- SENSOR-OPTIONS...: a recording of three frames, and its secrets
    local name=$1 options=()
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    small_stream "$name.json" "${options[@]}" >/dev/null
    start_sensor "$name" --stream "$name.json" --once "${@:2}"
    run "$program" controller --connect "127.0.0.1:$port" --stream "$name.json" --frames 3 "${@:2}" \
        --capture "$name.pcapng" --export-secrets "$name.keys"
    finish "$sensor"
}
