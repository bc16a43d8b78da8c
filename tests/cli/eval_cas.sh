# gan eval --metrics cas: a network trained on fakes with classes, judged on reals. Black, gray and white
# images with a little noise: right classes teach it, classes moved by one teach it wrongly.
. "$SRC/tests/cli/case.inc"
value() { sed -n "/\"metric\": \"$1\"/,/}/s/^ *\"value\": \(.*\),\$/\1/p" out; }
set_of() # FOLDER SEED "LABELS"
{
    mkdir "$1"
    {
        bytes 0 0 8 3 0 0 0 90 0 0 0 4 0 0 0 4
        printf "$(awk -v seed="$2" 'BEGIN { srand(seed); for (i = 0; i < 90; i++) for (k = 0; k < 16; k++) printf "\\%03o", 100 * (i % 3) + 40 * rand() }')"
    } >"$1/train-images-idx3-ubyte"
    { bytes 0 0 8 1 0 0 0 90; for i in $(seq 30); do bytes $3; done; } >"$1/train-labels-idx1-ubyte"
}
set_of reals 1 "0 1 2"
set_of good 2 "0 1 2"
set_of moved 3 "1 2 0"
mkdir temporary
export TMPDIR="$PWD/temporary"
run 0 eval idx:good --data idx:reals --metrics cas --threads 2 --json
prints '"metric": "cas-of-reals"' 'classifier of 57 steps of 64 on 90 fakes'
awk -v a="$(value cas)" -v b="$(value cas-of-reals)" 'BEGIN { exit !(a > .98 && b > .98) }' ||
    fail "right classes: $(value cas), $(value cas-of-reals)"
[ -z "$(ls temporary)" ] || fail "the temporary folder is left"
run 0 eval idx:moved --data idx:reals --metrics cas --threads 2 --json
awk -v a="$(value cas)" 'BEGIN { exit !(a != "" && a < .02) }' || fail "moved classes: $(value cas)"
gray_idx 40 4 4 >plain
run 2 eval idx:plain --data idx:reals --metrics cas
complains "cas needs classes of the fakes"
TMPDIR="$PWD/absent"
run 1 eval idx:good --data idx:reals --metrics cas
complains absent/gan-cas
finish
