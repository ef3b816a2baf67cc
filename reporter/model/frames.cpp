#include "reporter/model/frames.h"

#include <algorithm>
#include <array>

namespace leftover {

namespace {

std::string_view base_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != text.npos;
}

// "libc.so.6" is of the stem "libc"; so are "libc-2.31.so" and "libc.so", but not "libcurl.so.4".
bool is_library(std::string_view name, std::string_view stem) {
    if (!name.starts_with(stem)) return false;
    name.remove_prefix(stem.size());
    return name.starts_with(".so") || (name.starts_with("-") && contains(name, ".so"));
}

// python, python3, python3.11, python3.13t, pypy3
bool is_interpreter_name(std::string_view name) {
    for (const std::string_view stem : {"python", "pypy"}) {
        if (!name.starts_with(stem)) continue;
        return name.find_first_not_of("0123456789.td", stem.size()) == name.npos;
    }
    return false;
}

bool is_package_file(std::string_view path) {
    return contains(path, "/site-packages/") || contains(path, "/dist-packages/");
}

}  // namespace

Owner owner_of(std::string_view path) {
    constexpr std::array runtime{std::string_view("libc"),       std::string_view("libpthread"),
                                 std::string_view("libdl"),      std::string_view("librt"),
                                 std::string_view("libm"),       std::string_view("libstdc++"),
                                 std::string_view("libgcc_s"),   std::string_view("libc++"),
                                 std::string_view("libc++abi"),  std::string_view("ld-linux"),
                                 std::string_view("libasan"),    std::string_view("libubsan"),
                                 std::string_view("libtsan"),    std::string_view("ld")};
    const std::string_view name = base_name(path);
    if (is_library(name, "libleftover")) return Owner::shim;
    if (std::any_of(runtime.begin(), runtime.end(),
                    [name](std::string_view stem) { return is_library(name, stem); }) ||
        name.starts_with("ld-linux") || name.starts_with("ld-musl") || contains(name, "vdso")) {
        return Owner::runtime;
    }
    if (is_interpreter_name(name) || name.starts_with("libpython") || contains(path, "/lib-dynload/")) {
        return Owner::interpreter;
    }
    if (is_package_file(path)) return Owner::system;
    const bool local = path.starts_with("/usr/local/");
    const bool of_system = path.starts_with("/usr/lib") || path.starts_with("/lib");
    return of_system && !local && contains(name, ".so") ? Owner::system : Owner::user;
}

bool is_library_file(std::string_view file) {
    // <frozen runpy>; but <string> and <stdin> are the user's.
    if (file.starts_with("<frozen")) return true;
    if (is_package_file(file)) return true;
    // .../lib/python3.11/threading.py, also of a zip file
    const auto at = file.find("/lib/python");
    return at != file.npos && file.find_first_of("0123456789", at) == at + 11;
}

Owner owner_of_python(std::string_view file) {
    if (is_package_file(file)) return Owner::system;
    return is_library_file(file) ? Owner::interpreter : Owner::user;
}

bool is_library_code(std::string_view function, std::string_view file) {
    constexpr std::array folders{std::string_view("/usr/include/"), std::string_view("/usr/lib/gcc/"),
                                 std::string_view("/rustc/")};
    constexpr std::array scopes{std::string_view("std::"),        std::string_view("__gnu_cxx::"),
                                std::string_view("core::"),       std::string_view("alloc::"),
                                std::string_view("<core::"),      std::string_view("<alloc::"),
                                std::string_view("<std::"),       std::string_view("__rust_")};
    const auto begins = [](std::string_view text, const auto& prefixes) {
        return std::any_of(prefixes.begin(), prefixes.end(),
                           [text](std::string_view prefix) { return text.starts_with(prefix); });
    };
    if (begins(file, folders) || contains(file, "/lib/rustlib/src/rust/")) return true;
    // "void std::__invoke_impl<...>(...)": the return type of a template comes first.
    if (function.starts_with("void ")) function.remove_prefix(5);
    return begins(function, scopes);
}

bool is_start_code(std::string_view function) {
    return function == "_start" || function == "__libc_start_main" || function == "_init" ||
           function == "__libc_csu_init" || function == "call_init";
}

bool is_import_machinery(const PythonFrame& frame) {
    const std::string_view file = frame.file;
    return file.starts_with("<frozen importlib") || file.ends_with("/importlib/_bootstrap.py") ||
           file.ends_with("/importlib/_bootstrap_external.py") ||
           file.ends_with("/importlib/__init__.py");
}

}  // namespace leftover
