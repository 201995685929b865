#!/bin/bash
# What `cmake --install` leaves is complete: a program is built and run with it by pkg-config and by find_package.
. "$(dirname "$0")/tap.sh"
RUN_LIMIT=90

command -v cmake >/dev/null || skip_all "cmake is missing"
prefix=$tmp/prefix
cc=${CC:-gcc}
sanitize=''
! grep -q '^TL_SANITIZE:BOOL=ON' "$build/CMakeCache.txt" || sanitize='-fsanitize=address,undefined'
layout=$(sed -n 's/^TL_LAYOUT:[A-Z]*=//p' "$build/CMakeCache.txt")
name=$(sed -n 's/^#define TL_LAYOUT_NAME "\(.*\)"/\1/p' "$root/layout/$layout/ids.h")

run cmake --install "$build" --prefix "$prefix"
is "$code" 0 "install_when_given_a_prefix_then_exits_0"

while IFS= read -r header; do
    path=${header#"$root/include/trueline/"}
    path=${path/#"$root/layout/$layout"/layout}
    cmp -s "$header" "$prefix/include/trueline/$path" || echo "$path"
done < <(find "$root/include/trueline" "$root/layout/$layout" -name '*.h' -o -name '*.def') >"$tmp/missing"
is "$(cat "$tmp/missing")" "" "install_when_done_then_holds_every_public_header_and_the_chosen_layout"
run grep -rlF -e "$root" "$prefix/include" "$prefix/lib" --include='*.h' --include='*.def' --include='*.pc' --include='*.cmake'
is "$out" "" "install_when_done_then_names_no_path_of_the_source_tree"

mkdir "$tmp/user"
cat >"$tmp/user/main.c" <<'END'
#include <stdio.h>
#include <trueline/base.h>
#include <trueline/crypto.h>
#include <trueline/csi2.h>
#include <trueline/stream.h>

int main(void)
{
    printf("%s %s\n", TL_LAYOUT_NAME, tl_suite_name(TL_SUITE_AES128_GMAC));
    return tl_equal(tl_span_of("a", 1), tl_span_of("a", 1)) ? 0 : 1;
}
END
cat >"$tmp/user/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(user LANGUAGES C)
find_package(trueline 0.1 REQUIRED)
add_executable(user main.c)
target_link_libraries(user PRIVATE trueline::trueline trueline::trueline_openssl)
END

pc=$(find "$prefix" -name trueline.pc)
if command -v pkg-config >/dev/null; then
    flags=$(PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --cflags --libs trueline)
    run $cc -std=c11 -Wall -Wextra -Wpedantic -Werror $sanitize "$tmp/user/main.c" -o "$tmp/by_pkg_config" $flags
    is "$code" 0 "program_when_built_by_pkg_config_then_links"
    run "$tmp/by_pkg_config"
    is "$code:$out" "0:$name aes128-gmac" "program_when_built_by_pkg_config_then_runs"
else
    skip "program_when_built_by_pkg_config_then_links" "pkg-config is missing"
fi

run cmake -S "$tmp/user" -B "$tmp/user/build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_FLAGS="$sanitize"
is "$code" 0 "program_when_it_finds_the_package_then_configures"
run cmake --build "$tmp/user/build"
is "$code" 0 "program_when_it_finds_the_package_then_links"
run "$tmp/user/build/user"
is "$code:$out" "0:$name aes128-gmac" "program_when_it_finds_the_package_then_runs"

for program in trueline trueline-input; do
    if [ -x "$build/$program" ]; then
        run "$prefix/bin/$program" --version
        is "$code" 0 "${program}_when_installed_then_runs"
    else
        skip "${program}_when_installed_then_runs" "not built"
    fi
done
for file in share/man/man1/trueline.1 share/man/man1/trueline-sensor.1 share/bash-completion/completions/trueline; do
    [ -s "$prefix/$file" ] || echo "$file"
done >"$tmp/missing"
is "$(cat "$tmp/missing")" "" "install_when_done_then_holds_manual_pages_and_completion"
end
