// leftover diff: what is new, gone and unchanged between two reports.
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "reporter/commands/commands.h"
#include "reporter/commands/view.h"
#include "reporter/findings/diff.h"
#include "reporter/policy/policy.h"
#include "reporter/render/diff.h"
#include "reporter/render/format.h"

namespace leftover::commands {

namespace {

struct DiffOptions {
    SymbolOptions symbols;
    std::string old_path, new_path;
    std::string format = "text";
    std::string output = "-";
    std::string fail_on = "warning";
    std::vector<std::string> suppressions;
};

int diff(const DiffOptions& options) {
    policy::Policy policy;
    for (const std::string& file : options.suppressions) policy.add_suppressions(file);
    View before = load_view({options.old_path}, options.symbols);
    View after = load_view({options.new_path}, options.symbols);
    const std::string today = policy::today();
    policy.apply(before.report, today);
    policy.apply(after.report, today);
    if (!before.found || !after.found) {
        say("diff: there is nothing to compare");
        return trouble;
    }
    const findings::Diff found =
        findings::compare(before.report, after.report, fail_on_of(options.fail_on));
    const auto renderer = options.format == "json"       ? &render::diff_json
                          : options.format == "markdown" ? &render::diff_markdown
                                                         : &render::diff_text;
    render::write_file(options.output, [&](std::ostream& out) { renderer(found, out); });
    if (before.trouble || after.trouble) return trouble;
    return found.added.empty() ? ok : 1;
}

}  // namespace

void add_diff(CLI::App& app, int& status) {
    CLI::App* command =
        app.add_subcommand("diff", "Compare two reports: which leaks are new, gone, unchanged");
    const auto options = std::make_shared<DiffOptions>();
    command->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    command->add_option("OLD", options->old_path, "A report, or a folder of reports")
        ->required()
        ->option_text(" ");
    command->add_option("NEW", options->new_path, "Likewise")->required()->option_text(" ");
    command->add_option("--format", options->format, "How to show it")
        ->check(CLI::IsMember({"text", "json", "markdown"}))
        ->type_name("text|json|markdown")
        ->capture_default_str();
    command->add_option("-o,--output", options->output, "Write it to FILE; '-': standard output")
        ->type_name("FILE")
        ->capture_default_str();
    add_fail_on(*command, options->fail_on, "The lowest severity that is compared");
    command
        ->add_option("--suppressions", options->suppressions,
                     "Leave out what this file's entries match; repeatable")
        ->type_name("FILE")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false);
    add_symbol_options(*command, options->symbols);
    command->footer(
        "Leaks are compared by their fingerprints: the same place is the same leak, on whatever line and\n"
        "machine, and however many there are of it.\n"
        "\n"
        "Examples:\n"
        "  leftover diff main.json branch.json\n"
        "  leftover diff --format markdown main/ branch/ >> \"$GITHUB_STEP_SUMMARY\"\n"
        "\n"
        "Exit status: 0 nothing is new; 1 something is; 2 trouble.");
    command->callback([options, &status] {
        try {
            status = diff(*options);
        } catch (const std::runtime_error& error) {
            say(error.what());
            status = trouble;
        }
    });
}

}  // namespace leftover::commands
