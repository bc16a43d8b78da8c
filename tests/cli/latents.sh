# gan interpolate, walk, arithmetic: ends are the samples, films have their frames, what is wrong is
# named with its place.
. "$SRC/tests/cli/case.inc"
tiny_run run
image() { tail -c "$1" "$2" | head -c 256; } # one 8x8 image of floats out of an array
run 0 sample run --out s.npy --n 4 --threads 1
run 0 interpolate run --out path.npy --n 5 --rows 2 --threads 1
prints path.npy
grep -qa "'shape': (10, 8, 8, 1)" path.npy || fail "not two rows of five"
image 1024 s.npy >first
image 768 s.npy >second
image 2560 path.npy | cmp -s - first || fail "a row does not begin at sample 0"
image 1536 path.npy | cmp -s - second || fail "a row does not end at sample 1"
run 0 interpolate run --from 0 --to 1 --out one.npy --n 5 --threads 1
image 1280 one.npy | cmp -s - first || fail "--from 0 is not sample 0"
{ npy 2 8; head -c 64 /dev/zero; } >z.npy
run 0 interpolate run --from z.npy --to 0,3 --mode linear --out g.png --threads 1 --json
prints '"latents": "linear"' '"rows": 2' '"columns": 10'
run 0 interpolate run --animate --n 4 --out film.png --threads 1
grep -qa acTL film.png || fail "not animated"
[ "$(grep -ao fcTL film.png | wc -l)" = 6 ] || fail "not there and back: $(grep -ao fcTL film.png | wc -l)"
run 0 interpolate run --out dir --n 3 --rows 1 --threads 1
[ "$(ls dir | tr '\n' ' ')" = "00000.png 00001.png 00002.png " ] || fail "files: $(ls dir)"
run 2 interpolate run --from 1,2 --to 3 --out x.png
complains "--from has 2" "--to 1"
run 2 interpolate run --from 1,b --out x.png
complains "at 'b'"
run 2 interpolate run --n 1
run 2 interpolate run --animate --out x.npy
complains "x.npy"
run 1 interpolate missing --out x.png

run 0 walk run --n 6 --keys 3 --rows 2 --out walk.png --threads 1
[ "$(grep -ao fcTL walk.png | wc -l)" = 6 ] || fail "not six frames"
run 0 walk run --n 4 --out frames --threads 1
[ "$(ls frames | wc -l)" = 4 ] || fail "not four frames"
run 2 walk run --out x.npy
complains "x.npy"

run 0 arithmetic run "A" A=0 --n 0 --out a.npy --threads 1
image 256 a.npy | cmp -s - first || fail "A is not sample 0"
run 0 arithmetic run "mean(A) - mean(B) + mean(B)" A=0 B=2,3 --n 3 --out a.npy --threads 1
grep -qa "'shape': (4, 8, 8, 1)" a.npy || fail "not a result and three neighbours"
run 0 arithmetic run "mean(A) - mean(B) + mean(C)" A=0,1,2 B=3,4,5 C=z.npy --threads 1
prints arithmetic.png
run 2 arithmetic run "A - (B" A=1 B=2
complains "')' is missing at its end"
run 2 arithmetic run "A ; B" A=1 B=2
complains "at character 3"
run 2 arithmetic run "A - B" A=1
complains "set B of the expression is missing"
run 2 arithmetic run "A" A=1 C=2
complains "'C' does not stand in the expression"
run 2 arithmetic run "A" A
complains "NAME=FILE.npy"
run 1 arithmetic run "A" A=missing.npy
complains missing.npy

# Classes, points, translators.
gray_idx 40 8 8 >images
{ bytes 0 0 8 1 0 0 0 40; for i in $(seq 20); do bytes 0 1; done; } >labels
mkdir set
cp images set/train-images-idx3-ubyte
cp labels set/train-labels-idx1-ubyte
run 0 train cgan --data idx:set --out cond --steps 2 --batch 8 --threads 1
run 0 interpolate cond --class 1 --n 3 --rows 2 --out c.png --threads 1
run 0 walk cond --n 3 --rows 2 --out cw.png --threads 1
run 2 arithmetic cond "A" A=1 --threads 1
complains "--class is missing"
run 0 arithmetic cond "A" A=1 --class 0 --out ca.png --threads 1
run 2 interpolate cond --class 5 --out x.png --threads 1
[ ! -e x.png ] || fail "a failed command left a file"
finish
