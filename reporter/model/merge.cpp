#include "reporter/model/merge.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace leftover {

namespace {

// Start times are from /proc in one report and from the process itself in another; two processes
// with one pid cannot be this near.
constexpr Time same_start = 20'000'000;  // ns

template <class Value>
void fill(Value& to, const std::type_identity_t<Value>& from) {
    if (to == Value{}) to = from;
}

void fill(Exit& to, const Exit& from) {
    const bool known = to.code || to.signal;
    if (!known && (from.code || from.signal || !to.running)) to = from;
}

Time end_of(const Session& session) {
    return session.started_at + static_cast<Time>(session.duration_seconds * 1e9);
}

void unite(Session& to, const Session& from) {
    if (to.started_at != 0 && from.started_at != 0) {
        const Time end = std::max(end_of(to), end_of(from));
        to.started_at = std::min(to.started_at, from.started_at);
        to.duration_seconds = static_cast<double>(end - to.started_at) / 1e9;
    } else if (to.started_at == 0) {
        to.started_at = from.started_at;
        to.duration_seconds = from.duration_seconds;
    }
    fill(to.command, from.command);
    fill(to.cwd, from.cwd);
    fill(to.host.name, from.host.name);
    fill(to.host.kernel, from.host.kernel);
    fill(to.host.machine, from.host.machine);
    fill(to.exit, from.exit);
    to.timed_out = to.timed_out || from.timed_out;
    to.complete = to.complete && from.complete;
    if (from.mode == "clean") to.mode = from.mode;
    to.labels.insert(from.labels.begin(), from.labels.end());
}

void unite(ProcessInfo& to, ProcessInfo&& from) {
    fill(to.ppid, from.ppid);
    fill(to.started_at, from.started_at);
    fill(to.ended_at, from.ended_at);
    fill(to.executable, from.executable);
    fill(to.command, from.command);
    fill(to.start_ticks, from.start_ticks);
    fill(to.exit, from.exit);
    if (from.instrumented) {
        to.instrumented = true;
        to.reason.clear();
    }
    for (const auto& [kind, counts] : from.counts) {
        Counts& mine = to.counts[kind];
        mine.created = std::max(mine.created, counts.created);
        mine.released = std::max(mine.released, counts.released);
        mine.peak = std::max(mine.peak, counts.peak);
    }
}

// Several processes may have judged the same leak at different times. What was done about it was
// done later than when it was merely seen.
int lateness(Status status) {
    switch (status) {
        case Status::cleaned: return 3;
        case Status::failed:
        case Status::in_use: return 2;
        case Status::suppressed:
        case Status::baseline: return 1;
        case Status::leaked: return 0;
    }
    return 0;
}

void unite(Leak& to, Leak&& from) {
    if (lateness(from.status) > lateness(to.status)) {
        to.status = from.status;
        to.error = std::move(from.error);
        to.severity = from.severity;
    }
    fill(to.pid, from.pid);
    fill(to.tid, from.tid);
    fill(to.thread_name, from.thread_name);
    fill(to.created_at, from.created_at);
    fill(to.fingerprint, from.fingerprint);
    fill(to.stack, from.stack);
    fill(to.details.path, from.details.path);
    fill(to.details.bytes, from.details.bytes);
    fill(to.details.device, from.details.device);
    if (!from.details.more) return;
    MoreDetails& more = to.details.more.edit();
    const MoreDetails& its = *from.details.more;
    fill(more.command, its.command);
    fill(more.state, its.state);
    fill(more.resident_bytes, its.resident_bytes);
    fill(more.holds, its.holds);
    fill(more.start_ticks, its.start_ticks);
    fill(more.changed, its.changed);
    fill(more.start_routine, its.start_routine);
    if (!more.start_frame) more.start_frame = its.start_frame;
}

// Numbers and texts as one string of bytes, to be compared and hashed.
class Bytes {
public:
    template <class Number>
        requires std::is_arithmetic_v<Number> || std::is_enum_v<Number>
    Bytes& operator<<(Number number) {
        bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
        return *this;
    }
    Bytes& operator<<(const std::string& text) {
        *this << text.size();
        bytes_ += text;
        return *this;
    }
    std::string take() { return std::move(bytes_); }

private:
    std::string bytes_;
};

// What makes two entries the same leak. A name that was removed and made again has another inode or
// id; where the kernel gives no such number, creator and time tell.
std::string identity(const Leak& leak) {
    const Details& details = leak.details;
    Bytes key;
    key << leak.session << leak.kind;
    if (details.more->pid) {
        key << *details.more->pid;  // a process may change its name by exec
    } else if (details.inode || details.more->id) {
        key << leak.name << details.inode.value_or(0) << details.more->id.value_or(0);
    } else {
        key << leak.name << leak.pid << leak.tid << details.fd.value_or(-1)
            << leak.created_at / 1000;  // JSON keeps microseconds
    }
    return key.take();
}

// Whether a pid was given anew between the two.
bool is_later_process(const Leak& one, const Leak& other) {
    const auto& its = one.details.more->start_ticks;
    const auto& others = other.details.more->start_ticks;
    return its && others && *its != *others;
}

// Everything of a stack but its number.
std::string content(const Stack& stack) {
    Bytes bytes;
    bytes << stack.python.size();
    for (const PythonFrame& frame : stack.python) bytes << frame.function << frame.file << frame.line;
    for (const NativeFrame& frame : stack.native) {
        bytes << frame.address << frame.module.value_or(0) << frame.offset << frame.function
              << frame.file << frame.line << frame.inlined;
    }
    return bytes.take();
}

class Merger {
public:
    explicit Merger(std::size_t reports) : alone_(reports == 1) {}

