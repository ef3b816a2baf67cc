// What a person reads at the end of a run.
#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <unordered_map>

#include <fmt/format.h>

#include "reporter/model/names.h"
#include "reporter/model/utf8.h"
#include "reporter/render/format.h"
#include "reporter/render/groups.h"
#include "reporter/render/stack_text.h"
#include "reporter/render/words.h"

namespace leftover::render {

namespace {

constexpr std::size_t default_width = 100;  // where there is no terminal to tell
constexpr std::size_t wide = 160;            // likewise, for the commands of processes
constexpr std::size_t most_processes = 10;
constexpr std::size_t most_creators = 5;
constexpr std::size_t most_troubles = 5;

// Of the items of one status what became of them: "cleaned up".
std::string_view status_words(Status status) {
    switch (status) {
        case Status::cleaned: return "cleaned up";
        case Status::in_use: return "in use by others and left alone";
        case Status::failed: return "could not be cleaned up";
        default: return "left as they are";
    }
}

// "all cleaned up", "3 cleaned up, 1 in use by others and left alone"; empty if nothing was tried.
std::string outcome_words(const std::map<Status, std::uint64_t>& counts) {
    std::uint64_t all = 0;
    for (const auto& [status, count] : counts) all += count;
    std::string words;
    for (const Status status : {Status::cleaned, Status::in_use, Status::failed}) {
        const auto at = counts.find(status);
        if (at == counts.end()) continue;
        if (at->second == all) {
            return all == 1 ? std::string(status_words(status))
                            : fmt::format("all {}", status_words(status));
        }
        if (!words.empty()) words += ", ";
        words += fmt::format("{} {}", at->second, status_words(status));
    }
    return words;
}

std::string join(const std::vector<std::string>& parts) {
    return fmt::format("{}", fmt::join(parts, ", "));
}

// Equal texts once, with how often.
std::vector<std::string> distinct(const std::vector<std::string>& texts) {
    std::unordered_map<std::string_view, std::size_t> counts;
    for (const std::string& text : texts) ++counts[text];
    std::vector<std::string> result;
    for (const std::string& text : texts) {
        std::size_t& count = counts[text];
        if (count == 0) continue;
        result.push_back(count == 1 ? text : fmt::format("{} (x{})", text, count));
        count = 0;
    }
    return result;
}

struct Creator {
    std::string session;
    int pid;
    auto operator<=>(const Creator&) const = default;
};

class TextReport {
public:
    TextReport(const Report& report, const Options& options, std::ostream& out)
        : report_(report),
          options_(options),
          paint_(options.colour),
          width_(options.width > 0 ? static_cast<std::size_t>(std::max(options.width, 40))
                                   : default_width),
          summary_(summarize(report)),
          stacks_(report, options),
          out_(out) {
        for (const Session& session : report.sessions) sessions_.emplace(session.id, &session);
        for (const ProcessInfo& process : report.processes) {
            processes_.emplace(std::pair(session_key(process.session), process.pid), &process);
        }
    }

    void write() {
        if (summary_.leaks == 0 && (summary_.notes == 0 || !options_.notes)) {
            const std::string aside = not_shown();
            out_ << "leftover: nothing left over" << (aside.empty() ? "" : " (" + aside + ")") << '\n';
            return;
        }
        headline();
        for (const Group& group : group_leaks(report_, options_.notes)) write_group(group);
        footer();
    }

private:
    // ---- the first lines

    std::string program(const Session& session) const {
        const std::string command = command_words(session.command, std::max<std::size_t>(width_ / 2, 40));
        const std::string exit = exit_words(session);
        const std::string& shown = command.empty() ? printable(session.id) : command;
        return exit.empty() ? shown : fmt::format("{} ({})", shown, exit);
    }

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
        if (summary_.leaks == 0) {
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
        for (const Session& session : report_.sessions) {
            out_ << fmt::format("  {}: {}, {} left\n", printable(session.id), program(session),
                                counts[session.id]);
        }
    }

    // ---- one group

