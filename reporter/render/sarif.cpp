// SARIF 2.1.0: one result a finding, and one a place where programs timed out.
#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "reporter/findings/findings.h"
#include "reporter/findings/reasons.h"
#include "reporter/model/json.h"
#include "reporter/model/json_stream.h"
#include "reporter/model/names.h"
#include "reporter/render/format.h"
#include "reporter/render/hang_words.h"
#include "reporter/render/uri.h"
#include "reporter/render/words.h"

namespace leftover::render {

namespace {

using findings::Finding;
using findings::Frame;

// What code scanning services take of one run; more and they refuse all of it.
constexpr std::size_t most_results = 25'000;
constexpr std::size_t most_frames = 100;
constexpr std::size_t most_stacks = 20;  // of a hang

std::string_view level_of(Severity severity) {
    return name_of(severity);  // error, warning, note: SARIF's own words
}

std::string rule_text(Kind kind) {
    const std::string one = kind_words(kind, 1).substr(2);
    switch (record::row(kind).severity) {
        case Severity::error: return fmt::format("A {} outlives the program that made it.", one);
        case Severity::warning: return fmt::format("A {} was left to the kernel.", one);
        case Severity::note: break;
    }
    return fmt::format("A {} was still there when its process ended.", one);
}

class Sarif {
public:
    Sarif(const Report& report, const Options& options, std::ostream& out)
        : report_(report), options_(options), json_(out), reader_(report), hangs_(hang_words(report)) {
        for (const Session& session : report.sessions) sessions_.emplace(session.id, &session);
    }

    void write() {
        const auto found = findings::find(report_, {options_.notes, true});
        std::vector<HangFinding> hangs = hang_findings(hangs_);
        const std::size_t all = hangs.size() + found.size();
        hangs.resize(std::min(hangs.size(), most_results));
        const std::size_t shown = std::min(found.size(), most_results - hangs.size());
        json_.begin('{');
        json_.key("$schema").value("https://json.schemastore.org/sarif-2.1.0.json");
        json_.key("version").value("2.1.0");
        json_.line().key("runs").begin('[').begin('{');
        write_tool(found, !hangs.empty());
        write_invocations(all - hangs.size() - shown);
        json_.line().key("columnKind").value("unicodeCodePoints");
        json_.line().key("results").begin('[');
        for (const HangFinding& hang : hangs) write_hang(hang);
        for (std::size_t i = 0; i < shown; ++i) write_result(found[i]);
        json_.end(']').end('}').end(']').end('}').finish();
    }

private:
    void message(std::string_view key, std::string_view text) {
        json_.key(key).begin('{').key("text").value(text).end('}');
    }

    void write_tool(const std::vector<Finding>& found, bool hangs) {
        std::set<Kind> kinds;
        for (const Finding& finding : found) kinds.insert(finding.kind);
        json_.line().key("tool").begin('{').key("driver").begin('{');
        json_.key("name").value("leftover");
        json_.key("version").value(LEFTOVER_VERSION);
        json_.key("semanticVersion").value(LEFTOVER_VERSION);
        json_.key("rules").begin('[');
        for (const Kind kind : kinds) {
            rules_.emplace(kind, rules_.size());
            write_rule(name_of(kind), "Left over: " + kind_words(kind, 1).substr(2), rule_text(kind),
                       level_of(record::row(kind).severity));
        }
        if (hangs) {
            write_rule("hang", "Timed out", "A program did not end in the time that it was given.", "error");
        }
        json_.end(']').end('}').end('}');
    }

    void write_rule(std::string_view id, std::string_view shown, std::string_view text, std::string_view level) {
        json_.line().begin('{');
        json_.key("id").value(id);
        message("shortDescription", shown);
        message("fullDescription", text);
        json_.key("defaultConfiguration").begin('{').key("level").value(level).end('}');
        json_.end('}');
    }

