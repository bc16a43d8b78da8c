# gan data toy:ring8: points without end.
. "$SRC/tests/cli/case.inc"
run 0 data toy:ring8
quiet
prints "toy:ring8" "endless" "a point of 2 dimensions"
run 0 data toy:ring8 --json
quiet
prints '"endless": true' '"points": true' '"channels": 2'
run 1 data toy:ring8 --out sheet.png
[ ! -e sheet.png ] || fail "a sheet of points was written"
finish
