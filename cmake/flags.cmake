# Compiler flags of every target: C17 and POSIX.1-2008, the warnings of the style guide, sanitizers.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG -g1")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g")

# errno and trapping arithmetic are never looked at; everything else keeps IEEE meaning.
set(GAN_OPTIONS -fno-math-errno -fno-trapping-math
    "-fmacro-prefix-map=${CMAKE_CURRENT_SOURCE_DIR}/=")
set(GAN_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wdouble-promotion
    -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wformat=2 -Wundef -Wvla -Wwrite-strings
    -Wswitch-enum)
if(GAN_WERROR)
  list(APPEND GAN_WARNINGS -Werror)
endif()

set(GAN_LINK_OPTIONS "")
if(GAN_SANITIZE)
  list(APPEND GAN_OPTIONS -fsanitize=${GAN_SANITIZE} -fno-sanitize-recover=all
       -fno-omit-frame-pointer)
  list(APPEND GAN_LINK_OPTIONS -fsanitize=${GAN_SANITIZE})
  if(CMAKE_C_COMPILER_ID MATCHES Clang) # checks in a loop keep it from becoming vectors
    list(APPEND GAN_WARNINGS -Wno-pass-failed)
  endif()
endif()
if(GAN_FUZZ)
  list(APPEND GAN_OPTIONS -fsanitize=fuzzer-no-link)
  list(APPEND GAN_LINK_OPTIONS -fsanitize=fuzzer-no-link)
endif()
if(GAN_COVERAGE)
  list(APPEND GAN_OPTIONS --coverage -O0)
  list(APPEND GAN_LINK_OPTIONS --coverage)
endif()

# What `gan doctor` reports; the source directory is not part of it.
string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
set(GAN_BUILD_FLAGS "${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_${build_type}} ${GAN_OPTIONS}")
string(REGEX REPLACE ";?-fmacro-prefix-map=[^; ]*" "" GAN_BUILD_FLAGS "${GAN_BUILD_FLAGS}")
string(REPLACE ";" " " GAN_BUILD_FLAGS "${GAN_BUILD_FLAGS}")
string(STRIP "${GAN_BUILD_FLAGS}" GAN_BUILD_FLAGS)
set(GAN_BUILD_COMPILER "${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION}")
