#include "reporter/run/reporting.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <iostream>
#include <optional>
#include <set>
#include <utility>

#include "reporter/judge/judge.h"
#include "reporter/run/descendants.h"
#include "reporter/run/message.h"
#include "reporter/run/nested.h"

namespace leftover::run {
namespace {

// The program's entry, which no record tells of when the shim was not in it.
ProcessInfo program_entry(const SessionFile& facts) {
    ProcessInfo program;
    program.pid = facts.program.pid;
    program.ppid = facts.launcher.pid;
    program.started_at = facts.session.started_at;
    program.command = facts.session.command;
    program.executable = facts.executable;
    program.start_ticks = facts.program.start_ticks;
    program.session = facts.session.id;
    return program;
}

// What the launcher knows better than any record.
void complete(Report& report, const SessionFile& facts) {
    if (report.sessions.empty()) report.sessions.push_back(facts.session);
    const bool complete = report.sessions.front().complete;
    report.sessions.front() = facts.session;
    report.sessions.front().complete = complete;

    auto program = std::find_if(
        report.processes.begin(), report.processes.end(), [&](const ProcessInfo& process) {
            return process.pid == facts.program.pid &&
                   (process.start_ticks == 0 || process.start_ticks == facts.program.start_ticks);
        });
    if (program == report.processes.end()) {
        program = report.processes.insert(report.processes.begin(), program_entry(facts));
        program->instrumented = facts.instrumented;
    }
    if (!facts.instrumented) {
        program->instrumented = false;
        program->reason = facts.reason;
    }
    program->exit = facts.session.exit;
}

// The program's streams are ours, passed on, unless they are captured.
std::optional<kernel::FileId> stream_of(int fd, const Capture* capture) {
    if (capture != nullptr) return capture->id(fd);
    struct stat facts{};
    if (::fstat(fd, &facts) != 0) return std::nullopt;
    return kernel::FileId{facts.st_dev, facts.st_ino};
}

// What the records tell nothing of. Where the whole session recorded, that is nothing of its own, but for what was
// made by a call that no hook sees: of a library that was loaded with RTLD_DEEPBIND, as PHP's are.
void add_outside(Report& report, const Snapshot& before, const Options& options) {
    Creators creators;
    for (const ProcessInfo& process : report.processes) {
        creators.insert({process.pid, {process.started_at, process.ended_at}});
    }
    std::set<int> processes;
    if (!std::all_of(report.processes.begin(), report.processes.end(),
                     [](const ProcessInfo& process) { return process.instrumented; })) {
        for (const ProcessInfo& process : report.processes) processes.insert(process.pid);
    }
    const bool notes_matter = !options.outputs.empty() || options.gate.fail_on == Severity::note;
    const Snapshot after = processes.empty() && !notes_matter ? snapshot_of_memory() : snapshot();
    for (Leak& leak : appeared(before, after, processes, creators, report.leaks)) {
        if ((options.kinds & record::bit(leak.kind)) != 0) report.leaks.push_back(std::move(leak));
    }
}

render::Renderer renderer_of(const Options& options) {
    return options.summary != nullptr ? options.summary->render : &render::text;
}

void print(const Report& report, const Options& options, render::Renderer renderer) {
    render::Options rendering = render::options_for(STDERR_FILENO);
    rendering.notes = options.gate.fail_on == Severity::note;
    rendering.excused = options.show_suppressed;
    try {
        renderer(report, rendering, std::cerr);
    } catch (const std::exception& error) {
        say(error.what());
    }
    std::cerr.flush();
}

}  // namespace

Report make_report(const std::string& folder, const SessionFile& facts, const Snapshot& before,
                   const Options& options, bool& trouble, const Capture* capture, bool running_threads) {
    Report report;
    try {
        JudgeOptions judging;
        judging.live_processes = live_descendants();
        judging.running_threads = running_threads;
        judging.ignored_processes = {::getpid()};
        judging.standard_output = stream_of(STDOUT_FILENO, capture);
        judging.standard_error = stream_of(STDERR_FILENO, capture);
        report = folder.empty() ? judge_without_records(session_file_text(facts), judging) : judge_folder(folder, judging);
        complete(report, facts);
        if (!folder.empty()) add_nested(report, folder, judging);
        add_outside(report, before, options);
        std::erase_if(report.leaks, [&](const Leak& leak) {
            return (options.kinds & record::bit(leak.kind)) == 0;
        });
    } catch (const std::exception& error) {
        say(error.what());
        trouble = true;
        complete(report, facts);
    }
    return report;
}

bool write_outputs(const Report& report, const Options& options) {
    bool all = true;
    render::Options rendering;
    rendering.notes = true;  // a file has room for them
    rendering.excused = options.show_suppressed;
    for (const render::Output& output : options.outputs) {
        try {
            render::write(report, rendering, output);
        } catch (const std::exception& error) {
            say(error.what());
            all = false;
        }
    }
    return all;
}

void print_summary(const Report& report, const Options& options) {
    print(report, options, renderer_of(options));
}

bool print_hang(const Report& report, const Options& options) {
    if (renderer_of(options) != &render::text) return false;
    print(report, options, &render::text_of_hang);
    return true;
}

void print_remarks(const Report& report) {
    for (const std::string& remark : report.remarks) say(remark);
}

}  // namespace leftover::run
