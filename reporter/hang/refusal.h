// Why a process may not be looked into.
#pragma once

#include <string>
#include <string_view>

namespace leftover::hang {

// The kernel's rules for ptrace in words, for the text of /proc/sys/kernel/yama/ptrace_scope: who may do it.
// Empty when that is no reason.
std::string ptrace_rule(std::string_view scope);

// The same of this machine.
std::string ptrace_rule();

// HangProcess::error of a process that this one may not trace, with the rule if one stands in the way.
std::string refusal();
bool is_refusal(std::string_view error);

}  // namespace leftover::hang
