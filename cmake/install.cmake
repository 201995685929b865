# cmake --install: headers, the chosen layout, the libraries, a pkg-config file and a CMake package; the programs are
# installed by their own folders.
# Both package files find the rest from where they stand, so that the prefix may be chosen when installing.
include(CMakePackageConfigHelpers)
set(tl_package ${CMAKE_INSTALL_LIBDIR}/cmake/trueline)

set(tl_libraries trueline)
set(TL_PC_LIBS "-ltrueline")
set(TL_PC_REQUIRES "")
if(TL_LANES)
    list(APPEND tl_libraries trueline_lanes)
    string(PREPEND TL_PC_LIBS "-ltrueline_lanes ")
endif()
if(TL_OPENSSL)
    list(APPEND tl_libraries trueline_openssl)
    string(PREPEND TL_PC_LIBS "-ltrueline_openssl ")
    set(TL_PC_REQUIRES "libcrypto >= 3.0")
endif()
install(TARGETS ${tl_libraries} EXPORT trueline-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT trueline-targets NAMESPACE trueline:: DESTINATION ${tl_package})

install(DIRECTORY include/trueline DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/include/trueline/layout
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/trueline)

configure_package_config_file(cmake/trueline-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/trueline-config.cmake
    INSTALL_DESTINATION ${tl_package})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/trueline-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/trueline-config.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/trueline-config-version.cmake DESTINATION ${tl_package})

file(RELATIVE_PATH TL_PC_TO_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/trueline.pc.in ${CMAKE_CURRENT_BINARY_DIR}/trueline.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/trueline.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
