# Sourced by the scripts beside it: where the project stands, which builds there are, and how one is made.
# Needs bash, coreutils, cmake and make alone: `make test` runs on a bare machine.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export LC_ALL=C
jobs_at_once=$(nproc 2>/dev/null || echo 2)

# The options of a build, by its folder below the root.
build_options() { # BUILD
    case $1 in
    build | build/clang)                     echo -DTL_LAYOUT=default -DTL_SANITIZE=OFF ;;
    build/alternate | build/clang-alternate) echo -DTL_LAYOUT=alternate -DTL_SANITIZE=OFF ;;
    build/asan)                              echo -DTL_LAYOUT=default -DTL_SANITIZE=ON ;;
    build/asan-alternate)                    echo -DTL_LAYOUT=alternate -DTL_SANITIZE=ON ;;
    build/coverage)                          echo -DTL_LAYOUT=default -DTL_SANITIZE=OFF "-DCMAKE_C_FLAGS=--coverage;-fprofile-update=atomic;-w" ;; # threads count, too; unoptimised, compilers guess more
    build/freestanding)                      echo "$core_alone" "$host_core" -DTL_LAYOUT=default ;;
    build/freestanding-alternate)            echo "$core_alone" "$host_core" -DTL_LAYOUT=alternate ;;
    build/m33)                               echo "$core_alone" "$m33_core" -DTL_LAYOUT=default ;;
    build/m33-alternate)                     echo "$core_alone" "$m33_core" -DTL_LAYOUT=alternate ;;
    *) echo "no such build: $1" >&2; return 1 ;;
    esac
}
# Without position-independent code a table of constant pointers is not in a writable section.
core_alone='-DTL_OPENSSL=OFF -DTL_TOOLS=OFF -DTL_TESTS=OFF'
host_core='-DCMAKE_POSITION_INDEPENDENT_CODE=OFF -DCMAKE_C_FLAGS=-fno-pie;-no-pie;-fno-stack-protector;-fstack-usage'
# The call graphs are for scripts/sizes.
m33_core='-DCMAKE_TOOLCHAIN_FILE=cmake/cortex-m33.cmake -DCMAKE_C_FLAGS_MINSIZEREL=-Os;-DNDEBUG;-fcallgraph-info=su'

# Configures and builds, without a word unless it fails.
make_build() { # BUILD [TARGET]
    local build=$1 cc=gcc type=RelWithDebInfo cached=1 options option log=$root/$1/log
    case $build in
    build/clang*) cc=clang ;;
    build/m33*) type=MinSizeRel cached=0 ;; # ccache gives objects back without their call graphs
    build/coverage) type=Debug ;; # as the lines stand
    esac
    options=()
    for option in $(build_options "$build"); do
        options+=("${option//;/ }")
    done
    mkdir -p "$root/$build"
    if ! ( [ $cached = 1 ] || export CCACHE_DISABLE=1
           CC=$cc cmake --no-warn-unused-cli -S "$root" -B "$root/$build" -DCMAKE_BUILD_TYPE=$type "${options[@]}" &&
           cmake --build "$root/$build" -j"$jobs_at_once" ${2:+--target "$2"} ) >"$log" 2>&1; then
        grep -vE "^(-- |Not searching|\[ *[0-9]+%\]|g?make)" "$log" || cat "$log"
        return 1
    fi
}

# The project's files, one per line, relative to the root: what git has or could have, else what is there.
project_files() {
    (
        cd "$root"
        if [ -e .git ] && command -v git >/dev/null; then
            git -c safe.directory="$root" ls-files -co --exclude-standard
        else
            find . -type f ! -path './build*/*' ! -path './out/*' -printf '%P\n'
        fi
    ) | sort -u | while IFS= read -r f; do
        [ ! -f "$root/$f" ] || printf '%s\n' "$f"
    done
}
