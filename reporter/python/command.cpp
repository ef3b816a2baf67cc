#include "reporter/python/command.h"

#include <algorithm>
#include <string_view>

namespace leftover::python {
namespace {

bool ends_with_module(std::string_view name, std::string_view module) {
    // loky lives in packages of its own and in joblib's.
    return name == module || (name.ends_with(module) &&
                              name[name.size() - module.size() - 1] == '.');
}

// `from MODULE import NAME; NAME(...)`, as the parents write it.
Role role_of_code(std::string_view code) {
    constexpr std::string_view from = "from ";
    constexpr std::string_view import = " import ";
    if (!code.starts_with(from)) return Role::none;
    code.remove_prefix(from.size());
    const auto end = code.find(import);
    if (end == std::string_view::npos) return Role::none;
    const std::string_view module = code.substr(0, end);
    const std::string_view rest = code.substr(end + import.size());
    if (module == "multiprocessing.spawn" && rest.starts_with("spawn_main; spawn_main(")) {
        return Role::worker;
    }
    if (!rest.starts_with("main;")) return Role::none;
    if (module == "multiprocessing.forkserver") return Role::fork_server;
    const bool is_tracker = module == "multiprocessing.resource_tracker" ||
                            module == "multiprocessing.semaphore_tracker" ||
                            ends_with_module(module, "loky.backend.resource_tracker") ||
                            ends_with_module(module, "loky.backend.semaphore_tracker");
    return is_tracker ? Role::tracker : Role::none;
}

bool has(const std::vector<std::string>& command, std::string_view word) {
    return std::find(command.begin(), command.end(), word) != command.end();
}

}  // namespace

Role role_of(const std::vector<std::string>& command) {
    if (command.empty()) return Role::none;
    // A program frozen into one file starts itself; its arguments are spawn_main's.
    if (has(command, "--multiprocessing-fork") &&
        std::any_of(command.begin(), command.end(), [](const std::string& word) {
            return word.starts_with("pipe_handle=");
        })) {
        return Role::worker;
    }
    for (std::size_t i = 1; i + 1 < command.size(); ++i) {
        if (command[i] == "-c") return role_of_code(command[i + 1]);
        if (command[i] == "-m") {
            return ends_with_module(command[i + 1], "loky.backend.popen_loky_posix")
                       ? Role::worker
                       : Role::none;
        }
        // The interpreter's options come first: behind a script's name all is the script's.
        if (!command[i].starts_with("-") && command[i - 1] != "-W" && command[i - 1] != "-X") break;
    }
    return Role::none;
}

}  // namespace leftover::python
