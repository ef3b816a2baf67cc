// The leaks that a project knows of and has put off: one line a finding.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reporter/model/model.h"

namespace leftover::policy {

struct BaselineEntry {
    std::string fingerprint;
    std::string rest;    // kind, name pattern and location, for people
    std::string source;  // "FILE:LINE"
};

// Lines of `fingerprint kind name-pattern location`; empty ones and those that begin with # are
// passed over. Throws std::runtime_error, one line with file and line number, when the file cannot
// be read or a line does not begin with a fingerprint.
std::vector<BaselineEntry> read_baseline(const std::string& path);
std::vector<BaselineEntry> parse_baseline(std::string_view text, const std::string& source);

// The findings of that severity or above, one line each, sorted, those of an earlier baseline
// included and suppressed ones not. Without line numbers and folders, so that the file changes when
// the leaks do.
std::string write_baseline(const Report& report, Severity lowest);

}  // namespace leftover::policy
