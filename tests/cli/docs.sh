#!/bin/bash
# Every command that the Markdown files show is run, in order, in a scratch folder for each file: the tree as a reader has
# it, but that what is written stays there. A block of code is one of these, said by a comment in the line above it,
# `<!-- run: KIND -->`, or by its first word where that is a program of ours or of every developer's:
#     (nothing)       its lines are a script. A line that begins with `! ` must refuse something, exit code 1 or 3: a wrong
#                     file or option is no refusal
#     background      the same, but its last command stays: it is ended when the next one of these begins, or the file ends
#     file NAME       no commands: written as NAME
#     output          what the command before it printed, line by line, among other things
#     usage           a command's words: its --help must know its options
#     needs WHAT...   a script, left out by name where a program, or with HEADER.h a header, or GStreamer's element, is missing
#     not REASON      left out, always, for that reason
# The files that compile the library anew are docs_builds.sh's part, since that takes time.
# Lines that begin with `make` are not run: the target must be in the Makefile. A block that begins with no command must have
# none inside. Whoever reads one file after the other stays in one folder: what `stream new` and `pki new` make has a name
# that no other file uses, since they replace nothing. The counts are printed, with a reason for each block that was not run.
. "$(dirname "$0")/tap.sh"
RUN_LIMIT=80
[ "$build" = "$root/build" ] || skip_all "the plain default build runs this"
command -v perl >/dev/null || skip_all "perl is missing"
# Programs listen on fixed ports: they get a network of their own.
if [ -z "${DOCS_ALONE-}" ]; then
    isolate=(unshare -rn)
    ! unshare -n true 2>/dev/null || isolate=(unshare -n)
    "${isolate[@]}" sh -c 'ip link set lo up' 2>/dev/null || skip_all "no network namespaces here: unshare, ip"
    rm -rf "$tmp"
    trap - EXIT
    DOCS_ALONE=1 exec "${isolate[@]}" sh -c 'ip link set lo up && exec "$@"' sh bash "$0" "$@"
fi

words='(build/)?trueline(-input)?|(\.|[a-z0-9-]*build)/[a-z0-9/_-]+|!|make|cc|cmake|git|scripts/[a-z-]+|gst-(launch|inspect)-1\.0|pkg-config|ctest|valgrind|tshark|wireshark|man|sed|cp|mkdir|dpkg|sudo|export|ls|perl'

