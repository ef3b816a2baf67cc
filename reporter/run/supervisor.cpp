#include "reporter/run/supervisor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "reporter/clean/clean.h"
#include "reporter/clean/helpers.h"
#include "reporter/commands/commands.h"
#include "reporter/findings/fingerprint.h"
#include "reporter/hang/hang.h"
#include "reporter/kernel/machine.h"
#include "reporter/kernel/process.h"
#include "reporter/kernel/text.h"
#include "reporter/model/merge.h"
#include "reporter/model/names.h"
#include "reporter/model/utf8.h"
#include "reporter/run/admission.h"
#include "reporter/run/callback.h"
#include "reporter/run/descendants.h"
#include "reporter/run/dump.h"
#include "reporter/run/dump_request.h"
#include "reporter/run/environment.h"
#include "reporter/run/escort.h"
#include "reporter/run/message.h"
#include "reporter/run/nested.h"
#include "reporter/run/no_room.h"
#include "reporter/run/preflight.h"
#include "reporter/run/program_path.h"
#include "reporter/run/reporting.h"
#include "reporter/run/state_folder.h"
#include "reporter/run/stop.h"
#include "reporter/symbols/symbols.h"

namespace leftover::run {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int timed_out_exit = 124;
constexpr int not_executable = 126;
constexpr int not_found = 127;

// How long processes that no shim counts may go uncounted, seconds.
constexpr double stock_period = 0.1;

constexpr double grace_when_stopped = 1;  // seconds

// The shim keeps the folder's path, and files below it, in buffers of its own.
constexpr std::size_t longest_folder = 440;

// Of a session file, besides the command that is in it, and of a first record, bytes.
constexpr std::size_t spare_room = 65536;

// A record that found less may not have grown, or not been made, bytes.
constexpr std::uint64_t room_of_a_record = 1U << 20U;

Exit exit_with(int code) {
    Exit exit;
    exit.code = code;
    return exit;
}

Exit cannot_run(const std::string& name, std::string_view reason, int code) {
    say(fmt::format("cannot run '{}': {}", name, reason));
    return exit_with(code);
}

// In the order of Loadable.
constexpr std::string_view reason_names[] = {"",     "static",     "setuid", "architecture",
                                             "libc", "unreadable", "unknown"};

ProcessId identify(pid_t pid) {
    const auto stat = kernel::read_stat(pid);
    return {pid, stat ? stat->start_ticks : 0};
}

// For those who read, and for suppressions and baselines.
void name(Report& report) {
    if (report.leaks.empty() && !report.hang) return;
    SymbolOptions symbols;
    symbols.cache = symbol_cache_folder();
    symbolize(report, symbols);
    findings::fingerprint(report);
}

std::string working_directory() {
    std::error_code error;
    const auto path = std::filesystem::current_path(error);
    return error ? "" : path.string();  // it may have been deleted
}

std::string absolute(const std::string& path) {
    std::error_code error;
    const auto result = std::filesystem::absolute(path, error);
    return error ? path : result.lexically_normal().string();
}

}  // namespace

Supervisor::~Supervisor() {
    if (keep_) return;
    if (nested_) nested_->remove();
    if (folder_) folder_->remove();
}

