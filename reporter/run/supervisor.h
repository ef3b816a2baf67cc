// One session from its beginning to its end.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "preload/core/loadable.h"
#include "reporter/judge/outside.h"
#include "reporter/model/model.h"
#include "reporter/run/capture.h"
#include "reporter/run/detach.h"
#include "reporter/run/launch.h"
#include "reporter/run/options.h"
#include "reporter/run/outcome.h"
#include "reporter/run/process_limit.h"
#include "reporter/run/session_file.h"
#include "reporter/run/session_folder.h"
#include "reporter/run/signals.h"
#include "reporter/run/terminate.h"
#include "reporter/run/timers.h"

namespace leftover::run {

class Supervisor {
public:
    // `detached` is told when the program runs, if it is not empty.
    Supervisor(const Options& options, const Signals& signals, Detached detached = {})
        : options_(options), signals_(signals), detached_(std::move(detached)) {}
    ~Supervisor();
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    // Runs the program and reports. Returns how leftover is to end. Throws std::runtime_error, one
    // line for the user, when the program could not be started; nothing of the session stays then.
    Exit run();

private:
    void open_session();
    void open_folder(const std::string& state);
    void go_unrecorded(const std::string& why);
    void open_capture();
    void program_runs();
    void take_stock(Timers& timers);
    Command prepare(const std::string& path);
    void write_facts(pid_t program);
    void end_on_termination(class Escort& escort, pid_t program);
    void obey_stop();
    void answer_dumps() const;
    Report judge(bool& trouble, bool running_threads = false);
    void wait_for_tidying_helpers(double waited);
    void time_out(class Escort& escort, pid_t program);
    void record_hang(pid_t program);
    void add_hang(Report& report);
    void write_end(bool& trouble);
    Exit report();
    void excuse(Report& report, bool first);
    void tell_time_out(Report& report);
    std::string last_words() const;
    void clean_up(Report& report, bool& trouble);
    bool is_anything_left(const Report& report) const;
    void tell(Report& report);
    void conclude(const Exit& end, const Report& report);
    Exit own_end(const Report& report, bool trouble) const;

    const Options& options_;
    const Signals& signals_;
    const std::function<void()> answer_dumps_ = [this] { answer_dumps(); };
    const Detached detached_;
    std::string shim_;
    OutcomeFile outcome_;  // unlocked when all else is: who waits for it finds the session ended
    std::optional<SessionFolder> folder_;  // none: nothing is recorded, the disk is full
    std::optional<NestedEntry> nested_;
    std::optional<Capture> capture_;
    std::optional<ProcessLimit> limit_;
    // As asked for by --clean, or by `stop` meanwhile.
    bool cleans_ = options_.clean;
    double kill_after_ = options_.kill_after;
    bool keep_ = false;    // the folder, when we are gone
    bool forced_ = false;  // the program would not end: the session is ended at once
    bool stale_suppressions_ = false;
    bool ran_out_of_room_ = false;
    SessionFile facts_;
    Report hang_;  // of the moment when the time was out; taken by add_hang
    Terminate terminate_;
    Snapshot before_;
};

}  // namespace leftover::run
