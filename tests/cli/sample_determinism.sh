# Image i of a seed does not depend on how many are made, nor where counting starts.
. "$SRC/tests/cli/case.inc"
tiny_run run
image=$((8 * 8 * 4)) # bytes of one image: 8x8x1 floats
run 0 sample run --n 1 --out 1.npy
run 0 sample run --n 7 --out 7.npy
run 0 sample run --n 100 --out 100.npy
run 0 sample run --n 2 --first 5 --out 5.npy
for n in 1 7 100 5; do
    count=$n
    [ $n != 5 ] || count=2
    size=$(wc -c <$n.npy)
    [ $(((size - count * image) % 64)) = 0 ] || fail "$n.npy has $size bytes"
    tail -c $((count * image)) $n.npy >$n.raw
done
head -c $image 7.raw | cmp -s - 1.raw || fail "image 0 of 7 is another than that of 1"
head -c $((7 * image)) 100.raw | cmp -s - 7.raw || fail "images of 100 are others than those of 7"
tail -c $((2 * image)) 7.raw | cmp -s - 5.raw || fail "--first 5 begins elsewhere"
head -c $image 7.raw >first
tail -c $image 7.raw | cmp -s - first && fail "all images are the same"

# Other statistics, other images.
run 0 sample run --n 7 --bn batch --out batch.npy
! cmp -s batch.npy 7.npy || fail "--bn batch changes nothing"
finish
