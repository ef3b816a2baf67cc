#include "reporter/policy/baseline.h"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "reporter/findings/findings.h"
#include "reporter/model/names.h"
#include "reporter/model/read_file.h"
#include "reporter/model/utf8.h"

namespace leftover::policy {

namespace {

bool is_fingerprint(std::string_view word) {
    // Of later versions too: they match nothing, and are said to be gone.
    const auto colon = word.find(':');
    if (!word.starts_with('v') || colon == word.npos || word.size() != colon + 17) return false;
    return word.find_first_not_of("0123456789", 1) == colon &&
           word.find_first_not_of("0123456789abcdef", colon + 1) == word.npos;
}

// A column that may hold no blank.
std::string column(std::string_view text) {
    std::string shown = printable(text);
    for (std::size_t at = 0; (at = shown.find(' ', at)) != shown.npos; ++at) shown[at] = '_';
    return shown.empty() ? "-" : shown;
}

}  // namespace

std::vector<BaselineEntry> parse_baseline(std::string_view text, const std::string& source) {
    std::vector<BaselineEntry> entries;
    for (int number = 1; !text.empty(); ++number) {
        const auto end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
        if (line.empty() || line.starts_with('#')) continue;
        const std::string_view word = line.substr(0, line.find(' '));
        if (!is_fingerprint(word)) {
            throw std::runtime_error(printable(fmt::format(
                "{}:{}: '{}' is no fingerprint (v1: and 16 hexadecimal digits); is this a baseline?",
                source, number, word.substr(0, 40))));
        }
        const std::string_view rest = line.substr(std::min(word.size() + 1, line.size()));
        entries.push_back({std::string(word), std::string(rest), fmt::format("{}:{}", source, number)});
    }
    return entries;
}

std::vector<BaselineEntry> read_baseline(const std::string& path) {
    return parse_baseline(read_file(path), path);
}

std::string write_baseline(const Report& report, Severity lowest) {
    std::map<std::string_view, std::string_view> folders;
    for (const Session& session : report.sessions) folders.emplace(session.id, session.cwd);
    std::set<std::string> lines;
    std::set<std::string_view> known;
    for (const findings::Finding& finding : findings::find(report, {lowest == Severity::note, true})) {
        if (finding.severity < lowest || findings::excuse_of(finding) == Status::suppressed) continue;
        // A finding may be there twice: in the baseline and, from another session, not.
        if (!known.insert(finding.fingerprint).second) continue;
        const auto folder = folders.find(finding.leaks.front()->session);
        const std::string file = findings::portable_file(
            finding.location, folder == folders.end() ? std::string_view() : folder->second);
        std::string location = file;
        if (!finding.location.function.empty()) {
            location += (location.empty() ? "" : ":") + finding.location.function;
        }
        lines.insert(fmt::format("{} {} {} {}\n", finding.fingerprint, name_of(finding.kind),
                                 column(finding.pattern), column(location)));
    }
    return fmt::format("{}", fmt::join(lines, ""));
}

}  // namespace leftover::policy
