// What a person reads at the end of a run.
#include <algorithm>
#include <map>
#include <ostream>
#include <sstream>
#include <string>

#include <fmt/format.h>

#include "reporter/findings/findings.h"
#include "reporter/model/utf8.h"
#include "reporter/render/format.h"
#include "reporter/render/finding_text.h"
#include "reporter/render/hang_text.h"
#include "reporter/render/words.h"
#include "reporter/render/wrap.h"

namespace leftover::render {

namespace {

class TextReport {
public:
    TextReport(const Report& report, const Options& options, std::ostream& out)
        : report_(report),
          options_(options),
          paint_(options.colour),
          width_(width_of(options)),
          summary_(summarize(report)),
          out_(out) {}

    void write_hang() { hang_text(report_, options_, out_); }

    void write() {
        write_hang();
        const bool shown = summary_.leaks > 0 || (options_.notes && summary_.notes > 0) ||
                           (options_.excused && summary_.suppressed + summary_.baseline > 0);
        if (!shown) {
            if (runs()) return;
            const std::string aside = not_shown();
            out_ << "leftover: nothing left over" << (aside.empty() ? "" : " (" + aside + ")") << '\n';
            return;
        }
        headline();
        FindingText text(report_, options_, out_);
        const findings::Selection selection{options_.notes, options_.excused};
        for (const Finding& finding : findings::find(report_, selection)) text.write(finding);
        footer();
    }

private:
    std::string program(const Session& session) const {
        const std::string command = command_words(session.command, std::max<std::size_t>(width_ / 2, 40));
        const std::string exit = exit_words(session);
        const std::string& shown = command.empty() ? printable(session.id) : command;
        return exit.empty() ? shown : fmt::format("{} ({})", shown, exit);
    }

    // The session goes on: what there is, is not left over yet.
    bool runs() const { return report_.sessions.size() == 1 && report_.sessions.front().exit.running; }

    void headline() {
        std::map<Kind, std::uint64_t> counts;
        std::map<Status, std::uint64_t> outcomes;
        for (const Leak& leak : report_.leaks) {
            if (leak.status == Status::suppressed || leak.status == Status::baseline) continue;
            if (leak.severity == Severity::note) continue;
            ++counts[leak.kind];
            ++outcomes[leak.status];
        }
        std::vector<std::pair<Kind, std::uint64_t>> sorted(counts.begin(), counts.end());
        std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
            const auto severity = [](Kind kind) { return record::row(kind).severity; };
            if (severity(a.first) != severity(b.first)) return severity(a.first) > severity(b.first);
            return a.second > b.second;
        });
        std::vector<std::string> kinds;
        for (const auto& [kind, count] : sorted) kinds.push_back(kind_words(kind, count));

        const bool single = report_.sessions.size() <= 1;
        const std::string who = single ? (report_.sessions.empty() ? std::string("the program")
                                                                   : program(report_.sessions.front()))
                                       : fmt::format("{} sessions", report_.sessions.size());
        std::string line = fmt::format("leftover: {} left ", who);
        if (runs() && summary_.leaks == 0) {
            line = fmt::format("leftover: {} holds nothing that counts", who);
        } else if (runs()) {
            line = fmt::format("leftover: {} holds {} {}: {}", who, summary_.leaks,
                               summary_.leaks == 1 ? "thing" : "things", join(kinds));
        } else if (summary_.leaks == 0 && (summary_.notes == 0 || !options_.notes)) {
            line += "nothing behind that counts";
        } else if (summary_.leaks == 0) {
            line += fmt::format("nothing behind, but ended with {} open",
                                summary_.notes == 1 ? "one thing" : fmt::format("{} things", summary_.notes));
        } else {
            line += fmt::format("{} {} behind: {}", summary_.leaks,
                                summary_.leaks == 1 ? "thing" : "things", join(kinds));
        }
        out_ << paint_.bold(line) << '\n';
        if (std::string outcome = outcome_words(outcomes); !outcome.empty()) {
            if (report_.cleanup) {
                outcome += fmt::format(" ({}, {} of memory freed)",
                                       seconds_words(report_.cleanup->duration_seconds),
                                       size_words(summary_.reclaimed_bytes));
            }
            out_ << "  " << outcome << '\n';
        }
        if (!single) list_sessions();
    }

