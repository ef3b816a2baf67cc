// JUnit XML: one case a session, or a test that sessions are labelled with (--label test=NAME). It fails when
// something is left over, and when it timed out.
#include <algorithm>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "reporter/findings/findings.h"
#include "reporter/findings/reasons.h"
#include "reporter/model/json.h"
#include "reporter/model/names.h"
#include "reporter/render/format.h"
#include "reporter/render/hang_words.h"
#include "reporter/render/markup.h"
#include "reporter/render/words.h"

namespace leftover::render {

namespace {

using findings::Finding;

constexpr std::size_t most_findings = 200;  // told at length, of one case

struct Case {
    std::string name;
    std::vector<const Session*> sessions;
    std::map<const Finding*, std::size_t> findings;  // and how many leaks of each
    std::vector<const Finding*> order;               // of these, the worst first
    std::vector<const HangWords*> hangs;
};

class Junit {
public:
    Junit(const Report& report, const Options& options)
        : report_(report),
          found_(findings::find(report, {options.notes, options.excused})),
          hangs_(hang_words(report)),
          reader_(report) {}

    void write(std::ostream& out) {
        collect();
        pugi::xml_document document;
        pugi::xml_node declaration = document.append_child(pugi::node_declaration);
        declaration.append_attribute("version") = "1.0";
        declaration.append_attribute("encoding") = "UTF-8";
        pugi::xml_node suites = document.append_child("testsuites");
        pugi::xml_node suite = suites.append_child("testsuite");
        std::size_t failures = 0;
        double seconds = 0;
        for (const Case& test : cases_) {
            if (fails(test)) ++failures;
            seconds += seconds_of(test);
        }
        for (pugi::xml_node node : {suites, suite}) {
            put(node, "name", "leftover");
            put(node, "tests", std::to_string(cases_.size()));
            put(node, "failures", std::to_string(failures));
            put(node, "errors", "0");
            if (node == suite) put(node, "skipped", "0");
            put(node, "time", fmt::format("{:.3f}", seconds));
        }
        if (!report_.sessions.empty() && report_.sessions.front().started_at != 0) {
            // Without an offset and fractions, which the schema of this format does not know.
            put(suite, "timestamp", format_time(report_.sessions.front().started_at).substr(0, 19));
        }
        for (const Case& test : cases_) write_case(suite, test);
        document.save(out, "  ", pugi::format_default, pugi::encoding_utf8);
    }

private:
    static void put(pugi::xml_node node, const char* name, std::string_view value) {
        node.append_attribute(name) = xml_text(value).c_str();
    }

    void collect() {
        std::map<std::string, std::size_t> by_name;
        std::map<std::string_view, std::size_t> by_session;
        for (const Session& session : report_.sessions) {
            const auto label = session.labels.find("test");
            const std::string name = label != session.labels.end() ? label->second
                                     : report_.sessions.size() == 1
                                         ? command_words(session.command, 200)
                                         : fmt::format("{}: {}", session.id, command_words(session.command, 200));
            const auto [at, is_new] = by_name.try_emplace(name, cases_.size());
            if (is_new) cases_.push_back({name, {}, {}, {}, {}});
            cases_[at->second].sessions.push_back(&session);
            by_session.emplace(session.id, at->second);
        }
        for (const Finding& finding : found_) {
            for (const Leak* leak : finding.leaks) {
                const auto at = by_session.find(leak->session);
                if (at == by_session.end() && cases_.empty()) continue;
                Case& test = cases_[at == by_session.end() ? 0 : at->second];
                if (test.findings[&finding]++ == 0) test.order.push_back(&finding);
            }
        }
        for (const HangWords& hang : hangs_) {
            const auto at = hang.session != nullptr ? by_session.find(hang.session->id) : by_session.end();
            if (at != by_session.end()) cases_[at->second].hangs.push_back(&hang);
        }
    }

    static bool counts(const Finding& finding) {
        return finding.severity > Severity::note && findings::excuse_of(finding) == Status::leaked;
    }

