# Every command and every thing that gan list names has a page; --help shows the command's.
. "$SRC/tests/cli/case.inc"
run 0 help
quiet
commands=$(sed -n '/^Commands$/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p' out)
for name in bench data doctor graph help list plan sample train; do
    echo "$commands" | grep -qx $name || fail "gan help does not list $name"
done
cp out page
run 0 --help
cmp -s out page || fail "gan --help differs from gan help"
for name in $commands; do
    run 0 help "$name"
    quiet
    prints "gan $name: " "Usage" "  gan $name" "Options" "--help"
    cp out page
    run 0 "$name" --help
    cmp -s out page || fail "gan $name --help differs from gan help $name"
done
run 0 list models
for name in $(awk '{print $1}' out); do
    run 0 help "$name"
    prints "$name: " "Paper: " "Options" "gan train $name --data"
done
for kind in presets losses data ops optimizers inits; do
    run 0 list $kind
    for name in $(awk '{print $1}' out); do
        run 0 help "$name"
        [ -s out ] || fail "gan help $name is empty"
    done
done
awk 'length($0) > 80 { exit 1 }' page || fail "a page is wider than 80 columns"
finish
