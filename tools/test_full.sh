#!/bin/sh
# make test-full: everything make test does with the suites in their long form, and: Clang, thread
# sanitizer, valgrind, allocation failures under the sanitizers, fuzzing, AVX2 only, without oneDNN,
# with oneDNN 3.x. A stage whose tool or subject is missing is named and counted as skipped.
set -u
cd "$(dirname "$0")/.."
. tools/stages.sh
mkdir -p $log_dir
export GAN_TEST_FULL=1
fuzz_seconds=${FUZZ_SECONDS:-30}

have()
{
    command -v "$1" >/dev/null
}

# 1: what make test does
if stage "build release" configure_and_build release; then
    cases "tests release" build
    stage "check symbols" tools/check_symbols.sh build
fi
if stage "build asan" configure_and_build asan; then
    cases "tests asan" build-asan -L '^(unit|ops|passes|oom|fuzz)$'
fi
for check in format layers headers source; do
    stage "check $check" tools/check_$check.sh
done

# 2: Clang, whose warnings stop the build too
clang_build()
{
    cmake -S . -B build-clang -G Ninja -DCMAKE_C_COMPILER=clang && cmake --build build-clang -j "$jobs"
}
if ! have clang; then
    skip "build clang" "clang is not installed"
elif stage "build clang" clang_build; then
    cases "tests clang" build-clang -L '^(unit|ops)$'
fi

# 3: threads other than those of compute
threaded='data|loader|store|log|dashboard|prefetch'
if stage "build tsan" configure_and_build tsan suite_unit; then
    if ctest --test-dir build-tsan -N -L '^unit$' -R "$threaded" | grep -q 'Total Tests: 0'; then
        skip "tests tsan" "no unit test of the data, loader or store rooms"
    else
        cases "tests tsan" build-tsan -L '^unit$' -R "$threaded"
    fi
fi

# 4: valgrind over the unit tests, but for those that run long loops of numbers, which the builds
# with sanitizers cover, and for the lanes, because valgrind's own arithmetic gives NaN another sign
# than the CPU. Without oneDNN: its generated code reads past the end of a buffer of its own, which
# valgrind reports, and is slowed down a hundredfold
valgrind_units()
{
    cmake -S . -B build-valgrind -G Ninja -DCMAKE_BUILD_TYPE=Debug -DGAN_ONEDNN=OFF \
        "-DGAN_TEST_LAUNCHER=valgrind;--quiet;--error-exitcode=99;--leak-check=full;--errors-for-leak-kinds=definite;--suppressions=$PWD/tests/support/valgrind.supp" &&
        cmake --build build-valgrind -j "$jobs" --target suite_unit
}
if ! have valgrind; then
    skip "tests valgrind" "valgrind is not installed"
elif stage "build valgrind" valgrind_units; then
    cases "tests valgrind" build-valgrind -L '^unit$' -E 'cpu_kernels|growth|cpu_plain|run_train|lanes|monitor|unroll'
fi

# 5: fuzzing, each target for a while, starting from its corpus
if ! have clang; then
    skip "fuzz" "clang is not installed"
elif ! ls tests/fuzz/fuzz_[!m]*.c >/dev/null 2>&1; then
    skip "fuzz" "no target in tests/fuzz"
elif stage "build fuzz" configure_and_build fuzz; then
    for source in tests/fuzz/fuzz_*.c; do
        target=$(basename "$source" .c)
        [ "$target" != fuzz_main ] || continue
        mkdir -p "build-fuzz/found/$target"
        stage "$target ${fuzz_seconds} s" "build-fuzz/$target" -max_total_time="$fuzz_seconds" \
            -rss_limit_mb=4096 -artifact_prefix="build-fuzz/$target-" \
            "build-fuzz/found/$target" "tests/fuzz/corpus/${target#fuzz_}"
    done
fi

# 6: a CPU without AVX-512
if ! grep -qw avx2 /proc/cpuinfo; then
    skip "tests AVX2 only" "this CPU has no AVX2"
else
    export ONEDNN_MAX_CPU_ISA=AVX2 DNNL_MAX_CPU_ISA=AVX2 GAN_ISA=v3
    cases "tests AVX2 only" build -L '^(unit|ops|golden)$'
    unset ONEDNN_MAX_CPU_ISA DNNL_MAX_CPU_ISA GAN_ISA
fi

# 7: without oneDNN
plain_build()
{
    cmake -S . -B build-plain -G Ninja -DGAN_ONEDNN=OFF && cmake --build build-plain -j "$jobs"
}
if stage "build without oneDNN" plain_build; then
    cases "tests without oneDNN" build-plain -L '^(unit|ops|passes|golden|cli)$'
fi

# 8: with oneDNN 3.x
onednn3_build()
{
    cmake -S . -B build-onednn3 -G Ninja -DCMAKE_PREFIX_PATH="$prefix" &&
        cmake --build build-onednn3 -j "$jobs" &&
        grep -q "GAN_ONEDNN_LIBRARY:FILEPATH=$prefix/" build-onednn3/CMakeCache.txt
}
mkdir -p build-onednn3
if prefix=$(tools/onednn3.sh build-onednn3/onednn 2>$log_dir/onednn3.txt); then
    if stage "build oneDNN 3.x" onednn3_build; then
        LD_LIBRARY_PATH=$prefix/lib # for the installed program, which knows no build folder
        export LD_LIBRARY_PATH
        cases "tests oneDNN 3.x" build-onednn3 -L '^(unit|ops|passes|golden|cli)$'
        unset LD_LIBRARY_PATH
    fi
else
    skip "build oneDNN 3.x" "PyPI's packages could not be had ($log_dir/onednn3.txt)"
fi
finish
