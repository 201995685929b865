#!/bin/bash
# --crypto: whichever kernels an end has, the other end verifies what it sends; what is not here is refused, with a list of
# what is.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/loopback.bash"
RUN_LIMIT=60
program=$build/trueline

run "$program" sensor --crypto none --stream x.json
is "$code" 2 "crypto_when_unknown_then_refused"
like "$err" "--crypto: 'none' is not to be had here; there is: best, .*openssl" "crypto_when_unknown_then_lists_what_there_is"
IFS=', ' read -ra here <<<"$(sed -n 's/.*there is: //p' <<<"$err")"
for name in best soft openssl; do
    is "$(printf '%s\n' "${here[@]}" | grep -cx "$name" || true)" 1 "crypto_when_listed_then_there_is_$name"
done
for name in vaes aesni armv8; do
    printf '%s\n' "${here[@]}" | grep -qx "$name" && continue
    run "$program" controller --crypto "$name" --stream x.json
    is "$code" 2 "crypto_when_${name}_is_not_here_then_refused"
done
for command in controller demo bench; do
    run "$program" "$command" --crypto SOFT
    is "$code" 2 "crypto_of_${command}_when_unknown_then_refused"
    like "$err" "there is: best, " "crypto_of_${command}_when_unknown_then_lists_what_there_is"
done

small_stream "$tmp/cam.json"
for name in "${here[@]}"; do
    start_sensor "to_$name" --stream "$tmp/cam.json" --once --frames 3 --rate 0 --crypto openssl
    run "$program" controller --stream "$tmp/cam.json" --connect ":$port" --frames 3 --crypto "$name"
    is "$code" 0 "controller_when_its_crypto_is_${name}_then_verifies_openssls"
    start_sensor "from_$name" --stream "$tmp/cam.json" --once --frames 3 --rate 0 --crypto "$name"
    run "$program" controller --stream "$tmp/cam.json" --connect ":$port" --frames 3 --crypto openssl
    is "$code" 0 "sensor_when_its_crypto_is_${name}_then_openssl_verifies"
done
end
