// leftover report: reads what sessions wrote and shows it as one.
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "reporter/commands/commands.h"
#include "reporter/commands/view.h"
#include "reporter/policy/policy.h"
#include "reporter/render/format.h"

namespace leftover::commands {

namespace {

struct ReportOptions {
    SymbolOptions symbols;
    std::vector<std::string> paths;
    std::string format;
    std::vector<std::string> outputs;
    bool notes = false;
    bool all = false;
    bool show_suppressed = false;
    bool suggest = false;
    PolicyFiles files;
};

// Usage errors are thrown; whatever else goes wrong is said, and the rest is done all the same.
int report(const ReportOptions& options) {
    std::vector<render::Output> outputs;
    try {
        for (const std::string& output : options.outputs) {
            outputs.push_back(render::parse_output(output, options.format));
        }
        if (outputs.empty()) {
            const std::string name = options.format.empty() ? "text" : options.format;
            outputs.push_back({&render::format_by_name(name), "-"});
        }
    } catch (const std::runtime_error& error) {
        throw CLI::ValidationError(error.what());
    }

    const policy::Policy policy = load_policy(options.files);
    View view = load_view(options.paths, options.symbols);
    int status = view.trouble ? trouble : ok;
    if (!view.found) return trouble;
    const std::string today = policy::today();
    const policy::Outcome outcome = policy.apply(view.report, today);
    for (const std::string& line : policy.account(outcome, today)) say(line);
    if (options.suggest) {
        fmt::print("{}", policy::suggest_suppressions(view.report, options.notes));
        return status;
    }

    for (const render::Output& output : outputs) {
        render::Options style;
        if (output.file == "-") style = render::options_for(STDOUT_FILENO);
        style.notes = options.notes;
        style.all = options.all;
        style.excused = options.show_suppressed;
        try {
            render::write(view.report, style, output);
        } catch (const std::runtime_error& error) {
            say(error.what());
            status = trouble;
        }
    }
    return status;
}

}  // namespace

void add_report(CLI::App& app, int& status) {
    CLI::App* command =
        app.add_subcommand("report", "Read reports and records, merge them into one view and show it");
    const auto options = std::make_shared<ReportOptions>();
    add_paths(*command, options->paths);
    command
        ->add_option("--format", options->format,
                     "how to show it: text (default), json, html, sarif, junit, markdown, gitlab, ndjson\n"
                     "or folded; with -o, of files without a prefix")
        ->option_text("NAME");
    command
        ->add_option("-o,--output", options->outputs,
                     "write it to FILE instead of showing it; the format by the prefix, else\n"
                     "--format, else the ending (.json, .html, .sarif, .xml, .md, .ndjson, .folded,\n"
                     ".txt); '-': standard output; repeatable")
        ->option_text("[FORMAT:]FILE")
        ->allow_extra_args(false);
    command->add_flag("--notes", options->notes,
                      "also show what is only a note, such as descriptors left open");
    command->add_flag("--all", options->all, "show every name, process and place, however many");
    add_policy_options(*command, options->files);
    command->add_flag("--show-suppressed", options->show_suppressed,
                      "also show what is suppressed or in the baseline");
    command->add_flag("--suggest-suppressions", options->suggest,
                      "print entries for a file of suppressions instead, one for each finding");
    add_symbol_options(*command, options->symbols);
    command->footer(
        "A record (*.record) is what leftover kept of a process that was killed, or still runs; what it\n"
        "tells is checked against this machine as it is now. Folders are searched at any depth.\n"
        "\n"
        "Examples:\n"
        "  leftover report leftover.4711.json            one process's report, for reading\n"
        "  leftover report artifacts/                    everything that a CI run collected\n"
        "  leftover report artifacts/ -o all.json        the same, as one JSON report\n"
        "  leftover report $XDG_RUNTIME_DIR/leftover     sessions of this machine, killed ones too\n"
        "\n"
        "Exit status: 0; 2 when something could not be read or written (one line each on standard\n"
        "error; the rest is shown all the same).");
    command->callback([options, &status] {
        try {
            status = report(*options);
        } catch (const CLI::Error&) {
            throw;
        } catch (const std::runtime_error& error) {
            say(error.what());
            status = trouble;
        }
    });
}

}  // namespace leftover::commands
