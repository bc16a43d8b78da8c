#!/bin/sh
# Speed of training steps, libgan against PyTorch, on the same cores, and libgan against its floor.
#
# For each step the programs run in turn, so that a machine whose speed drifts treats them alike: a first round
# with every setting of every PyTorch (layouts, torch.compile), then rounds of libgan and the fastest setting of
# each PyTorch and precision alone. Models that this libgan lacks are named and skipped. Prints every run's JSON
# line on stderr and the table on stdout.
#
#   bench/run.sh                      all steps: mlp dcgan32 dcgan64 wgan_gp64 pix2pix128 cyclegan128 sample
#   bench/run.sh dcgan64 sample       these
#   bench/run.sh --scaling            cost of a DCGAN step over batch, pixels and threads, libgan alone
#
# Environment: BUILD=build ROUNDS=5 CPUS=0-1 THREADS=2 ITERS=5 LINES=file that keeps the JSON lines
#   COMPILE=no leaves torch.compile out (it takes minutes)
#   PYTHONS="/usr/bin/python3 venv/bin/python"   interpreters that have torch; the newest from PyPI beside Debian's
set -eu

here=$(cd "$(dirname "$0")" && pwd)
gan=${BUILD:-$here/../build}/gan
rounds=${ROUNDS:-5}
threads=${THREADS:-2}
cpus=${CPUS:-0-$((threads - 1))}
iters=${ITERS:-5}
pythons=${PYTHONS:-/usr/bin/python3}
all="mlp dcgan32 dcgan64 wgan_gp64 pix2pix128 cyclegan128 sample"

lines=${LINES:-$(mktemp)}
[ -n "${LINES:-}" ] || trap 'rm -f "$lines"' EXIT
: >"$lines"
[ -x "$gan" ] || {
    echo "run.sh: no $gan: build it, or set BUILD" >&2
    exit 1
}

# one NAME WORDS...: runs pinned, keeps its JSON as one line with the step's name and the load in it.
one()
{
    name=$1
    shift
    out=$(OMP_NUM_THREADS=$threads taskset -c "$cpus" "$@" 2>/dev/null) || {
        echo "run.sh: failed: $*" >&2
        return 0
    }
    load=$(cut -d' ' -f1 /proc/loadavg)
    printf '%s' "$out" | tr '\n' ' ' | sed "s|^{|{\"name\": \"$name\", \"load\": $load, |" | tee -a "$lines" |
        cut -c1-300 >&2
    echo >>"$lines"
    echo >&2
}

# The model of a step and its options here; the same recipe as the peer's.
ours_of()
{
    case $1 in
    mlp) echo gan --size 28 --channels 1 --batch 64 --noise shared ;; # as the peers' step
    dcgan32) echo dcgan --size 32 --channels 1 --width 32 --batch 64 ;;
    dcgan64) echo dcgan --size 64 --channels 3 --width 64 --batch 64 ;;
    wgan_gp64) echo "${WGAN_GP:-wgan_gp --size 64 --channels 3 --batch 64}" ;;
    pix2pix128) echo "${PIX2PIX:-pix2pix --size 128 --channels 3 --batch 4}" ;;
    cyclegan128) echo "${CYCLEGAN:-cyclegan --size 128 --channels 3 --batch 1}" ;;
    sample) echo dcgan --size 64 --channels 3 --width 64 ;;
    *)
        echo "run.sh: unknown step '$1'; known: $all" >&2
        exit 2
        ;;
    esac
}

peer_of()
{
    case $1 in
    mlp) echo mlp ;;
    dcgan32) echo dcgan --size 32 --channels 1 --width 32 ;;
    dcgan64) echo dcgan --size 64 --channels 3 --width 64 ;;
    wgan_gp64) echo wgan_gp ;;
    pix2pix128) echo pix2pix ;;
    cyclegan128) echo cyclegan ;;
    sample) echo sample ;;
    esac
}

has_model() { "$gan" help "$1" >/dev/null 2>&1; }
precisions()
{
    if "$gan" help train | grep -q -- --precision; then echo f32 bf16; else echo f32; fi
}

ours() # step, what of gan bench
{
    words=$(ours_of "$1")
    for precision in $(precisions); do
        option=
        [ "$precision" = f32 ] || option="--precision $precision"
        extra=
        [ "$2" != step ] || extra=--no-roofline
        # shellcheck disable=SC2086 # the options are words
        one "$1 $precision" "$gan" bench "$2" $words $option $extra --threads "$threads" --iters "$iters" --json
    done
}

# Settings of the peers that have run fastest so far, one for each interpreter and precision.
best_settings()
{
    python3 "$here/peers/table.py" --best "$1" "$lines"
}

compare()
{
    model=$(ours_of "$1" | cut -d' ' -f1)
    what=step
    [ "$1" != sample ] || what=sample
    mine=yes
    has_model "$model" || {
        mine=
        echo "run.sh: $1: libgan has no model $model yet; PyTorch alone" >&2
    }
    peer=$(peer_of "$1")
    for python in $pythons; do
        for option in "" --channels-last "--precision bf16" "--precision bf16 --channels-last" --compile \
            "--compile --precision bf16 --channels-last"; do
            case ${COMPILE:-yes}$option in no*--compile*) continue ;; esac
            # shellcheck disable=SC2086
            one "$1 $python,$option" "$python" "$here/peers/torch_step.py" $peer $option --threads "$threads" \
                --iters 3 --warm-up 2
        done
        [ "$1" != sample ] || one "$1 $python,--engine onnxruntime" "$python" "$here/peers/torch_step.py" sample \
            --engine onnxruntime --threads "$threads" --iters 3
    done
    round=0
    best_settings "$1" >"$lines.best"
    while [ "$round" -lt "$rounds" ]; do
        [ -z "$mine" ] || ours "$1" "$what"
        while IFS=, read -r python option; do
            # shellcheck disable=SC2086
            one "$1 $python,$option" "$python" "$here/peers/torch_step.py" $peer $option --threads "$threads" \
                --iters "$iters" --warm-up 2 </dev/null
        done <"$lines.best"
        round=$((round + 1))
    done
    rm -f "$lines.best"
    [ -z "$mine" ] || [ "$what" = sample ] || ours "$1" floor
}

scaling()
{
    step="dcgan --channels 3 --width 64"
    round=0
    while [ "$round" -lt "$rounds" ]; do
        for batch in 16 32 64 128; do
            # shellcheck disable=SC2086
            one "batch $batch" "$gan" bench step $step --size 64 --batch $batch --no-roofline --threads "$threads" \
                --iters "$iters" --json
        done
        for size in 16 32 64 128; do
            one "size $size" "$gan" bench step dcgan --channels 3 --width 64 --size $size --batch 16 --no-roofline \
                --threads "$threads" --iters "$iters" --json
        done
        for n in 1 2; do
            # shellcheck disable=SC2086
            one "threads $n" "$gan" bench step $step --size 64 --batch 64 --no-roofline --threads $n \
                --iters "$iters" --json
        done
        round=$((round + 1))
    done
}

[ "${1:-}" != --scaling ] || {
    scaling
    exec python3 "$here/peers/table.py" "$lines"
}
# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $all
for step; do
    ours_of "$step" >/dev/null
done
for step; do
    compare "$step"
done
python3 "$here/peers/table.py" "$lines"
