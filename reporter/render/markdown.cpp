// Markdown for the summary of a CI step.
#include <algorithm>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "reporter/findings/findings.h"
#include "reporter/findings/reasons.h"
#include "reporter/model/names.h"
#include "reporter/model/utf8.h"
#include "reporter/render/format.h"
#include "reporter/render/hang_words.h"
#include "reporter/render/markup.h"
#include "reporter/render/words.h"

namespace leftover::render {

namespace {

using findings::Finding;

// Services refuse more than 1 MiB as a whole; this is below, with room for what is said at the end.
constexpr std::size_t most_bytes = 1'000'000;
constexpr std::size_t most_frames = 40;
constexpr std::size_t most_sessions = 100;
constexpr std::size_t most_hangs = 20;
constexpr std::size_t most_hang_bytes = 300'000;  // of all hangs, so that the findings have room
constexpr std::size_t name_columns = 300;

class Markdown {
public:
    Markdown(const Report& report, const Options& options)
        : report_(report), options_(options), summary_(summarize(report)), reader_(report) {}

    std::string render() {
        const auto found = findings::find(report_, {options_.notes, options_.excused});
        headline();
        hangs();
        if (!found.empty()) {
            table(found);
            stacks(found);
        }
        sessions();
        warnings();
        if (cut_) text_ += fmt::format("\n**Cut off here: a summary must be below 1 MiB.** {}\n", cut_words_);
        return std::move(text_);
    }

private:
    // Adds the piece if there is room for it; if not, nothing more of its sort will be.
    bool add(const std::string& piece, const std::string& otherwise) {
        if (text_.size() + piece.size() > most_bytes) {
            if (!cut_) cut_words_ = otherwise;
            cut_ = true;
            return false;
        }
        text_ += piece;
        return true;
    }

    static std::string code(std::string_view text) {
        return markdown_code(shorten(printable(text), name_columns));
    }

    void headline() {
        text_ += "## leftover: ";
        const auto late = std::count_if(report_.sessions.begin(), report_.sessions.end(),
                                        [](const Session& session) { return session.timed_out; });
        if (late > 0) text_ += report_.sessions.size() == 1 ? "timed out, " : fmt::format("{} timed out, ", late);
        if (summary_.leaks == 0) {
            text_ += "nothing left over\n";
        } else {
            std::vector<std::string> kinds;
            for (const auto& [kind, count] : summary_.by_kind) kinds.push_back(kind_words(kind, count));
            text_ += fmt::format("{} {} left over\n\n{}", summary_.leaks,
                                 summary_.leaks == 1 ? "thing" : "things", join(kinds));
            if (report_.sessions.size() > 1) text_ += fmt::format(", in {} sessions", report_.sessions.size());
            text_ += ".\n";
        }
        std::vector<std::string> parts;
        if (summary_.cleaned > 0) parts.push_back(fmt::format("{} cleaned up", summary_.cleaned));
        if (summary_.in_use > 0) parts.push_back(fmt::format("{} in use by others", summary_.in_use));
        if (summary_.failed > 0) parts.push_back(fmt::format("{} could not be cleaned up", summary_.failed));
        if (summary_.suppressed > 0) parts.push_back(fmt::format("{} suppressed", summary_.suppressed));
        if (summary_.baseline > 0) parts.push_back(fmt::format("{} in the baseline", summary_.baseline));
        if (!parts.empty()) text_ += fmt::format("\n{}.\n", join(parts));
    }

    void hangs() {
        const std::vector<HangWords> all = hang_words(report_);
        std::vector<HangFinding> shown = hang_findings(all);
        for (const HangWords& hang : all) {
            const bool goes_on = hang.session == nullptr || !hang.session->timed_out;
            if (goes_on && hang.threads > 0) shown.push_back({&hang, 1});
        }
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < shown.size(); ++i) {
            const HangWords& hang = *shown[i].first;
            std::string piece = fmt::format("\n### {}\n\n", markdown_text(shorten(render::headline(hang, 200), 400)));
            if (shown[i].sessions > 1) {
                piece += fmt::format("{} sessions wait at this place.\n\n", shown[i].sessions);
            }
            for (const std::string& chain : hang.chains) piece += fmt::format("- {}\n", markdown_text(chain));
            std::string lines;
            const std::string plain = plain_text(report_, hang);
            for (std::size_t at = 0; at < plain.size();) {
                const std::size_t end = std::min(plain.find('\n', at), plain.size());
                // An empty line would end the block.
                const std::string line = markdown_text(shorten(plain.substr(at, end - at), name_columns));
                lines += (line.empty() ? " " : line) + '\n';
                at = end + 1;
            }
            piece += fmt::format("\n<details><summary>{}</summary>\n\n<pre>\n{}</pre>\n\n</details>\n",
                                 hang.threads == 1 ? "Where its thread is" : fmt::format("Where its {} threads are", hang.threads),
                                 lines);
            bytes += piece.size();
            if (i == most_hangs || bytes > most_hang_bytes) {
                text_ += fmt::format("\nand {} more sessions or places where they hang.\n", shown.size() - i);
                return;
            }
            text_ += piece;
        }
        if (!shown.empty()) text_ += '\n';
    }

