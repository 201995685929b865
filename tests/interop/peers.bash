# Sourced by run.sh, behind tap.sh: their programs and ours, over loopback, every wait bounded. Theirs have no time-outs,
# take their keys from the folder they run in, and write files there: they run in a copy of links.

program=$build/trueline

# Takes their programs from a folder, and the sample keys from it or from the second one: sets $keys.
use() { # FOLDER [FOLDER]
    local from=$1 file
    [ -d "$from/ecp256" ] || from=${2:-$1}
    rm -rf "$tmp/theirs" "$tmp/keys"
    mkdir -p "$tmp/theirs" "$tmp/keys"
    keys=$tmp/keys
    for file in "$(cd "$from" && pwd)"/* "$(cd "$1" && pwd)"/spdm_*; do
        ln -sf "$file" "$tmp/theirs/"
    done
    rm -f "$tmp/theirs/test.log"
    for file in ecp256 ecp384; do
        mkdir "$keys/$file"
        cp "$from/$file"/{ca.cert.der,bundle_re*er.certchain.der,end_re*er.key} "$keys/$file/"
    done
    chmod 600 "$keys"/*/*.key
}

# A port that is free now.
free_port() {
    perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 1)->sockport'
}

# What both of their programs are told: one version, one set of algorithms.
their_options() { # VERSION CURVE TRANSPORT MUTUAL
    local aead=AES_256_GCM
    [ "$2" = 384 ] || aead=AES_128_GCM
    echo "--trans $3 --ver $1 --hash SHA_$2 --meas_hash SHA_$2 --asym ECDSA_P$2 --req_asym ECDSA_P$2" \
        "--dhe SECP_$2_R1 --aead $aead --mut_auth $4 --basic_mut_auth NO"
}

their_flags() { # FLAGS MUTUAL
    [ "$2" = NO ] && echo "$1" || echo "$1,MUT_AUTH"
}

ours_mutual() { # requester|responder CURVE MUTUAL
    local folder=$keys/ecp$2
    [ "$3" != NO ] || return 0
    case $1 in
    requester) echo "--mutual --chain $folder/bundle_requester.certchain.der --key $folder/end_requester.key" ;;
    responder) echo "--mutual --trust $folder/ca.cert.der --peer-chain $folder/bundle_requester.certchain.der" ;;
    esac
}

run_theirs() { # PROGRAM ARGUMENT...
    local name=$1
    shift
    run env -C "$tmp/theirs" "./$name" "$@"
}

# Their responder on a free port: sets $theirs (pid) and $port. It says when it listens only with -v, so ours dials again
# while it is refused.
start_theirs() { # VERSION CURVE TRANSPORT MUTUAL
    port=$(free_port)
    env -C "$tmp/theirs" timeout 60 ./spdm_responder_emu --ip 127.0.0.1 --port "$port" $(their_options "$@") \
        --cap "$(their_flags CACHE,CERT,CHAL,MEAS_SIG,MEAS_FRESH,ENCRYPT,MAC,KEY_EX,HBEAT,KEY_UPD "$4")" \
        >"$tmp/theirs.out" 2>&1 &
    theirs=$!
}

# Our responder on a free port: sets $ours (pid) and $port.
start_ours() { # VERSION CURVE TRANSPORT MUTUAL
    local folder=$keys/ecp$2 i
    : >"$tmp/ours.out"
    timeout 150 "$program" spdm responder --emulator 127.0.0.1:0 --transport "${3,,}" --version "$1" --curve "p$2" \
        --chain "$folder/bundle_responder.certchain.der" --key "$folder/end_responder.key" \
        $(ours_mutual responder "$2" "$4") >"$tmp/ours.out" 2>&1 &
    ours=$!
    for ((i = 0; i < 200; i++)); do
        port=$(sed -n 's/^listening on 127.0.0.1:\([0-9]*\)$/\1/p' "$tmp/ours.out")
        [ -n "$port" ] && return 0
        sleep 0.05
    done
}

# Waits for our responder, which ends when the requester says so: sets $code.
wait_ours() {
    local i
    code=0
    for ((i = 0; i < 100; i++)); do
        kill -0 "$ours" 2>/dev/null || break
        sleep 0.05
    done
    kill "$ours" 2>/dev/null && code=124
    wait "$ours" || code=$?
}

end_child() { # PID
    kill "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}