    void list_sessions() {
        std::map<std::string, std::uint64_t> counts;
        for (const Leak& leak : report_.leaks) {
            const bool counted = leak.status != Status::suppressed && leak.status != Status::baseline;
            if (counted && leak.severity != Severity::note) ++counts[leak.session];
        }
        // Of thousands, those that left most.
        constexpr std::size_t most = 20;
        std::vector<const Session*> shown;
        for (const Session& session : report_.sessions) shown.push_back(&session);
        if (shown.size() > most && !options_.all) {
            std::stable_sort(shown.begin(), shown.end(), [&counts](const Session* a, const Session* b) {
                return counts[a->id] > counts[b->id];
            });
            shown.resize(most);
        }
        for (const Session* session : shown) {
            out_ << fmt::format("  {}: {}, {} left\n", printable(session->id), program(*session),
                                counts[session->id]);
        }
        if (shown.size() < report_.sessions.size()) {
            out_ << fmt::format("  and {} more sessions\n", report_.sessions.size() - shown.size());
        }
    }

    std::string not_shown() const {
        std::vector<std::string> parts;
        if (summary_.notes > 0 && !options_.notes) {
            parts.push_back(fmt::format("{} {}", summary_.notes, summary_.notes == 1 ? "note" : "notes"));
        }
        if (options_.excused) return parts.empty() ? std::string() : "not shown: " + join(parts);
        if (summary_.suppressed > 0) parts.push_back(fmt::format("{} suppressed", summary_.suppressed));
        if (summary_.baseline > 0) parts.push_back(fmt::format("{} in the baseline", summary_.baseline));
        return parts.empty() ? std::string() : "not shown: " + join(parts);
    }

    void footer() {
        std::vector<std::string> lines;
        if (std::string aside = not_shown(); !aside.empty()) lines.push_back(std::move(aside));
        std::map<std::string, std::vector<std::string>> blind;
        for (const ProcessInfo& process : report_.processes) {
            if (process.instrumented) continue;
            const std::string& path = process.executable;
            blind[process.reason].push_back(printable(path.substr(path.rfind('/') + 1)));
        }
        for (const auto& [reason, names] : blind) {
            lines.push_back(fmt::format(
                "not instrumented ({}), so that only processes and named objects of theirs are known: {}",
                reason.empty() ? "unknown" : printable(reason), list_words(distinct(names), width_ / 2)));
        }
        for (const Session& session : report_.sessions) {
            if (session.complete) continue;
            lines.push_back(fmt::format("the record of session {} is damaged or full: more may be left",
                                        printable(session.id)));
        }
        if (lines.empty()) return;
        out_ << '\n';
        for (const std::string& line : lines) out_ << line << '\n';
    }

    const Report& report_;
    const Options& options_;
    Paint paint_;
    std::size_t width_;
    Summary summary_;
    std::ostream& out_;
};

void write(const Report& report, const Options& options, std::ostream& out, void (TextReport::*part)()) {
    if (options.width <= 0) {
        (TextReport(report, options, out).*part)();
        return;
    }
    std::ostringstream lines;
    (TextReport(report, options, lines).*part)();
    out << wrap(lines.view(), static_cast<std::size_t>(options.width));
}

}  // namespace

void text(const Report& report, const Options& options, std::ostream& out) {
    write(report, options, out, &TextReport::write);
}

void text_of_hang(const Report& report, const Options& options, std::ostream& out) {
    write(report, options, out, &TextReport::write_hang);
}

}  // namespace leftover::render
