// One session from its beginning to its end.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "preload/core/loadable.h"
#include "reporter/judge/outside.h"
#include "reporter/model/model.h"
#include "reporter/run/launch.h"
#include "reporter/run/options.h"
#include "reporter/run/session_file.h"
#include "reporter/run/session_folder.h"
#include "reporter/run/signals.h"

namespace leftover::run {

class Supervisor {
public:
    Supervisor(const Options& options, const Signals& signals)
        : options_(options), signals_(signals) {}
    ~Supervisor();
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    // Runs the program and reports. Returns how leftover is to end. Throws std::runtime_error, one
    // line for the user, when the program could not be started; nothing of the session stays then.
    Exit run();

private:
    void open_session();
    Command prepare(const std::string& path);
    void write_facts(pid_t program);
    void start_clock_on_termination(class Escort& escort, pid_t program);
    Exit report();
    void excuse(Report& report, bool first);
    void clean_up(Report& report, bool& trouble);
    bool is_anything_left(const Report& report) const;
    void tell(Report& report);
    Exit own_end(const Report& report, bool trouble) const;

    const Options& options_;
    const Signals& signals_;
    std::string shim_;
    std::optional<SessionFolder> folder_;
    std::optional<NestedEntry> nested_;
    bool keep_ = false;    // the folder, when we are gone
    bool forced_ = false;  // the program would not end: the session is ended at once
    bool stale_suppressions_ = false;
    SessionFile facts_;
    Snapshot before_;
};

}  // namespace leftover::run
