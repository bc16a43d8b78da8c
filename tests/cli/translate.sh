# pix2pix and cyclegan from the command line: training, rows of samples, exact resume with the image
# pools, and what does not fit named.
. "$SRC/tests/cli/case.inc"
gray_idx 40 32 32 >a
gray_idx 30 32 32 >b
tail -c 40960 a | cat >pixels
{ bytes 0 0 8 3 0 0 0 40 0 0 0 32 0 0 0 32; tr '\000-\377' '\001-\377\000' <pixels; } >c
pairs="--data pairs-idx:a,c?flip=1 --batch 2 --width 4 --disc-width 4 --layers 2 --threads 2"
domains="--data domains-idx:a,b?jitter=4 --batch 2 --width 4 --disc-width 4 --layers 2 --threads 2"

for what in "pix2pix $pairs --statistics running" "cyclegan $domains --blocks 1 --pool 5"; do
    rm -rf whole parts
    run 0 train $what --steps 12 --out whole
    run 0 train $what --steps 12 --stop-at 7 --out parts
    run 0 train --resume parts
    cmp whole/checkpoints/step-00000012.safetensors parts/checkpoints/step-00000012.safetensors ||
        fail "stopped and resumed differs: $what"
    cmp whole/samples/step-00000012.png parts/samples/step-00000012.png ||
        fail "the samples differ: $what"
    cmp -s whole/samples/step-00000000.png whole/samples/step-00000012.png &&
        fail "the samples did not change: $what"
    run 1 sample whole --out x.png
    complains "makes images from images"
done
grep -q 'pool.fake_a.count' whole/checkpoints/step-00000012.safetensors ||
    fail "the pool is not in the checkpoint"

run 2 train pix2pix --data idx:a --out x
complains "pix2pix needs pairs of images"
run 2 train cyclegan --data idx:a --out x
complains "cyclegan needs two sets of images"
run 1 train pix2pix --data pairs-idx:a,b --out x
complains "a has 40 images" "b has 30"
run 2 train pix2pix --data pairs-idx:a --out x
complains "two files joined by a comma"
[ ! -e x ] || fail "a run directory was left"
finish
