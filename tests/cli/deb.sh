#!/bin/bash
# The Debian packages: what they say, what lintian says of them, and that they install and go without a trace.
. "$(dirname "$0")/tap.sh"
RUN_LIMIT=80
[ "$build" = "$root/build" ] || skip_all "the plain default build runs this"
for tool in dpkg dpkg-deb dpkg-shlibdeps cmake strip; do
    command -v "$tool" >/dev/null || skip_all "$tool is missing: scripts/deps --package"
done
version=$(sed -n 's/^project(trueline VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
arch=$(dpkg --print-architecture)

run "$root/scripts/deb" "$build" "$tmp/out"
is "$code" 0 "deb_when_made_then_exits_0"
packages="trueline libtrueline-dev"
[ ! -f "$build/gstreamer/libgsttrueline.so" ] || packages+=" gstreamer1.0-trueline"
is "$(cd "$tmp/out" && ls | sort | paste -sd' ')" "$(printf "%s_${version}_$arch.deb\n" $packages | sort | paste -sd' ')" "deb_when_made_then_these_packages"

field() { dpkg-deb -f "$tmp/out/$1_${version}_$arch.deb" "$2"; }
holds() { dpkg-deb -c "$tmp/out/$1_${version}_$arch.deb" | awk '{ print $6 }' | sed 's/^\.//'; }
like "$(field trueline Depends)" "libssl3 .*" "deb_when_made_then_the_program_needs_its_crypto"
like "$(field trueline Depends)" "libpng16-16 " "deb_when_made_then_the_program_needs_its_pictures"
unlike "$(field trueline Depends)" "gstreamer" "deb_when_made_then_the_program_does_not_need_gstreamer"
is "$(field libtrueline-dev Depends)" "libssl-dev (>= 3.0)" "deb_when_made_then_the_library_needs_the_headers_of_its_crypto"
for package in $packages; do
    is "$(field "$package" Version)" "$version" "deb_when_made_then_${package}_has_the_version"
    like "$(holds "$package")" "^/usr/share/doc/$package/copyright$" "deb_when_made_then_${package}_has_a_copyright"
    like "$(holds "$package")" "^/usr/share/doc/$package/changelog.gz$" "deb_when_made_then_${package}_has_its_changes"
    unlike "$(holds "$package")" "^/usr/(local|share/man/.*[0-9]$)" "deb_when_made_then_${package}_has_no_file_in_a_wrong_place"
    is "$(dpkg-deb -c "$tmp/out/${package}_${version}_$arch.deb" | awk '$2 != "root/root"' | wc -l)" 0 "deb_when_made_then_${package}_is_roots"
done
unlike "$(holds trueline)" "\.(h|def|a|pc|cmake)$" "deb_when_made_then_the_program_has_nothing_for_developers"

if command -v lintian >/dev/null; then
    run lintian --allow-root --fail-on error "$tmp"/out/*.deb
    is "$code:$(grep '^E:' <<<"$out")" "0:" "deb_when_read_by_lintian_then_no_error"
else
    skip "deb_when_read_by_lintian_then_no_error" "lintian is missing"
fi

# ---- installed below a folder of its own, with a database of its own ----
if [ "$(id -u)" != 0 ]; then
    skip "deb_when_installed_then_its_files_are_there" "dpkg --root needs root"
    end
    exit
fi
top=$tmp/root
mkdir -p "$top/var/lib/dpkg/info" "$top/var/lib/dpkg/updates" "$top/var/lib/dpkg/triggers" "$top/usr"
: >"$top/var/lib/dpkg/status"
: >"$top/var/lib/dpkg/available"
run dpkg --root="$top" --log=/dev/null --force-depends --install "$tmp"/out/*.deb
is "$code" 0 "deb_when_installed_then_exits_0"
for package in $packages; do
    while read -r path; do
        [ -e "$top$path" ] || echo "$path"
    done < <(holds "$package")
done >"$tmp/lost"
is "$(cat "$tmp/lost")" "" "deb_when_installed_then_its_files_are_there"
run "$top/usr/bin/trueline" --version
is "$code" 0 "deb_when_installed_then_the_program_runs"
run "$top/usr/bin/trueline" stream new "$tmp/cam.json"
is "$code" 0 "deb_when_installed_then_the_program_works"
if command -v pkg-config >/dev/null; then
    flags=$(PKG_CONFIG_PATH=$top/usr/lib/pkgconfig pkg-config --define-prefix --cflags --libs trueline)
    run ${CC:-gcc} "$root/examples/one_frame.c" -o "$tmp/one_frame" $flags
    is "$code" 0 "deb_when_installed_then_a_program_links_with_the_library"
    run "$tmp/one_frame"
    like "$out" "^frame 0: ok" "deb_when_installed_then_that_program_runs"
else
    skip "deb_when_installed_then_a_program_links_with_the_library" "pkg-config is missing"
fi
run dpkg --root="$top" --log=/dev/null --force-depends --install "$tmp"/out/trueline_*.deb
is "$code" 0 "deb_when_installed_again_then_exits_0"
run dpkg --root="$top" --log=/dev/null --purge $packages
is "$code" 0 "deb_when_purged_then_exits_0"
is "$(cd "$top" && find . -path ./var/lib/dpkg -prune -o ! -type d -print)" "" "deb_when_purged_then_no_file_is_left"
is "$(cd "$top" && find . -path "./usr/*")" "" "deb_when_purged_then_no_folder_is_left"
is "$(grep -c '^Package:' "$top/var/lib/dpkg/status" || true)" 0 "deb_when_purged_then_nothing_is_known_of_it"

run "$root/scripts/deb" "$tmp/no-such-build"
is "$((code > 0))" 1 "deb_when_there_is_no_build_then_refused"
mkdir -p "$tmp/empty-build"
run "$root/scripts/deb" "$tmp/empty-build" "$tmp/none"
is "$((code > 0)):$(ls "$tmp/none" 2>/dev/null)" "1:" "deb_when_the_build_is_empty_then_refused_and_no_package"
end
