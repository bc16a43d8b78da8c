# gan train --eval-every: figures in the log, the best state by KID, the same weights as without, and the
# same best state whether interrupted or not.
. "$SRC/tests/cli/case.inc"
gray_idx 60 8 8 >a
small="--data idx:a --batch 8 --width 8 --z 8 --threads 1 --checkpoint-every 10 --monitor-every 0"
watch="--eval-every 5 --metrics prdc,kid --eval-n 40 --eval-features pixels:4"
run 0 train gan $small --steps 20 --out plain
run 0 train gan $small $watch --steps 20 --out whole
[ "$(grep -c '"eval.kid"' whole/log.jsonl)" = 4 ] || fail "not four measurements in the log"
grep -q '"eval.kid.low"' whole/log.jsonl && grep -q '"eval.coverage"' whole/log.jsonl || fail "figures are missing"
grep -q "at iteration 5: the first measured" err || fail "nothing is said"
grep -qE "statistically equal to the best|better than the best|worse than the best" err || fail "no comparison"
cmp plain/checkpoints/step-00000020.safetensors whole/checkpoints/step-00000020.safetensors ||
    fail "measuring changes the training"
[ ! -e plain/best.safetensors ] || fail "a best state without measuring"
# the best state is the one with the lowest KID of the log
low=$(sed -n 's/.*"step":\([0-9]*\),.*"eval.kid":\([-0-9.e]*\),.*/\2 \1/p' whole/log.jsonl | sort -g | head -1)
run 0 eval whole/best.safetensors --data idx:a --metrics kid --n 40 --features pixels:4 --json
[ "$(sed -n 's/^ *"step": \([1-9][0-9]*\),$/\1/p' out | head -1)" = "${low#* }" ] || fail "best is not the lowest: $low"

run 0 train gan $small $watch --steps 20 --stop-at 13 --out parts
run 0 train --resume parts --stop-at 20
cmp whole/best.safetensors parts/best.safetensors || fail "resumed: another best state"
for r in whole parts; do sed -n '/"eval.kid"/s/"time_s":[^,]*,//p' $r/log.jsonl >$r.figures; done
cmp whole.figures parts.figures || fail "resumed: other figures"

# samples that nothing can be measured of are told; the divergence behind them ends the training as ever
wild="--steps 20 --monitor-every 0 --threads 1 --optim-gen sgd:1000 --optim-disc sgd:1000"
run 3 train gan --data toy:ring8 $wild --eval-every 1 --eval-n 40 --out wild
grep -q "no metrics at iteration [0-9]*: .* is not finite" err || fail "what is not measured is not told"
grep -q "training diverged in iteration" err || fail "the divergence is not named"
[ "$(ls wild/checkpoints | wc -l)" = 1 ] || fail "measuring kept the last good state from being saved"

run 2 train gan $small --eval-every 5 --metrics kidd --out x
complains "unknown metric 'kidd' (did you mean kid?)"
run 2 train gan $small --eval-every 5 --eval-features pixel --out x
complains "unknown features 'pixel'"
run 2 train gan $small --eval-every 5 --eval-n 49 --metrics fid --out x
complains "--eval-n 49: fid needs at least 50 samples on each side"
gray_idx 30 8 8 >few
run 2 train gan $small --data idx:few --eval-every 5 --metrics fid --out x
complains "images of the data: 30: fid needs at least 50 samples"
run 2 train gan $small --eval-every 5 --metrics ssim --out x
complains "ssim has no meaning while training"
finish
