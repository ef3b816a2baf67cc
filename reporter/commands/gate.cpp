// leftover gate: whether reports hold anything that counts.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "reporter/commands/commands.h"
#include "reporter/commands/view.h"
#include "reporter/findings/findings.h"
#include "reporter/model/names.h"
#include "reporter/model/utf8.h"
#include "reporter/policy/policy.h"
#include "reporter/render/words.h"
#include "reporter/run/gate.h"

namespace leftover::commands {

namespace {

struct GateOptions {
    SymbolOptions symbols;
    std::vector<std::string> paths;
    std::string fail_on = "error";
    PolicyFiles files;
    bool strict = false;
    bool show_suppressed = false;
};

std::string count_words(std::uint64_t count, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", count, count == 1 ? one : many);
}

void print_finding(const findings::Finding& finding, std::size_t count, std::string_view remark) {
    std::string line = fmt::format("{}: {}", name_of(finding.severity),
                                   render::kind_words(finding.kind, count));
    if (!finding.pattern.empty()) line += fmt::format(" {}", printable(finding.pattern));
    const std::string place = findings::words_of(finding.location);
    if (place != "-") line += fmt::format(", {}", place);
    if (finding.sessions > 1) line += fmt::format(", in {} sessions", finding.sessions);
    fmt::print("{}{}  {}\n", line, remark, finding.fingerprint);
}

// Sessions of which nothing was instrumented: what they created is mostly not known.
std::vector<std::string> blind_sessions(const Report& report) {
    std::map<std::string_view, bool> sees;
    for (const Session& session : report.sessions) sees.emplace(session.id, false);
    for (const ProcessInfo& process : report.processes) {
        if (!process.instrumented) continue;
        const auto at = sees.find(process.session);
        if (at != sees.end()) at->second = true;
        // In a merged report it may not be known whose a process is: then nobody is accused.
        if (process.session.empty() && report.sessions.size() > 1) return {};
        if (process.session.empty()) sees.begin()->second = true;
    }
    std::vector<std::string> blind;
    for (const auto& [id, any] : sees) {
        if (!any) blind.push_back(printable(id));
    }
    return blind;
}

int gate(const GateOptions& options) {
    const policy::Policy policy = load_policy(options.files);
    View view = load_view(options.paths, options.symbols);
    const std::string today = policy::today();
    const policy::Outcome outcome = policy.apply(view.report, today);
    const Severity lowest = fail_on_of(options.fail_on);

    if (!view.found) {
        say("gate: no report was found, so it cannot tell; was the program run under leftover, with -o?");
        return trouble;
    }

    std::size_t findings_counted = 0;
    std::uint64_t leaks_counted = 0;
    for (const findings::Finding& finding : findings::find(view.report, {true, true})) {
        if (finding.severity < lowest) continue;
        const Status excuse = findings::excuse_of(finding);
        if (excuse != Status::leaked) {
            if (options.show_suppressed) {
                print_finding(finding, finding.leaks.size(),
                              excuse == Status::suppressed ? " (suppressed)" : " (in the baseline)");
            }
            continue;
        }
        const auto counts = [lowest](const Leak* leak) { return run::counts_for_gate(*leak, lowest); };
        const auto counted = static_cast<std::size_t>(
            std::count_if(finding.leaks.begin(), finding.leaks.end(), counts));
        if (counted == 0) {
            print_finding(finding, finding.leaks.size(), " (in use by others: does not count)");
            continue;
        }
        ++findings_counted;
        leaks_counted += counted;
        print_finding(finding, counted, policy.baseline().empty() ? "" : " (new)");
    }
    for (const std::string& line : policy.gone(outcome)) fmt::print("gone: {}\n", line);
    const std::vector<std::string> account = policy.account(outcome, today);
    for (const std::string& line : account) fmt::print("{}\n", line);

    const Summary summary = summarize(view.report);
    const std::string of = fmt::format("{}; {} suppressed, {} in the baseline",
                                       count_words(view.report.sessions.size(), "session", "sessions"),
                                       summary.suppressed, summary.baseline);
    int status = ok;
    if (findings_counted > 0) {
        fmt::print("gate: failed: {} at or above '{}' in {} ({})\n",
                   count_words(leaks_counted, "leak", "leaks"), name_of(lowest),
                   count_words(findings_counted, "place", "places"), of);
        status = 1;
    }
    if (options.strict && policy.is_stale(outcome, today)) {
        fmt::print("gate: failed: there are unused or expired suppressions (--strict-suppressions)\n");
        status = 1;
    }

    const auto blind = blind_sessions(view.report);
    if (!run::is_any_instrumented(view.report)) {
        say("gate: nothing was instrumented, so it cannot tell");
        return trouble;
    }
    for (const std::string& id : blind) {
        say(fmt::format("gate: of session {} nothing was instrumented: of it, it cannot tell", id));
    }
    bool complete = true;
    for (const Session& session : view.report.sessions) {
        if (session.complete) continue;
        complete = false;
        say(fmt::format("gate: the record of session {} is damaged or full: more may be left",
                        printable(session.id)));
    }
    if (view.trouble || !complete) {
        say("gate: cannot tell: not everything could be read");
        return trouble;
    }
    if (status == ok) fmt::print("gate: passed: nothing counts ({})\n", of);
    return status;
}

}  // namespace

void add_gate(CLI::App& app, int& status) {
    CLI::App* command = app.add_subcommand("gate", "Fail when reports hold anything that counts");
    const auto options = std::make_shared<GateOptions>();
    command->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    add_paths(*command, options->paths);
    add_fail_on(*command, options->fail_on, "The lowest severity that counts");
    add_policy_options(*command, options->files);
    command->add_flag("--strict-suppressions", options->strict,
                      "Fail also when a suppression is unused or expired");
    command->add_flag("--show-suppressed", options->show_suppressed,
                      "Also list what is suppressed or in the baseline");
    add_symbol_options(*command, options->symbols);
    command->footer(
        "Examples:\n"
        "  leftover gate artifacts/\n"
        "  leftover gate --baseline leaks.baseline --suppressions leaks.supp artifacts/\n"
        "\n"
        "Exit status: 0 nothing counts; 1 something does; 2 it cannot tell: an input could not be read,\n"
        "there was no report, or nothing was instrumented.");
    command->callback([options, &status] {
        try {
            status = gate(*options);
        } catch (const CLI::Error&) {
            throw;
        } catch (const std::runtime_error& error) {
            say(error.what());
            status = trouble;
        }
    });
}

}  // namespace leftover::commands
