# Models nobody knows, and no model at all.
. "$SRC/tests/cli/case.inc"
run 2 train dcgam --data fashion-mnist
says "gan: train: unknown model 'dcgam' (did you mean 'dcgan'?)"
run 2 plan xyzzy --data fashion-mnist
complains "unknown model 'xyzzy'"
run 2 graph dcgam
complains "unknown model 'dcgam' (did you mean 'dcgan'?)"
run 2 train
complains "a model is missing"
run 2 train dcgan
complains "--data is missing"
run 2 train dcgan --resume x
complains "dcgan does not go with --resume"
finish
