// The words that reports and options use for kinds, severities, states and signals.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "reporter/model/model.h"

namespace leftover {

std::string_view name_of(Kind kind);          // semaphore
std::string_view name_of(Severity severity);  // error, warning, note
std::string_view name_of(Status status);      // leaked, cleaned, in_use ...

std::optional<Kind> kind_by_name(std::string_view name);
std::optional<Severity> severity_by_name(std::string_view name);
std::optional<Status> status_by_name(std::string_view name);

// SIGTERM, SIGRTMIN+3; "signal 99" for one that this system does not have.
std::string signal_name(int signal);

// The number for a name as signal_name gives it, also without SIG.
std::optional<int> signal_by_name(std::string_view name);

}  // namespace leftover
