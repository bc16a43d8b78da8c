# Tests, found by pattern. tests/<suite>/test_*.c are one program each, labelled with the suite;
# tests/ops/*.c are one program; tests/cli/*.sh are one case each, which a line "# Runs alone" keeps
# from running beside others; tests/fuzz/fuzz_*.c replay
# their corpus, or are libFuzzer targets with GAN_FUZZ. tests/support/*.c is linked to all of them,
# the other .c files of a suite to each of its programs.
set(GAN_TEST_LAUNCHER "" CACHE STRING "Command in front of test programs, e.g. valgrind;--quiet")
find_path(GAN_CMOCKA_INCLUDE cmocka.h)
find_library(GAN_CMOCKA_LIBRARY cmocka)
mark_as_advanced(GAN_CMOCKA_INCLUDE GAN_CMOCKA_LIBRARY)
if(NOT GAN_CMOCKA_INCLUDE OR NOT GAN_CMOCKA_LIBRARY)
  message(FATAL_ERROR " cmocka is missing: install libcmocka-dev, or configure with -DGAN_TESTS=OFF")
endif()

set(tests_dir ${CMAKE_CURRENT_SOURCE_DIR}/tests)
set(test_environment UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1
    LSAN_OPTIONS=suppressions=${tests_dir}/support/leaks.txt:print_suppressions=0)
if(GAN_SANITIZE MATCHES thread)
  # libgomp's barriers are invisible to the tool: compute runs on one thread, loaders on theirs.
  list(APPEND test_environment OMP_NUM_THREADS=1)
endif()

file(GLOB support CONFIGURE_DEPENDS ${tests_dir}/support/*.c)
add_library(gan_tests INTERFACE)
target_include_directories(gan_tests INTERFACE ${tests_dir})
target_compile_definitions(gan_tests INTERFACE "GAN_SOURCE_DIR=\"${CMAKE_CURRENT_SOURCE_DIR}\"")
target_link_libraries(gan_tests INTERFACE libgan_static ${GAN_CMOCKA_LIBRARY})
if(support)
  add_library(gan_tests_support STATIC ${support})
  target_link_libraries(gan_tests_support PUBLIC gan_tests)
  set(test_library gan_tests_support)
else()
  set(test_library gan_tests)
endif()

function(gan_test_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE ${test_library})
endfunction()

# gan_test(name suite program arguments...); `suite_<name>` builds the programs of one suite.
add_custom_target(suite_unit)
add_custom_target(suite_ops)
function(gan_test name label program)
  if(TARGET ${program})
    if(NOT TARGET suite_${label})
      add_custom_target(suite_${label})
    endif()
    add_dependencies(suite_${label} ${program})
    set(program ${GAN_TEST_LAUNCHER} $<TARGET_FILE:${program}>)
  endif()
  add_test(NAME ${name} COMMAND ${program} ${ARGN} WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT 900
                       ENVIRONMENT "${test_environment}")
endfunction()

# With libFuzzer, main() comes from the fuzzer: only its targets are built.
if(NOT GAN_FUZZ)
  file(GLOB programs CONFIGURE_DEPENDS ${tests_dir}/*/test_*.c)
  list(FILTER programs EXCLUDE REGEX "/tests/(ops|cli|fuzz|support)/")
  foreach(file IN LISTS programs)
    get_filename_component(name ${file} NAME_WE)
    get_filename_component(dir ${file} DIRECTORY)
    get_filename_component(label ${dir} NAME)
    file(GLOB helpers CONFIGURE_DEPENDS ${dir}/*.c)
    list(FILTER helpers EXCLUDE REGEX "/test_[^/]*$")
    gan_test_program(${name} ${file} ${helpers})
    gan_test(${name} ${label} ${name})
  endforeach()

  file(GLOB ops CONFIGURE_DEPENDS ${tests_dir}/ops/*.c)
  if(ops)
    gan_test_program(test_ops ${ops})
    gan_test(test_ops ops test_ops)
  endif()

  file(GLOB cases CONFIGURE_DEPENDS ${tests_dir}/cli/*.sh)
  foreach(file IN LISTS cases)
    if(NOT TARGET gan)
      break()
    endif()
    get_filename_component(name ${file} NAME_WE)
    gan_test(cli_${name} cli ${CMAKE_COMMAND} -E env GAN=$<TARGET_FILE:gan>
             SRC=${CMAKE_CURRENT_SOURCE_DIR} BUILD=${CMAKE_CURRENT_BINARY_DIR} sh ${file})
    file(STRINGS ${file} alone REGEX "^# Runs alone")
    if(alone)
      set_tests_properties(cli_${name} PROPERTIES RUN_SERIAL TRUE)
    endif()
  endforeach()
endif()

# tests/bench/*.sh: figures held against stored ones; they say themselves when they do not apply.
file(GLOB cases CONFIGURE_DEPENDS ${tests_dir}/bench/*.sh)
foreach(file IN LISTS cases)
  if(NOT TARGET gan OR GAN_FUZZ)
    break()
  endif()
  get_filename_component(name ${file} NAME_WE)
  gan_test(bench_${name} bench ${CMAKE_COMMAND} -E env GAN=$<TARGET_FILE:gan>
           SRC=${CMAKE_CURRENT_SOURCE_DIR} BUILD=${CMAKE_CURRENT_BINARY_DIR} sh ${file})
endforeach()

file(GLOB fuzzers CONFIGURE_DEPENDS ${tests_dir}/fuzz/fuzz_*.c)
list(FILTER fuzzers EXCLUDE REGEX "/fuzz_main\\.c$")
foreach(file IN LISTS fuzzers)
  get_filename_component(name ${file} NAME_WE)
  if(GAN_FUZZ)
    gan_test_program(${name} ${file})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    gan_test_program(${name} ${file} ${tests_dir}/fuzz/fuzz_main.c)
    string(REGEX REPLACE "^fuzz_" "" corpus ${name})
    gan_test(${name} fuzz ${name} ${tests_dir}/fuzz/corpus/${corpus})
  endif()
endforeach()
