# A command nobody knows, no command, an option in its place.
. "$SRC/tests/cli/case.inc"
run 2 trian
says "gan: unknown command 'trian' (did you mean 'train'?)"
run 2 xyzzy
says "gan: unknown command 'xyzzy', see gan help"
run 2
complains "a command is missing"
run 2 --frobnicate
complains "--frobnicate"
finish
