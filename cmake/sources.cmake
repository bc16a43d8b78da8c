# Which file is built how, by its name and room; and the generated tables of descriptors.
file(GLOB_RECURSE lib_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/*.c)
file(GLOB cli_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/cli/*.c)
list(FILTER lib_sources EXCLUDE REGEX "/src/(cli|dashboard)/")

# dnnl_*.c are the only users of <dnnl.h>.
if(NOT GAN_ONEDNN)
  list(FILTER lib_sources EXCLUDE REGEX "/dnnl_[^/]*\\.c$")
endif()

# cairo_*.c are the only users of <cairo.h>.
if(NOT GAN_CAIRO)
  list(FILTER lib_sources EXCLUDE REGEX "/cairo_[^/]*\\.c$")
endif()

# lanes_*.c: one source of explicit lanes, compiled once for each instruction set.
set(lanes_sources ${lib_sources})
list(FILTER lanes_sources INCLUDE REGEX "/lanes_[^/]*\\.c$")
list(FILTER lib_sources EXCLUDE REGEX "/lanes_[^/]*\\.c$")

# The oracle: no contraction, so that a reference means the same on every machine.
set(exact_sources ${lib_sources})
list(FILTER exact_sources INCLUDE REGEX "/ref_[^/]*\\.c$|/engine/ops/[^/]*\\.c$")
set_source_files_properties(${exact_sources} PROPERTIES COMPILE_OPTIONS -ffp-contract=off)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8)
  set(GAN_LANES_X86 1)
else()
  set(GAN_LANES_X86 0)
endif()

set(GAN_GENERATED ${CMAKE_CURRENT_BINARY_DIR}/generated)
configure_file(cmake/gan_config.h.in ${GAN_GENERATED}/gan_config.h @ONLY)

# gan_collect(output kinds sources...): a C file with the sorted tables of the descriptors in them.
# Runs when a source changes, rewrites the file only when its content would change.
function(gan_collect output kinds)
  set(list_file ${GAN_GENERATED}/${output}.sources)
  list(JOIN ARGN "\n" lines)
  file(CONFIGURE OUTPUT ${list_file} CONTENT "${lines}\n" @ONLY)
  add_custom_command(
    OUTPUT ${GAN_GENERATED}/${output}
    COMMAND ${CMAKE_COMMAND} -DKINDS=${kinds} -DSOURCES=${list_file}
            -DROOT=${CMAKE_CURRENT_SOURCE_DIR} -DOUTPUT=${GAN_GENERATED}/${output}
            -P ${CMAKE_CURRENT_SOURCE_DIR}/cmake/collect.cmake
    DEPENDS ${ARGN} ${list_file} ${CMAKE_CURRENT_SOURCE_DIR}/cmake/collect.cmake
    COMMENT "Collecting descriptors: ${output}"
    VERBATIM)
endfunction()

gan_collect(gan_tables.c library ${lib_sources})
gan_collect(gan_commands.c program ${cli_sources})
