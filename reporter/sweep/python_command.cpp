#include "reporter/sweep/python_command.h"

#include <algorithm>
#include <string_view>

namespace leftover::sweep {
namespace {

bool ends_with_module(std::string_view name, std::string_view module) {
    // loky lives in packages of its own and in joblib's.
    return name == module || (name.ends_with(module) &&
                              name[name.size() - module.size() - 1] == '.');
}

// `from MODULE import NAME; NAME(...)`, as the parents write it.
PythonRole role_of_code(std::string_view code) {
    constexpr std::string_view from = "from ";
    constexpr std::string_view import = " import ";
    if (!code.starts_with(from)) return PythonRole::none;
    code.remove_prefix(from.size());
    const auto end = code.find(import);
    if (end == std::string_view::npos) return PythonRole::none;
    const std::string_view module = code.substr(0, end);
    const std::string_view rest = code.substr(end + import.size());
    if (module == "multiprocessing.spawn" && rest.starts_with("spawn_main; spawn_main(")) {
        return PythonRole::worker;
    }
    if (!rest.starts_with("main;")) return PythonRole::none;
    if (module == "multiprocessing.forkserver") return PythonRole::fork_server;
    const bool is_tracker = module == "multiprocessing.resource_tracker" ||
                            module == "multiprocessing.semaphore_tracker" ||
                            ends_with_module(module, "loky.backend.resource_tracker") ||
                            ends_with_module(module, "loky.backend.semaphore_tracker");
    return is_tracker ? PythonRole::tracker : PythonRole::none;
}

bool has(const std::vector<std::string>& command, std::string_view word) {
    return std::find(command.begin(), command.end(), word) != command.end();
}

}  // namespace

PythonRole python_role(const std::vector<std::string>& command) {
    if (command.empty()) return PythonRole::none;
    // A program frozen into one file starts itself; its arguments are spawn_main's.
    if (has(command, "--multiprocessing-fork") &&
        std::any_of(command.begin(), command.end(), [](const std::string& word) {
            return word.starts_with("pipe_handle=");
        })) {
        return PythonRole::worker;
    }
    for (std::size_t i = 1; i + 1 < command.size(); ++i) {
        if (command[i] == "-c") return role_of_code(command[i + 1]);
        if (command[i] == "-m") {
            return ends_with_module(command[i + 1], "loky.backend.popen_loky_posix")
                       ? PythonRole::worker
                       : PythonRole::none;
        }
        // The interpreter's options come first: behind a script's name all is the script's.
        if (!command[i].starts_with("-") && command[i - 1] != "-W" && command[i - 1] != "-X") break;
    }
    return PythonRole::none;
}

}  // namespace leftover::sweep