    void add(Report&& report) {
        add_sessions(report);
        add_modules(report);
        add_stacks(report);
        seen_.clear();
        for (ProcessInfo& process : report.processes) add_process(std::move(process));
        if (alone_) {
            for (Leak& leak : report.leaks) renumber(leak);
            result_.leaks = std::move(report.leaks);
        } else {
            for (Leak& leak : report.leaks) add_leak(std::move(leak));
        }
        if (report.cleanup) add_cleanup(std::move(*report.cleanup));
        result_.reasons.merge(report.reasons);
        result_.has_baseline = result_.has_baseline || report.has_baseline;
        if (report.hang) add_hang(std::move(*report.hang));
        for (std::string& remark : report.remarks) {
            auto& all = result_.remarks;
            if (std::find(all.begin(), all.end(), remark) == all.end()) all.push_back(std::move(remark));
        }
    }

    Report take() { return std::move(result_); }

private:
    void add_sessions(Report& report) {
        for (Session& session : report.sessions) {
            const auto [at, is_new] = sessions_.try_emplace(session.id, result_.sessions.size());
            if (is_new) {
                result_.sessions.push_back(session);
            } else {
                unite(result_.sessions[at->second], session);
            }
        }
        if (report.sessions.size() != 1) return;
        for (ProcessInfo& process : report.processes) fill(process.session, report.sessions[0].id);
        for (Leak& leak : report.leaks) fill(leak.session, report.sessions[0].id);
        if (!report.hang) return;
        for (HangProcess& process : report.hang->processes) fill(process.session, report.sessions[0].id);
    }

    void add_modules(const Report& report) {
        module_numbers_.clear();
        for (const Module& module : report.modules) {
            const auto key = std::tuple(module.path, module.build_id, module.base);
            const auto [at, is_new] =
                modules_.try_emplace(key, static_cast<int>(result_.modules.size()) + 1);
            if (is_new) {
                result_.modules.push_back(module);
                result_.modules.back().id = at->second;
            }
            module_numbers_[module.id] = at->second;
        }
    }

    void renumber(NativeFrame& frame) const {
        if (!frame.module) return;
        const auto at = module_numbers_.find(*frame.module);
        frame.module = at == module_numbers_.end() ? std::nullopt : std::optional(at->second);
    }

    void renumber(std::optional<int>& stack) const {
        if (!stack) return;
        const auto at = stack_numbers_.find(*stack);
        stack = at == stack_numbers_.end() ? std::nullopt : std::optional(at->second);
    }

