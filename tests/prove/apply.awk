# Puts the contracts of the first file into the header that is the second, and prints it.
FNR == NR && /^#/ { next }
FNR == NR && /^\[.*\]$/ { block = substr($0, 2, length($0) - 2); next }
FNR == NR { if (block != "" && ($0 != "" || text[block] != "")) text[block] = text[block] $0 "\n"; next }

function give(name) {
    if (name in text) {
        printf "%s", text[name]
        used[name] = 1
    }
}
/^static inline / {
    if (!started++)
        give("types")
    match($0, /tl_[a-z_]+\(/)
    name = substr($0, RSTART, RLENGTH - 1)
    give(name)
}
/^    for / { give(name ":loop") }
{ print }

END {
    for (block in text)
        if (!(block in used)) {
            print "rw.acsl: nothing in the header for [" block "]" >"/dev/stderr"
            exit 1
        }
}
