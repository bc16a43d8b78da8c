# gan theory: every experiment in its short form meets its expected values; names that are none.
. "$SRC/tests/cli/case.inc"

run 2 theory parallel-line
complains "unknown experiment 'parallel-line' (did you mean parallel-lines?)"
run 2 theory
run 0 list experiments
prints parallel-lines duality
cp out names

run 0 theory all --quick --out all
quiet_figures()
{
    sed '/cannot draw/d; /was not run: /d' err >rest
    [ ! -s rest ] || fail "$words: stderr is not empty"
}
quiet_figures
if grep MISSED out; then
    fail "an expected value was missed"
fi
awk '{ print $1 }' names | while read -r name; do
    if grep -q "$name was not run" err; then
        echo "SKIPPED $name: $(grep "$name was not run" err)"
        continue
    fi
    test -s "all/$name/result.json" || fail "$name: no result.json"
    grep -q "\"failed\":0," "all/$name/result.json" || fail "$name: failed checks in result.json"
    grep -q "<h2 id=\"$name\">" all/index.html || fail "$name is not in the report"
    ls "all/$name"/*.csv >/dev/null || fail "$name: no numbers"
    [ $failures = 0 ] || exit 1
done || failures=1
# self-contained: nothing is loaded from elsewhere
[ "$(tail -n 1 all/index.html)" = "</body></html>" ] || fail "the report does not end"
if grep -qE '(src|href)="?(https?:|/|[a-z-]*\.(png|css|js))' all/index.html; then
    fail "the report refers to other files"
fi
if "$GAN" doctor | grep -q 'cairo *on:' && "$GAN" doctor | grep -q 'spng *on:'; then
    grep -q 'src="data:image/png;base64,iVBORw0KGgo' all/index.html || fail "no figures"
fi

# one experiment, the same numbers again, as JSON
run 0 theory parallel-lines --quick --out one --json
prints '"experiment": "parallel-lines"' '"failed": 0'
cmp one/parallel-lines.csv all/parallel-lines/parallel-lines.csv || fail "other numbers"
test -s one/index.html || fail "no report"

# a file in the way
: >file
run 1 theory parallel-lines --quick --out file/x
complains file
finish