    void add_stacks(Report& report) {
        stack_numbers_.clear();
        for (Stack& stack : report.stacks) {
            for (NativeFrame& frame : stack.native) renumber(frame);
            const int old_id = stack.id;
            const auto [at, is_new] =
                stacks_.try_emplace(content(stack), static_cast<int>(result_.stacks.size()) + 1);
            if (is_new) {
                stack.id = at->second;
                result_.stacks.push_back(std::move(stack));
            }
            stack_numbers_[old_id] = at->second;
        }
    }

    void add_process(ProcessInfo&& process) {
        auto& same_pid = processes_[{process.session, process.pid}];
        for (const std::size_t at : same_pid) {
            ProcessInfo& known = result_.processes[at];
            const Time apart = known.started_at - process.started_at;
            if (known.started_at == 0 || process.started_at == 0 ||
                (apart < same_start && apart > -same_start)) {
                unite(known, std::move(process));
                return;
            }
        }
        same_pid.push_back(result_.processes.size());
        result_.processes.push_back(std::move(process));
    }

    void renumber(Leak& leak) const {
        renumber(leak.stack);
        if (leak.details.more->start_frame) renumber(*leak.details.more.edit().start_frame);
    }

    void add_leak(Leak&& leak) {
        renumber(leak);
        // Entries of one report are never the same leak, however alike; the nth of them is the nth
        // of another report.
        const std::string key = identity(leak);
        std::vector<std::size_t>& alike = leaks_[key];
        std::size_t nth = seen_[key]++;
        while (nth < alike.size() && is_later_process(result_.leaks[alike[nth]], leak)) ++nth;
        if (nth < alike.size()) {
            unite(result_.leaks[alike[nth]], std::move(leak));
            return;
        }
        alike.push_back(result_.leaks.size());
        result_.leaks.push_back(std::move(leak));
    }

    void add_cleanup(CleanupLog&& cleanup) {
        if (!result_.cleanup) {
            result_.cleanup = std::move(cleanup);
            return;
        }
        CleanupLog& to = *result_.cleanup;
        if (to.started_at == 0 || (cleanup.started_at != 0 && cleanup.started_at < to.started_at)) {
            to.started_at = cleanup.started_at;
        }
        to.duration_seconds += cleanup.duration_seconds;
        to.reclaimed_bytes += cleanup.reclaimed_bytes;
        std::move(cleanup.actions.begin(), cleanup.actions.end(), std::back_inserter(to.actions));
    }

    // What was seen later counts; of different sessions, all.
    void add_hang(Hang&& hang) {
        if (!result_.hang) result_.hang.emplace();
        std::vector<HangProcess>& all = result_.hang->processes;
        for (HangProcess& process : hang.processes) {
            renumber(process.stack);
            for (HangThread& thread : process.threads) {
                renumber(thread.stack);
                for (NativeFrame& frame : thread.native) renumber(frame);
            }
            const auto known = std::find_if(all.begin(), all.end(), [&](const HangProcess& other) {
                return other.session == process.session && other.pid == process.pid &&
                       other.command == process.command;
            });
            if (known == all.end()) {
                all.push_back(std::move(process));
            } else {
                *known = std::move(process);
            }
        }
    }

    bool alone_;  // nothing to compare with: a million leaks need not be indexed
    Report result_;
    std::unordered_map<std::string, std::size_t> sessions_;  // id: index
    std::map<std::tuple<std::string, std::string, std::uint64_t>, int> modules_;
    std::unordered_map<std::string, int> stacks_;  // content: number
    std::map<std::pair<std::string, int>, std::vector<std::size_t>> processes_;
    std::unordered_map<std::string, std::vector<std::size_t>> leaks_;  // identity: indices

    // Of the report being added: its own numbers to the result's, and its leaks' identities.
    std::unordered_map<int, int> module_numbers_, stack_numbers_;
    std::unordered_map<std::string, std::size_t> seen_;
};

}  // namespace

Report merge(std::vector<Report> reports) {
    Merger merger(reports.size());
    for (Report& report : reports) merger.add(std::move(report));
    return merger.take();
}

}  // namespace leftover
