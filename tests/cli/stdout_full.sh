# What cannot be written to stdout is an error; a reader who left is no reason for words.
. "$SRC/tests/cli/case.inc"
words="gan list on a full disk"
if [ -c /dev/full ]; then
    "$GAN" list >/dev/full 2>err
    [ $? = 1 ] || fail "exit code on a full disk"
    grep -q "cannot write to standard output" err || fail "a full disk is not named"
fi
# The reader is gone before gan starts to write.
{ { sleep 0.2; "$GAN" list 2>err; echo $? >code; } | true; }
i=0
while [ ! -s code ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done
[ "$(cat code)" = 1 ] || fail "exit code $(cat code) with nobody reading"
[ ! -s err ] || fail "words about a reader who left"
"$GAN" list >&- 2>err
[ $? = 1 ] || fail "exit code with stdout closed"
[ ! -s err ] || fail "words about a stdout that was closed"
finish