# Blocks as files N.KIND in a folder, their rest of the marker in N.rest, their place in N.place.
extract() { # MARKDOWN FOLDER
    perl -e '
        my ($from, $folder, $words) = @ARGV;
        my ($n, $mark, @block, $fence, $start) = (0, undef);
        my $blank = 1;
        sub put {
            return unless @block;
            pop @block while @block && $block[-1] =~ /^\s*$/;
            my $first = $block[0];
            my $commands = grep { /^(?:\$ )?(?:$words)(?:\s|$)/ } @block;
            my ($kind, $rest) = defined $mark ? split(/\s+/, $mark, 2) : $first =~ /^(?:$words)(?:\s|$)/ ? ("script", "") : ("text", "");
            $kind = "unmarked" if $kind eq "text" && $commands;
            my $name = sprintf "%s/%03d", $folder, ++$n;
            open my $out, ">", "$name.$kind" or die;
            print $out map { "$_\n" } @block;
            close $out;
            open $out, ">", "$name.rest"; print $out $rest // ""; close $out;
            open $out, ">", "$name.place"; print $out "$start"; close $out;
            (@block, $mark) = ();
        }
        open my $in, "<", $from or die "$from: $!";
        while (<$in>) {
            chomp;
            if (defined $fence) {
                if (/^```/) { undef $fence; put(); } else { push @block, $_; }
                next;
            }
            if (@block) {
                if (/^    (.*)/) { push @block, $1; next; }
                if (/^\s*$/) { push @block, ""; next; }
                put();
            }
            if (/^<!-- run: (.*?) -->$/) { $mark = $1; $blank = 1; next; }
            if (/^```/) { $fence = 1; $start = $.; next; }
            if ($blank && /^    (\S.*)/) { push @block, $1; $start = $.; $blank = 0; next; }
            $blank = /^\s*$/;
            undef $mark unless $blank;
        }
        put();' "$1" "$2" "$words"
}

declare -A count=()
stays=''
leave_background() {
    [ -n "$stays" ] || return 0
    kill -INT "$stays" 2>/dev/null || true
    for _ in $(seq 50); do
        kill -0 "$stays" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$stays" 2>/dev/null || true
    wait "$stays" 2>/dev/null || true
    stays=''
}

lacks() { # WHAT: is it missing here?
    case $1 in
    */*.so) [ ! -e "$1" ] ;;
    *.h) ! echo "#include <$1>" | cc -E - >/dev/null 2>&1 ;;
    gst-element-*) ! gst-inspect-1.0 --exists "${1#gst-element-}" 2>/dev/null ;;
    *) ! command -v "$1" >/dev/null ;;
    esac
}

# The block's commands without those of make, whose targets are looked up.
without_make() { # BLOCK
    local target
    while read -r target; do
        grep -q "^$target:" "$root/Makefile" && continue
        not_ok "$doc:$place: make $target is in the Makefile"
    done < <(sed -nE 's/^make ?([a-z]*)( .*)?$/\1/p' "$1" | sed 's/^$/all/')
    grep -vE '^make( |$)' "$1" || true
}

# `! COMMAND` in a script, as bash sees it.
cat >"$tmp/refuses" <<'SCRIPT'
refuses() {
    local code=0
    "$@" || code=$?
    case $code in 1 | 3) ;; *) echo "exit code $code is no refusal: $*" >&2; return 1 ;; esac
}
SCRIPT

# Waits until what stays says that it is there, or has been for a second.
settle() {
    for _ in $(seq 20); do
        sleep 0.05
        ! grep -qsE 'listening|receiving on' .background.out .background.err || return 0
        kill -0 "$stays" 2>/dev/null || return 0
    done
}

run_script() { # BLOCK KIND
    local name="$doc:$place: $(grep -vE '^make( |$)' "$1" | head -1 | cut -c1-70)"
    without_make "$1" >"$folder/script"
    grep '^export ' "$1" >>"$folder/exports" || true
    if [ ! -s "$folder/script" ]; then
        ok "$doc:$place: $(head -1 "$1")"
        return
    fi
    if [ "$2" = background ]; then
        leave_background
        sed -i '$ s/^/exec /' "$folder/script"
        sed '$d' "$folder/script" >"$folder/before"
        run bash -ec ". '$folder/before'"
        is "$code" 0 "$name"
        bash -ec ". <(tail -n1 '$folder/script')" >.background.out 2>.background.err &
        stays=$!
        settle
        return
    fi
    sed -i 's/^! /refuses /' "$folder/script"
    run bash -ec ". '$tmp/refuses'; . '$folder/exports'; . '$folder/script'"
    is "$code" 0 "$name"
}

run_usage() { # BLOCK
    local line option page
    while IFS= read -r line; do
        grep -qE "^($words)( |$)" <<<"$line" || continue
        page=$(bash -c "$(sed -E 's/ [A-Z[|].*//' <<<"$line") --help" 2>&1) || not_ok "$doc:$place: $line"
        for option in $(grep -Eo -- '--[a-z0-9-]+' <<<"$line"); do
            grep -q -- "$option" <<<"$page" || not_ok "$doc:$place: $line: $option"
        done
    done <"$1"
    ok "$doc:$place: $(head -1 "$1")"
}

run_block() { # BLOCK
    local kind=${1##*.} rest what missing=''
    rest=$(cat "${1%.*}.rest") place=$(cat "${1%.*}.place")
    count[$kind]=$((${count[$kind]-0} + 1))
    case $kind in
    text) ;;
    file) mkdir -p "$(dirname "$rest")"; cp "$1" "$rest" ;;
    output)
        while IFS= read -r what; do
            grep -qxF -- "$what" <<<"$out"$'\n'"$err" || missing+="$what; "
        done <"$1"
        is "$missing" "" "$doc:$place: prints $(head -1 "$1" | cut -c1-60)" ;;
    usage) run_usage "$1" ;;
    not) without_make "$1" >/dev/null; skip "$doc:$place: $(head -1 "$1" | cut -c1-70)" "$rest" ;;
    needs)
        for what in $rest; do
            ! lacks "$what" || missing+="$what "
        done
        if [ -z "$missing" ]; then run_script "$1" script; else skip "$doc:$place: $(head -1 "$1" | cut -c1-70)" "missing: $missing"; fi ;;
    script | background) run_script "$1" "$kind" ;;
    *) not_ok "$doc:$place: a block with commands says how it is run, not '$kind'" "$(cat "$1")" ;;
    esac
}

run_document() { # MARKDOWN
    doc=${1#"$root"/}
    folder=$tmp/blocks/${doc//\//_}
    mkdir -p "$folder" "$tmp/tree/${doc//\//_}"
    cd "$tmp/tree/${doc//\//_}"
    ln -s "$root"/* .
    rm layout
    : >"$folder/exports"
    cp -r "$root/layout" .
    extract "$1" "$folder"
    for block in "$folder"/[0-9][0-9][0-9].*; do
        case $block in *.rest | *.place | *'*'*) ;; *) began=$SECONDS; run_block "$block"; [ $((SECONDS - began)) -lt 3 ] || echo "# $((SECONDS - began)) s" ;; esac
    done
    leave_background
}

# What the files' commands make that is never replaced, "NAME FILE" once for each file that makes it.
makes() {
    local markdown
    for markdown; do
        sed -nE "s#^    (build/)?trueline (stream|pki) new ([a-z][^ ]*).*#\\3 ${markdown#"$root"/}#p" "$markdown"
    done
}

export PATH=$build:$PATH
part=${DOCS_PART-rest}
for markdown in "$root"/*.md "$root"/docs/*.md "$root"/tests/interop/*.md; do
    case $markdown in
    */WIRE.md | */START-SENSOR.md) [ "$part" = rest ] || run_document "$markdown" ;;
    *)                             [ "$part" = builds ] || run_document "$markdown" ;;
    esac
done
cd "$tmp"
least=20
[ "$part" = rest ] || least=5
is "$(makes "$root"/*.md "$root"/docs/*.md "$root"/tests/interop/*.md | sort | uniq | cut -d' ' -f1 | uniq -d)" "" \
    "docs_when_read_one_after_the_other_then_no_two_make_the_same_file"
is "${count[unmarked]-0}" 0 "docs_when_read_then_every_block_with_commands_says_how_it_is_run"
is "$((${count[script]-0} + ${count[background]-0} + ${count[needs]-0} >= least))" 1 "docs_when_read_then_there_are_commands"
for kind in "${!count[@]}"; do echo "# blocks of kind $kind: ${count[$kind]}"; done
end
