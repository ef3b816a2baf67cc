// SARIF 2.1.0: one result a finding.
#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "reporter/findings/findings.h"
#include "reporter/model/json.h"
#include "reporter/model/json_stream.h"
#include "reporter/model/names.h"
#include "reporter/render/format.h"
#include "reporter/render/uri.h"
#include "reporter/render/words.h"

namespace leftover::render {

namespace {

using findings::Finding;
using findings::Frame;

// What code scanning services take of one run; more and they refuse all of it.
constexpr std::size_t most_results = 25'000;
constexpr std::size_t most_frames = 100;

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
        : report_(report), options_(options), json_(out), reader_(report) {
        for (const Session& session : report.sessions) sessions_.emplace(session.id, &session);
    }

    void write() {
        const auto found = findings::find(report_, {options_.notes, true});
        const std::size_t shown = std::min(found.size(), most_results);
        json_.begin('{');
        json_.key("$schema").value("https://json.schemastore.org/sarif-2.1.0.json");
        json_.key("version").value("2.1.0");
        json_.line().key("runs").begin('[').begin('{');
        write_tool(found);
        write_invocations(found.size() - shown);
        json_.line().key("columnKind").value("unicodeCodePoints");
        json_.line().key("results").begin('[');
        for (std::size_t i = 0; i < shown; ++i) write_result(found[i]);
        json_.end(']').end('}').end(']').end('}').finish();
    }

private:
    void message(std::string_view key, std::string_view text) {
        json_.key(key).begin('{').key("text").value(text).end('}');
    }

    void write_tool(const std::vector<Finding>& found) {
        std::set<Kind> kinds;
        for (const Finding& finding : found) kinds.insert(finding.kind);
        json_.line().key("tool").begin('{').key("driver").begin('{');
        json_.key("name").value("leftover");
        json_.key("version").value(LEFTOVER_VERSION);
        json_.key("semanticVersion").value(LEFTOVER_VERSION);
        json_.key("rules").begin('[');
        for (const Kind kind : kinds) {
            rules_.emplace(kind, rules_.size());
            json_.line().begin('{');
            json_.key("id").value(name_of(kind));
            message("shortDescription", "Left over: " + kind_words(kind, 1).substr(2));
            message("fullDescription", rule_text(kind));
            json_.key("defaultConfiguration").begin('{');
            json_.key("level").value(level_of(record::row(kind).severity)).end('}');
            json_.end('}');
        }
        json_.end(']').end('}').end('}');
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
        json_.line().begin('{');
        json_.key("ruleId").value(name_of(finding.kind));
        json_.key("ruleIndex").value(rules_.at(finding.kind));
        json_.key("level").value(level_of(finding.severity));
        json_.key("kind").value("fail");
        message("message", message_of(finding));
        json_.key("locations").begin('[');
        write_location(finding);
        json_.end(']');
        json_.key("partialFingerprints").begin('{');
        json_.key("leftover/v1").value(finding.fingerprint).end('}');
        json_.key("occurrenceCount").value(finding.leaks.size());
        if (finding.stack != nullptr) write_stack(finding);
        const Status excuse = findings::excuse_of(finding);
        if (excuse == Status::suppressed) {
            json_.key("suppressions").begin('[').begin('{').key("kind").value("external");
            const auto reason = report_.reasons.find(std::string(finding.fingerprint));
            if (reason != report_.reasons.end()) json_.key("justification").value(reason->second);
            json_.end('}').end(']');
        }
        if (excuse == Status::baseline || report_.has_baseline) {
            json_.key("baselineState").value(excuse == Status::baseline ? "unchanged" : "new");
        }
        json_.end('}');
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
        // Text in SARIF may hold links: [text](address).
        std::string plain;
        for (const char c : text) {
            if (c == '[' || c == ']' || c == '\\') plain += '\\';
            plain += c;
        }
        return plain + ".";
    }

    std::string_view folder_of(const Finding& finding) const {
        const auto at = sessions_.find(finding.leaks.front()->session);
        if (at != sessions_.end()) return at->second->cwd;
        return report_.sessions.empty() ? std::string_view() : report_.sessions.front().cwd;
    }

    // Services show nothing that lies nowhere: then it is the program itself.
    void write_location(const Finding& finding) {
        std::string file = source_file(finding.location, folder_of(finding));
        if (file.empty()) {
            const auto at = sessions_.find(finding.leaks.front()->session);
            const Session* session = at != sessions_.end()        ? at->second
                                     : report_.sessions.empty() ? nullptr
                                                                : &report_.sessions.front();
            if (session != nullptr && !session->command.empty()) file = session->command.front();
            file = file.substr(file.rfind('/') + 1);
        }
        json_.begin('{');
        physical_location(file.empty() ? "unknown" : file, finding.location.line);
        if (!finding.location.function.empty()) {
            json_.key("logicalLocations").begin('[').begin('{');
            json_.key("fullyQualifiedName").value(finding.location.function);
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

    void write_stack(const Finding& finding) {
        json_.key("stacks").begin('[').begin('{');
        message("message", "created by, innermost first");
        json_.key("frames").begin('[');
        std::size_t count = 0;
        for (const Frame& frame : reader_.frames(*finding.stack)) {
            if (count++ == most_frames) break;
            json_.begin('{');
            if (!frame.module.empty()) json_.key("module").value(frame.module);
            json_.key("location").begin('{');
            if (!frame.file.empty()) {
                const findings::Location place{{}, std::string(frame.file), frame.line, true};
                physical_location(source_file(place, folder_of(finding)), frame.line);
            }
            json_.key("logicalLocations").begin('[').begin('{');
            json_.key("fullyQualifiedName").value(frame.function.empty() ? "?" : frame.function);
            json_.key("kind").value("function").end('}').end(']');
            json_.end('}').end('}');
        }
        json_.end(']').end('}').end(']');
    }

    const Report& report_;
    const Options& options_;
    JsonStream json_;
    findings::FrameReader reader_;
    std::map<std::string_view, const Session*> sessions_;
    std::map<Kind, std::size_t> rules_;
};

}  // namespace

void sarif(const Report& report, const Options& options, std::ostream& out) {
    Sarif(report, options, out).write();
}

}  // namespace leftover::render
