# On a terminal: one progress line that is rewritten, bold headings; NO_COLOR takes the bold away.
. "$SRC/tests/cli/case.inc"
if ! command -v script >/dev/null; then
    echo "skipped: script (package bsdutils) is not installed"
    exit 0
fi
if ! script -qec true /dev/null >out 2>err </dev/null; then
    echo "skipped: this system gives no pseudo-terminal: $(cat err)"
    exit 0
fi
export TERM=xterm
bold=$(printf '\033[1m')
words="gan help on a terminal"
script -qec "$GAN help" /dev/null >out 2>err </dev/null || fail "$words: exit code"
grep -qF "$bold" out || fail "$words: no bold heading"
NO_COLOR=1 script -qec "$GAN help" /dev/null >out 2>err </dev/null || fail "$words: exit code"
! grep -qF "$bold" out || fail "$words: NO_COLOR is bold"
TERM=dumb script -qec "$GAN help" /dev/null >out 2>err </dev/null || fail "$words: exit code"
! grep -qF "$bold" out || fail "$words: a dumb terminal gets bold"

words="gan train on a terminal"
gray_idx 40 8 8 >tiny
script -qec "$GAN train gan --data idx:tiny --steps 400 --batch 8 --width 4 --z 8 --threads 1" \
    /dev/null >out 2>err </dev/null || fail "$words: exit code"
erase=$(printf '\033[K')
tr '\r' '\n' <out | grep "steps/s" >lines
grep -q "step 400/400" lines || fail "$words: no last step"
[ "$(grep -cF "$erase" lines)" = "$(wc -l <lines)" ] || fail "$words: a line is not cleared to its end"
awk 'length($0) > 79 + 3 { exit 1 }' lines || fail "$words: a line is wider than the terminal"
finish
