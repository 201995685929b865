#!/bin/bash
# Secrets and time: the portable kernels under valgrind, as each compiler makes them, SPDM's two roles, and the objects of the other
# levels as they were built. scripts/ct says how.
. "$(dirname "$0")/tap.sh"
RUN_LIMIT=110

[ "$build" = "$root/build" ] || skip_all "the same for every build: it is done once"

for config in 'gcc -O2' 'clang -O2'; do
    name=portable_kernels_by_${config%% *}
    missing=
    for tool in "${config%% *}" valgrind; do
        command -v "$tool" >/dev/null || missing=$tool
    done
    if [ -n "$missing" ]; then
        skip "${name}_when_secrets_are_followed_then_nothing_depends_on_them" "$missing is missing"
        continue
    fi
    run "$root/scripts/ct" "$config"
    is "$code" 0 "${name}_when_secrets_are_followed_then_nothing_depends_on_them"
    like "$out" '^aes128-cmac: 0 reports$' "${name}_when_secrets_are_followed_then_cmac_ran"
    like "$out" '^aes256-gmac: 0 reports$' "${name}_when_secrets_are_followed_then_gmac_ran"
    like "$out" '3 planted leaks reported$' "${name}_when_leaks_are_planted_then_reported"
done

name=spdm_when_secrets_are_followed_then_nothing_depends_on_them
if command -v valgrind >/dev/null; then
    run "$root/scripts/ct" spdm
    is "$code" 0 "$name"
    like "$out" '^spdm: 0 reports, [0-9]+ secrets, [0-9]+ secret keys, [1-9][0-9]* secret comparisons, 0$' spdm_when_secrets_are_followed_then_there_were_some
    like "$out" '2 planted leaks reported$' spdm_when_leaks_are_planted_then_reported
else
    skip "$name" "valgrind is missing"
fi

run "$root/scripts/ct" "$build/crypto/lanes/libtrueline_lanes.a"
is "$code" 0 "objects_of_all_levels_when_read_then_no_table_gather_or_division"
end
