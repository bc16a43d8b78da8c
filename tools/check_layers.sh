#!/bin/sh
# Includes follow docs/layers.txt: across rooms with the room's path ("nn/net.h"), inside a room
# without a path, and only in the permitted directions. Public headers include public headers.
# --fix drops the path from includes inside a room.
set -eu
cd "$(dirname "$0")/.."
if [ "${1:-}" = --fix ]; then
    find src -name '*.[ch]' | while read -r file; do
        room=$(dirname "${file#src/}")
        if grep -q "^#include \"$room/[^/]*\"" "$file"; then
            sed -i "s|^#include \"$room/\([^/]*\"\)|#include \"\1|" "$file"
        fi
    done
fi
find src include examples -name '*.[ch]' 2>/dev/null | LC_ALL=C sort | xargs -r awk '
function complain(text) {
    printf "%s:%d: %s\n", FILENAME, FNR, text
    bad = 1
}
function dirname_of(path) {
    return path ~ /\// ? substr(path, 1, match(path, /\/[^\/]*$/) - 1) : ""
}
BEGIN {
    while ((getline line < "docs/layers.txt") > 0) {
        sub(/#.*/, "", line)
        n = split(line, word, /[: \t]+/)
        if (word[1] == "")
            continue
        known[word[1]] = 1
        for (i = 2; i <= n; i++)
            allowed[word[1], word[i]] = 1
    }
}
FNR == 1 {
    room = dirname_of(FILENAME)
    sub(/^src\//, "", room)
    if (room ~ /^include/)
        room = "public headers"
    else if (!(room in known))
        complain("room " room " is not in docs/layers.txt")
}
/^[ \t]*#[ \t]*include[ \t]*["<]/ {
    path = $0
    sub(/^[^"<]*/, "", path)
    quoted = substr(path, 1, 1) == "\""
    path = substr(path, 2)
    sub(/[">].*/, "", path)
    target = dirname_of(path)
    if (target == "gan" || path == "gan_config.h" && room != "public headers")
        next
    if (!quoted) {
        if (target in known)
            complain("include \"" path "\" with quotes, or not at all")
        next
    }
    if (room == "public headers") {
        complain("a public header includes \"" path "\"; only <gan/...> and system headers")
    } else if (target == "") {
        file = FILENAME
        sub(/[^\/]*$/, path, file)
        if ((getline line < file) < 0)
            complain("\"" path "\" is not in room " room "; name the room in the path")
        close(file)
    } else if (target == room) {
        complain("\"" path "\" lies in the same room; include it without the path")
    } else if (target == "base" ? (room, "public") in allowed : !((room, target) in allowed)) {
        complain("room " room " may not include \"" path "\" (docs/layers.txt)")
    }
}
END { exit bad }'
