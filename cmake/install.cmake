# cmake --install: headers, the chosen layout, both libraries, a pkg-config file and a CMake package.
include(CMakePackageConfigHelpers)
install(TARGETS trueline trueline_openssl EXPORT trueline-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/trueline DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/include/trueline/layout DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/trueline)
install(EXPORT trueline-targets NAMESPACE trueline:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/trueline)
configure_package_config_file(cmake/trueline-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/trueline-config.cmake
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/trueline)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/trueline-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/trueline-config.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/trueline-config-version.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/trueline)
configure_file(cmake/trueline.pc.in ${CMAKE_CURRENT_BINARY_DIR}/trueline.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/trueline.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
