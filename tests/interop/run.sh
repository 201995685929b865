#!/bin/bash
# Our requester and our responder against DMTF's emulators, and their Responder-Validator against our responder. Nothing
# of theirs is in this tree: where it was built is told by the environment.
#   tests/interop/run.sh BUILD
#     TL_SPDM_EMU         folder with spdm_requester_emu, spdm_responder_emu and the sample keys (ecp256/, ecp384/)
#     TL_SPDM_VALIDATOR   folder with spdm_device_validator_sample; may be the same
# One TAP case for each run. What is not named is skipped, and said so.
. "$(dirname "$0")/../cli/tap.sh"
. "$(dirname "$0")/peers.bash"
[ -n "${TL_SPDM_EMU-}${TL_SPDM_VALIDATOR-}" ] || skip_all 'neither TL_SPDM_EMU nor TL_SPDM_VALIDATOR is set'

# Every combination that both ends have. The last word is the mutual authentication: NO, or WO_ENCAP (both certificates,
# the requester's provisioned, no encapsulated flow).
combinations() {
    local version curve transport mutual
    for version in 1.2 1.3; do
        for curve in 256 384; do
            for transport in MCTP TCP; do
                for mutual in NO WO_ENCAP; do
                    echo "$version $curve $transport $mutual"
                done
            done
        done
    done
}

# Ours asks, theirs answers.
as_requester() { # VERSION CURVE TRANSPORT MUTUAL
    local name="requester_when_$1_p$2_$3_mutual_$4"
    start_theirs "$@"
    run "$program" spdm requester --emulator "127.0.0.1:$port" --transport "${3,,}" --version "$1" --curve "p$2" \
        --trust "$keys/ecp$2/ca.cert.der" $(ours_mutual requester "$2" "$4")
    is "$code" 0 "${name}_then_0"
    like "$out" "^spdm requester: flows=8 messages=44 measurements=[1-9][0-9]* failed=0$" "${name}_then_every_flow_ran"
    end_child "$theirs"
}

# Theirs asks, ours answers. Their exit code says little, so what ours saw counts, too.
as_responder() { # VERSION CURVE TRANSPORT MUTUAL
    local name="responder_when_$1_p$2_$3_mutual_$4"
    start_ours "$@"
    RUN_LIMIT=60 run_theirs spdm_requester_emu --ip 127.0.0.1 --port "$port" $(their_options "$@") \
        --cap "$(their_flags CERT,CHAL,ENCRYPT,MAC,KEY_EX,HBEAT,KEY_UPD "$4")" --slot_count 1 --meas_op ALL \
        --exe_conn DIGEST,CERT,CHAL,MEAS --exe_session KEY_EX,HEARTBEAT,KEY_UPDATE,MEAS
    is "$code" 0 "${name}_then_their_requester_ends_with_0"
    wait_ours
    is "$code" 0 "${name}_then_ours_ends_with_0"
    like "$(cat "$tmp/ours.out")" "^spdm responder: requests=17 refused=0$" "${name}_then_nothing_was_refused"
}

validated() { # VERSION CURVE PASSES
    local name="validator_when_$1_p$2" log=$tmp/theirs/test.log
    start_ours "$1" "$2" MCTP NO
    rm -f "$log"
    RUN_LIMIT=120 run_theirs spdm_device_validator_sample --ip 127.0.0.1 --port "$port" --trans MCTP
    end_child "$ours"
    is "$(grep -c -- '- FAIL' "$log")" 0 "${name}_then_no_assertion_fails"
    is "$(grep -c -- '- PASS' "$log")" "$3" "${name}_then_$3_assertions_pass"
}

if [ -n "${TL_SPDM_EMU-}" ]; then
    use "$TL_SPDM_EMU"
    while read -r version curve transport mutual; do
        as_requester "$version" "$curve" "$transport" "$mutual"
        as_responder "$version" "$curve" "$transport" "$mutual"
    done < <(combinations)
else
    skip 'emulators' 'TL_SPDM_EMU is not set'
fi
if [ -n "${TL_SPDM_VALIDATOR-}" ]; then
    use "$TL_SPDM_VALIDATOR" "${TL_SPDM_EMU-}"
    for curve in 256 384; do
        validated 1.2 "$curve" 994
        validated 1.3 "$curve" 844
    done
else
    skip 'validator' 'TL_SPDM_VALIDATOR is not set'
fi
end
