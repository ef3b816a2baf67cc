// leftover run [OPTIONS] [--] COMMAND [ARG...]
#include "reporter/run/run.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "preload/record/process_limit.h"
#include "reporter/commands/commands.h"
#include "reporter/commands/view.h"
#include "reporter/model/names.h"
#include "reporter/run/message.h"
#include "reporter/run/session_folder.h"

namespace leftover::commands {
namespace {

constexpr double longest_grace = 366.0 * 24 * 3600;
constexpr unsigned most_frames = 256;
constexpr unsigned most_sessions = 1'000'000;

// As they come from the command line.
struct Arguments {
    std::vector<std::string> outputs, labels;
    std::string format, kinds;
    std::string fail_on = "error";
    PolicyFiles policy;
    bool no_python = false;
    std::string never_set;  // see add_run
    run::Options options;
};

// The words from COMMAND on. CLI11 leaves what it does not know together with them.
std::vector<std::string> command_of(const CLI::App& app) {
    std::vector<std::string> words = app.remaining();
    if (words.empty()) throw CLI::ParseError("run: COMMAND is missing", run_trouble);
    if (words.front() == "--") {
        words.erase(words.begin());
        if (words.empty()) throw CLI::ParseError("run: COMMAND is missing", run_trouble);
    } else if (words.front().size() > 1 && words.front().front() == '-') {
        throw CLI::ParseError(fmt::format("run: unknown option '{}'", words.front()), run_trouble);
    }
    return words;
}

void take_labels(const std::vector<std::string>& labels, run::Options& options) {
    for (const std::string& label : labels) {
        const auto equals = label.find('=');
        if (equals == std::string::npos || equals == 0) {
            throw std::runtime_error(fmt::format("--label '{}' is not KEY=VALUE", label));
        }
        options.labels[label.substr(0, equals)] = label.substr(equals + 1);
    }
}

run::Options finish(Arguments& arguments, const CLI::App& app) {
    run::Options& options = arguments.options;
    options.command = command_of(app);
    options.python = !arguments.no_python;
    for (const std::string& output : arguments.outputs) {
        options.outputs.push_back(render::parse_output(output, arguments.format));
    }
    if (!arguments.format.empty()) options.summary = &render::format_by_name(arguments.format);
    if (app.count("--kinds") > 0) options.kinds = run::parse_kinds(arguments.kinds);
    take_labels(arguments.labels, options);
    options.policy = load_policy(arguments.policy);
    options.gate.fail_on = severity_by_name(arguments.fail_on).value_or(Severity::error);
    if (!options.session.empty() && !run::is_session_id(options.session)) {
        throw std::runtime_error(
            fmt::format("--session '{}' is not a letter and then letters, digits, '.', '_' or '-'",
                        options.session));
    }
    return options;
}

}  // namespace

void add_run(CLI::App& app, int& status) {
    CLI::App* run = app.add_subcommand("run", "Run a command and report what it leaves behind");
    const auto arguments = std::make_shared<Arguments>();
    run::Options& options = arguments->options;

    // A repeatable option takes one word each time; CLI11 would have it take all that follow.
    // Of any other option the last one counts.
    run->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    run->add_option("-o,--output", arguments->outputs, "Write the report to this file, always")
        ->type_name("[FORMAT:]FILE")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false);
    run->add_option("--format", arguments->format,
                    "Of -o without a format of its own, else of the summary")
        ->type_name("NAME");
    run->add_flag("--clean", options.clean,
                  "Clean up what is left over: processes, then named objects and temporary files");
    CLI::Option* gate = run->add_flag("--gate", options.gate.enabled,
                                      "Exit 23 when the command succeeded and left something over");
    run->add_option("--fail-on", arguments->fail_on, "The lowest severity that counts")
        ->check(CLI::IsMember({"error", "warning", "note"}))
        ->type_name("error|warning|note")
        ->capture_default_str();
    run->add_option("--error-exitcode", options.gate.exit_code, "Another code than 23")
        ->check(CLI::Range(1, 255))
        ->type_name("N")
        ->needs(gate);
    add_policy_options(*run, arguments->policy);
    run->add_flag("--strict-suppressions", options.gate.strict_suppressions,
                  "Let unused and expired suppressions count for --gate")
        ->needs(gate);
    run->add_flag("--show-suppressed", options.show_suppressed,
                  "Show what is suppressed or in the baseline as well");
    run->add_option("--grace", options.grace, "How long descendants may outlive the command")
        ->check(CLI::Range(0.0, longest_grace))
        ->type_name("SECONDS")
        ->capture_default_str();
    run->add_option("--kill-after", options.kill_after, "From TERM to KILL, for what has to end")
        ->check(CLI::Range(0.0, longest_grace))
        ->type_name("SECONDS")
        ->capture_default_str();
    run->add_option("--timeout", options.timeout,
                    "Explain a command that still runs then, and end it with all its processes")
        ->check(CLI::Range(0.001, longest_grace))
        ->type_name("SECONDS");
    run->add_option("--kinds", arguments->kinds,
                    "Track only these kinds; -KIND leaves one out (comma list)")
        ->type_name("LIST");
    run->add_option("--depth", options.depth, "The most native frames kept of a stack")
        ->check(CLI::Range(0U, most_frames))
        ->type_name("N")
        ->capture_default_str();
    run->add_flag("--no-python", arguments->no_python, "Record no Python frames");
    run->add_option("--label", arguments->labels, "Kept in the report")
        ->type_name("KEY=VALUE")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false);
    run->add_option("--session", options.session, "The session's id, instead of a made-up one")
        ->type_name("NAME");
    run->add_flag("--keep", options.keep,
                  "Keep the session's record, outcome and captured output: ps --all, wait, report");
    run->add_flag("--detach", options.detach,
                  "Start it in the background, print the session's id and return when it runs");
    run->add_option("--capture", options.capture,
                    "Also keep the output: DIR/stdout.log and DIR/stderr.log")
        ->type_name("DIR");
    run->add_option("--on-complete", options.on_complete,
                    "Have the shell run this afterwards, LEFTOVER_EXIT_CODE and others set")
        ->type_name("COMMAND");
    run->add_option("--max-processes", options.max_processes,
                    "At most N live processes: further forks fail with EAGAIN")
        ->check(CLI::Range(1U, record::most_processes))
        ->type_name("N");
    CLI::Option* most = run->add_option("--max-sessions", options.max_sessions,
                                        "Refused while N sessions of this state folder live")
                            ->check(CLI::Range(1U, most_sessions))
                            ->type_name("N");
    run->add_flag("--wait", options.wait, "With --max-sessions: wait for one's turn")->needs(most);
    run->add_flag("-q,--quiet", options.quiet, "Say nothing but errors of leftover itself");

    // From the first word that is no option on, everything is the command's. CLI11 parses on behind
    // a `--` only while a positional is missing: this one always is, as no word ever fits it.
    run->prefix_command();
    run->validate_positionals();
    run->add_option("COMMAND", arguments->never_set, "What to run, with its arguments")
        ->check([](const std::string&) { return std::string("never"); }, "")
        ->type_name("ARG...");

    run->footer(
        "Examples:\n"
        "  leftover run -- python3 train.py              run it, then say what it left behind\n"
        "  leftover run --gate -o leaks.json -- make test\n"
        "  leftover run --clean -- ./job.sh              and leave nothing, whatever happens to it\n"
        "  leftover run --detach --session nightly -- ./nightly.sh\n"
        "\n"
        "Exit status: COMMAND's own (killed by a signal: leftover dies of the same one); 23 by the\n"
        "gate; 124 timed out; 125 leftover itself failed; 126 COMMAND cannot be executed; 127 it is not there.");
    run->callback([run, arguments, &status] {
        try {
            status = run::run(finish(*arguments, *run));
        } catch (const CLI::Error&) {
            throw;
        } catch (const std::exception& error) {
            run::say(error.what());
            status = run_trouble;
        }
    });
}

}  // namespace leftover::commands
