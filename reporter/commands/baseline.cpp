// leftover baseline: today's findings, to be put off.
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "reporter/commands/commands.h"
#include "reporter/commands/view.h"
#include "reporter/policy/policy.h"
#include "reporter/render/format.h"

namespace leftover::commands {

namespace {

struct BaselineOptions {
    SymbolOptions symbols;
    std::vector<std::string> paths;
    std::string output = "-";
    std::string lowest = "warning";
    std::vector<std::string> suppressions;
};

int baseline(const BaselineOptions& options) {
    policy::Policy policy;
    for (const std::string& file : options.suppressions) policy.add_suppressions(file);
    View view = load_view(options.paths, options.symbols);
    // An earlier baseline must not become an empty one because a folder was misspelt.
    if (!view.found) {
        say("baseline: no report was found; nothing written");
        return trouble;
    }
    policy.apply(view.report, policy::today());
    const std::string lines = policy::write_baseline(view.report, fail_on_of(options.lowest));
    render::write_file(options.output, [&lines](std::ostream& out) { out << lines; });
    return view.trouble ? trouble : ok;
}

}  // namespace

void add_baseline(CLI::App& app, int& status) {
    CLI::App* command =
        app.add_subcommand("baseline", "Write the findings of reports, for --baseline of gate and run");
    const auto options = std::make_shared<BaselineOptions>();
    command->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    add_paths(*command, options->paths);
    command->add_option("-o,--output", options->output, "Write it to FILE; '-': standard output")
        ->type_name("FILE")
        ->capture_default_str();
    add_fail_on(*command, options->lowest, "The lowest severity to list");
    command
        ->add_option("--suppressions", options->suppressions,
                     "Leave out what this file's entries match; repeatable")
        ->type_name("FILE")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false);
    add_symbol_options(*command, options->symbols);
    command->footer(
        "One sorted line a finding: its fingerprint, kind, name pattern, and location without the line\n"
        "number. Only the fingerprint is read again; the rest is for people.\n"
        "\n"
        "Example:\n"
        "  leftover baseline artifacts/ -o leaks.baseline\n"
        "\n"
        "Exit status: 0; 2 when something could not be read or written.");
    command->callback([options, &status] {
        try {
            status = baseline(*options);
        } catch (const std::runtime_error& error) {
            say(error.what());
            status = trouble;
        }
    });
}

}  // namespace leftover::commands
