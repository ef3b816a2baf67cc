// Elements of a JSON report into the model. All throw fields::Error.
#pragma once

#include <nlohmann/json.hpp>

#include "reporter/model/model.h"

namespace leftover::from_json {

// Seconds; no session lasts longer, so that its end, too, is a time in 64 bits.
inline constexpr double longest_session = 1e9;

Session session(const nlohmann::json& value);
ProcessInfo process(const nlohmann::json& value);
Stack stack(const nlohmann::json& value);
Module module(const nlohmann::json& value);
CleanupLog cleanup(const nlohmann::json& value);
Hang hang(const nlohmann::json& value);
Leak leak(const nlohmann::json& value);

}  // namespace leftover::from_json
