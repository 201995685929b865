#!/bin/bash
# The kernels' unit tests on 64-bit ARM: cross-compiled, and run under emulation.
. "$(dirname "$0")/tap.sh"
RUN_LIMIT=110
cc=aarch64-linux-gnu-gcc

for tool in $cc qemu-aarch64 cmake make; do
    command -v $tool >/dev/null || skip_all "$tool is missing; scripts/deps --arm installs it"
done
[ "$build" = "$root/build" ] || skip_all "the same for every build: it is done once"

run cmake -S "$root" -B "$tmp/arm" -DCMAKE_TOOLCHAIN_FILE="$root/cmake/aarch64-linux.cmake" -DTL_OPENSSL=OFF \
    -DTL_TOOLS=OFF -DTL_TESTS=OFF
is "$code" 0 "kernels_when_configured_for_arm_then_succeeds"
# Without what it depends on: the tests bring the few files of the core along that they need.
run make -C "$tmp/arm" -j2 trueline_lanes/fast
is "$code" 0 "kernels_when_compiled_for_arm_then_succeeds"

# Builds a unit test with the stand-in for cmocka, runs it with that processor, and gives its results.
test_on() { # PROCESSOR TEST LEVELS
    local name=$2_on_$1 include planned
    include="-I$root/tests/bare -I$root/tests/support -I$root/sim -I$root/include -I$root/src -I$root/crypto/lanes"
    run $cc -static -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -g -Wall -Wextra -Werror $include \
        -DTL_TEST_DATA="\"$root/tests/vectors\"" "$root/tests/unit/$2.c" \
        "$root"/tests/support/{testing,vectors,wrap}.c "$tmp/arm/crypto/lanes/libtrueline_lanes.a" \
        "$root"/src/base/*.c -o "$tmp/$2"
    is "$code" 0 "${name}_when_compiled_then_succeeds"
    run qemu-aarch64 -cpu "$1" "$tmp/$2"
    is "$code" 0 "${name}_when_run_then_succeeds"
    planned=$(sed -n 's/^1\.\.//p' <<<"$out")
    is "$(grep -c '^ok' <<<"$out")" "$planned" "${name}_when_run_then_every_case_is_right"
    is "$(sed -n 's/^# level //p' <<<"$out" | sort -u | paste -sd' ')" "$3" \
        "${name}_when_run_then_levels_are:_${3:-none}"
}

test_on cortex-a57 lanes_soft ''
test_on cortex-a57 lanes_vectors 'armv8 soft'

export OBJDUMP=aarch64-linux-gnu-objdump
run "$root/scripts/ct" "$tmp/arm/crypto/lanes/libtrueline_lanes.a"
is "$code" 0 "objects_for_arm_when_read_then_no_table_gather_or_division"
end
