# Alarms: on stderr once, in log.jsonl, in --json; --on-alarm stop and rollback; the same weights with
# and without a monitor.
. "$SRC/tests/cli/case.inc"
gray_idx 40 8 8 >tiny
small="--data idx:tiny --batch 8 --width 4 --z 8 --threads 1 --loss minimax"
still="--optim-gen sgd:0,0 --optim-disc adam:2e-3 --monitor-every 5"
wild="--optim-gen sgd:1000,0.99 --optim-disc sgd:1000,0.99"

# A generator that never moves, and D learns: told once, the run goes on.
run 0 train gan $small $still --steps 800 --out warn --json
[ "$(grep -c "alarm: discriminator-won at step" err)" = 1 ] || fail "the alarm is not told once"
grep -q "remedy: " err || fail "no remedy on stderr"
prints '"discriminator-won"' '"rollbacks": 0'
line='^{"step":[0-9]*,"time_s":[0-9.e-]*,"alarm":"discriminator-won".*"evidence":{"separation":.*"remedy":"'
[ "$(grep -c "$line" warn/log.jsonl)" = 1 ] || fail "no line of the alarm in the log"
grep -q '"grad.gen.model.0":' warn/log.jsonl || fail "no norms of layers in the log"
if command -v python3 >/dev/null; then
    python3 -c 'import json, sys
for line in open("warn/log.jsonl"): json.loads(line)' || fail "the log is not JSON"
fi
at=$(sed -n 's/.*alarm: discriminator-won at step \([0-9]*\) .*/\1/p' err)

# The monitor changes nothing.
run 0 train gan $small $still --steps 800 --monitor-every 0 --out without
digest() { grep -ao 'libgan.digest":"[0-9a-f]*' "$1/checkpoints/step-00000800.safetensors"; }
[ "$(digest warn)" = "$(digest without)" ] || fail "the monitor changes what is trained"
if grep -q '"grad\.\|"alarm"' without/log.jsonl; then fail "--monitor-every 0 watches"; fi

# stop: a checkpoint, and exit code 3. A resumed run goes on behind the alarm.
run 3 train gan $small $still --steps 800 --on-alarm stop --out stop
grep -q "stopped at iteration $at: discriminator-won since iteration" err || fail "no reason is told"
[ -s "stop/checkpoints/step-$(printf %08d $at).safetensors" ] || fail "stop leaves no checkpoint"
run 0 train --resume stop --on-alarm warn
grep -q "^{\"step\":$at,.*\"alarm\"" stop/log.jsonl || fail "the log lost its alarm"
cmp warn/checkpoints/step-00000800.safetensors stop/checkpoints/step-00000800.safetensors ||
    fail "stopped and resumed is not the same run"

# rollback: to the checkpoint before, with other numbers, so often and no more.
run 3 train gan $small $wild --steps 200 --on-alarm rollback --max-rollbacks 2 --out back
[ "$(grep -c "back to step 0" err)" = 2 ] || fail "not two rollbacks"
[ "$(grep -c '"rollback":0' back/log.jsonl)" = 2 ] || fail "the log does not tell the rollbacks"
grep -q '"alarm":"not-finite".*"where":"' back/log.jsonl || fail "the first bad node is not in the log"
grep -q 'libgan.rollbacks":"2"' back/checkpoints/*.safetensors || fail "the checkpoint does not count"

# What comes after a rollback is the same however the run is cut, and other than without one.
back="$small $still --steps 800 --on-alarm rollback --max-rollbacks 1 --checkpoint-every 50"
run 3 train gan $back --out whole
grep -q "back to step" err || fail "no rollback"
run 0 train --resume whole --on-alarm warn
run 0 train gan $back --stop-at 30 --out parts
run 3 train --resume parts --stop-at -1
grep -q "back to step" err || fail "no rollback in a resumed run"
run 0 train --resume parts --on-alarm warn
cmp whole/checkpoints/step-00000800.safetensors parts/checkpoints/step-00000800.safetensors ||
    fail "a resumed run draws other numbers after a rollback"
[ "$(digest whole)" != "$(digest warn)" ] || fail "after a rollback the numbers are the same"

run 2 train gan $small --on-alarm stop --monitor-every 0
complains "--on-alarm stop needs the monitor"
run 2 train gan $small --on-alarm panic
complains "--on-alarm" "warn|stop|rollback"
finish
