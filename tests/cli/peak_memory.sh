# gan plan's peak_bytes against the peak resident memory of gan train, as the system reports it:
# within 5 % or 6 MiB, samples and checkpoints included.
. "$SRC/tests/cli/case.inc"
if sanitized; then
    echo "SKIPPED: sanitizers keep memory of their own"
    exit 0
fi
if ! command -v /usr/bin/time >/dev/null; then
    echo "SKIPPED: /usr/bin/time is not installed"
    exit 0
fi
for size in "--channels 1" "--size 64 --channels 3"; do
    recipe="dcgan --data fashion-mnist $size --steps 3 --threads 2"
    run 0 data fashion-mnist # fills the cache: inflating is not part of the figure
    run 0 plan $recipe --json
    plan=$(sed -n 's/.*"peak_bytes": \([0-9]*\).*/\1/p' out)
    rm -rf run
    /usr/bin/time -f %M -o peak "$GAN" train $recipe --out run >out 2>err || fail "train $recipe"
    real=$(($(cat peak) * 1024))
    awk -v p="$plan" -v r=$real 'BEGIN {
        d = p > r ? p - r : r - p
        printf "planned %.1f MiB, measured %.1f MiB\n", p / 2^20, r / 2^20
        exit !(d <= 0.05 * r || d <= 6 * 2^20)
    }' || fail "dcgan $size"
done
finish
