# gan plan: the figures of a training that does not take place.
. "$SRC/tests/cli/case.inc"
gray_idx 40 8 8 >tiny
run 0 plan dcgan --data idx:tiny?channels=3 --size 64 --width 64 --batch 16 --threads 2 --json
prints '"model": "dcgan"' '"height": 64' '"channels": 3' '"batch": 16' '"gen": 3576704' \
    '"disc": 2765568' '"parameters": 6342272'
for name in peak_bytes flops_per_step bytes_per_step workspace_bytes store_bytes step_ms; do
    value=$(sed -n "s/.*\"$name\": \([0-9.e+]*\).*/\1/p" out)
    awk -v v="$value" 'BEGIN { exit !(v > 0) }' || fail "$name is '$value'"
done
run 0 plan gan --data idx:tiny
prints "Parameters" "One iteration" "Memory" "peak"
[ "$(ls)" = "$(printf 'err\nout\ntiny')" ] || fail "something was written"
run 2 plan dcgan
complains "--data is missing"
run 1 plan dcgan --data idx:missing
complains missing
finish