Exit Supervisor::run() {
    const std::string& name = options_.command.front();
    const ProgramPath program = find_program(name, std::getenv("PATH"));
    if (program.error != 0) {
        const bool missing = program.error == ENOENT || program.error == ENOTDIR;
        return cannot_run(name, std::strerror(program.error), missing ? not_found : not_executable);
    }
    check_outputs(options_.outputs);
    open_session();
    const Command command = prepare(program.path);
    adopt_orphans();
    Escort escort(signals_);
    escort.on_dump(answer_dumps_);
    Launch launch(command, signals_);
    write_facts(launch.pid());
    if (limit_) limit_->enter(launch.pid());
    before_ = snapshot();

    const auto begin = Clock::now();
    if (const int error = launch.start(); error != 0) {
        // The file is there; what is not is what it names as its interpreter.
        return cannot_run(name,
                          error == ENOENT ? "its interpreter is missing" : std::strerror(error),
                          not_executable);
    }
    keep_ = true;  // whatever happens from here on
    program_runs();
    end_on_termination(escort, launch.pid());
    if (limit_) take_stock(escort.timers());
    if (options_.timeout > 0) {
        escort.timers().add(Timers::in(options_.timeout), [&] { time_out(escort, launch.pid()); });
    }
    facts_.session.exit = escort.accompany(launch.pid());
    facts_.session.duration_seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    facts_.ended = true;
    obey_stop();
    const bool stopped = cleans_ && !options_.clean;
    const double grace = stopped ? std::min(options_.grace, grace_when_stopped) : options_.grace;
    if (facts_.session.timed_out && !cleans_) terminate_.wait(forced_ ? 0 : kill_after_, signals_, answer_dumps_);
    if (!facts_.session.timed_out && !forced_) {
        wait_for_descendants(grace, signals_, answer_dumps_);
        const bool is_default = grace == Options{}.grace;  // who asks for a time gets that
        if (is_default && !cleans_) wait_for_tidying_helpers(grace);
    }
    obey_stop();
    return report();
}

// Those that only tidy up after a program that is gone have a little longer: PyTorch's manager of shared memory
// stays for two seconds after its last client.
void Supervisor::wait_for_tidying_helpers(double waited) {
    constexpr double patience = 3;
    const std::vector<int> left = live_descendants();
    const bool only_they = std::all_of(left.begin(), left.end(), [](int pid) {
        return clean::is_tidying_helper(kernel::read_command(pid));
    });
    if (left.empty() || !only_they || waited >= patience) return;
    wait_for_descendants(patience - waited, signals_, answer_dumps_);
}

// First what hangs is written down, then everybody is asked to end. With --clean only the program is: the
// rest is left over then, and is ended and told of as such.
void Supervisor::time_out(Escort& escort, pid_t program) {
    const auto stat = kernel::read_stat(program);
    if (!stat || !kernel::is_alive(*stat)) return;  // it has just made it
    facts_.session.timed_out = true;
    try {
        record_hang(program);
    } catch (const std::exception& error) {
        say(fmt::format("cannot tell what hangs: {}", error.what()));
    }
    if (cleans_) {
        ::kill(program, SIGTERM);
        ::kill(program, SIGCONT);
    } else {
        terminate_.ask_all();
    }
    // Who asks once more does not want to wait for that.
    escort.on_termination([this, program](int) {
        forced_ = true;
        ::kill(program, SIGKILL);
    });
    escort.timers().add(Timers::in(kill_after_), [this, program] {
        forced_ = true;
        ::kill(program, SIGKILL);
    });
}

void Supervisor::record_hang(pid_t program) {
    std::vector<int> pids = hang::family_of(program);
    for (const int pid : live_descendants()) {
        if (std::find(pids.begin(), pids.end(), pid) == pids.end()) pids.push_back(pid);
    }
    Report seen;
    hang::record(pids, seen);
    bool trouble = false;
    std::vector<Report> parts;
    parts.push_back(judge(trouble, true));
    parts.push_back(std::move(seen));
    hang_ = merge(std::move(parts));
    add_creation_stacks(hang_);
    hang_.leaks.clear();
    hang_.processes.clear();
    hang_.remarks.clear();
}

void Supervisor::add_hang(Report& report) {
    if (!hang_.hang) return;
    std::vector<Report> parts;
    parts.push_back(std::move(report));
    parts.push_back(std::move(hang_));
    report = merge(std::move(parts));
    for (Leak& leak : report.leaks) leak.session.clear();
}

// With --clean, who asks leftover to end means the session, which may not be willing; so does `stop`.
void Supervisor::end_on_termination(Escort& escort, pid_t program) {
    escort.on_termination([this, &escort, program, started = false](int) mutable {
        obey_stop();
        if (!cleans_ || std::exchange(started, true)) return;
        escort.timers().add(Timers::in(kill_after_), [this, program] {
            forced_ = true;
            ::kill(program, SIGKILL);
        });
    });
}

