# --precision: auto becomes what the machine can do, the run and its checkpoints say so, and a
# resumed run keeps it; bf16 training is as repeatable as f32. Where the CPU lacks bf16 (AVX2: the
# library is told to see no more) it is refused in one line.
. "$SRC/tests/cli/case.inc"
gray_idx 100 16 16 >tiny
base="--data idx:tiny --steps 6 --batch 16 --width 16 --threads 2"
run 0 train dcgan $base --precision auto --out auto
was=$(sed -n 's/^precision: *//p' auto/config.yaml)
case $was in f32 | bf16) ;; *) fail "config.yaml has precision '$was'" ;; esac
run 0 train dcgan $base --precision $was --out named
cmp auto/checkpoints/step-00000006.safetensors named/checkpoints/step-00000006.safetensors ||
    fail "auto and $was differ"
run 0 train dcgan $base --precision auto --out parts --stop-at 3
run 0 train --resume parts --precision auto
cmp auto/checkpoints/step-00000006.safetensors parts/checkpoints/step-00000006.safetensors ||
    fail "stopped and resumed differs in $was"
other=f32
[ "$was" = f32 ] && other=bf16
run 2 train --resume parts --precision $other
complains "--precision is $other" "$was"
run 0 train dcgan $base --out plain
grep -q '"train.precision":"f32"' plain/checkpoints/step-00000006.safetensors ||
    fail "the checkpoint does not say f32"
if [ "$was" = bf16 ]; then
    cmp -s auto/checkpoints/step-00000006.safetensors plain/checkpoints/step-00000006.safetensors &&
        fail "bf16 changed nothing"
    grep -q '"train.precision":"bf16"' auto/checkpoints/step-00000006.safetensors ||
        fail "the checkpoint does not say bf16"
fi
run 2 train dcgan $base --precision f16
complains "--precision is 'f16', allowed f32|bf16|auto"
export ONEDNN_MAX_CPU_ISA=AVX2 DNNL_MAX_CPU_ISA=AVX2
for command in train plan; do
    status=$("$GAN" $command dcgan $base --precision bf16 --out none >out 2>err; echo $?)
    [ "$status" != 0 ] || fail "$command takes bf16 without the CPU for it"
    complains "--precision bf16 needs" "avx512_bf16"
done
finish
