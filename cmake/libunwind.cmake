# leftover::unwind         libunwind for unwinding the own process, static and position-independent
# leftover::unwind_ptrace  the same for another process (libunwind-ptrace)
#
# The shim carries its unwinder inside itself: a shared libunwind would bring liblzma and its own
# _Unwind_* into every program, where C++ exceptions expect those of libgcc. Debian's libunwind.a
# is not position-independent; unless the system has one that is, the library is built from the
# source that cmake/fetch-libunwind.sh (./dev setup) fetched.

include(ExternalProject)
include(ProcessorCount)

set(LEFTOVER_LIBUNWIND_SOURCE "${PROJECT_SOURCE_DIR}/.cache/libunwind/source" CACHE PATH
    "libunwind's source, used when the system has no position-independent libunwind.a")

find_path(LEFTOVER_UNWIND_INCLUDE_DIR libunwind-ptrace.h)
find_library(LEFTOVER_UNWIND_LIBRARY NAMES libunwind.a)
find_library(LEFTOVER_UNWIND_GENERIC_LIBRARY NAMES libunwind-generic.a)
find_library(LEFTOVER_UNWIND_PTRACE_LIBRARY NAMES libunwind-ptrace.a)
mark_as_advanced(LEFTOVER_LIBUNWIND_SOURCE LEFTOVER_UNWIND_INCLUDE_DIR LEFTOVER_UNWIND_LIBRARY
    LEFTOVER_UNWIND_GENERIC_LIBRARY LEFTOVER_UNWIND_PTRACE_LIBRARY)

if(LEFTOVER_UNWIND_INCLUDE_DIR AND LEFTOVER_UNWIND_LIBRARY AND LEFTOVER_UNWIND_GENERIC_LIBRARY
        AND LEFTOVER_UNWIND_PTRACE_LIBRARY)
    # Only a link into a shared library tells. Everything must resolve, or the shim would need
    # liblzma too.
    include(CheckCSourceCompiles)
    block()
        set(CMAKE_REQUIRED_QUIET ON)
        set(CMAKE_REQUIRED_FLAGS -fPIC)
        set(CMAKE_REQUIRED_INCLUDES "${LEFTOVER_UNWIND_INCLUDE_DIR}")
        set(CMAKE_REQUIRED_LINK_OPTIONS -shared -Wl,--no-undefined -Wl,-z,text)
        set(CMAKE_REQUIRED_LIBRARIES "${LEFTOVER_UNWIND_LIBRARY}")
        check_c_source_compiles("
            #define UNW_LOCAL_ONLY
            #include <libunwind.h>
            int frames(void **buffer, int size) { return unw_backtrace(buffer, size); }"
            LEFTOVER_SYSTEM_UNWIND_IS_PIC)
    endblock()
endif()

add_library(leftover_unwind INTERFACE)
add_library(leftover::unwind ALIAS leftover_unwind)
add_library(leftover_unwind_ptrace INTERFACE)
add_library(leftover::unwind_ptrace ALIAS leftover_unwind_ptrace)

if(LEFTOVER_SYSTEM_UNWIND_IS_PIC)
    message(STATUS "libunwind: the system's ${LEFTOVER_UNWIND_LIBRARY}")
    set(leftover_unwind_include "${LEFTOVER_UNWIND_INCLUDE_DIR}")
    set(leftover_unwind_local "${LEFTOVER_UNWIND_LIBRARY}")
    set(leftover_unwind_remote
        "${LEFTOVER_UNWIND_PTRACE_LIBRARY}" "${LEFTOVER_UNWIND_GENERIC_LIBRARY}")
