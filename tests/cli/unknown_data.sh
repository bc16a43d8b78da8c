# A SPEC that is wrong without opening any file: exit code 2. One whose file is missing: 1.
. "$SRC/tests/cli/case.inc"
for command in "data" "train gan --data" "plan gan --data"; do
    run 2 $command fashion-mnits
    complains "fashion-mnits" "did you mean" "fashion-mnist"
    run 2 $command toy:ring8?sise=3
    complains "sise" "did you mean" "size"
    run 2 $command idx:missing?size=-4
    complains "size" "-4"
    run 1 $command idx:missing
    complains "missing"
done
[ ! -e runs ] || fail "a run directory was made"
finish
