# gan doctor: facts about build and machine, in words and as JSON.
. "$SRC/tests/cli/case.inc"
run 0 doctor
quiet
prints Build Machine Files version compiler onednn threads memory cache data
run 0 doctor --json
quiet
prints '"version": "' '"compiler": "' '"isa": "' '"libraries": {' '"fashion_mnist": '
threads=$(sed -n 's/.*"threads": \([0-9]*\).*/\1/p' out)
[ "$threads" -ge 1 ] || fail "threads: $threads"
memory=$(sed -n 's/.*"memory_bytes": \([0-9]*\).*/\1/p' out)
[ "$memory" -gt 1000000 ] || fail "memory: $memory"
GAN_ISA=base "$GAN" doctor --json | grep -q '"isa": "base"' || fail "GAN_ISA=base does not lower the set"
: >file
GAN_CACHE=$PWD/file/x "$GAN" doctor >out 2>err || fail "an unusable cache ends gan doctor"
grep -q "file/x" out || fail "the unusable cache is not named"
finish
