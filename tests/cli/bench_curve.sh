# gan bench curve: what the objective estimates against the distance of samples, at each checkpoint.
. "$SRC/tests/cli/case.inc"
gray_idx 40 32 32 >tiny
set -- --data idx:tiny --seeds 1 --steps 6 --checkpoint-every 2 --log-every 1 --batch 4
run 0 bench curve "$@" --cells mlp-wgan --jobs 2 --out c
prints '| mlp | wgan | 1 | 3 |' '| mlp | wgan-gp | 1 | 3 |'
grep -q "no figure" err || [ -s c/curve.png ] || fail "there is no figure"
cp out first
run 0 bench curve "$@" --cells mlp-wgan --out c
grep -qF "0 of 2 trainings left" err || fail "what is done is done again"
cmp -s first out || fail "a second call prints another table"

# The estimate at a checkpoint is the median of the log's lines since the one before.
run 0 bench curve "$@" --cells mlp-minimax --out c --json
want=$(sed -n 's/.*"step":[12],.*"loss.disc":\([-0-9.e]*\).*/\1/p' c/mlp-minimax-1/log.jsonl |
    awk '{ s += $1 } END { printf "%.6f", log(2) - s / NR / 2 }')
got=$(awk '/"estimate"/ { getline; printf "%.6f", $1; exit }' out)
[ "$got" = "$want" ] || fail "the estimate is $got, the log says $want"
prints '"rank_correlation": '
run 2 bench curve --seeds 9 --out c
complains "--seeds is 9"
finish
