#include "reporter/clean/helpers.h"

#include <string_view>

#include "reporter/python/command.h"

namespace leftover::clean {

bool is_tidying_helper(const std::vector<std::string>& command) {
    if (command.empty()) return false;
    const std::string_view program = command.front();
    return program.substr(program.rfind('/') + 1) == "torch_shm_manager" ||
           python::role_of(command) == python::Role::tracker;
}

}  // namespace leftover::clean
