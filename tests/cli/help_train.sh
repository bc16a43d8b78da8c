# The page of train has the options of training with defaults and ranges; with a model, its own too.
. "$SRC/tests/cli/case.inc"
run 0 help train
for option in data out steps epochs time stop-at batch microbatch size channels seed threads precision config \
    init checkpoint-every keep sample-every log-every resume; do
    prints "--$option "
done
prints "images in a batch; gan help MODEL may say" "1 to 65536 [64]"
run 0 train dcgan --help
prints "Options of the model" "--z N" "--optim-gen"
run 0 help classifier
prints "Where they are not given: --batch 128 --epochs 3"
finish
