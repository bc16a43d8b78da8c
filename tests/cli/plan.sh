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
# packed weights: with oneDNN each copy and its bytes; D's are read for real and for generated images
if "$GAN" doctor | grep -q "oneDNN  *[0-9]"; then
    grep -q '"uses": [2-9]' out || fail "no packed weights are shared"
    awk -F: '/"packed_weights"/ { on = 1 } on && /"bytes"/ && $2 + 0 <= 0 { bad = 1 } END { exit bad || !on }' out ||
        fail "packed weights of no bytes"
fi
run 0 plan gan --data idx:tiny
prints "Parameters" "One iteration" "Memory" "peak"
# recomputation: both figures, less memory, more arithmetic, the same file of results
figure() { sed -n "s/.*\"$1\": \([0-9.e+]*\).*/\1/p" out; }
run 0 plan dcgan --data idx:tiny?channels=3 --size 64 --batch 16 --recompute full --json
awk -v a="$(figure workspace_bytes)" -v b="$(figure kept_workspace_bytes)" \
    -v f="$(figure flops_per_step)" -v g="$(figure kept_flops_per_step)" \
    'BEGIN { exit !(a < 0.85 * b && f > g && f < 1.4 * g) }' || fail "figures of --recompute full"
run 0 plan dcgan --data idx:tiny --recompute cheap
prints "without recomputing"
run 0 plan dcgan --data idx:tiny
[ "$(grep -c "without recomputing" out)" = 0 ] || fail "recomputation without being asked"
run 2 plan dcgan --data idx:tiny --recompute half
complains "cheap"
[ "$(ls)" = "$(printf 'err\nout\ntiny')" ] || fail "something was written"
run 2 plan dcgan
complains "--data is missing"
run 1 plan dcgan --data idx:missing
complains missing
finish
