#!/bin/bash
# What the program says of itself: each command's help names its options and shows examples, no line of which is broken
# in two, and the examples work. What an example needs to be there, and what makes it quick, stands in `try`.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/loopback.bash"
RUN_LIMIT=60
cd "$tmp" # examples write files

# The examples of the page in $out, a line each; a backslash at the end takes the next line along.
examples() {
    awk '/^Examples:$/ { on = 1; next }
         /^$/ { on = 0 }
         on && /\\$/ { sub(/ *\\$/, ""); held = held $0; next }
         on { print held $0; held = "" }' <<<"$out"
}

# Options that the page lists, and those without a word of explanation: it stands behind the option, or below it.
listed() { grep -Eo '^  (-[a-zA-Z?],|   ) --[a-z0-9-]+' <<<"$out" | grep -Eo -- '--[a-z0-9-]+'; }
unexplained() {
    awk '/^  (-[a-zA-Z?],|   ) --/ { if (bare != "") print bare; bare = /--[^ ]+ +[^ ]/ ? "" : $0; next }
         /^                    +[^ ]/ { bare = ""; next }
         { if (bare != "") print bare; bare = "" }' <<<"$out"
}

# Puts a recording of a few frames with its secrets into a folder, as two files and as one, and, if asked, the reports of
# its segments.
drive() { # FOLDER [segments]
    (
        cd "$1"
        start_sensor drive --stream cam.json --once --frames 4 --rate 0
        "$program" controller --stream cam.json --connect ":$port" --frames 4 --capture drive.pcapng \
            --export-secrets drive.keys >/dev/null 2>&1
        start_sensor with-secrets --stream cam.json --once --frames 4 --rate 0
        "$program" controller --stream cam.json --connect ":$port" --frames 4 --capture with-secrets.pcapng \
            --export-secrets with-secrets.pcapng >/dev/null 2>&1
        [ $# -eq 1 ] || for i in 1 2; do
            "$program" verify drive.pcapng --keys drive.keys --segment $i/2 --report $i.json >/dev/null
        done
    )
}

# Tries an example in a folder of its own, with cam.json and a few words more: fewer frames or rounds, a free port.
# Sets $tried to no if it cannot run here: it names a file that is not there, or takes long.
try() { # COMMAND-LINE
    local line=${1%%  #*} more='' rest=''
    line=${line/--view 8080/--view 0}
    tried=no
    case $line in
    *clip.mp4* | *photo.jpg*)      return 0 ;;
    "trueline demo"*)              return 0 ;; # demo.sh runs one, which is long enough
    "trueline dump"* | "trueline spdm"* | "trueline attest"* | *--trust*)
        return 0 ;; # they need a recording, or another end with keys
    *"| ffplay -")                 rest='| cat >/dev/null' ;;
    *"| jq"*)                      command -v jq >/dev/null || return 0; rest="|${line#*|}" ;;
    esac
    tried=yes
    rm -rf "$tmp/try"
    mkdir "$tmp/try"
    case $line in
    "trueline stream new"* | "trueline pki new"*) ;;
    "trueline pki"*) "$program" pki new "$tmp/try/keys" >"$tmp/.keys" ;;
    *) small_stream "$tmp/try/cam.json" ;;
    esac
    case $line in *drive.pcapng* | *with-secrets.pcapng*) drive "$tmp/try" ;; esac
    case $line in *--join*) drive "$tmp/try" segments ;; esac
    line=${line/127.0.0.1:5004/127.0.0.1:$((20000 + RANDOM % 10000))} # UDP has no port that is told only when it is open
    case $line in
    "trueline sensor"*" --to "*)
        "$program" controller --stream "$tmp/try/cam.json" --from "${line##* --to }" --frames 2 2>"$tmp/example.err" &
        wait_line "$tmp/example.err" "receiving on"
        more='--frames 3' ;;
    "trueline controller"*" --from "*)
        "$program" sensor --stream "$tmp/try/cam.json" --to "$(grep -Eo 'udp:[0-9.:]+' <<<"$line")" --rate 50 --frames 100 2>/dev/null &
        more='--frames 3' ;;
    "trueline sensor"*)
        cd "$tmp/try" # what it records belongs there
        start_sensor example ${line#trueline sensor} --stream "$tmp/try/cam.json" --once --frames 3 --rate 0
        cd "$OLDPWD"
        line="trueline controller --stream cam.json --connect :$port" ;;
    "trueline controller"*)
        start_sensor example --stream "$tmp/try/cam.json" --once --frames 3 --rate 0
        more="--connect :$port --frames 3" ;;
    "trueline bench"*) more='--rounds 1' ;;
    esac
    run bash -c "set -o pipefail; cd '$tmp/try'; PATH=$build:\$PATH; ${line%%|*} $more $rest"
}

check_page() { # COMMAND [WORD]
    local name="$*" option line lost
    name=${name// /_}
    run "$program" "$@" --help
    is "$code" 0 "help_of_${name}_when_asked_then_exits_0"
    is "$err" "" "help_of_${name}_when_asked_then_says_nothing_else"
    like "$out" '^Examples:$' "help_of_${name}_when_asked_then_shows_examples"
    lost=$(examples | grep -v '^  trueline' || true)
    is "$lost" "" "help_of_${name}_when_printed_then_no_example_is_broken"
    is "$(unexplained)" "" "help_of_${name}_when_printed_then_each_option_is_explained"
    lost=''
    while read -r option; do
        grep -qx -e "$option" <(listed) || lost+="$option "
    done < <(examples | grep -o "trueline ${*}[^|]*" | grep -Eo -- ' --[a-z0-9-]+' | tr -d ' ' | sort -u)
    is "$lost" "" "help_of_${name}_when_an_example_has_an_option_then_the_page_names_it"
    run "$program" "$@" --no-such-option
    is "$code" 2 "help_of_${name}_when_an_option_is_unknown_then_refused"
    run "$program" "$@" --help
    mapfile -t shown < <(examples | sed 's/^  //')
    for line in "${shown[@]}"; do
        try "$line"
        [ "$tried" = no ] || is "$code" 0 "example_when_run_then_works: $line"
    done
}

run "$program" --help
is "$code" 0 "help_when_asked_then_exits_0"
mapfile -t commands < <(sed -n '/^Commands:$/,/^$/s/^  \([a-z-]*\) .*/\1/p' <<<"$out")
is "$((${#commands[@]} >= 5))" 1 "help_when_asked_then_lists_the_commands"
like "$out" "^  3  the peer is not authenticated" "help_when_asked_then_shows_the_exit_codes"
page=$out
run "$program" -h
is "$code $out" "0 $page" "help_when_asked_by_a_letter_then_the_same"
run "$program" --version
like "$out" "^trueline [0-9]+\.[0-9]+\.[0-9]+ \(layout trueline-[a-z]+\)$" "version_when_asked_then_names_the_layout"
for command in "${commands[@]}"; do
    run "$program" "$command" --help
    # A command of several words lists them in its usage, and each has a page of its own.
    mapfile -t below < <(sed -nE "s/^(Usage:|  or: ) trueline $command ([a-z]+) .*/\2/p" <<<"$out")
    if [ "${#below[@]}" -eq 0 ]; then
        check_page "$command"
    else
        is "$code" 0 "help_of_${command}_when_asked_then_exits_0"
        like "$out" '^Examples:$' "help_of_${command}_when_asked_then_shows_examples"
        for word in "${below[@]}"; do
            check_page "$command" "$word"
        done
    fi
done
end
