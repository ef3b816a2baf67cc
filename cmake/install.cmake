# Installation below any prefix, and the Debian package (cpack -G DEB in the build folder).
#
# The tool looks for the shim beside itself and in ../lib/leftover, whatever this system calls its
# library folder.

include(GNUInstallDirs)

install(TARGETS leftover RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(TARGETS leftover_shim LIBRARY DESTINATION lib/leftover)
install(FILES LICENSE README.md DESTINATION "${CMAKE_INSTALL_DOCDIR}")

# For other projects' CTest: find_package(leftover), leftover_add_test(...).
include(CMakePackageConfigHelpers)
set(LEFTOVER_EXECUTABLE "${CMAKE_INSTALL_BINDIR}/leftover")
configure_package_config_file(cmake/leftoverConfig.cmake.in
    "${PROJECT_BINARY_DIR}/package/leftoverConfig.cmake"
    INSTALL_DESTINATION lib/cmake/leftover
    PATH_VARS LEFTOVER_EXECUTABLE)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/package/leftoverConfigVersion.cmake"
    COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
install(FILES
    "${PROJECT_BINARY_DIR}/package/leftoverConfig.cmake"
    "${PROJECT_BINARY_DIR}/package/leftoverConfigVersion.cmake"
    DESTINATION lib/cmake/leftover)

# Manual pages and completion scripts are written by the tool itself, from the options it has.
if(NOT CMAKE_CROSSCOMPILING)
    set(share "${PROJECT_BINARY_DIR}/share")
    add_custom_command(
        OUTPUT "${share}/man/man1/leftover.1"
        COMMAND "${CMAKE_COMMAND}" -E rm -rf "${share}"
        COMMAND leftover manual --share "${share}"
        DEPENDS leftover
        COMMENT "Manual pages and completion scripts"
        VERBATIM)
    add_custom_target(leftover_share ALL DEPENDS "${share}/man/man1/leftover.1")
    install(DIRECTORY "${share}/" DESTINATION "${CMAKE_INSTALL_DATADIR}")
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME leftover)
set(CPACK_PACKAGE_VENDOR "the leftover developers")
set(CPACK_PACKAGE_CONTACT "the leftover developers <leftover@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "Runs a program as it is and tells what it leaves behind: processes, semaphores,
shared memory, message queues, temporary files, sockets, unjoined threads; which
process made each, at which line, native and Python; and cleans up if asked.")
include(CPack)
