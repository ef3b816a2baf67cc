#include "preload/hand/report.h"

#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/hand/options.h"
#include "preload/hand/report_file.h"
#include "preload/hand/report_path.h"
#include "preload/hand/signal_names.h"

namespace leftover::hand {

namespace {

// Everything here is done under the lock of the one who ends.
char path_buffer[path_size];

void write_summary(Json& json, const Findings& findings) {
    json.begin('{');
    json.key("leaks").number(findings.errors + findings.warnings);
    json.key("errors").number(findings.errors);
    json.key("warnings").number(findings.warnings);
    json.key("notes").number(findings.notes);
    json.key("cleaned").number(findings.count_of(Status::cleaned));
    json.key("in_use").number(findings.count_of(Status::in_use));
    json.key("failed").number(findings.count_of(Status::failed));
    json.key("suppressed").number(0);
    json.key("baseline").number(0);
    json.key("reclaimed_bytes").number(findings.cleanup.reclaimed_bytes);
    json.key("by_kind").begin('{');
    for (std::size_t kind = 0; kind < record::kind_count; ++kind) {
        if (findings.by_kind[kind] == 0) continue;
        json.key(record::kind_table[kind].name).number(findings.by_kind[kind]);
    }
    json.end('}');
    json.end('}');
}

void write_cleanup(Json& json, const Cleanup& cleanup) {
    constexpr std::string_view result_names[] = {"done", "gone", "in_use", "failed"};
    if (!cleanup.done) {
        json.null();
        return;
    }
    json.begin('{');
    json.key("started_at").time(cleanup.started_ns);
    json.key("duration_seconds").seconds(cleanup.duration_ns);
    json.key("reclaimed_bytes").number(cleanup.reclaimed_bytes);
    json.key("actions").begin('[');
    for (const Action& action : cleanup.actions) {
        json.line().begin('{');
        json.key("kind").text(record::row(action.kind).name);
        json.key("name").text(action.name);
        json.key("pid").number_or_null(static_cast<unsigned>(action.pid));
        json.key("action").text(action.action);
        json.key("result").text(result_names[static_cast<std::size_t>(action.result)]);
        json.key("error").text_or_null(action.error);
        json.end('}');
    }
    json.end(']');
    json.end('}');
}

void write(Json& json, const Outcome& outcome) {
    const Findings& findings = outcome.about.findings;
    StackTable stacks(outcome.about.pool());
    json.begin('{');
    json.key("schema").text("leftover.report/1");
    json.line().key("tool").begin('{');
    json.key("name").text("leftover").key("version").text(LEFTOVER_VERSION);
    json.end('}');
    json.line().key("session");
    write_session(json, outcome);
    json.line().key("summary");
    write_summary(json, findings);
    json.line().key("processes").begin('[');
    write_processes(json, outcome);
    json.end(']');
    json.line().key("leaks").begin('[');
    for (const Leak* leak : findings.leaks) write_leak(json, *leak, stacks);
    json.end(']');
    json.line().key("stacks").begin('[');
    stacks.write_stacks(json);
    json.end(']');
    json.line().key("modules").begin('[');
    stacks.write_modules(json);
    json.end(']');
    json.line().key("cleanup");
    write_cleanup(json, findings.cleanup);
    json.line().key("hang").null();
    json.end('}');
}

// The session's own start folder, else where this program image started.
long start_folder(const Outcome& outcome) {
    char folder[sizeof record::Header::cwd + 1];
    const Record* const first = session_record(outcome);
    Text text(folder, sizeof folder);
    if (first != nullptr) text << first->cwd;
    return open_start_folder(folder);
}

std::uint64_t started_at(const Outcome& outcome) {
    const Evidence& evidence = outcome.about.evidence;
    if (evidence.own != nullptr) return evidence.own->started_ns;
    const Member* const self = outcome.about.census.self();
    return self != nullptr && self->creation != nullptr ? self->creation->created_ns
                                                        : outcome.now_ns;
}

}  // namespace

const Record* session_record(const Outcome& outcome) {
    const Member* const root = outcome.about.census.root();
    if (root != nullptr && root->first != nullptr) return root->first;
    const List<Record*>& records = outcome.about.evidence.records;
    return records.size() != 0 ? records[0] : nullptr;
}

void write_exit(Json& json, const End& end) {
    char buffer[24];
    json.begin('{');
    switch (end.how) {
        case record::Ending::signal:
            json.key("signal").text(signal_name(end.value, buffer, sizeof buffer));
            break;
        case record::Ending::code:
            json.key("code").number(static_cast<unsigned>(end.value));
            break;
        default:
            json.key("running").truth(true);
            break;
    }
    json.end('}');
}

bool write_report(const Outcome& outcome) {
    if (fill_template(settings.report, started_at(outcome), path_buffer, sizeof path_buffer)
            .empty()) {
        return false;
    }
    const long folder = start_folder(outcome);
    bool written = false;
    {
        ReportFile file(folder, path_buffer);
        if (file.is_open()) {
            Json json(file);
            write(json, outcome);
            file.write("\n");
            written = file.finish();
        }
    }
    if (folder >= 0) sys::close(folder);
    return written;
}

}  // namespace leftover::hand
