#!/bin/sh
# Speed of one DCGAN iteration, libgan against PyTorch, on the same cores.
#
# For each size the programs run in turn (libgan, torch, torch with channels_last; three rounds), so that a
# machine whose speed drifts treats them alike. Prints every run's JSON line, then the medians over the rounds
# and the ratios.
#
#   bench/run.sh                  both sizes, three rounds
#   bench/run.sh --peer-only      PyTorch alone, before libgan is built
#   BUILD=build-release ROUNDS=5 CPUS=2,3 THREADS=2 ITERS_32=60 ITERS_64=12 PYTHON=python3 bench/run.sh
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../build}
rounds=${ROUNDS:-3}
threads=${THREADS:-2}
cpus=${CPUS:-0-$((threads - 1))}
python=${PYTHON:-/usr/bin/python3}
batch=${BATCH:-64}
peer_only=0

case "${1:-}" in
"") ;;
--peer-only) peer_only=1 ;;
*)
    echo "run.sh: unknown option '$1'; known: --peer-only" >&2
    exit 2
    ;;
esac

"$python" -c 'import torch' 2>/dev/null || {
    echo "run.sh: $python has no torch; install Debian's python3-torch and libopenblas0-openmp" >&2
    exit 1
}
step=
for candidate in "$build/bench/bench_step" "$build/bench_step"; do
    [ -x "$candidate" ] && step=$candidate && break
done
if [ "$peer_only" = 0 ] && [ -z "$step" ]; then
    echo "run.sh: no bench_step in $build; build it, or use --peer-only" >&2
    exit 1
fi

lines=$(mktemp)
trap 'rm -f "$lines"' EXIT

# one PROGRAM... : runs it pinned, shows and keeps its line. A failing side stops the comparison.
one() {
    out=$(OMP_NUM_THREADS=$threads taskset -c "$cpus" "$@")
    printf '%s\n' "$out"
    printf '%s\n' "$out" >>"$lines"
}

# compare SIZE CHANNELS WIDTH ITERS
compare() {
    options="--size $1 --channels $2 --width $3 --batch $batch --threads $threads --iters $4"
    round=0
    while [ "$round" -lt "$rounds" ]; do
        # shellcheck disable=SC2086 # the options are words
        {
            [ "$peer_only" = 1 ] || one "$step" $options
            one "$python" "$here/peers/dcgan_torch.py" $options
            one "$python" "$here/peers/dcgan_torch.py" $options --channels-last
        }
        round=$((round + 1))
    done
}

compare 32 1 32 "${ITERS_32:-40}"
compare 64 3 64 "${ITERS_64:-10}"

"$python" - "$lines" "$cpus" <<'END'
import json, statistics, sys

runs = {}
for line in open(sys.argv[1]):
    if line.strip().startswith("{"):
        run = json.loads(line)
        name = run["peer"] + (" channels_last" if run.get("layout") == "nhwc" and run["peer"] == "torch" else "")
        runs.setdefault((run["size"], run["channels"]), {}).setdefault(name, []).append(run)
model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
             "unknown")
load = open("/proc/loadavg").read().split()[0]
print(f"\nCPU: {model}, cores {sys.argv[2]}; load average at the end {load}")
for (size, channels), sides in sorted(runs.items()):
    rate = {name: statistics.median(r["images_per_s"] for r in rows) for name, rows in sides.items()}
    print(f"DCGAN {size}x{size}x{channels}")
    for name, rows in sides.items():
        rates = [r["images_per_s"] for r in rows]
        ratio = f"  libgan is {rate['libgan'] / rate[name]:.2f}x" if "libgan" in rate and name != "libgan" else ""
        print(f"  {name:20s} {rate[name]:9.1f} images/s  (runs {min(rates):.1f} to {max(rates):.1f},"
              f" {rows[0].get('version', '?')}){ratio}")
END
