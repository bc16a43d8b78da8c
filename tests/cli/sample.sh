# gan sample: grid, directory and array from a run and from a checkpoint file.
. "$SRC/tests/cli/case.inc"
tiny_run run
file=run/checkpoints/step-00000002.safetensors
run 0 sample run
quiet
[ "$(cat out)" = run-seed1.png ] || fail "the grid is not run-seed1.png"
[ "$(od -An -tx1 -N8 run-seed1.png | tr -d ' ')" = 89504e470d0a1a0a ] || fail "no PNG"
grep -qa tEXt run-seed1.png || fail "no text in the PNG"
run 0 sample $file --seed 1
[ "$(cat out)" = step-00000002-seed1.png ] || fail "the grid is not named after the file"
cmp -s run-seed1.png step-00000002-seed1.png || fail "run and file differ"
run 0 sample run --seed 2 --out other.png
! cmp -s run-seed1.png other.png || fail "two seeds give the same images"
run 0 sample run --n 3 --out images
[ "$(ls images | tr '\n' ' ')" = "00000.png 00001.png 00002.png " ] || fail "not three PNGs"
run 0 sample run --n 3 --out x.npy --json
prints '"model": "gan"' '"height": 8' '"channels": 1' '"latent": 8' '"step": 2' '"out": "x.npy"'
grep -qa "'shape': (3, 8, 8, 1)" x.npy || fail "x.npy is not (3, 8, 8, 1)"
finish
