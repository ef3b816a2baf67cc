#include "reporter/hang/refusal.h"

#include <fmt/format.h>

#include "reporter/kernel/text.h"

namespace leftover::hang {
namespace {

constexpr std::string_view prefix = "no stacks: this user may not trace it";

}  // namespace

std::string ptrace_rule(std::string_view scope) {
    const auto words = kernel::split_words(scope.substr(0, scope.find('\n')));
    const std::string_view value = words.empty() ? std::string_view() : words.front();
    const char* who = value == "1"   ? "only those who started it, and root, may"
                      : value == "2" ? "only root may"
                      : value == "3" ? "nobody may, until the machine is started anew"
                                     : nullptr;
    return who == nullptr ? std::string() : fmt::format("kernel.yama.ptrace_scope is {}: {}", value, who);
}

std::string ptrace_rule() { return ptrace_rule(kernel::read_text("/proc/sys/kernel/yama/ptrace_scope")); }

std::string refusal() {
    const std::string rule = ptrace_rule();
    return rule.empty() ? std::string(prefix) : fmt::format("{} ({})", prefix, rule);
}

bool is_refusal(std::string_view error) { return error.starts_with(prefix); }

}  // namespace leftover::hang
