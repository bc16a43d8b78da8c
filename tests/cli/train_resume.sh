# Stopped and resumed is the same as never stopped; a resumed run takes no other recipe.
. "$SRC/tests/cli/case.inc"
gray_idx 40 8 8 >tiny
small="--data idx:tiny --steps 6 --batch 8 --width 4 --z 8 --threads 1"
run 0 train gan $small --out whole
run 0 train gan $small --out parts --stop-at 3
[ ! -e parts/checkpoints/step-00000006.safetensors ] || fail "--stop-at 3 went on"
run 0 train --resume parts --stop-at -1
grep -q "from step 3" err || fail "the step it goes on from is not named"
cmp whole/checkpoints/step-00000006.safetensors parts/checkpoints/step-00000006.safetensors ||
    fail "stopped and resumed differs"
run 2 train --resume parts --batch 9
complains "batch"
run 2 train --resume parts --width 5
complains "--width is 5, the run was started with 4"
run 2 train --resume parts --data idx:tiny
complains "--data does not go with --resume"
run 2 train --resume parts --stpes 8
complains "--stpes" "did you mean --steps?"
run 1 train --resume missing
complains missing
finish
