#!/bin/bash
# Manual pages and completions say what the program takes: every command, every option, every word of an option. Both are
# made from the tables of the program, so one build is enough.
. "$(dirname "$0")/tap.sh"
program=$build/trueline
pages=$build/pages
[ "$build" = "$root/build" ] || skip_all "the plain default build runs this"

commands() { sed -n '/^Commands:$/,/^$/s/^  \([a-z-]*\) .*/\1/p'; }
listed() { sed '/^Examples:$/q' | grep -Eo '^  (-[a-zA-Z?],|   ) --[a-z0-9-]+=?' | grep -Eo -- '--[a-z0-9-]+=?'; }

run "$program" --help
mapfile -t names < <(commands <<<"$out")
is "$((${#names[@]} >= 9))" 1 "pages_when_made_then_there_are_commands_to_make_them_of"
is "$(ls "$pages/man1" | paste -sd' ')" \
    "$(printf 'trueline-%s.1\n' "${names[@]}" input | sort | paste -sd' ') trueline.1" \
    "pages_when_made_then_one_for_each_command"

# The page of stream files names what stands in one.
run "$program" stream new "$tmp/cam.json"
is "$(grep -oE '^ *"[a-z0-9_]+":' "$tmp/cam.json" | tr -d ' ":' | while read -r key; do grep -q "\"$key\"" "$pages/man5/trueline-stream.5" || echo "$key"; done)" "" \
    "pages_when_made_then_the_one_of_stream_files_has_every_key"