    static bool timed_out(const Case& test) {
        return std::any_of(test.sessions.begin(), test.sessions.end(),
                           [](const Session* session) { return session->timed_out; });
    }

    static bool leaks(const Case& test) {
        return std::any_of(test.order.begin(), test.order.end(),
                           [](const Finding* finding) { return counts(*finding); });
    }

    static bool fails(const Case& test) { return leaks(test) || timed_out(test); }

    static double seconds_of(const Case& test) {
        double seconds = 0;
        for (const Session* session : test.sessions) seconds += session->duration_seconds;
        return seconds;
    }

    std::string tell(const Finding& finding, std::size_t count) const {
        std::string text = fmt::format("{}: {}", name_of(finding.severity), kind_words(finding.kind, count));
        if (!finding.pattern.empty()) text += " " + finding.pattern;
        text += fmt::format(" ({})", finding.fingerprint);
        if (const Status excuse = findings::excuse_of(finding); excuse != Status::leaked) {
            const std::string reason = findings::reason_of(report_, finding);
            text += excuse == Status::suppressed ? ", suppressed" : ", in the baseline";
            if (!reason.empty()) text += fmt::format(" ({})", reason);
        }
        text += '\n';
        if (finding.stack != nullptr) {
            for (const findings::Frame& frame : reader_.frames(*finding.stack)) {
                text += "    " + words_of(frame) + '\n';
            }
        }
        return text;
    }

    void write_case(pugi::xml_node suite, const Case& test) const {
        pugi::xml_node node = suite.append_child("testcase");
        put(node, "name", test.name);
        put(node, "classname", "leftover");
        put(node, "time", fmt::format("{:.3f}", seconds_of(test)));

        std::string failures;
        std::string others;
        std::map<Kind, std::uint64_t> kinds;
        std::size_t told = 0;
        std::string what;
        for (const HangWords* hang : test.hangs) {
            const bool counted = hang->session->timed_out;
            if (counted && what.empty() && !hang->chains.empty()) what = "timed out: " + hang->chains.front();
            (counted ? failures : others) += headline(*hang, 200) + '\n' + plain_text(report_, *hang) + '\n';
        }
        if (what.empty() && timed_out(test)) what = "timed out";
        for (const Finding* finding : test.order) {
            const std::size_t count = test.findings.at(finding);
            const bool counted = counts(*finding);
            if (counted) kinds[finding->kind] += count;
            if (told++ >= most_findings) continue;
            (counted ? failures : others) += tell(*finding, count);
        }
        if (told > most_findings) {
            (failures.empty() ? others : failures) +=
                fmt::format("and {} more places, cut off here\n", told - most_findings);
        }
        if (fails(test)) {
            const std::string type = what.empty() ? "leak" : "hang";
            std::vector<std::string> words;
            for (const auto& [kind, count] : kinds) words.push_back(kind_words(kind, count));
            if (!words.empty()) what += (what.empty() ? "left over: " : " Left over: ") + join(words);
            pugi::xml_node failure = node.append_child("failure");
            put(failure, "message", what);
            put(failure, "type", type);
            failure.append_child(pugi::node_pcdata).set_value(lines(failures).c_str());
        }
        if (!others.empty()) {
            node.append_child("system-out")
                .append_child(pugi::node_pcdata)
                .set_value(lines(others).c_str());
        }
    }

    // Every line by itself, so that the line ends stay.
    static std::string lines(std::string_view text) {
        std::string all;
        while (!text.empty()) {
            const auto end = std::min(text.find('\n'), text.size());
            all += xml_text(text.substr(0, end)) + '\n';
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        return all;
    }

    const Report& report_;
    std::vector<Finding> found_;
    std::vector<HangWords> hangs_;
    findings::FrameReader reader_;
    std::vector<Case> cases_;
};

}  // namespace

void junit(const Report& report, const Options& options, std::ostream& out) {
    Junit(report, options).write(out);
}

}  // namespace leftover::render