void Supervisor::answer_dumps() const {
    if (folder_) answer_requests(folder_->path());
}

void Supervisor::obey_stop() {
    if (!folder_) return;
    const auto kill_after = read_stop_request(folder_->path());
    if (!kill_after) return;
    cleans_ = true;
    kill_after_ = *kill_after;
}

Report Supervisor::judge(bool& trouble, bool running_threads) {
    return make_report(folder_ ? folder_->path() : "", facts_, before_, options_, trouble,
                       capture_ ? &*capture_ : nullptr, running_threads);
}

void Supervisor::open_session() {
    shim_ = find_shim();
    const std::string state = options_.is_kept() ? lasting_state_folder() : state_folder();
    facts_.session.id = options_.session;
    try {
        open_folder(state);
    } catch (const NoRoom& trouble) {
        go_unrecorded(trouble.what());
    }
    if (options_.is_captured()) open_capture();
    if (options_.max_processes > 0) limit_.emplace(folder_->path(), options_.max_processes);
    if (folder_) nested_.emplace(outer_session_folder(), *folder_);
}

void Supervisor::open_folder(const std::string& state) {
    {
        std::optional<Admission> admission;
        if (options_.max_sessions > 0) {
            admission.emplace(state, options_.max_sessions, options_.wait, signals_);
        }
        folder_ = SessionFolder::create(state, options_.session);
    }
    facts_.session.id = folder_->id();
    if (folder_->path().size() > longest_folder) {
        throw std::runtime_error(
            fmt::format("the path of the session's folder '{}' is too long", folder_->path()));
    }
    if (!fits_into_preload(shim_)) {
        const std::string link =
            folder_->path() + "/" + std::filesystem::path(shim_).filename().string();
        if (!fits_into_preload(link) || ::symlink(shim_.c_str(), link.c_str()) != 0) {
            throw std::runtime_error(fmt::format(
                "'{}' cannot be preloaded: the loader takes no path with a blank, ':' or '$'",
                shim_));
        }
        shim_ = link;
    }
    outcome_ = OutcomeFile::create(folder_->path());
    std::size_t command = 0;
    for (const std::string& word : options_.command) command += word.size();
    folder_->check_room(spare_room + 2 * command);
}

// On a full disk the program runs all the same, unless what was asked for needs the folder: then nothing is
// known of it but what /proc shows.
void Supervisor::go_unrecorded(const std::string& why) {
    if (folder_) folder_->remove();
    folder_.reset();
    outcome_ = {};
    const char* needed = options_.max_processes > 0  ? "--max-processes"
                         : options_.max_sessions > 0 ? "--max-sessions"
                         : options_.detach           ? "--detach"
                         : options_.keep             ? "--keep"
                                                     : nullptr;
    if (needed != nullptr) throw std::runtime_error(fmt::format("{}; {} needs it", why, needed));
    if (facts_.session.id.empty()) facts_.session.id = make_session_id();
    say(fmt::format("{}; '{}' runs all the same, but nothing is recorded: only processes are told of", why,
                    options_.command.front()));
}

// In the background nobody is there to pass anything on to.
void Supervisor::open_capture() {
    capture_.emplace(options_.capture.empty() ? folder_->path() : options_.capture,
                     !options_.detach);
    facts_.standard_output = capture_->path(STDOUT_FILENO);
    facts_.standard_error = capture_->path(STDERR_FILENO);
}

void Supervisor::take_stock(Timers& timers) {
    const auto look = [this, &timers] {
        limit_->take_stock();
        take_stock(timers);
    };
    timers.add(Timers::in(stock_period), look, Timers::Kind::idle);
}

void Supervisor::program_runs() {
    if (capture_) capture_->program_runs();
    if (detached_) detached_(facts_.session.id, folder_->path());
}

