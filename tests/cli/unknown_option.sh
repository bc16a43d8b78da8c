# Options nobody knows: of a command, of training, of the model; nothing is opened or made.
. "$SRC/tests/cli/case.inc"
run 2 data fashion-mnist --jsno
says "gan: data: unknown option --jsno (did you mean --json?)"
run 2 train dcgan --data idx:missing --btach 3
says "gan: train: unknown option --btach (did you mean --batch?)"
run 2 train dcgan --data idx:missing --slop .3
says "gan: train: unknown option --slop (did you mean --slope?)"
run 2 train --slop .3 dcgan --data idx:missing
says "gan: train: unknown option --slop (did you mean --slope?)"
run 2 train gan --data idx:missing --xyzzy 3
complains "unknown option --xyzzy"
run 2 data -j
complains "unknown option -j"
run 2 sample x --no-seed
complains "unknown option --no-seed"
[ ! -e runs ] || fail "a run directory was made"
finish
