#!/bin/sh
# make test: the release build with every suite in its short form, unit and ops under the address
# and undefined-behaviour sanitizers, and the checks. The last line is `N passed, N failed`.
set -u
cd "$(dirname "$0")/.."
. tools/stages.sh
mkdir -p $log_dir

if stage "build release" configure_and_build release; then
    cases "tests release" build
    stage "check symbols" tools/check_symbols.sh build
fi
if stage "build asan" configure_and_build asan suite_unit suite_ops; then
    cases "tests asan" build-asan -L '^(unit|ops)$'
fi
for check in format layers headers source; do
    stage "check $check" tools/check_$check.sh
done
finish