Command Supervisor::prepare(const std::string& path) {
    const Target target = inspect(AT_FDCWD, path.c_str(), shim_.c_str());
    facts_.executable = absolute(path);
    facts_.instrumented = folder_ && target.loadable == Loadable::yes;
    facts_.reason = reason_names[static_cast<std::size_t>(folder_ ? target.loadable : Loadable::unknown)];

    Command command{path, options_.command, {}};
    if (capture_) {
        for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
            command.streams[static_cast<std::size_t>(fd)] = capture_->program_end(fd);
        }
    }
    if (facts_.instrumented) {
        ShimOptions shim;
        shim.session = folder_->id();
        shim.folder = folder_->path();
        shim.launcher = ::getpid();
        shim.depth = options_.depth;
        shim.python = options_.python;
        shim.kinds = options_.kinds;
        shim.clean = options_.clean;
        shim.limited = limit_.has_value();
        command.environment = environment_with_shim(environ, shim_, target.asan_runtime, shim);
    } else {
        command.environment = environment_without_shim(environ);
    }
    return command;
}

void Supervisor::write_facts(pid_t program) {
    Session& session = facts_.session;
    session.command = options_.command;
    session.cwd = working_directory();
    const kernel::System system = kernel::system();
    session.host = {system.host, system.kernel, system.machine};
    session.started_at = kernel::now();
    session.labels = options_.labels;
    session.mode = options_.clean ? "clean" : "report";
    session.exit.running = true;
    facts_.launcher = identify(::getpid());
    facts_.program = identify(program);
    facts_.boot_id = kernel::boot_id();
    facts_.pid_namespace = kernel::own_pid_namespace();
    facts_.kept = options_.is_kept();
    if (!options_.outputs.empty() && options_.outputs.front().file != "-") {
        facts_.report = absolute(options_.outputs.front().file);
    }
    if (folder_) write_session_file(folder_->path(), facts_);
}

// Where a full disk takes no more, the program and what it started may have recorded no more, either.
void Supervisor::write_end(bool& trouble) {
    if (!folder_) return;
    std::string why;
    try {
        write_session_file(folder_->path(), facts_);
        if (folder_->room() < room_of_a_record) why = fmt::format("the disk of '{}' is full", folder_->path());
    } catch (const NoRoom& full) {
        why = full.what();
        if (options_.is_kept()) trouble = true;  // how it ended is what is to be kept
    }
    if (why.empty()) return;
    say(fmt::format("{}; not all may be recorded", why));
    ran_out_of_room_ = true;
}

Exit Supervisor::report() {
    bool trouble = false;
    Report report;
    try {
        write_end(trouble);
        report = judge(trouble);
        if (ran_out_of_room_) report.sessions.front().complete = false;
        add_hang(report);
        excuse(report, true);
        tell_time_out(report);
        if (cleans_) clean_up(report, trouble);
        if (capture_) capture_->finish(signals_);
        signals_.prepare_to_report(last_words());
        if (!options_.quiet) print_remarks(report);
        report.remarks.clear();
        const bool telling = !options_.quiet && options_.outputs.empty() &&
                             (facts_.session.timed_out || is_worth_telling(report, options_.gate.fail_on));
        if (telling || !options_.outputs.empty()) name(report);
        if (!write_outputs(report, options_)) trouble = true;
        keep_ = folder_ && (trouble || options_.is_kept() || is_anything_left(report));
        if (telling) tell(report);
    } catch (const std::exception& error) {
        say(error.what());
        trouble = true;
    }
    signals_.take_again();
    if (capture_) capture_->finish(signals_);  // whatever went wrong
    const Exit end = own_end(report, trouble);
    conclude(end, report);
    return end;
}

// Why the program was ended stands before what becomes of what it left.
void Supervisor::tell_time_out(Report& report) {
    if (!facts_.session.timed_out || options_.quiet) return;
    if (!options_.outputs.empty()) {
        say(fmt::format("timed out after {:g} s", options_.timeout));
        return;
    }
    if (!cleans_ || !report.hang) return;
    name(report);
    if (print_hang(report, options_)) report.hang.reset();
}