    void write_invocations(std::size_t cut) {
        json_.line().key("invocations").begin('[').begin('{');
        // Whether leftover did its work, not whether the program did its own.
        const bool complete = std::all_of(report_.sessions.begin(), report_.sessions.end(),
                                          [](const Session& session) { return session.complete; });
        json_.key("executionSuccessful").value(true);
        if (report_.sessions.size() == 1) {
            const Session& session = report_.sessions.front();
            json_.key("commandLine").value(command_words(session.command, 0));
            if (session.started_at != 0) {
                json_.key("startTimeUtc").value(format_time(session.started_at));
                // From the microseconds that a report keeps, so that one read again says the same.
                json_.key("endTimeUtc")
                    .value(format_time(session.started_at / 1000 * 1000 +
                                       static_cast<Time>(session.duration_seconds * 1e9)));
            }
        }
        if (cut > 0 || !complete) {
            json_.key("toolExecutionNotifications").begin('[');
            if (cut > 0) {
                notification(fmt::format("{} findings more than the {} that a run may have were left "
                                         "out, the least severe and rarest.",
                                         cut, most_results));
            }
            if (!complete) notification("A record is damaged or full: more may be left over.");
            json_.end(']');
        }
        json_.end('}').end(']');
    }

    void notification(const std::string& text) {
        json_.begin('{').key("level").value("warning");
        message("message", text);
        json_.end('}');
    }

    void write_result(const Finding& finding) {
        begin_result(name_of(finding.kind), rules_.at(finding.kind), level_of(finding.severity), message_of(finding),
                     finding.location, session_of(finding), finding.fingerprint);
        json_.key("occurrenceCount").value(finding.leaks.size());
        if (finding.stack != nullptr) {
            json_.key("stacks").begin('[');
            write_stack("created by, innermost first", *finding.stack, folder_of(session_of(finding)), 0);
            json_.end(']');
        }
        const Status excuse = findings::excuse_of(finding);
        if (excuse == Status::suppressed) {
            json_.key("suppressions").begin('[').begin('{').key("kind").value("external");
            const std::string reason = findings::reason_of(report_, finding);
            if (!reason.empty()) json_.key("justification").value(reason);
            json_.end('}').end(']');
        }
        if (excuse == Status::baseline || report_.has_baseline) {
            json_.key("baselineState").value(excuse == Status::baseline ? "unchanged" : "new");
        }
        json_.end('}');
    }

    void write_hang(const HangFinding& finding) {
        const HangWords& hang = *finding.first;
        std::string text = headline(hang, 200);
        if (finding.sessions > 1) text += fmt::format(" ({} sessions)", finding.sessions);
        text += '.';
        for (const std::string& chain : hang.chains) text += ' ' + chain;
        begin_result("hang", rules_.size(), "error", without_links(text), hang.location, hang.session, hang.fingerprint);
        json_.key("occurrenceCount").value(finding.sessions);
        json_.key("stacks").begin('[');
        std::size_t count = 0;
        for (const HangGroup& group : hang.groups) {
            if (group.stack.python.empty() && group.stack.native.empty()) continue;
            if (count++ == most_stacks) break;
            write_stack(without_links(fmt::format("{}: {}", group.title, join(group.reasons))), group.stack,
                        folder_of(hang.session), group.threads.front().thread->tid);
        }
        json_.end(']');
        // No baseline lists it.
        if (report_.has_baseline) json_.key("baselineState").value("new");
        json_.end('}');
    }

    // All that every result has; the caller adds to it and ends it.
    void begin_result(std::string_view rule, std::size_t index, std::string_view level, std::string_view text,
                      const findings::Location& location, const Session* session, std::string_view fingerprint) {
        json_.line().begin('{');
        json_.key("ruleId").value(rule);
        json_.key("ruleIndex").value(index);
        json_.key("level").value(level);
        json_.key("kind").value("fail");
        message("message", text);
        json_.key("locations").begin('[');
        write_location(location, session);
        json_.end(']');
        json_.key("partialFingerprints").begin('{');
        json_.key("leftover/v1").value(fingerprint).end('}');
    }