# ---- the pages are right for their readers ----
if command -v mandoc >/dev/null; then
    run mandoc -T lint -W warning "$pages"/man?/*
    is "$code:$out$err" "0:" "pages_when_read_by_mandoc_then_no_warning"
else
    skip "pages_when_read_by_mandoc_then_no_warning" "mandoc is missing"
fi
if command -v groff >/dev/null; then
    for page in "$pages"/man?/*; do
        groff -ww -mandoc -Tutf8 -z "$page" 2>&1
    done >"$tmp/groff"
    is "$(cat "$tmp/groff")" "" "pages_when_read_by_groff_then_no_warning"
else
    skip "pages_when_read_by_groff_then_no_warning" "groff is missing"
fi

# ---- bash ----
. "$pages/trueline.bash"
compopt() { :; }
completions() { # WORD...: what may stand for the last
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _trueline
    printf '%s\n' ${COMPREPLY[@]+"${COMPREPLY[@]}"}
}
# The same for a line of several, and its options.
offered() { completions trueline $1 --; }

is "$(completions trueline '' | grep -v -- -- | sort | paste -sd' ')" "$(printf '%s\n' "${names[@]}" | sort | paste -sd' ')" \
    "completion_when_nothing_is_typed_then_all_commands"
is "$(completions trueline se)" sensor "completion_when_a_command_is_begun_then_it"
is "$(completions trueline zzz)" "" "completion_when_there_is_no_such_command_then_nothing"
is "$(completions trueline nothing --)" "" "completion_when_the_command_is_unknown_then_no_options"

# What a command line's help lists, what is offered, and what the program says that an option takes must be the same.
words=0
check_line() { # COMMAND [WORD]
    local option said mine
    "$program" "$@" --help | listed >"$tmp/listed"
    grep -vE '^--(help|usage|version)$' "$tmp/listed" | sed -E 's/^--//; s/=$//' >>"$tmp/of_help" || true
    [ "$(sort "$tmp/listed")" = "$(offered "$*" | sort)" ] || echo "$*: options differ" >>"$tmp/bad"
    for option in $(grep = "$tmp/listed" | tr -d =); do
        mine=$(completions trueline "$@" "$option" '' | sort | paste -sd' ')
        said=$( (timeout 5 "$program" "$@" "$option" '@' 2>&1 </dev/null || true) |
            sed -nE "s/^[^:]*: ($option: )?'@': give ([a-z0-9-]+(, [a-z0-9-]+)* or [a-z0-9-]+)$/\2/p" |
            sed 's/ or /, /; s/, /\n/g' | sort | paste -sd' ')
        [ -n "$said" ] || continue
        words=$((words + 1))
        [ "$said" = "$mine" ] || echo "$* $option: takes '$said', offers '$mine'" >>"$tmp/bad"
    done
}
: >"$tmp/bad"
cd "$tmp"
mkdir empty
cd empty
for name in "${names[@]}"; do
    : >"$tmp/of_help"
    run "$program" "$name" --help
    mapfile -t below < <(sed -nE "s/^(Usage:|  or: ) trueline $name ([a-z]+) .*/\2/p" <<<"$out")
    [ ${#below[@]} -gt 0 ] || check_line "$name"
    for word in ${below[@]+"${below[@]}"}; do check_line "$name" "$word"; done
    [ ${#below[@]} -eq 0 ] ||
        is "$(completions trueline "$name" '' | grep -v -- -- | sort | paste -sd' ')" "$(printf '%s\n' "${below[@]}" | sort | paste -sd' ')" \
            "completion_when_${name}_is_typed_then_its_words"
    is "$(sed -nE 's/^\.It.* Fl -([a-z0-9-]+).*/\1/p' "$pages/man1/trueline-$name.1" | sort | paste -sd' ')" \
        "$(sort "$tmp/of_help" | paste -sd' ')" "page_of_${name}_when_made_then_has_the_options_of_help"
done
is "$(cat "$tmp/bad")" "" "completion_when_compared_with_the_program_then_offers_what_it_takes"
is "$((words >= 8))" 1 "completion_when_compared_with_the_program_then_there_are_words_to_compare"
cd "$tmp"

is "$(completions trueline stream new --suite aes256 | paste -sd' ')" "aes256-gmac aes256-cmac" "completion_when_a_suite_is_begun_then_those"
is "$(completions trueline controller --release = e)" early "completion_when_a_word_follows_the_sign_then_it"
is "$(completions trueline controller --release = | paste -sd' ')" "frame line early" "completion_when_nothing_follows_the_sign_then_all"
is "$(completions trueline stream new --sui)" "--suite=" "completion_when_an_option_is_begun_then_it_with_its_sign"
mkdir -p files/folder
cd files
: >one.json
: >two.pcap
is "$(completions trueline sensor --stream '' | sort | paste -sd' ')" "folder one.json two.pcap" "completion_when_a_file_is_asked_for_then_files"
is "$(completions trueline controller --out f)" folder "completion_when_a_folder_is_asked_for_then_folders"
is "$(completions trueline controller --out o)" "" "completion_when_a_folder_is_asked_for_then_no_files"
is "$(completions trueline dump t)" two.pcap "completion_when_a_command_takes_a_file_then_files"
is "$(completions trueline verify --report t)" two.pcap "completion_when_a_file_has_another_name_in_help_then_files"
is "$(completions trueline controller t)" "" "completion_when_a_command_takes_no_operand_then_nothing"
is "$(completions trueline attest t)" "" "completion_when_a_command_takes_an_address_then_no_files"
is "$(completions trueline-input --si)" "--size=" "completion_when_the_program_is_trueline_input_then_its_options"
is "$(completions trueline-input t)" two.pcap "completion_when_the_program_is_trueline_input_then_files"

# ---- zsh ----
if command -v zsh >/dev/null; then
    run zsh -n "$pages/_trueline"
    is "$code:$err" "0:" "completion_when_read_by_zsh_then_no_error"
    for part in "${names[@]}"; do
        grep -q "^        '$part:" "$pages/_trueline" || echo "$part"
    done >"$tmp/zsh"
    is "$(cat "$tmp/zsh")" "" "completion_when_made_for_zsh_then_holds_every_command"
else
    skip "completion_when_read_by_zsh_then_no_error" "zsh is missing"
fi
end