// Of who does not let us finish the report.
std::string Supervisor::last_words() const {
    if (!folder_ || (options_.quiet && options_.outputs.empty())) return {};
    return fmt::format("leftover: interrupted before the report was complete; the records are kept: "
                       "'leftover report {}' shows them\n",
                       printable(folder_->path()));
}

// Last of all: who is told by these finds everything where it belongs.
void Supervisor::conclude(const Exit& end, const Report& report) {
    if (!options_.on_complete.empty()) {
        call_back(options_.on_complete,
                  {facts_.session.id, end, summarize(report).leaks, facts_.report}, signals_);
    }
    const auto left = std::count_if(report.leaks.begin(), report.leaks.end(), [](const Leak& leak) {
        return leak.severity == Severity::error &&
               (leak.status == Status::leaked || leak.status == Status::failed);
    });
    outcome_.write({end, static_cast<std::uint64_t>(left)});
}

// What is suppressed or in the baseline is neither counted, shown nor cleaned up.
void Supervisor::excuse(Report& report, bool first) {
    const policy::Policy& policy = options_.policy;
    if (policy.needs_names()) name(report);
    const std::string today = policy::today();
    const policy::Outcome outcome = policy.apply(report, today);
    if (!first) return;
    stale_suppressions_ = policy.is_stale(outcome, today);
    if (!stale_suppressions_ || !options_.gate.strict_suppressions || options_.quiet) return;
    for (const std::string& line : policy.account(outcome, today)) say(line);
}

void Supervisor::clean_up(Report& report, bool& trouble) {
    clean::Options how;
    how.kill_after = forced_ ? 0 : kill_after_;
    if (!options_.quiet) how.log = say;
    how.look = [&] {
        Report now = judge(trouble);
        excuse(now, false);
        return now;
    };
    // Signals are for us to take until all is done.
    how.hurry = [this, impatient = false]() mutable {
        siginfo_t signal{};
        while (!impatient && wait_for_signal(signals_.awaited(), signal, 0)) {
            impatient = is_termination(signal.si_signo);
            if (signal.si_signo == dump_signal()) answer_dumps_();
        }
        return impatient;
    };
    clean::clean(report, how);
    if (!options_.quiet && !report.cleanup->actions.empty()) say(clean::summary_line(report));
    if (folder_) remove_finished_nested(folder_->path());
}

// Records are for those who ask what is left over, and for `sweep`.
bool Supervisor::is_anything_left(const Report& report) const {
    if (!cleans_) return is_worth_telling(report, Severity::warning);
    return !clean::is_all_clean(report);
}

void Supervisor::tell(Report& report) {
    print_summary(report, options_);
    print_remarks(report);
    if (keep_) {
        say(fmt::format("records kept in {0}; 'leftover report {0}' shows this again",
                        folder_->path()));
    }
}

Exit Supervisor::own_end(const Report& report, bool trouble) const {
    if (facts_.session.timed_out) return exit_with(timed_out_exit);
    const GateOptions& gate = options_.gate;
    switch (judge_exit(facts_.session.exit, gate, report, trouble, stale_suppressions_)) {
        case Verdict::program:
            return facts_.session.exit;
        case Verdict::trouble:
            return exit_with(commands::run_trouble);
        case Verdict::not_instrumented:
            say("nothing was instrumented, so the gate cannot tell");
            return exit_with(commands::run_trouble);
        case Verdict::incomplete:
            say("the session's record is damaged or full: more may be left, so the gate cannot tell");
            return exit_with(commands::run_trouble);
        case Verdict::stale_suppressions:
            if (!options_.quiet) say("gate: there are unused or expired suppressions");
            return exit_with(gate.exit_code);
        case Verdict::gate:
            if (!options_.quiet) {
                say(fmt::format("gate: {} left over at or above severity '{}'",
                                gate_count(report, gate.fail_on), name_of(gate.fail_on)));
            }
            return exit_with(gate.exit_code);
    }
    return facts_.session.exit;
}

}  // namespace leftover::run