else()
    if(NOT EXISTS "${LEFTOVER_LIBUNWIND_SOURCE}/configure")
        message(FATAL_ERROR "There is no libunwind source in ${LEFTOVER_LIBUNWIND_SOURCE}; "
            "run ./dev setup first, or set LEFTOVER_LIBUNWIND_SOURCE.")
    endif()
    message(STATUS "libunwind: built from ${LEFTOVER_LIBUNWIND_SOURCE}")

    set(leftover_unwind_prefix "${PROJECT_BINARY_DIR}/libunwind")
    set(leftover_unwind_include "${leftover_unwind_prefix}/include")
    set(leftover_unwind_local "${leftover_unwind_prefix}/lib/libunwind.a")
    set(leftover_unwind_remote
        "${leftover_unwind_prefix}/lib/libunwind-ptrace.a"
        "${leftover_unwind_prefix}/lib/libunwind-generic.a")

    ProcessorCount(leftover_processors)
    if(leftover_processors EQUAL 0)
        set(leftover_processors 1)
    endif()
    set(leftover_unwind_host "")
    if(CMAKE_CROSSCOMPILING)
        set(leftover_unwind_host "--host=${CMAKE_SYSTEM_PROCESSOR}-linux-gnu")
    endif()

    # initial-exec: the default model calls __tls_get_addr, which may allocate.
    # --disable-debug-frame: it would read files and use the heap to unwind.
    # --disable-weak-backtrace: nobody gets our backtrace() for the C library's.
    # --disable-unwind-header: its unwind.h would hide the compiler's.
    ExternalProject_Add(leftover_libunwind_build
        SOURCE_DIR "${LEFTOVER_LIBUNWIND_SOURCE}"
        PREFIX "${leftover_unwind_prefix}"
        DOWNLOAD_COMMAND ""
        CONFIGURE_COMMAND "${LEFTOVER_LIBUNWIND_SOURCE}/configure"
            "--prefix=${leftover_unwind_prefix}" "--libdir=${leftover_unwind_prefix}/lib"
            ${leftover_unwind_host}
            --quiet --disable-dependency-tracking
            --disable-shared --enable-static --with-pic
            --disable-minidebuginfo --disable-zlibdebuginfo --disable-cxx-exceptions
            --disable-tests --disable-documentation --disable-coredump --disable-setjmp
            --disable-weak-backtrace --disable-unwind-header --disable-debug-frame
            "CC=${CMAKE_C_COMPILER}" "CXX=${CMAKE_CXX_COMPILER}"
            "CFLAGS=-O2 -g -w -fvisibility=hidden -ftls-model=initial-exec"
            COMMAND make --silent clean # make itself does not see that flags have changed
        BUILD_COMMAND make --silent "-j${leftover_processors}"
        INSTALL_COMMAND make --silent install
        BUILD_BYPRODUCTS "${leftover_unwind_local}" ${leftover_unwind_remote}
        LOG_CONFIGURE ON LOG_BUILD ON LOG_INSTALL ON LOG_OUTPUT_ON_FAILURE ON)

    # A new patch means new source.
    ExternalProject_Add_StepDependencies(leftover_libunwind_build configure
        "${PROJECT_SOURCE_DIR}/cmake/libunwind-no-pipe.patch"
        "${PROJECT_SOURCE_DIR}/cmake/libunwind-small-cache.patch")

    # CMake wants the folder of an include path to exist when it generates.
    file(MAKE_DIRECTORY "${leftover_unwind_include}")
    add_dependencies(leftover_unwind leftover_libunwind_build)
endif()

target_include_directories(leftover_unwind SYSTEM INTERFACE "${leftover_unwind_include}")
target_compile_definitions(leftover_unwind INTERFACE UNW_LOCAL_ONLY)
target_link_libraries(leftover_unwind INTERFACE "${leftover_unwind_local}")

# No UNW_LOCAL_ONLY here. The generic library leans on the local one.
target_include_directories(leftover_unwind_ptrace SYSTEM INTERFACE "${leftover_unwind_include}")
target_link_libraries(leftover_unwind_ptrace INTERFACE
    ${leftover_unwind_remote} "${leftover_unwind_local}")
if(TARGET leftover_libunwind_build)
    add_dependencies(leftover_unwind_ptrace leftover_libunwind_build)
endif()
