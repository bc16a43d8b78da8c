# Latents from a file: (N,Z) floats; what does not fit is named.
. "$SRC/tests/cli/case.inc"
tiny_run run
{ npy 2 8; head -c 64 /dev/zero; } >z.npy
run 0 sample run --latents z.npy --out x.npy
grep -qa "'shape': (2, 8, 8, 1)" x.npy || fail "not two images"
tail -c 512 x.npy | head -c 256 >first
tail -c 256 x.npy | cmp -s - first || fail "the same latents give two images"
run 0 sample run --latents z.npy
{ npy 2 5; head -c 40 /dev/zero; } >five.npy
run 1 sample run --latents five.npy --out y.npy
complains five.npy 5 8
head -c 150 z.npy >short.npy
run 1 sample run --latents short.npy --out y.npy
complains short.npy
run 1 sample run --latents missing.npy --out y.npy
complains missing.npy
run 2 sample run --latents z.npy --seed 3
complains "--latents takes the place of --seed"
[ ! -e y.npy ] || fail "a failed command left a file"
# Damaged values are the file's fault.
npy 0 8 >none.npy
run 1 sample run --latents none.npy --out x.png
complains none.npy "at least one"
{ npy 2 8; head -c 60 /dev/zero; bytes 0 0 192 127; } >nan.npy
run 1 sample run --latents nan.npy --out x.png
complains nan.npy "latent 1 is not finite at 7"
[ ! -e x.png ] || fail "something was written"
finish