    void table(const std::vector<Finding>& found) {
        text_ += "\n| severity | what | name | where | fingerprint |\n| --- | --- | --- | --- | --- |\n";
        for (std::size_t i = 0; i < found.size(); ++i) {
            const Finding& finding = found[i];
            std::string what = kind_words(finding.kind, finding.leaks.size());
            if (finding.sessions > 1) what += fmt::format(" in {} sessions", finding.sessions);
            if (const Status excuse = findings::excuse_of(finding); excuse != Status::leaked) {
                what += excuse == Status::suppressed ? ", suppressed" : ", in the baseline";
                const std::string reason = findings::reason_of(report_, finding);
                if (!reason.empty()) what += fmt::format(" ({})", markdown_text(shorten(reason, name_columns)));
            }
            const std::string row =
                fmt::format("| {} | {} | {} | {} | `{}` |\n", name_of(finding.severity), what,
                            code(finding.pattern), code(findings::words_of(finding.location)),
                            finding.fingerprint);
            if (!add(row, fmt::format("{} more findings, and all call stacks, are left out.",
                                      found.size() - i))) {
                return;
            }
        }
    }

    void stacks(const std::vector<Finding>& found) {
        for (std::size_t i = 0; i < found.size() && !cut_; ++i) {
            const Finding& finding = found[i];
            std::string piece = fmt::format("\n<details><summary>{}: {} {}</summary>\n\n",
                                            name_of(finding.severity),
                                            kind_words(finding.kind, finding.leaks.size()), code(finding.pattern));
            std::vector<std::string> names;
            for (const Leak* leak : finding.leaks) {
                if (names.size() == 10) break;
                names.push_back(leak->name);
            }
            for (const std::string& name : distinct(names)) piece += fmt::format("- {}\n", code(name));
            if (finding.leaks.size() > names.size()) {
                piece += fmt::format("- and {} more\n", finding.leaks.size() - names.size());
            }
            piece += "\n<pre>\n";
            if (finding.stack == nullptr) piece += "call stack: not recorded\n";
            std::size_t frames = 0;
            if (finding.stack != nullptr) {
                for (const findings::Frame& frame : reader_.frames(*finding.stack)) {
                    if (frames++ == most_frames) break;
                    piece += markdown_text(shorten(words_of(frame), name_columns)) + '\n';
                }
            }
            piece += "</pre>\n\n</details>\n";
            add(piece, fmt::format("The call stacks of {} findings are left out.", found.size() - i));
        }
    }

    void sessions() {
        if (report_.sessions.size() < 2 || cut_) return;
        std::map<std::string_view, std::uint64_t> counts;
        for (const Leak& leak : report_.leaks) {
            const bool excused = leak.status == Status::suppressed || leak.status == Status::baseline;
            if (!excused && leak.severity != Severity::note) ++counts[leak.session];
        }
        text_ += fmt::format("\n{} of {} sessions left something.\n", counts.size(), report_.sessions.size());
        if (counts.empty()) return;
        text_ += "\n| session | command | ended | left |\n| --- | --- | --- | --- |\n";
        std::size_t shown = 0;
        for (const Session& session : report_.sessions) {
            const auto at = counts.find(session.id);
            if (at == counts.end()) continue;
            if (shown++ == most_sessions) {
                text_ += fmt::format("\nand {} more sessions.\n", counts.size() - most_sessions);
                break;
            }
            const std::string exit = exit_words(session);
            add(fmt::format("| {} | {} | {} | {} |\n", code(session.id),
                            code(command_words(session.command, 100)), exit.empty() ? "success" : exit,
                            at->second),
                "Sessions are left out.");
        }
    }

    void warnings() {
        std::size_t incomplete = 0;
        for (const Session& session : report_.sessions) incomplete += session.complete ? 0U : 1U;
        if (incomplete > 0) {
            text_ += fmt::format("\nThe records of {} sessions are damaged or full: more may be left.\n", incomplete);
        }
        std::size_t blind = 0;
        for (const ProcessInfo& process : report_.processes) blind += process.instrumented ? 0U : 1U;
        if (blind > 0) {
            text_ += fmt::format("\n{} processes were not instrumented: only processes and named objects of "
                                 "theirs are known.\n",
                                 blind);
        }
    }

    const Report& report_;
    const Options& options_;
    Summary summary_;
    findings::FrameReader reader_;
    std::string text_;
    bool cut_ = false;
    std::string cut_words_;
};

}  // namespace

void markdown(const Report& report, const Options& options, std::ostream& out) {
    out << Markdown(report, options).render();
}

}  // namespace leftover::render
