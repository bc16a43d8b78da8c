# Ctrl-C: the step is finished, a checkpoint written, the way on is told, exit code 130.
. "$SRC/tests/cli/case.inc"
gray_idx 40 8 8 >tiny
words="gan train, interrupted"
# A shell starts what runs in the background deaf to SIGINT; env undoes that.
env --default-signal=INT "$GAN" train gan --data idx:tiny --steps 100000000 --batch 8 --width 4 \
    --z 8 --threads 1 --out run >out 2>err &
pid=$!
i=0
while ! grep -q "^step " err && kill -0 $pid 2>/dev/null && [ $i -lt 300 ]; do sleep 0.1; i=$((i + 1)); done
kill -INT $pid
wait $pid
[ $? = 130 ] || fail "the exit code is not 130"
grep -q "gan train --resume run" err || fail "how to go on is not told"
[ -n "$(ls run/checkpoints)" ] || fail "no checkpoint"
step=$(sed -n 's/.*stopped at step \([0-9]*\);.*/\1/p' err)
run 0 train --resume run --steps $((step + 2))
prints "run         run"

# Twice: at once.
env --default-signal=INT "$GAN" train gan --data idx:tiny --steps 100000000 --batch 8 --width 4 \
    --z 8 --threads 1 --out twice >out 2>err &
pid=$!
i=0
while ! grep -q "^step " err && kill -0 $pid 2>/dev/null && [ $i -lt 300 ]; do sleep 0.1; i=$((i + 1)); done
kill -INT $pid
kill -INT $pid 2>/dev/null
wait $pid
[ $? = 130 ] || fail "the exit code after two is not 130"
finish