    // Text in SARIF may hold links: [text](address).
    static std::string without_links(std::string_view text) {
        std::string plain;
        for (const char c : text) {
            if (c == '[' || c == ']' || c == '\\') plain += '\\';
            plain += c;
        }
        return plain;
    }

    static std::string message_of(const Finding& finding) {
        std::string text = fmt::format("{} left over", kind_words(finding.kind, finding.leaks.size()));
        if (finding.sessions > 1) text += fmt::format(" in {} sessions", finding.sessions);
        std::vector<std::string> names;
        for (const Leak* leak : finding.leaks) {
            if (names.size() == 6) break;
            names.push_back(leak->name);
        }
        const std::size_t others = finding.leaks.size() - names.size();
        const std::string list = list_words(distinct(names), 200, others);
        if (!list.empty()) text += ": " + list;
        if (!finding.location.function.empty()) {
            text += fmt::format(", created in {}", finding.location.function);
        }
        return without_links(text) + ".";
    }

    const Session* session_of(const Finding& finding) const {
        const auto at = sessions_.find(finding.leaks.front()->session);
        if (at != sessions_.end()) return at->second;
        return report_.sessions.empty() ? nullptr : &report_.sessions.front();
    }

    static std::string_view folder_of(const Session* session) {
        return session != nullptr ? std::string_view(session->cwd) : std::string_view();
    }

    // Services show nothing that lies nowhere: then it is the program itself.
    void write_location(const findings::Location& location, const Session* session) {
        std::string file = source_file(location, folder_of(session));
        if (file.empty()) {
            if (session != nullptr && !session->command.empty()) file = session->command.front();
            file = file.substr(file.rfind('/') + 1);
        }
        json_.begin('{');
        physical_location(file.empty() ? "unknown" : file, location.line);
        if (!location.function.empty()) {
            json_.key("logicalLocations").begin('[').begin('{');
            json_.key("fullyQualifiedName").value(location.function);
            json_.key("kind").value("function").end('}').end(']');
        }
        json_.end('}');
    }

    void physical_location(const std::string& file, int line) {
        json_.key("physicalLocation").begin('{');
        json_.key("artifactLocation").begin('{').key("uri").value(uri_of(file)).end('}');
        json_.key("region").begin('{').key("startLine").value(std::max(line, 1)).end('}');
        json_.end('}');
    }

    // `thread`: its id; 0: not of interest.
    void write_stack(std::string_view what, const Stack& stack, std::string_view folder, int thread) {
        json_.begin('{');
        message("message", what);
        json_.key("frames").begin('[');
        std::size_t count = 0;
        for (const Frame& frame : reader_.frames(stack)) {
            if (count++ == most_frames) break;
            json_.begin('{');
            if (!frame.module.empty()) json_.key("module").value(frame.module);
            if (thread != 0) json_.key("threadId").value(thread);
            json_.key("location").begin('{');
            if (!frame.file.empty()) {
                const findings::Location place{{}, std::string(frame.file), frame.line, true};
                physical_location(source_file(place, folder), frame.line);
            }
            json_.key("logicalLocations").begin('[').begin('{');
            json_.key("fullyQualifiedName").value(frame.function.empty() ? "?" : frame.function);
            json_.key("kind").value("function").end('}').end(']');
            json_.end('}').end('}');
        }
        json_.end(']').end('}');
    }

    const Report& report_;
    const Options& options_;
    JsonStream json_;
    findings::FrameReader reader_;
    std::vector<HangWords> hangs_;
    std::map<std::string_view, const Session*> sessions_;
    std::map<Kind, std::size_t> rules_;
};

}  // namespace

void sarif(const Report& report, const Options& options, std::ostream& out) {
    Sarif(report, options, out).write();
}

}  // namespace leftover::render
