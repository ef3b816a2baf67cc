// The report as the tool holds it: the JSON report of schema leftover.report/1, field by field.
// Readers fill it, the judge adds leaks, symbols fill in names, renderers are pure functions of it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "preload/record/kinds.h"
#include "reporter/model/shared_text.h"
#include "reporter/model/sparse.h"

namespace leftover {

using record::Kind;
using record::Severity;

enum class Status : std::uint8_t { leaked, cleaned, in_use, failed, suppressed, baseline };

// How a program or process ended; all empty: not known. JSON: {"code": N}, {"signal": "SIGTERM"},
// {"running": true} or null.
struct Exit {
    std::optional<int> code;
    std::optional<int> signal;
    bool running = false;
};

// Times are nanoseconds of CLOCK_REALTIME; 0 is unknown (null in JSON).
using Time = std::int64_t;

struct Host {
    std::string name, kernel, machine;
};

struct Session {
    std::string id;
    std::vector<std::string> command;
    std::string cwd;
    Host host;
    Time started_at = 0;
    double duration_seconds = 0;
    Exit exit;
    bool timed_out = false;
    std::string mode = "report";
    bool complete = true;
    std::map<std::string, std::string> labels;
};

struct Counts {
    std::uint64_t created = 0, released = 0, peak = 0;
};

struct ProcessInfo {
    int pid = 0;
    int ppid = 0;
    Time started_at = 0;
    Time ended_at = 0;
    std::string executable;
    std::vector<std::string> command;
    bool instrumented = true;
    std::string reason;  // empty: null
    Exit exit;
    std::map<Kind, Counts> counts;
    // Not in JSON: identity, for matching.
    std::uint64_t start_ticks = 0;
    std::string session;
};

struct PythonFrame {
    std::string function, file;
    int line = 0;
};

struct NativeFrame {
    std::uint64_t address = 0;        // as it was in the process
    std::optional<int> module;        // Module::id
    std::uint64_t offset = 0;         // address in the module's own terms (return address, not less 1)
    std::string function, file;       // empty: not known
    int line = 0;                     // 0: not known
    bool inlined = false;             // inlined into the next frame; shares its address
};

struct Stack {
    int id = 0;
    std::vector<PythonFrame> python;  // innermost first
    std::vector<NativeFrame> native;  // innermost first
};

struct Module {
    int id = 0;
    std::string path;
    std::string build_id;  // hex
    std::uint64_t base = 0;
};

// What only some kinds have: processes, zombies, threads, System V objects. What is absent is not written.
struct MoreDetails {
    std::optional<std::uint64_t> id, key, resident_bytes;
    std::optional<int> pid;
    std::optional<std::vector<std::string>> command, holds;
    std::optional<std::string> state;          // process: R, S, D, T, Z...; thread: running, finished
    std::optional<std::string> start_routine;  // thread: a function's name or "0x..."
    std::optional<std::string> attribution;    // "window"
    // Not in JSON but by name above: where a thread's routine lies, for symbols.
    std::optional<NativeFrame> start_frame;
    // Not in JSON: identity, for those who clean up. A process is `pid` with these start ticks, a System V
    // object `id` with this change time (seconds of CLOCK_REALTIME).
    std::optional<std::uint64_t> start_ticks;
    std::optional<std::int64_t> changed;
};

// `details` of a leak. There may be a million of them: what is not of every kind that there may be so many of
// stands in `more`.
struct Details {
    std::optional<std::string> path;
    std::optional<std::uint64_t> inode, bytes;
    std::optional<std::uint64_t> device;  // not in JSON: identity of a file, with its inode
    std::optional<int> fd;
    Sparse<MoreDetails> more;
};

struct Leak {
    Kind kind{};
    Severity severity{};
    Status status = Status::leaked;
    int pid = 0;  // the creator; 0: not known (null)
    int tid = 0;
    std::optional<int> stack;  // Stack::id
    Time created_at = 0;
    std::string name;
    SharedText thread_name;
    SharedText fingerprint;  // empty: null
    SharedText error;        // empty: null
    SharedText session;      // in a merged report
    Details details;
};

struct CleanupAction {
    Kind kind{};
    std::string name;
    int pid = 0;
    std::string action;  // terminate, kill, unlink, remove
    std::string result;  // done, gone, in_use, failed
    std::string error;
};

struct CleanupLog {
    Time started_at = 0;
    double duration_seconds = 0;
    std::uint64_t reclaimed_bytes = 0;
    std::vector<CleanupAction> actions;
};

// Whom a thread waits for; tid 0: the process as a whole.
struct WaitsFor {
    int pid = 0;
    int tid = 0;
};

struct HangThread {
    int tid = 0;
    std::string name;
    std::string state;       // R, S, D, T...
    std::string waiting_on;  // in words; empty: null, it runs
    std::vector<WaitsFor> waits_for;
    std::optional<int> stack;         // Stack::id: where it was started
    std::vector<PythonFrame> python;  // innermost first
    std::vector<NativeFrame> native;  // innermost first
};

struct HangProcess {
    int pid = 0;
    std::vector<std::string> command;
    std::string error;         // why its stacks are not there; empty: null
    std::optional<int> stack;  // Stack::id: where it was created
    std::vector<HangThread> threads;
    SharedText session;  // in a merged report
};

// What every thread of the session was doing at one moment.
struct Hang {
    std::vector<HangProcess> processes;
};

struct Report {
    std::vector<Session> sessions;  // one: "session" in JSON; several: "sessions"
    std::vector<ProcessInfo> processes;
    std::vector<Leak> leaks;
    std::vector<Stack> stacks;
    std::vector<Module> modules;
    std::optional<CleanupLog> cleanup;
    std::map<std::string, std::string> reasons;  // not in JSON: why a fingerprint is suppressed
    bool has_baseline = false;                   // not in JSON: leaks were compared with one
    std::optional<Hang> hang;
    std::vector<std::string> remarks;  // not in JSON: what could not be read, for standard error
};

// The `summary` object, counted from a report.
struct Summary {
    std::uint64_t leaks = 0, errors = 0, warnings = 0, notes = 0, cleaned = 0, in_use = 0, failed = 0,
                  suppressed = 0, baseline = 0, reclaimed_bytes = 0;
    std::map<Kind, std::uint64_t> by_kind;
};

Summary summarize(const Report& report);

}  // namespace leftover
