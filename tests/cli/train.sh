# A small training: what it prints, what it leaves, where.
. "$SRC/tests/cli/case.inc"
gray_idx 40 8 8 >tiny
small="--data idx:tiny --steps 3 --batch 8 --width 4 --z 8 --threads 1"
run 0 train gan $small
prints "run         runs/gan-tiny-1" "samples     runs/gan-tiny-1/samples/" \
    "checkpoint  runs/gan-tiny-1/checkpoints/step-00000003.safetensors"
[ "$(wc -l <out)" = 3 ] || fail "stdout is not three lines"
grep -q "run directory: runs/gan-tiny-1" err || fail "the run directory is not named at the start"
grep -q "step 3/3" err || fail "no line about the last step"
if grep -q "$(printf '[\033\r]')" err; then fail "control characters outside a terminal"; fi
[ -s runs/gan-tiny-1/config.yaml ] || fail "no config.yaml"
[ -s runs/gan-tiny-1/log.jsonl ] || fail "no log.jsonl"
[ -s "$(sed -n 's/^samples *//p' out)" ] || fail "no sample grid"
[ -s "$(sed -n 's/^checkpoint *//p' out)" ] || fail "no checkpoint"

run 0 train gan $small --json
prints '"dir": "runs/gan-tiny-2"' '"step": 3' '"images": 24'
run 0 train gan $small --out deep/er/run
prints "run         deep/er/run"

# The same command leaves the same bytes.
cmp -s deep/er/run/checkpoints/step-00000003.safetensors \
    runs/gan-tiny-1/checkpoints/step-00000003.safetensors || fail "two trainings differ"

# A directory with something in it is left alone; a file in the way is named.
run 1 train gan $small --out deep
complains deep
: >file
run 1 train gan $small --out file/run
complains file
run 0 train gan --data idx:tiny --steps 0 --width 4 --z 8 --out zero
[ -s zero/checkpoints/step-00000000.safetensors ] || fail "--steps 0 wrote no checkpoint"
run 1 train gan $small --init missing.safetensors
complains missing.safetensors
finish
