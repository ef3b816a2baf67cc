#include "reporter/render/finding_text.h"

#include <algorithm>
#include <ostream>
#include <set>

#include <fmt/format.h>

#include "reporter/findings/reasons.h"
#include "reporter/model/names.h"
#include "reporter/model/utf8.h"
#include "reporter/render/words.h"

namespace leftover::render {

namespace {

constexpr int narrowest = 40;
constexpr std::size_t default_width = 100;  // where there is no terminal to tell
constexpr std::size_t wide = 160;           // likewise, for the commands of processes
constexpr std::size_t most_processes = 10;
constexpr std::size_t most_creators = 5;
constexpr std::size_t most_troubles = 5;

std::string name_words(const Leak& leak) {
    const Details& details = leak.details;
    std::string name = printable(leak.name.empty() ? "(no name)" : leak.name);
    if (leak.kind == Kind::file_descriptor && details.fd) {
        name = fmt::format("{} -> {}", *details.fd, name);
    }
    std::vector<std::string> facts;
    if ((leak.kind == Kind::thread || leak.kind == Kind::detached_thread)) {
        if (details.more->state) facts.push_back(printable(*details.more->state));
        if (details.more->start_routine) facts.push_back(printable(*details.more->start_routine));
    }
    if (details.more->attribution) facts.emplace_back("came up meanwhile, maker not known");
    return facts.empty() ? name : fmt::format("{} ({})", name, join(facts));
}

}  // namespace

std::size_t width_of(const Options& options) {
    if (options.width <= 0) return default_width;
    return static_cast<std::size_t>(std::max(options.width, narrowest));
}

FindingText::FindingText(const Report& report, const Options& options, std::ostream& out)
    : report_(report),
      options_(options),
      paint_(options.colour),
      width_(width_of(options)),
      stacks_(report, options),
      reader_(report),
      out_(out) {
    for (const Stack& stack : report.stacks) stack_numbers_.emplace(stack.id, &stack);
    for (const Session& session : report.sessions) sessions_.emplace(session.id, &session);
    for (const ProcessInfo& process : report.processes) {
        processes_.emplace(std::pair(session_key(process.session), process.pid), &process);
    }
}

void FindingText::write(const Finding& finding) {
    std::map<Status, std::uint64_t> outcomes;
    std::uint64_t bytes = 0;
    for (const Leak* leak : finding.leaks) {
        ++outcomes[leak->status];
        // A semaphore's few bytes are not worth a word.
        if (leak->kind == Kind::process) bytes += leak->details.more->resident_bytes.value_or(0);
        if (leak->kind != Kind::semaphore) bytes += leak->details.bytes.value_or(0);
    }
    std::string facts = kind_words(finding.kind, finding.leaks.size());
    if (report_.sessions.size() > 1 && finding.sessions > 1) {
        facts += fmt::format(" in {} of {} sessions", finding.sessions, report_.sessions.size());
    }
    if (bytes > 0) facts += fmt::format(" ({})", size_words(bytes));
    if (const std::string outcome = outcome_words(outcomes); !outcome.empty()) {
        facts += ", " + outcome;
    }
    if (const Status excuse = findings::excuse_of(finding); excuse != Status::leaked) {
        facts += excuse == Status::suppressed ? ", suppressed" : ", in the baseline";
        const std::string reason = findings::reason_of(report_, finding);
        if (!reason.empty()) facts += fmt::format(" ({})", printable(reason));
    }
    const std::string_view severity = name_of(finding.severity);
    out_ << '\n' << paint_.of(finding.severity, severity) << ": " << paint_.bold(facts);
    if (finding.kind == Kind::process || finding.kind == Kind::zombie) {
        out_ << '\n';
        list_processes(finding);
    } else {
        write_names(finding, severity.size() + 2 + columns_of(facts) + 2);
    }
    list_troubles(finding);
    write_creators(finding);
    if (finding.stack == nullptr || (finding.stack->native.empty() && finding.stack->python.empty())) {
        out_ << "  call stack: not recorded\n";
        return;
    }
    out_ << "  call stack, innermost first:\n";
    const auto with_stack = std::find_if(finding.leaks.begin(), finding.leaks.end(),
                                         [](const Leak* leak) { return leak->stack.has_value(); });
    const Leak& first = with_stack == finding.leaks.end() ? *finding.leaks.front() : **with_stack;
    const Session* session = session_of(first);
    stacks_.write(*finding.stack, session ? session->cwd : std::string(), first.created_at, out_);
    write_other_places(finding);
}

// One function may do it at several lines, and a library in several ways.
void FindingText::write_other_places(const Finding& finding) {
    const std::string here = findings::words_of(finding.location);
    std::vector<std::string> others;
    std::set<int> known{finding.stack->id};
    for (const Leak* leak : finding.leaks) {
        if (!leak->stack || !known.insert(*leak->stack).second) continue;
        const auto at = stack_numbers_.find(*leak->stack);
        if (at == stack_numbers_.end()) continue;
        std::string words = findings::words_of(findings::location_of(reader_, *at->second));
        if (words == here || std::find(others.begin(), others.end(), words) != others.end()) continue;
        others.push_back(std::move(words));
        if (others.size() > most_creators && !options_.all) break;
    }
    if (others.empty()) return;
    out_ << "  also at: "
         << (options_.all ? join(others) : list_words(others, std::max<std::size_t>(width_ - 11, 40)))
         << '\n';
}

// Behind the facts, of so many columns, or below them.
void FindingText::write_names(const Finding& finding, std::size_t used) {
    // Of a million nobody reads more than these.
    constexpr std::size_t enough = 10'000;
    const std::size_t count =
        options_.all ? finding.leaks.size() : std::min(finding.leaks.size(), enough);
    std::vector<std::string> names;
    names.reserve(count);
    for (std::size_t i = 0; i < count; ++i) names.push_back(name_words(*finding.leaks[i]));
    const auto shown = distinct(names);
    if (options_.all && shown.size() > 1) {
        out_ << '\n';
        for (const std::string& name : shown) out_ << "    " << name << '\n';
        return;
    }
    const std::size_t others = finding.leaks.size() - count;
    if (used + 30 < width_) {
        out_ << ": " << list_words(shown, width_ - used, others) << '\n';
    } else {
        out_ << ":\n    " << list_words(shown, width_ - 4, others) << '\n';
    }
}

void FindingText::list_processes(const Finding& finding) {
    std::size_t shown = 0;
    for (const Leak* leak : finding.leaks) {
        if (shown++ == most_processes && !options_.all) break;
        const Details& details = leak->details;
        std::vector<std::string> facts;
        if (details.more->pid) facts.push_back(fmt::format("pid {}", *details.more->pid));
        if (details.more->state) facts.push_back(state_words(*details.more->state));
        if (details.more->resident_bytes && leak->kind == Kind::process) {
            facts.push_back(size_words(*details.more->resident_bytes));
        }
        if (finding.leaks.size() > 1 && leak->status != Status::leaked) {
            facts.emplace_back(status_words(leak->status));
        }
        const std::string head = "    " + join(facts) + ": ";
        const std::size_t width = options_.width > 0 ? width_ : wide;
        const std::size_t left = width - std::min(width - 20, columns_of(head));
        const std::vector<std::string> command =
            details.more->command && !details.more->command->empty() ? *details.more->command
                                                         : std::vector{leak->name};
        out_ << head << command_words(command, left) << '\n';
        if (details.more->holds && !details.more->holds->empty()) {
            std::vector<std::string> holds;
            for (const std::string& held : *details.more->holds) holds.push_back(printable(held));
            out_ << "      holds " << join(holds) << '\n';
        }
    }
    if (finding.leaks.size() > most_processes && !options_.all) {
        out_ << fmt::format("    and {} more\n", finding.leaks.size() - most_processes);
    }
}

// What could not be cleaned up, and why; what was not because others use it.
void FindingText::list_troubles(const Finding& finding) {
    std::size_t shown = 0;
    std::size_t more = 0;
    for (const Leak* leak : finding.leaks) {
        const bool failed = leak->status == Status::failed;
        const bool partly = leak->status == Status::in_use && finding.leaks.size() > 1;
        if (!failed && !partly) continue;
        if (shown == most_troubles) {
            ++more;
            continue;
        }
        ++shown;
        const std::string pid =
            leak->details.more->pid ? fmt::format(" (pid {})", *leak->details.more->pid) : std::string();
        out_ << fmt::format("  {}: {}{}{}{}\n", failed ? "failed" : "in use", printable(leak->name),
                            pid, leak->error.empty() ? "" : ": ", printable(leak->error));
    }
    if (more > 0) out_ << fmt::format("    and {} more\n", more);
}

void FindingText::write_creators(const Finding& finding) {
    std::vector<Creator> creators;
    std::set<Creator> known;
    std::set<std::string_view> session_ids;
    const Leak* before = nullptr;
    double first = -1;
    double last = -1;
    for (const Leak* leak : finding.leaks) {
        const bool as_before =
            before != nullptr && before->pid == leak->pid && before->session == leak->session;
        before = leak;
        if (!as_before) {
            const Creator creator{leak->session, leak->pid};
            if (leak->pid != 0 && known.insert(creator).second) creators.push_back(creator);
            session_ids.insert(leak->session);
        }
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
        for (const std::string_view id : session_ids) ids.push_back(printable(id));
        line += fmt::format(", in {}", options_.all ? join(ids) : list_words(ids, width_ / 2));
    }
    out_ << line << '\n';

    list_programs(creators);
}

// What these processes run, each once.
void FindingText::list_programs(const std::vector<Creator>& creators) {
    constexpr std::size_t most = 3;
    std::vector<std::string> programs;
    for (const Creator& creator : creators) {
        const auto exactly = processes_.find({session_key(creator.session), creator.pid});
        // In a merged report it may not be known which session a process is of.
        const auto at =
            exactly != processes_.end() ? exactly : processes_.find({std::string_view(), creator.pid});
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

// A report of one session need not say which it is.
std::string_view FindingText::session_key(std::string_view session) const {
    return report_.sessions.size() > 1 ? session : std::string_view();
}

const Session* FindingText::session_of(const Leak& leak) const {
    const auto at = sessions_.find(leak.session);
    if (at != sessions_.end()) return at->second;
    return report_.sessions.size() == 1 ? &report_.sessions.front() : nullptr;
}

}  // namespace leftover::render
