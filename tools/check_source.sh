#!/bin/sh
# Rules that a compiler does not see: calls the style guide bans, where <dnnl.h> may be included,
# flags that change arithmetic, an opening comment in each file, unique file names.
set -eu
cd "$(dirname "$0")/.."
status=0
files=$(find src include tests examples bench -name '*.[ch]' 2>/dev/null | LC_ALL=C sort)

# Calls, found in the code without comments and strings.
printf '%s\n' $files | xargs -r awk '
function ban(names, why,   n, i, list) {
    n = split(names, list, " ")
    for (i = 1; i <= n; i++)
        if (code ~ "(^|[^A-Za-z0-9_.>])" list[i] "[ \t]*\\(") {
            printf "%s:%d: %s: %s\n", FILENAME, FNR, list[i], why
            bad = 1
        }
}
FNR == 1 {
    comment = 0
    source = FILENAME ~ /^(src|include)\//
    library = source && FILENAME !~ /^src\/(cli|dashboard)\//
    if ($0 !~ /^\/\*/) {
        printf "%s:1: does not open with a comment\n", FILENAME
        bad = 1
    }
}
{
    line = $0
    code = ""
    while (line != "") {
        if (comment) {
            i = index(line, "*/")
            if (!i)
                break
            line = substr(line, i + 2)
            comment = 0
        } else if (match(line, /\/\*|\/\/|"([^"\\]|\\.)*"|\047([^\047\\]|\\.)+\047/)) {
            token = substr(line, RSTART, RLENGTH)
            code = code substr(line, 1, RSTART - 1)
            line = substr(line, RSTART + RLENGTH)
            if (token == "//")
                break
            if (token == "/*")
                comment = 1
            else
                code = code "\"\""
        } else {
            code = code line
            break
        }
    }
    ban("sprintf vsprintf strcpy strcat strtok atoi atol atoll atof gets setlocale alloca setjmp " \
        "longjmp", "banned")
    if (source)
        ban("rand srand time localtime abort", "banned")
    if (source && FILENAME != "src/base/alloc.c")
        ban("malloc calloc realloc free aligned_alloc posix_memalign memalign strdup strndup " \
            "asprintf vasprintf", "memory comes from base/alloc.h")
    if (library) {
        ban("exit _exit quick_exit", "a library never ends the process")
        ban("printf vprintf puts putchar perror psignal", "a library never prints")
        if (code ~ /(^|[^A-Za-z0-9_])(stdout|stderr)([^A-Za-z0-9_]|$)/) {
            printf "%s:%d: a library never prints\n", FILENAME, FNR
            bad = 1
        }
    }
    if ($0 ~ /^[ \t]*#[ \t]*include[ \t]*[<"](oneapi\/dnnl\/)?dnnl/ && source &&
        $0 !~ /"dnnl_[a-z0-9_]*\.h"/ && FILENAME !~ /^src\/engine\/execute\/dnnl_[^\/]*$/) {
        printf "%s:%d: <dnnl.h> belongs to src/engine/execute/dnnl_*.c\n", FILENAME, FNR
        bad = 1
    }
}
END { exit bad }' || status=1

flags=$(grep -nE -- '-(ffast-math|Ofast|funsafe-math-optimizations|fassociative-math)' \
    CMakeLists.txt CMakePresets.json Makefile cmake/* 2>/dev/null || true)
if [ -n "$flags" ]; then
    printf '%s\nflags that change arithmetic are banned\n' "$flags"
    status=1
fi

# Public headers may share a name with the internal header of their subject.
twice=$(printf '%s\n' $files | grep -v '^include/' | sed 's|.*/||' | LC_ALL=C sort | uniq -d)
for name in $twice; do
    echo "$name: the file name is used twice:" $(printf '%s\n' $files | grep "/$name\$")
    status=1
done
exit $status
