# --name value, --name=value, --name, --no-name, --name=no, -- ends the options.
. "$SRC/tests/cli/case.inc"
run 0 data toy:ring8 --json
prints '"spec": "toy:ring8"'
run 0 data --json toy:ring8
prints '"spec": "toy:ring8"'
run 0 data --json=yes toy:ring8
prints '"spec": "toy:ring8"'
run 0 data toy:ring8 --json --no-json
prints 'a point of 2 dimensions'
run 0 data --no-json -- toy:ring8
prints 'a point of 2 dimensions'
run 2 data toy:ring8 --no-json=yes
complains "--no-json takes no value"
run 2 data -- --json
complains "unknown"
run 2 data toy:ring8 --json=maybe
complains "--json is 'maybe'" "allowed yes or no"
run 2 data toy:ring8 --n
complains "--n needs a value"
run 2 data toy:ring8 --n --json
complains "--n needs a value"
run 2 data toy:ring8 extra
complains "unexpected 'extra'" "usage: gan data SPEC"
run 2 data
complains "usage: gan data SPEC"
finish
