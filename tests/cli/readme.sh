#!/bin/bash
# The README says what is: its example is the one that was compiled, and the commands it shows work.
. "$(dirname "$0")/tap.sh"

shows_compiled "$root/README.md" "$root/examples/one_frame.c" README 'the README shows the compiled example'

run "$build/examples/one_frame"
is "$code" 0 'the example runs'
like "$out" '^frame 0: ok, 384 bytes released$' 'the example verifies its frame'
run "$build/examples/frame_in_memory"
is "$code" 0 'the example with a frame in memory runs'
like "$out" '^frame: ok, line 0 begins with aaa, line 3 with ddd$' 'its frame is verified and in clear where it lies'

for picture in $(sed -n 's/^!\[.*\](\(.*\))$/\1/p' "$root/README.md"); do
    if [ -s "$root/$picture" ]; then ok "$picture is there"; else not_ok "$picture is there"; fi
done
for target in demo test; do
    if grep -q "^    make $target\$" "$root/README.md" && grep -q "^$target:" "$root/Makefile"; then
        ok "make $target stands in README and Makefile"
    else
        not_ok "make $target stands in README and Makefile"
    fi
done
for link in $(grep -o '](docs/[A-Z-]*\.md)\|]([A-Z]*\.md)' "$root/README.md" | tr -d '])('); do
    if [ -s "$root/$link" ]; then ok "$link is there"; else not_ok "$link is there"; fi
done
end