    void write_group(const Group& group) {
        std::map<Status, std::uint64_t> outcomes;
        std::vector<std::string> names;
        std::uint64_t bytes = 0;
        for (const Leak* leak : group.leaks) {
            ++outcomes[leak->status];
            names.push_back(name(*leak));
            // A semaphore's few bytes are not worth a word.
            if (leak->kind == Kind::process) bytes += leak->details.resident_bytes.value_or(0);
            if (leak->kind != Kind::semaphore) bytes += leak->details.bytes.value_or(0);
        }
        std::string facts = kind_words(group.kind, group.leaks.size());
        if (bytes > 0) facts += fmt::format(" ({})", size_words(bytes));
        if (const std::string outcome = outcome_words(outcomes); !outcome.empty()) {
            facts += ", " + outcome;
        }
        const std::string_view severity = name_of(group.severity);
        out_ << '\n' << paint_.of(group.severity, severity) << ": " << paint_.bold(facts);
        if (group.kind == Kind::process || group.kind == Kind::zombie) {
            out_ << '\n';
            list_processes(group);
        } else {
            const std::size_t used = severity.size() + 2 + columns_of(facts) + 2;
            const auto shown = distinct(names);
            if (used + 30 < width_) {
                out_ << ": " << list_words(shown, width_ - used) << '\n';
            } else {
                out_ << ":\n    " << list_words(shown, width_ - 4) << '\n';
            }
        }
        list_troubles(group);
        write_creators(group);
        if (group.stack == nullptr || (group.stack->native.empty() && group.stack->python.empty())) {
            out_ << "  call stack: not recorded\n";
            return;
        }
        out_ << "  call stack, innermost first:\n";
        const Leak& first = *group.leaks.front();
        const Session* session = session_of(first);
        stacks_.write(*group.stack, session ? session->cwd : std::string(), first.created_at, out_);
    }

    static std::string name(const Leak& leak) {
        const Details& details = leak.details;
        std::string name = printable(leak.name.empty() ? "(no name)" : leak.name);
        if (leak.kind == Kind::file_descriptor && details.fd) {
            name = fmt::format("{} -> {}", *details.fd, name);
        }
        std::vector<std::string> facts;
        if ((leak.kind == Kind::thread || leak.kind == Kind::detached_thread)) {
            if (details.state) facts.push_back(printable(*details.state));
            if (details.start_routine) facts.push_back(printable(*details.start_routine));
        }
        if (details.attribution) facts.emplace_back("came up meanwhile, maker not known");
        return facts.empty() ? name : fmt::format("{} ({})", name, join(facts));
    }

    void list_processes(const Group& group) {
        std::size_t shown = 0;
        for (const Leak* leak : group.leaks) {
            if (shown++ == most_processes) break;
            const Details& details = leak->details;
            std::vector<std::string> facts;
            if (details.pid) facts.push_back(fmt::format("pid {}", *details.pid));
            if (details.state) facts.push_back(state_words(*details.state));
            if (details.resident_bytes && leak->kind == Kind::process) {
                facts.push_back(size_words(*details.resident_bytes));
            }
            if (group.leaks.size() > 1 && leak->status != Status::leaked) {
                facts.emplace_back(status_words(leak->status));
            }
            const std::string head = "    " + join(facts) + ": ";
            const std::size_t width = options_.width > 0 ? width_ : wide;
            const std::size_t left = width - std::min(width - 20, columns_of(head));
            const std::vector<std::string> command =
                details.command && !details.command->empty() ? *details.command
                                                             : std::vector{leak->name};
            out_ << head << command_words(command, left) << '\n';
            if (details.holds && !details.holds->empty()) {
                std::vector<std::string> holds;
                for (const std::string& held : *details.holds) holds.push_back(printable(held));
                out_ << "      holds " << join(holds) << '\n';
            }
        }
        if (group.leaks.size() > most_processes) {
            out_ << fmt::format("    and {} more\n", group.leaks.size() - most_processes);
        }
    }

    // What could not be cleaned up, and why; what was not because others use it.
    void list_troubles(const Group& group) {
        std::size_t shown = 0;
        std::size_t more = 0;
        for (const Leak* leak : group.leaks) {
            const bool failed = leak->status == Status::failed;
            const bool partly = leak->status == Status::in_use && group.leaks.size() > 1;
            if (!failed && !partly) continue;
            if (shown == most_troubles) {
                ++more;
                continue;
            }
            ++shown;
            const std::string pid =
                leak->details.pid ? fmt::format(" (pid {})", *leak->details.pid) : std::string();
            out_ << fmt::format("  {}: {}{}{}{}\n", failed ? "failed" : "in use", printable(leak->name),
                                pid, leak->error.empty() ? "" : ": ", printable(leak->error));
        }
        if (more > 0) out_ << fmt::format("    and {} more\n", more);
    }

