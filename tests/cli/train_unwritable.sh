# Places that cannot be written are named in one line, before anything is trained.
. "$SRC/tests/cli/case.inc"
gray_idx 40 8 8 >tiny
small="--data idx:tiny --steps 2 --batch 8 --width 4 --z 8 --threads 1"
run 1 train gan $small --out /proc/run
complains /proc/run
run 1 train gan $small --out /dev/null/run
complains /dev/null
if [ "$(id -u)" != 0 ]; then # root writes everywhere
    mkdir locked
    chmod 555 locked
    run 1 train gan $small --out locked/run
    complains locked
fi
if [ -d /sys ] && ! touch /sys/gan-test 2>/dev/null; then # mkdir says why there; looking for the directory would say it is missing
    run 1 train gan $small --out /sys/run
    complains /sys/run
    ! grep -q "No such file" err || fail "the cause is another one"
fi
tiny_run done
cp -r done/checkpoints kept
run 1 sample done --out /proc/grid.png
complains /proc/grid.png
diff -r kept done/checkpoints || fail "the checkpoints changed"
finish
