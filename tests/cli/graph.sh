# gan graph: the iteration of a model and of a run, as text, DOT and JSON.
. "$SRC/tests/cli/case.inc"
run 0 graph dcgan --size 32 --channels 1 --batch 4
prints conv2d gen/ disc/ normalize
run 0 graph dcgan --size 32 --channels 1 --batch 4 --dot
head -1 out | grep -q '^digraph' || fail "no digraph"
run 0 graph gan --size 8 --channels 1 --batch 4 --json
[ "$(head -c 1 out)" = "[" ] && [ "$(tail -1 out)" = "]" ] || fail "no array"
if command -v python3 >/dev/null; then
    python3 -m json.tool <out >/dev/null || fail "no JSON"
fi
run 0 graph gan --size 8 --channels 1 --batch 4 --plan
[ -s out ] || fail "the plan is empty"
tiny_run run
run 0 graph run
prints gen/ disc/
run 2 graph gan --dot --json
complains "exclude each other"
run 2 graph
complains "a model is missing"
finish