    void write_creators(const Group& group) {
        std::vector<Creator> creators;
        std::set<Creator> known;
        std::set<std::string> session_ids;
        double first = -1;
        double last = -1;
        for (const Leak* leak : group.leaks) {
            const Creator creator{leak->session, leak->pid};
            if (leak->pid != 0 && known.insert(creator).second) creators.push_back(creator);
            session_ids.insert(leak->session);
            const Session* session = session_of(*leak);
            if (session == nullptr || session->started_at == 0 || leak->created_at == 0) continue;
            // Clocks may be set back.
            const double after =
                std::max(0.0, static_cast<double>(leak->created_at - session->started_at) / 1e9);
            first = first < 0 ? after : std::min(first, after);
            last = std::max(last, after);
        }

        std::string line = "  created";
        if (creators.empty()) {
            line += " by a process that is not known";
        } else if (creators.size() == 1) {
            line += fmt::format(" by pid {}", creators.front().pid);
        } else {
            std::vector<std::string> pids;
            for (const Creator& creator : creators) {
                if (pids.size() == most_creators) break;
                pids.push_back(std::to_string(creator.pid));
            }
            line += fmt::format(" by {} processes (pid {}", creators.size(), join(pids));
            if (creators.size() > pids.size()) {
                line += fmt::format(" and {} more", creators.size() - pids.size());
            }
            line += ')';
        }
        if (first >= 0) {
            const std::string from = seconds_words(first);
            const std::string to = seconds_words(last);
            line += from == to ? fmt::format(", {} after the start", from)
                               : fmt::format(", {} to {} after the start", from, to);
        }
        if (report_.sessions.size() > 1) {
            std::vector<std::string> ids;
            for (const std::string& id : session_ids) ids.push_back(printable(id));
            line += fmt::format(", in {}", list_words(ids, width_ / 2));
        }
        out_ << line << '\n';

        list_programs(creators);
    }

    // What these processes run, each once.
    void list_programs(const std::vector<Creator>& creators) {
        constexpr std::size_t most = 3;
        std::vector<std::string> programs;
        for (const Creator& creator : creators) {
            const auto exactly = processes_.find({session_key(creator.session), creator.pid});
            // In a merged report it may not be known which session a process is of.
            const auto at =
                exactly != processes_.end() ? exactly : processes_.find({std::string(), creator.pid});
            if (at == processes_.end()) continue;
            const ProcessInfo& process = *at->second;
            std::string words = process.command.empty() ? printable(process.executable)
                                                        : command_words(process.command, width_ - 4);
            const bool is_new = std::find(programs.begin(), programs.end(), words) == programs.end();
            if (!words.empty() && is_new) programs.push_back(std::move(words));
            if (programs.size() > most) break;
        }
        for (std::size_t i = 0; i < programs.size() && i < most; ++i) {
            out_ << "    " << programs[i] << '\n';
        }
        if (programs.size() > most) out_ << "    and others\n";
    }

    // ---- the last lines

    std::string not_shown() const {
        std::vector<std::string> parts;
        if (summary_.notes > 0 && !options_.notes) {
            parts.push_back(fmt::format("{} {}", summary_.notes, summary_.notes == 1 ? "note" : "notes"));
        }
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

    // A report of one session need not say which it is.
    std::string session_key(const std::string& session) const {
        return report_.sessions.size() > 1 ? session : std::string();
    }

    const Session* session_of(const Leak& leak) const {
        const auto at = sessions_.find(leak.session);
        if (at != sessions_.end()) return at->second;
        return report_.sessions.size() == 1 ? &report_.sessions.front() : nullptr;
    }

    const Report& report_;
    const Options& options_;
    Paint paint_;
    std::size_t width_;
    Summary summary_;
    StackText stacks_;
    std::ostream& out_;
    std::unordered_map<std::string, const Session*> sessions_;
    std::map<std::pair<std::string, int>, const ProcessInfo*> processes_;
};

}  // namespace

void text(const Report& report, const Options& options, std::ostream& out) {
    TextReport(report, options, out).write();
}

}  // namespace leftover::render
