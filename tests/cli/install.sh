# The installed tree serves a program: through pkg-config (shared and static) and through CMake.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cmake --install "$BUILD" --prefix "$dir/tree" >"$dir/log" || { cat "$dir/log"; exit 1; }
lib=$(dirname "$(find "$dir/tree" -name 'libgan.so')")
test -e "$lib/libgan.a"
"$dir/tree/bin/gan" --version | grep -q '^[^0-9]*[0-9][0-9]*\.[0-9]'

cat >"$dir/user.c" <<'END'
#include <gan/log.h>
#include <gan/option.h>
#include <stdio.h>

int main(void)
{
    static const struct gan_opt table[] = {{.name = "n"}, {.name = NULL}};
    gan_set_log(NULL, NULL);
    puts(gan_opt_find(table, "n") ? "found" : "lost");
    return 0;
}
END

# The package files carry the prefix of the configuration: pkg-config is told the new one.
pc()
{
    PKG_CONFIG_PATH=$lib/pkgconfig pkg-config --define-variable=prefix="$dir/tree" "$@" libgan
}
# The compiler of the build: the static library needs its OpenMP.
cc=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$BUILD/CMakeCache.txt")
"$cc" -std=c17 -Wall -Wextra -Werror "$dir/user.c" -o "$dir/shared" $(pc --cflags --libs)
test "$(LD_LIBRARY_PATH=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "$dir/shared")" = found
if ! ldd "$BUILD/libgan.so" | grep -qE 'lib[atu]+san'; then
    "$cc" -std=c17 $(pc --cflags) "$dir/user.c" -o "$dir/static" "$lib/libgan.a" \
        $(pc --static --libs-only-l | sed 's/-lgan //') $(pc --static --libs-only-other)
    test "$("$dir/static")" = found
fi

mkdir "$dir/project"
cat >"$dir/project/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.22)
project(user LANGUAGES C)
find_package(libgan 0.1 REQUIRED)
add_executable(user ../user.c)
target_link_libraries(user PRIVATE libgan::gan)
END
cmake -S "$dir/project" -B "$dir/project/build" -DCMAKE_PREFIX_PATH="$dir/tree" >"$dir/log" 2>&1 &&
    cmake --build "$dir/project/build" >>"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
test "$("$dir/project/build/user")" = found

# The example of the README, compiled against the installed tree, samples from a checkpoint.
GAN_CACHE=$BUILD/test-cache "$dir/tree/bin/gan" train gan --data toy:ring8 --steps 0 --z 8 --width 4 \
    --threads 1 --out "$dir/run" >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
"$cc" -std=c17 -Wall -Wextra -Werror "$SRC/examples/sample.c" -o "$dir/sample" $(pc --cflags --libs)
LD_LIBRARY_PATH=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "$dir/sample" "$dir/run/checkpoints/step-00000000.safetensors" "$dir/grid.png"
test "$(head -c 8 "$dir/grid.png" | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a
