#!/bin/sh
# The public headers are the manual: every declaration in include/gan/*.h stands directly under a
# /** ... */ block with a description; a block may cover several declarations that follow each
# other without an empty line. What returns gan_status says what goes wrong (`errors:`); what returns
# memory that is not const says whose it is (`owns:`) or how to free it. Forward declarations of
# structures need no block.
set -eu
cd "$(dirname "$0")/.."
find include/gan -name '*.h' | LC_ALL=C sort | xargs -r awk '
function complain(line, text) {
    printf "%s:%d: %s\n", FILENAME, line, text
    bad = 1
}
function finish(   text) {
    text = decl
    gsub(/[ \t]+/, " ", text)
    sub(/^ /, "", text)
    decl = ""
    if (text ~ /^(typedef )?(struct|union|enum) [A-Za-z0-9_]+( [A-Za-z0-9_]+)? ?;$/)
        return
    short = substr(text, 1, 60)
    if (block == "") {
        complain(start, "no /** */ block above: " short)
        return
    }
    words = block
    gsub(/[ \t\n*]/, "", words)
    if (length(words) < 8)
        complain(start, "the block says nothing: " short)
    if (text ~ /^(GAN_API )?gan_status gan_[a-z0-9_]+\(/ && block !~ /errors:/)
        complain(start, "returns gan_status; the block has no errors: line: " short)
    if (text ~ /^(GAN_API )?(struct )?[a-z0-9_]+ \*gan_[a-z0-9_]+\(/ &&
        block !~ /owns:|[Oo]wned|returns dst|gan_[a-z0-9_]+_free/)
        complain(start, "returns memory; the block has no owns: line: " short)
}
FNR == 1 {
    block = ""; decl = ""; depth = 0; comment = 0; continued = 0
    if ($0 !~ /^\/\*/)
        complain(1, "the header does not open with a comment")
}
{
    line = $0
    # Preprocessor lines, with their continuations.
    if (continued || (!comment && line ~ /^[ \t]*#/)) {
        continued = line ~ /\\$/
        next
    }
    # Comments; a /** block at depth 0 is kept for the declarations below it.
    code = ""
    while (line != "") {
        if (comment) {
            i = index(line, "*/")
            if (doc)
                block = block (i ? substr(line, 1, i - 1) : line) "\n"
            if (!i) {
                line = ""
                break
            }
            line = substr(line, i + 2)
            comment = 0
        } else {
            i = index(line, "/*")
            if (!i) {
                code = code line
                break
            }
            code = code substr(line, 1, i - 1)
            doc = substr(line, i, 3) == "/**" && depth == 0 && decl == ""
            if (doc)
                block = ""
            line = substr(line, i + (doc ? 3 : 2))
            comment = 1
        }
    }
    if ($0 ~ /^[ \t]*$/ && decl == "")
        block = ""
    if (code ~ /^[ \t]*$/ || code ~ /^extern "C" \{/ || (depth == 0 && code ~ /^\}[ \t]*$/))
        next
    if (decl == "")
        start = FNR
    decl = decl " " code
    depth += gsub(/[{(]/, "&", code) - gsub(/[})]/, "&", code)
    if (depth == 0 && (code ~ /;[ \t]*$/ || (code ~ /\}[ \t]*$/ && decl ~ /inline/)))
        finish()
}
END { exit bad }'
