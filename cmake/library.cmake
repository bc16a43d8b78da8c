# The library and the program.
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON) # for libraries outside the system's directories

# What every target of the tree is compiled with.
add_library(gan_base INTERFACE)
target_compile_options(gan_base INTERFACE ${GAN_OPTIONS} ${GAN_WARNINGS})
target_compile_definitions(gan_base INTERFACE _POSIX_C_SOURCE=200809L _XOPEN_SOURCE=700
                           _FILE_OFFSET_BITS=64)
target_link_options(gan_base INTERFACE ${GAN_LINK_OPTIONS} -Wl,--as-needed)
target_include_directories(gan_base INTERFACE ${CMAKE_CURRENT_SOURCE_DIR}/include)

# ... and what the library's own files and the tests see besides.
add_library(gan_internal INTERFACE)
target_include_directories(gan_internal INTERFACE ${CMAKE_CURRENT_SOURCE_DIR}/src ${GAN_GENERATED})
if(GAN_INCLUDES)
  target_include_directories(gan_internal SYSTEM INTERFACE ${GAN_INCLUDES})
endif()
target_link_libraries(gan_internal INTERFACE gan_base ${GAN_LIBRARIES} OpenMP::OpenMP_C
                      Threads::Threads m)

add_library(gan_objects OBJECT ${lib_sources} ${GAN_GENERATED}/gan_tables.c)
target_link_libraries(gan_objects PRIVATE gan_internal)
target_compile_definitions(gan_objects PRIVATE GAN_BUILDING)
set(objects $<TARGET_OBJECTS:gan_objects>)

# gan_lanes(suffix isa options...): lanes_*.c for one instruction set.
function(gan_lanes suffix isa)
  add_library(gan_lanes_${suffix} OBJECT ${lanes_sources})
  target_link_libraries(gan_lanes_${suffix} PRIVATE gan_internal)
  target_compile_options(gan_lanes_${suffix} PRIVATE ${ARGN} -ffp-contract=off
                         $<$<CONFIG:Release>:-O3>
                         $<$<C_COMPILER_ID:Clang,AppleClang>:-Wno-pass-failed>)
  target_compile_definitions(gan_lanes_${suffix} PRIVATE GAN_BUILDING GAN_LANES_SUFFIX=_${suffix}
                             GAN_LANES_ISA=${isa})
  set(objects ${objects} $<TARGET_OBJECTS:gan_lanes_${suffix}> PARENT_SCOPE)
endfunction()
if(lanes_sources)
  if(GAN_LANES_X86)
    # A vector wider than the instruction set changes GCC's calling convention; lanes never cross
    # a call that is not inlined, so its note about the ABI does not apply. Clang warns of loops
    # under `omp simd` that it did not vectorise: at -O1 none are, and speed is not a warning.
    gan_lanes(base 0 -march=x86-64 -Wno-psabi)
    gan_lanes(v3 1 -march=x86-64-v3 -Wno-psabi)
    gan_lanes(v4 2 -march=x86-64-v4 -Wno-psabi)
  else()
    gan_lanes(base 0 -Wno-psabi)
  endif()
endif()

add_library(libgan_static STATIC ${objects})
set_target_properties(libgan_static PROPERTIES OUTPUT_NAME gan)
target_link_libraries(libgan_static PUBLIC gan_internal)

add_library(libgan_shared SHARED ${objects})
set_target_properties(libgan_shared PROPERTIES OUTPUT_NAME gan EXPORT_NAME gan
                      VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
target_link_libraries(libgan_shared PRIVATE gan_internal)
target_include_directories(libgan_shared INTERFACE
                           $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
                           $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

# The program is linked with the static library: it starts without looking one up.
if(cli_sources)
  add_executable(gan ${cli_sources} ${GAN_GENERATED}/gan_commands.c)
  target_link_libraries(gan PRIVATE libgan_static)
endif()

# Examples see what an installed program sees; benchmarks may look inside.
if(GAN_EXAMPLES)
  file(GLOB examples CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/examples/*.c)
  foreach(file IN LISTS examples)
    get_filename_component(name ${file} NAME_WE)
    add_executable(${name} ${file})
    target_link_libraries(${name} PRIVATE libgan_shared gan_base m)
  endforeach()
  file(GLOB benches CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/bench/bench_*.c)
  foreach(file IN LISTS benches)
    get_filename_component(name ${file} NAME_WE)
    add_executable(${name} ${file})
    target_link_libraries(${name} PRIVATE libgan_static)
  endforeach()
endif()
