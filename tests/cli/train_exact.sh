# 20 iterations, and 10 and a resumed 10, leave the same bytes: DCGAN with a linear schedule and with
# microbatches.
. "$SRC/tests/cli/case.inc"
gray_idx 100 16 16 >tiny
base="--data idx:tiny --steps 20 --batch 16 --width 8 --threads 2"
linear="--optim-gen adam:2e-4,.5,.999@linear --optim-disc adam:2e-4,.5,.999@linear"
for more in "" "--microbatch 4" "$linear" "--microbatch 8 $linear"; do
    rm -rf whole parts
    run 0 train dcgan $base $more --out whole
    run 0 train dcgan $base $more --out parts --stop-at 10
    run 0 train --resume parts
    cmp whole/checkpoints/step-00000020.safetensors parts/checkpoints/step-00000020.safetensors ||
        fail "stopped and resumed differs: $more"
    tail -n 1 whole/log.jsonl | sed 's/"time_s.*images_per_s":[^,]*,//' >a
    tail -n 1 parts/log.jsonl | sed 's/"time_s.*images_per_s":[^,]*,//' >b
    cmp a b || fail "the last lines of the logs differ: $more"
done
finish
