# A write that fails (here: the limit on file sizes) is named; checkpoint and log from before stay.
. "$SRC/tests/cli/case.inc"
gray_idx 40 8 8 >tiny
run 0 train gan --data idx:tiny --steps 6 --stop-at 3 --batch 8 --width 4 --z 8 --threads 1 --out run
old=run/checkpoints/step-00000003.safetensors
cp $old kept
cp run/log.jsonl kept.log
words="gan train --resume with files limited to 8 KiB"
(ulimit -f 16 && exec "$GAN" train --resume run --stop-at -1 >out 2>err)
[ $? = 1 ] || fail "$words: the exit code is not 1"
grep -q "^gan: train: .*run/" err || fail "$words: the file is not named"
cmp -s kept $old || fail "$words: the checkpoint from before is gone"
[ "$(ls run/checkpoints)" = step-00000003.safetensors ] || fail "$words: a part of a file stays"
head -n "$(wc -l <kept.log)" run/log.jsonl | cmp -s - kept.log || fail "$words: the log is damaged"

# With room again it goes on, to the bytes of a run that never failed.
run 0 train --resume run --stop-at -1
run 0 train gan --data idx:tiny --steps 6 --batch 8 --width 4 --z 8 --threads 1 --out whole
cmp -s run/checkpoints/step-00000006.safetensors whole/checkpoints/step-00000006.safetensors ||
    fail "after the failure the bytes are others"

# A disk without room for one checkpoint: nothing is trained, the directory stays free. The small
# disk needs a namespace for mounts, which not every machine gives.
mkdir small
if unshare -rm mount -t tmpfs -o size=1m none small 2>/dev/null; then
    words="gan train on a disk of 1 MiB"
    unshare -rm sh -c 'mount -t tmpfs -o size=1m none small
        "$GAN" train gan --data idx:tiny --steps 6 --batch 8 --threads 1 --out small/run >out 2>err
        code=$?
        ls small/run >left
        exit $code'
    [ $? = 1 ] || fail "$words: the exit code is not 1"
    complains small/run/checkpoints/ needs free
    [ ! -s left ] || fail "$words: it left $(cat left)"
fi
finish
