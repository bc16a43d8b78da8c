# IDX files made here: plain and gz open alike; each kind of lie is named.
. "$SRC/tests/cli/case.inc"
gray_idx 3 4 5 >good
run 0 data idx:good --json
quiet
prints '"count": 3' '"height": 4' '"width": 5' '"channels": 1'
gzip -c good >packed.gz
run 0 data idx:packed.gz --json
prints '"count": 3' '"height": 4' '"width": 5'

head -c 50 good >short
run 1 data idx:short
complains short 
head -c 2 good >stub
run 1 data idx:stub
complains stub
bytes 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 >noise
run 1 data idx:noise
complains noise
bytes 0 0 8 3 127 255 255 255 0 0 0 4 0 0 0 5 1 2 3 >liar
run 1 data idx:liar
complains liar
: >empty
run 1 data idx:empty
complains empty
head -c 40 packed.gz >torn.gz
run 1 data idx:torn.gz
complains torn.gz
cp good fake.gz
run 0 data idx:fake.gz
cp good noaccess
mkdir folder
run 1 data idx:folder
complains folder
finish
