# Library, public headers, program, pkg-config file and CMake package (target libgan::gan).
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/libgan)

install(TARGETS libgan_shared EXPORT libganTargets)
install(TARGETS libgan_static ARCHIVE)
if(TARGET gan)
  install(TARGETS gan)
endif()
install(DIRECTORY include/gan DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(EXPORT libganTargets NAMESPACE libgan:: DESTINATION ${package_dir})

configure_package_config_file(cmake/libganConfig.cmake.in libganConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(libganConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/libganConfig.cmake
        ${CMAKE_CURRENT_BINARY_DIR}/libganConfigVersion.cmake DESTINATION ${package_dir})

# What a static link needs besides: pkg-config --static.
set(private "")
foreach(library IN LISTS GAN_LIBRARIES)
  get_filename_component(dir ${library} DIRECTORY)
  get_filename_component(name ${library} NAME_WE)
  string(REGEX REPLACE "^lib" "-l" name ${name})
  if(NOT dir IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
    set(name ${library}) # another version may lie in the system's directories
  endif()
  string(APPEND private " ${name}")
endforeach()
set(GAN_PC_PRIVATE "${private} ${OpenMP_C_FLAGS} -lpthread -lm")
configure_file(cmake/libgan.pc.in libgan.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/libgan.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
