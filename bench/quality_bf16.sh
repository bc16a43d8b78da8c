#!/bin/sh
# Is bf16 training as good as f32? MODEL (dcgan) on Fashion-MNIST, seeds 1 2 3, both precisions; then
#   - the sliced Wasserstein distance of 2,000 samples to 2,000 images of the data: the median over
#     the seeds must be within 10 % of f32's;
#   - the first 200 losses: the mean of each loss over iterations 1-200, median over the seeds, must
#     be within 15 % of the mean of its size (single losses of a GAN swing by more than their mean from
#     one iteration to the next, and any rounding changes which way: only averages compare; a critic's
#     loss has either sign, so that its mean is no measure of its size).
# Exit code 0 when both hold.
#
#   [MODEL=wgan-gp] bench/quality_bf16.sh BUILD OUT [STEPS [MORE OPTIONS OF gan train...]]
set -eu
model=${MODEL:-dcgan}
build=$1
out=$2
steps=${3:-600}
[ $# -gt 3 ] && shift 3 || shift $#
mkdir -p "$out"
for seed in 1 2 3; do
    for precision in f32 bf16; do
        run="$out/$precision-$seed"
        [ -f "$run.json" ] && continue
        [ -d "$run" ] || "$build/gan" train "$model" --data fashion-mnist --steps "$steps" \
            --seed "$seed" --width 32 --threads 2 --log-every 1 --checkpoint-every "$steps" \
            --sample-every "$steps" --precision "$precision" --out "$run" "$@" >/dev/null
        "$build/bench_quality" "$run" fashion-mnist 2000 256 >"$run.json.new"
        mv "$run.json.new" "$run.json"
    done
done
python3 - "$out" <<'PYTHON'
import json, statistics, sys
out, bad = sys.argv[1], False
FIRST = 200

def row(name, values, band, size=None):
    global bad
    med = {p: statistics.median(v) for p, v in values.items()}
    off = (med["bf16"] - med["f32"]) / (size or abs(med["f32"]))
    bad = bad or abs(off) > band
    cells = " | ".join(", ".join(f"{v:.4f}" for v in values[p]) + f" | {med[p]:.4f}"
                       for p in ("f32", "bf16"))
    print(f"| {name} | {cells} | {100 * off:+.1f} % | {100 * band:.0f} % |")

print("| figure | f32, seeds 1 2 3 | median | bf16, seeds 1 2 3 | median | difference | allowed |")
print("|---|---|---|---|---|---|---|")
runs = {p: [f"{out}/{p}-{s}" for s in (1, 2, 3)] for p in ("f32", "bf16")}
swd = {p: [json.load(open(r + ".json"))["swd"] for r in rs] for p, rs in runs.items()}
row("sliced Wasserstein distance", swd, 0.10)
logs = {p: [[json.loads(x) for x in open(r + "/log.jsonl")][:FIRST] for r in rs]
        for p, rs in runs.items()}
for loss in ("loss.disc", "loss.gen"):
    mean = {p: [statistics.fmean(l[loss] for l in log) for log in ls] for p, ls in logs.items()}
    size = statistics.median(statistics.fmean(abs(l[loss]) for l in log) for log in logs["f32"])
    row(f"mean {loss}, iterations 1-{FIRST}", mean, 0.15, size)
first = {p: [log[0]["loss.disc"] for log in ls] for p, ls in logs.items()}
row("loss.disc of the first iteration", first, 0.02)
print(f"\ndata against data: {json.load(open(runs['f32'][0] + '.json'))['swd_of_data']:.4f}")
sys.exit(bad)
PYTHON
