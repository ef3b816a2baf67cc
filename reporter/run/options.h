// The options of `leftover run`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "preload/record/kinds.h"
#include "reporter/policy/policy.h"
#include "reporter/render/format.h"
#include "reporter/run/gate.h"

namespace leftover::run {

struct Options {
    std::vector<std::string> command;
    std::vector<render::Output> outputs;
    const render::Format* summary = nullptr;  // null: text
    GateOptions gate;
    policy::Policy policy;
    bool show_suppressed = false;
    bool clean = false;
    double grace = 1;
    double kill_after = 5;
    double timeout = 0;  // seconds; 0: none
    std::uint32_t kinds = record::all_kinds;
    unsigned depth = 64;
    bool python = true;
    bool quiet = false;
    std::map<std::string, std::string> labels;
    std::string session;  // empty: a made-up id
    bool keep = false;
    bool detach = false;
    std::string capture;         // a folder; empty: none
    std::string on_complete;     // for the shell; empty: none
    unsigned max_processes = 0;  // 0: any number
    unsigned max_sessions = 0;   // 0: any number
    bool wait = false;           // for one's turn among them

    bool is_kept() const { return keep || detach; }
    bool is_captured() const { return detach || !capture.empty(); }
};

// A list as --kinds takes it: names separated by commas; -NAME leaves one out, of all kinds when it
// comes first. Throws std::runtime_error, one line that names the valid ones.
std::uint32_t parse_kinds(const std::string& list);

}  // namespace leftover::run
