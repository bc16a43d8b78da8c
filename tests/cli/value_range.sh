# Values out of range are refused before any file is opened: the data of these lines do not exist.
. "$SRC/tests/cli/case.inc"
run 2 train dcgan --data idx:missing --batch 0
says "gan: train: --batch is 0, allowed 1 to 65536"
run 2 plan dcgan --data idx:missing --batch 0
says "gan: plan: --batch is 0, allowed 1 to 65536"
run 2 train dcgan --data idx:missing --batch many
complains "--batch is 'many'" "whole number"
run 2 train dcgan --data idx:missing --z 0
says "gan: train: --z is 0, allowed 1 to 65536"
run 2 train dcgan --data idx:missing --slope=7
complains "--slope is 7, allowed 0 to 0.99"
run 2 train dcgan --data idx:missing --loss wasserstien
complains "--loss is 'wasserstien', allowed "
run 2 train dcgan --data idx:missing --time soon
complains "--time is 'soon'"
run 2 train dcgan --data idx:missing --optim-gen adm:1
complains "adm" "did you mean"
run 2 train dcgan --data idx:missing --batch 64 --microbatch 7
complains "--microbatch is 7" "64"
run 2 train dcgan --data idx:missing --steps 3 --epochs 2
complains "--steps" "--epochs"
run 2 sample missing --n 0
says "gan: sample: --n is 0, allowed 1 to 100000000"
run 2 sample missing --bn none
complains "--bn is 'none', allowed running|batch"
run 2 data idx:missing --columns -1
says "gan: data: --columns is -1, allowed 0 to 10000"
for command in train plan; do
    run 2 $command dcgan --data idx:missing --size 17
    says "gan: $command: dcgan: the image size is 17x17, allowed are squares of powers of two from 16 to 256"
    run 2 $command dcgan --data "idx:missing?size=512"
    complains "512x512" "256"
    run 2 $command gan --data "idx:missing?size=32" --size 64
    complains "--size is 64" "size=32"
    run 2 $command gan --data idx:missing --channels 2
    says "gan: $command: --channels is 2, images have 1 or 3"
done
run 2 graph dcgan --size 17
says "gan: graph: dcgan: the image size is 17x17, allowed are squares of powers of two from 16 to 256"
[ ! -e runs ] || fail "a run directory was made"
finish
