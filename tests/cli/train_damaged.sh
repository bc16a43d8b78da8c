# A damaged newest checkpoint: the one before continues, to the bytes of a run that was not hurt.
. "$SRC/tests/cli/case.inc"
gray_idx 40 8 8 >tiny
small="--data idx:tiny --steps 6 --batch 8 --width 4 --z 8 --threads 1 --checkpoint-every 2 --log-every 1"
run 0 train gan $small --out whole
run 0 train gan $small --out hurt --stop-at 4
newest=hurt/checkpoints/step-00000004.safetensors
head -c 5000 $newest >part
cp part $newest
run 0 train --resume hurt
grep -q "step-00000004.safetensors: .*falling back" err || fail "the damaged file is not named"
cmp whole/checkpoints/step-00000006.safetensors hurt/checkpoints/step-00000006.safetensors ||
    fail "the bytes are others"
# One line of the log for each step: those after the checkpoint were cut and written again.
[ "$(sed 's/,.*//' hurt/log.jsonl | tr -d '\n')" = \
    '{"step":1{"step":2{"step":3{"step":4{"step":5{"step":6' ] || fail "log.jsonl: $(cat hurt/log.jsonl)"

# All of them damaged; a changed byte; no configuration; another program's file.
for f in hurt/checkpoints/*; do cp part "$f"; done
run 1 train --resume hurt --steps 8
grep -q "step-00000006.safetensors" err || fail "the newest file is not named"
run 1 sample hurt --out x.png
size=$(wc -c <whole/checkpoints/step-00000006.safetensors)
{ head -c $((size - 1)) whole/checkpoints/step-00000006.safetensors; printf Z; } >bit
run 1 sample bit --out x.png
complains bit "damaged" "digest"
rm whole/config.yaml
run 1 train --resume whole
complains config.yaml
[ ! -e x.png ] || fail "something was written"
finish
