// GitLab's code quality report: a list of issues, one a finding that is not excused.
#include <algorithm>
#include <map>
#include <ostream>
#include <string>

#include <fmt/format.h>

#include "reporter/findings/findings.h"
#include "reporter/model/json_stream.h"
#include "reporter/model/names.h"
#include "reporter/model/utf8.h"
#include "reporter/render/format.h"
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

}  // namespace

void gitlab(const Report& report, const Options& options, std::ostream& out) {
    std::map<std::string_view, const Session*> sessions;
    for (const Session& session : report.sessions) sessions.emplace(session.id, &session);
    JsonStream json(out);
    json.begin('[');
    for (const findings::Finding& finding : findings::find(report, {options.notes, false})) {
        const auto at = sessions.find(finding.leaks.front()->session);
        const Session* session = at != sessions.end()       ? at->second
                                 : report.sessions.empty() ? nullptr
                                                           : &report.sessions.front();
        std::string file = source_file(finding.location, session ? session->cwd : std::string());
        // Every issue has a place: without one, the program itself.
        if (file.empty() && session != nullptr && !session->command.empty()) {
            file = session->command.front();
            file = file.substr(file.rfind('/') + 1);
        }
        std::string text = fmt::format("{} left over", kind_words(finding.kind, finding.leaks.size()));
        if (finding.sessions > 1) text += fmt::format(" in {} sessions", finding.sessions);
        if (!finding.pattern.empty()) text += ": " + printable(finding.pattern);
        if (!finding.location.function.empty()) {
            text += ", created in " + printable(finding.location.function);
        }
        json.line().begin('{');
        json.key("type").value("issue");
        json.key("check_name").value(fmt::format("leftover.{}", name_of(finding.kind)));
        json.key("description").value(text);
        json.key("categories").begin('[').value("Bug Risk").end(']');
        json.key("severity").value(severity_word(finding.severity));
        json.key("fingerprint").value(finding.fingerprint);
        json.key("location").begin('{').key("path").value(file.empty() ? "unknown" : file);
        json.key("lines").begin('{').key("begin").value(std::max(finding.location.line, 1)).end('}');
        json.end('}').end('}');
    }
    json.line().end(']').finish();
}

}  // namespace leftover::render
