// Where ptrace is for ancestors only (yama), nobody but the session's launcher may look into its
// processes. Who wants to know leaves a request in the session's folder and signals the launcher, with
// dump_signal(), which leaves the answer there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reporter/model/model.h"
#include "reporter/run/session_file.h"

namespace leftover::run {

// What the launcher sees of these processes: a report with `hang` and modules. Nothing when it does not
// answer within 20 seconds, or ends meanwhile.
std::optional<Report> ask_launcher(const std::string& folder, const ProcessId& launcher,
                                   const std::vector<int>& pids);

// In the launcher, when the signal came: answers every request in the folder. Only descendants of ours
// are looked at. Throws nothing; what goes wrong is in the answer, or nowhere.
void answer_requests(const std::string& folder);

}  // namespace leftover::run
