// The `session` of a report.
#include <sys/utsname.h>

#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/hand/options.h"
#include "preload/hand/report.h"

namespace leftover::hand {

namespace {

void write_host(Json& json) {
    struct utsname names = {};
    sys::call(SYS_uname, &names);
    json.begin('{');
    json.key("name").text_or_null(names.nodename);
    json.key("kernel").text_or_null(names.release);
    json.key("machine").text_or_null(names.machine);
    json.end('}');
}

// How the session's first process ended; false when nobody can tell, because it was killed.
bool exit_of_root(const Outcome& outcome, End& end) {
    const Member* const root = outcome.about.census.root();
    if (root == nullptr) return false;
    if (root->is_self) {
        end = outcome.end;
        return true;
    }
    if (root->says_ended()) {
        end = {root->last->ending, root->last->ending_value};
        return true;
    }
    end = {record::Ending::running, 0};
    return root->alive;
}

std::uint64_t end_of_root(const Outcome& outcome) {
    const Member* const root = outcome.about.census.root();
    const bool ended = root != nullptr && root->says_ended() && root->last->ended_ns != 0;
    return ended ? root->last->ended_ns : outcome.now_ns;
}

}  // namespace

void write_session(Json& json, const Outcome& outcome) {
    const Record* const first = session_record(outcome);
    const std::uint64_t started = first != nullptr ? first->started_ns : outcome.now_ns;
    const std::uint64_t ended = end_of_root(outcome);
    End end = {};
    json.begin('{');
    json.key("id").text(options.session);
    json.key("command").strings(first != nullptr ? first->command : std::string_view{});
    json.key("cwd").text_or_null(first != nullptr ? first->cwd : std::string_view{});
    json.key("host");
    write_host(json);
    json.key("started_at").time(started);
    json.key("duration_seconds").seconds(ended > started ? ended - started : 0);
    json.key("exit");
    if (exit_of_root(outcome, end)) {
        write_exit(json, end);
    } else {
        json.null();
    }
    json.key("timed_out").truth(false);
    json.key("mode").text(settings.mode == Mode::clean ? "clean" : "report");
    json.key("complete")
        .truth(outcome.about.evidence.complete && !outcome.about.pool().exhausted());
    json.key("labels").begin('{').end('}');
    json.end('}');
}

}  // namespace leftover::hand
