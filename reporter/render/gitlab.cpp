// GitLab's code quality report: a list of issues, one a finding that is not excused, and one a place where programs
// timed out.
#include <algorithm>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "reporter/findings/findings.h"
#include "reporter/model/json_stream.h"
#include "reporter/model/names.h"
#include "reporter/model/utf8.h"
#include "reporter/render/format.h"
#include "reporter/render/hang_words.h"
#include "reporter/render/uri.h"
#include "reporter/render/words.h"

namespace leftover::render {

namespace {

std::string_view severity_word(Severity severity) {
    switch (severity) {
        case Severity::error: return "major";
        case Severity::warning: return "minor";
        case Severity::note: break;
    }
    return "info";
}

struct Issue {
    std::string check, text, fingerprint;
    std::string_view severity;
};

void write_issue(JsonStream& json, const Issue& issue, const findings::Location& location, const Session* session) {
    std::string file = source_file(location, session != nullptr ? session->cwd : std::string());
    // Every issue has a place: without one, the program itself.
    if (file.empty() && session != nullptr && !session->command.empty()) {
        file = session->command.front();
        file = file.substr(file.rfind('/') + 1);
    }
    json.line().begin('{');
    json.key("type").value("issue");
    json.key("check_name").value(issue.check);
    json.key("description").value(issue.text);
    json.key("categories").begin('[').value("Bug Risk").end(']');
    json.key("severity").value(issue.severity);
    json.key("fingerprint").value(issue.fingerprint);
    json.key("location").begin('{').key("path").value(file.empty() ? "unknown" : file);
    json.key("lines").begin('{').key("begin").value(std::max(location.line, 1)).end('}');
    json.end('}').end('}');
}

std::string in_sessions(std::size_t sessions) {
    return sessions > 1 ? fmt::format(" in {} sessions", sessions) : std::string();
}

}  // namespace

void gitlab(const Report& report, const Options& options, std::ostream& out) {
    std::map<std::string_view, const Session*> sessions;
    for (const Session& session : report.sessions) sessions.emplace(session.id, &session);
    JsonStream json(out);
    json.begin('[');
    const std::vector<HangWords> hangs = hang_words(report);
    for (const HangFinding& finding : hang_findings(hangs)) {
        const HangWords& hang = *finding.first;
        std::string text = fmt::format("Timed out{}", in_sessions(finding.sessions));
        if (!hang.chains.empty()) text += ": " + hang.chains.front();
        write_issue(json, {"leftover.hang", text, hang.fingerprint, "critical"}, hang.location, hang.session);
    }
    for (const findings::Finding& finding : findings::find(report, {options.notes, false})) {
        const auto at = sessions.find(finding.leaks.front()->session);
        const Session* session = at != sessions.end()       ? at->second
                                 : report.sessions.empty() ? nullptr
                                                           : &report.sessions.front();
        std::string text = fmt::format("{} left over{}", kind_words(finding.kind, finding.leaks.size()),
                                       in_sessions(finding.sessions));
        if (!finding.pattern.empty()) text += ": " + printable(finding.pattern);
        if (!finding.location.function.empty()) {
            text += ", created in " + printable(finding.location.function);
        }
        write_issue(json,
                    {fmt::format("leftover.{}", name_of(finding.kind)), text, std::string(finding.fingerprint),
                     severity_word(finding.severity)},
                    finding.location, session);
    }
    json.line().end(']').finish();
}

}  // namespace leftover::render
