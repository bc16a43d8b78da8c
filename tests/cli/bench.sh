# gan bench: every measurement gives figures that hang together; what is wrong is named.
. "$SRC/tests/cli/case.inc"
number() { sed -n "s/^ *\"$1\": \\([-0-9.e+]*\\),*\$/\\1/p" out | head -1; }
# above LOWER NAME: the figure NAME of the last run is greater.
above()
{
    awk -v v="$(number "$2")" -v l="$1" 'BEGIN { exit !(v != "" && v + 0 > l) }' ||
        fail "$words: $2 is '$(number "$2")', expected more than $1"
}
gray_idx 40 16 16 >tiny
step="dcgan --size 16 --channels 1 --width 4 --batch 4 --threads 1 --iters 5"

run 0 bench step $step --no-roofline --json
quiet
prints '"model": "dcgan"' '"height": 16' '"batch": 4' '"scopes": [' '"kinds": [' '"nodes": ['
for name in ms_per_step images_per_s first_ms compile_ms gflop_per_step gbytes_per_step \
    workspace_bytes base_bytes; do
    above 0 $name
done
# Nodes are measured between two clock readings: their sum is the iteration but for what lies around
# the plans. Medians of sums and sums of medians differ on a busy machine: a factor of two is enough.
awk '/"timed_ms"/ { t = $2 + 0 } /"scopes"/ { on = 1 } /"kinds"/ { on = 0 } on && /"ms"/ { s += $2 }
    END { exit !(t > 0 && s > 0.2 * t && s < 2 * t) }' out || fail "the nodes do not make up the step"
run 0 bench step dcgan --data idx:tiny --width 4 --batch 4 --threads 1 --iters 2 --no-roofline
prints "One iteration" "By network" "By operation" "Most expensive nodes" conv2d
[ ! -e runs ] || fail "gan bench wrote a run directory"

run 0 bench floor $step --json
quiet
prints '"shapes": [' '"forward 4x16x16'
for name in share norm_bytes state_bytes feed_bytes triad_gbytes_per_s; do
    above 0 $name
done
# One f32 image of 16x16 for each of four.
[ "$(number feed_bytes)" = 4096 ] || fail "feed_bytes is $(number feed_bytes)"

run 0 bench sample gan --size 8 --channels 1 --threads 1 --iters 3 --json
prints '"one": {' '"many": {'
above 0 images_per_s
gray_idx 40 8 8 >tiny
tiny_run run
run 0 bench sample run --threads 1 --iters 3
prints "Sampling" "one image" "8x8x1"
run 0 bench loader idx:tiny --batch 8 --iters 20 --json
prints '"batch": 8' '"height": 8'
above 0 images_per_s

run 2 bench
run 2 bench stp
complains "did you mean step?"
run 2 bench step
complains "MODEL is missing"
run 2 bench step dcgn
complains "dcgan"
run 2 bench step dcgan --widht 4
complains "--width"
run 2 bench loader idx:tiny --batch 0
complains "--batch 0"
run 1 bench sample nothing-here
complains "nothing-here"
finish
