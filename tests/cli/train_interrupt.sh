# Ctrl-C: the step is finished, a checkpoint written, the way on is told, exit code 130.
. "$SRC/tests/cli/case.inc"
gray_idx 40 8 8 >tiny

# Starts a training without end in directory $1 and waits until it is under way.
start()
{
    words="gan train, interrupted ($1)"
    rm -f out err
    # A shell starts what runs in the background deaf to SIGINT; env undoes that.
    env --default-signal=INT "$GAN" train gan --data idx:tiny --steps 100000000 --batch 8 --width 4 \
        --z 8 --threads 1 --out "$1" >out 2>err &
    pid=$!
    i=0
    while ! grep -q "^step " err 2>/dev/null && kill -0 $pid 2>/dev/null && [ $i -lt 300 ]; do
        sleep 0.1
        i=$((i + 1))
    done
}

# The training must end within 20 seconds, with code 130.
ends()
{
    i=0
    while kill -0 $pid 2>/dev/null && [ $i -lt 200 ]; do
        sleep 0.1
        i=$((i + 1))
    done
    kill -KILL $pid 2>/dev/null
    wait $pid
    code=$?
    [ $code = 130 ] || fail "$words: exit code $code, expected 130"
}

start run
kill -INT $pid
ends
grep -q "gan train --resume run" err || fail "how to go on is not told"
[ "$(grep -c resume err)" = 1 ] || fail "the end is told twice"
[ -n "$(ls run/checkpoints)" ] || fail "no checkpoint"
step=$(sed -n 's/.*stopped at step \([0-9]*\);.*/\1/p' err)
run 0 train --resume run --steps $((step + 2))
prints "run         run"

start twice
kill -INT $pid
kill -INT $pid 2>/dev/null
ends
finish
