# What is no checkpoint, or a damaged one, is named; exit code 1.
. "$SRC/tests/cli/case.inc"
tiny_run run
file=run/checkpoints/step-00000002.safetensors
size=$(wc -c <$file)
run 1 sample missing
complains missing
mkdir empty
run 1 sample empty
complains empty
: >nothing
run 1 sample nothing
complains nothing
head -c $((size - 3)) $file >short
run 1 sample short
complains short
head -c 100 $file >stub
run 1 sample stub
complains stub
bytes 255 255 255 255 255 255 255 127 123 125 >liar
run 1 sample liar
complains liar
# One flipped byte of the data: the digest in the file tells.
{ head -c $((size - 5)) $file; bytes 170; tail -c 4 $file; } >flipped
if ! cmp -s flipped $file; then
    run 1 sample flipped
    complains flipped
fi
: >afile
run 1 sample run --out afile/x.png
complains afile
finish
