#include "reporter/clean/helpers.h"

#include <algorithm>
#include <string_view>

namespace leftover::clean {

namespace {

// `from multiprocessing.resource_tracker import main;main(5)`, and loky's likewise
bool is_trackers_code(std::string_view code) {
    constexpr std::string_view from = "from ";
    if (!code.starts_with(from)) return false;
    code.remove_prefix(from.size());
    const auto end = code.find(' ');
    if (end == std::string_view::npos || !code.substr(end).starts_with(" import main")) return false;
    const std::string_view module = code.substr(0, end);
    return module.ends_with(".resource_tracker") || module.ends_with(".semaphore_tracker");
}

}  // namespace

bool is_tidying_helper(const std::vector<std::string>& command) {
    if (command.empty()) return false;
    const std::string_view program = command.front();
    if (program.substr(program.rfind('/') + 1) == "torch_shm_manager") return true;
    const auto option = std::find(command.begin(), command.end(), "-c");
    return option != command.end() && option + 1 != command.end() && is_trackers_code(option[1]);
}

}  // namespace leftover::clean
