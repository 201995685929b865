#!/bin/bash
# scripts/step: what `make` shows of a long step on a terminal, and that it is quiet elsewhere and keeps log and exit code.
. "$(dirname "$0")/tap.sh"
if [ "$build" != "$root/build" ]; then
    skip "step" "it is the same script in each build"
    end
    exit 0
fi
step=$root/scripts/step
printf 'echo "[ 7%%] Building C object a.c.o"; echo "a.c:1: oops" >&2; exit "$1"\n' >"$tmp/job"
run "$step" building "$tmp/log" bash "$tmp/job" 3
is "$code $out$err" "3 " "step_when_nobody_watches_then_quiet"
is "$(cat "$tmp/log")" $'[ 7%] Building C object a.c.o\na.c:1: oops' "step_when_it_fails_then_its_log_is_whole"
run "$step" building "$tmp/log" bash "$tmp/job" 0
is "$code $out$err" "0 " "step_when_it_ends_well_then_0"
run "$step" building "$tmp/none/log" bash "$tmp/job" 0
if [ "$code" -ne 0 ]; then ok "step_when_its_log_cannot_be_written_then_fails"; else not_ok "step_when_its_log_cannot_be_written_then_fails" "$out"; fi
run "$step" building "$tmp/log"
is "$code" 2 "step_when_there_is_no_command_then_usage"
if ! command -v script >/dev/null; then
    skip "step_when_somebody_watches" "script is not installed"
else
    run env TERM=xterm script -qec "$step building $tmp/log bash $tmp/job 3" /dev/null
    is "$code" 3 "step_when_somebody_watches_then_the_same_exit_code"
    like "$out" "building: 7%" "step_when_somebody_watches_then_the_percentage_is_shown"
    like "$(cat "$tmp/log")" "^a.c:1: oops\$" "step_when_somebody_watches_then_its_log_is_whole_too"
    run env TERM=dumb script -qec "$step building $tmp/log bash $tmp/job 0" /dev/null
    is "$code $out" "0 " "step_when_the_terminal_is_dumb_then_quiet"
fi
end
