#include "reporter/commands/view.h"

#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "reporter/commands/report_inputs.h"
#include "reporter/findings/fingerprint.h"
#include "reporter/model/merge.h"
#include "reporter/model/names.h"
#include "reporter/symbols/symbols.h"

namespace leftover::commands {

void say(const std::string& line) {
    fmt::print(stderr, "leftover: {}\n", line);
}

View load_view(const std::vector<std::string>& paths, const SymbolOptions& symbols) {
    View view;
    Inputs inputs = read_inputs(paths);
    for (const std::string& trouble : inputs.troubles) say(trouble);
    view.trouble = !inputs.troubles.empty();
    view.found = !inputs.reports.empty();
    view.report = merge(std::move(inputs.reports));
    for (const std::string& remark : view.report.remarks) {
        say(remark);  // of records that are damaged
        view.trouble = true;
    }
    view.report.remarks.clear();
    SymbolOptions cached = symbols;
    cached.cache = symbol_cache_folder();
    symbolize(view.report, cached);
    for (const std::string& remark : view.report.remarks) say(remark);
    view.report.remarks.clear();
    findings::fingerprint(view.report);
    return view;
}

void add_symbol_options(CLI::App& command, SymbolOptions& options) {
    command
        .add_option("--sysroot", options.sysroot,
                    "Look for the programs and libraries that reports name below DIR")
        ->type_name("DIR")
        ->check(CLI::ExistingDirectory);
    command
        .add_option("--debug-path", options.debug_paths,
                    "Look for debug information, and for programs and libraries of another\n"
                    "machine by their build ids, in DIR too; repeatable")
        ->type_name("DIR")
        ->check(CLI::ExistingDirectory)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false);
}

void add_policy_options(CLI::App& command, PolicyFiles& files) {
    command
        .add_option("--suppressions", files.suppressions,
                    "Leave out what this file's entries match; repeatable")
        ->type_name("FILE")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false);
    command
        .add_option("--baseline", files.baselines,
                    "Leave out what this file (of leftover baseline) lists; repeatable")
        ->type_name("FILE")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false);
}

policy::Policy load_policy(const PolicyFiles& files) {
    policy::Policy policy;
    for (const std::string& file : files.suppressions) policy.add_suppressions(file);
    for (const std::string& file : files.baselines) policy.add_baseline(file);
    return policy;
}

void add_fail_on(CLI::App& command, std::string& value, const std::string& what) {
    command.add_option("--fail-on", value, what)
        ->check(CLI::IsMember({"error", "warning", "note"}))
        ->type_name("error|warning|note")
        ->capture_default_str();
}

Severity fail_on_of(const std::string& value) {
    return severity_by_name(value).value_or(Severity::error);
}

void add_paths(CLI::App& command, std::vector<std::string>& paths) {
    command
        .add_option("PATH", paths, "JSON reports, records (*.record), or folders with either in them")
        ->required()
        ->option_text(" ");
}

}  // namespace leftover::commands
