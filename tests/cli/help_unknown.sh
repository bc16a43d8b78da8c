# A topic nobody knows.
. "$SRC/tests/cli/case.inc"
run 2 help dcgam
says "gan: help: unknown topic 'dcgam' (did you mean 'dcgan'?)"
run 2 help xyzzy-quux
complains "unknown topic 'xyzzy-quux'"
finish
