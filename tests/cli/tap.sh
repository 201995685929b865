# Sourced by the tests of this folder: TAP on stdout, a scratch folder, and commands run under a time-out.
#
#   . "$(dirname "$0")/tap.sh"
#   run "$build/trueline" --version          sets $code, $out and $err
#   is "$code" 0 "version_when_asked_then_exits_0"
#   like "$out" "^trueline [0-9]" "version_when_asked_then_prints_it"
#   end
#
# $build is the build folder (the test's first argument), $tmp the scratch folder, RUN_LIMIT the seconds that `run`
# waits. A test that leaves without `end` prints no plan, and thereby fails. Background jobs are ended with it.
set -euo pipefail

build=$(cd "${1:?usage: $0 BUILD}" && pwd)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tmp=$(mktemp -d)
tap_count=0
code=0 out='' err=''

tap_leave() {
    local pids
    pids=$(jobs -pr)
    [ -z "$pids" ] || kill $pids 2>/dev/null || true
    rm -rf "$tmp"
}
trap tap_leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

ok() { # NAME
    tap_count=$((tap_count + 1))
    printf 'ok %d - %s\n' "$tap_count" "$1"
}

not_ok() { # NAME [DETAIL]
    tap_count=$((tap_count + 1))
    printf 'not ok %d - %s\n' "$tap_count" "$1"
    [ -z "${2-}" ] || printf '%s\n' "$2" | sed 's/^/#   /'
}

skip() { # NAME REASON
    tap_count=$((tap_count + 1))
    printf 'ok %d - %s # SKIP %s\n' "$tap_count" "$1" "$2"
}

skip_all() { # REASON: nothing here can run on this machine
    printf '1..0 # SKIP %s\n' "$1"
    exit 0
}

# What the last `run` printed, for people who read a failure.
tap_said() {
    printf 'exit code: %s\nstdout: %s\nstderr: %s' "$code" "${out:0:2000}" "${err:0:2000}"
}

is() { # GOT EXPECTED NAME
    if [ "$1" = "$2" ]; then
        ok "$3"
    else
        not_ok "$3" "got:      $1
expected: $2
$(tap_said)"
    fi
}

like() { # TEXT PATTERN NAME: some line matches the extended regular expression
    if grep -Eq -e "$2" <<<"$1"; then
        ok "$3"
    else
        not_ok "$3" "no line matches: $2
in: $1
$(tap_said)"
    fi
}

unlike() { # TEXT PATTERN NAME: no line matches
    if grep -Eq -e "$2" <<<"$1"; then
        not_ok "$3" "a line matches: $2
in: $1
$(tap_said)"
    else
        ok "$3"
    fi
}

shows_compiled() { # MARKDOWN SOURCE MARK NAME: its block of C is what stands between `MARK begin` and `MARK end` in the source
    local shown example
    shown=$(sed -n '/^```c$/,/^```$/p' "$1" | sed '1d;$d')
    example=$(sed -n "/^\/\* $3 begin \*\/\$/,/^\/\* $3 end \*\/\$/p" "$2" | sed '1d;$d')
    if [ -n "$example" ] && [ "$example" = "$shown" ]; then ok "$4"; else not_ok "$4"; fi
}

run() { # COMMAND...: never fails itself; code is 124 after RUN_LIMIT seconds
    code=0
    timeout --kill-after=5 "${RUN_LIMIT:-30}" "$@" >"$tmp/.out" 2>"$tmp/.err" </dev/null || code=$?
    out=$(tr -d '\0' <"$tmp/.out")
    err=$(tr -d '\0' <"$tmp/.err")
}

end() {
    printf '1..%d\n' "$tap_count"
}
