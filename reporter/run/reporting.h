// After the session: from its records to reports.
#pragma once

#include <string>

#include "reporter/judge/outside.h"
#include "reporter/model/model.h"
#include "reporter/run/capture.h"
#include "reporter/run/options.h"
#include "reporter/run/session_file.h"

namespace leftover::run {

// What is left over, checked against the kernel, the processes that still live below us, and what
// there was `before`. `folder`: the session's, empty when nothing is recorded. When that fails, what the launcher itself knows, and one line on standard
// error; `trouble` is set. `capture`: what the program's streams are, if they are not ours.
// `running_threads`: as JudgeOptions has it.
Report make_report(const std::string& folder, const SessionFile& facts, const Snapshot& before,
                   const Options& options, bool& trouble, const Capture* capture = nullptr,
                   bool running_threads = false);

// Writes every -o. Returns false, with a line on standard error each, when one could not be written.
bool write_outputs(const Report& report, const Options& options);

// The summary on standard error.
void print_summary(const Report& report, const Options& options);

// Of the summary what the report's hang says, if it is one in text. Returns false when it is not.
bool print_hang(const Report& report, const Options& options);

// Messages of what could not be read, on standard error.
void print_remarks(const Report& report);

}  // namespace leftover::run
