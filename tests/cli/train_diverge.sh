# A training that leaves the numbers: exit code 3, the place is named, the last good state is kept.
. "$SRC/tests/cli/case.inc"
gray_idx 40 8 8 >tiny
run 3 train gan --data idx:tiny --steps 200 --batch 8 --width 4 --z 8 --threads 1 --loss minimax \
    --optim-gen sgd:1000,0.99 --optim-disc sgd:1000,0.99 --out run
grep -q "training diverged in iteration [0-9]*: .* is not finite" err || fail "the iteration is not named"
grep -q "the first bad value is of" err || fail "the first bad node is not named"
[ "$(ls run/checkpoints | wc -l)" = 1 ] || fail "no checkpoint of the last good state"
run 0 sample run --n 4 --out grid.png
[ -s grid.png ] || fail "the checkpoint cannot be sampled"

# Out of range is no divergence.
run 2 train gan --data idx:tiny --steps 5 --optim-gen adam:1e30
complains "1e30" "1000"
finish
