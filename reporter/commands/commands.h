// The commands of the tool. Each function adds its subcommand, with its options and its help, to
// `app`, and a callback that carries it out and leaves the exit status in `status`.
//
// A callback that meets trouble of its own writes one line to standard error ("leftover: ...") and
// sets the status; it throws nothing but CLI::ParseError (a usage error: main prints it and exits
// with 125 for `run`, else 2) and CLI::Success.
//
// One file a command; a new command is a new file, a line here, and one in all_commands.
#pragma once

#include <CLI/App.hpp>

namespace leftover::commands {

void add_run(CLI::App& app, int& status);     // run.cpp
void add_report(CLI::App& app, int& status);  // report.cpp
void add_gate(CLI::App& app, int& status);        // gate.cpp
void add_diff(CLI::App& app, int& status);        // diff.cpp
void add_baseline(CLI::App& app, int& status);    // baseline.cpp
void add_ps(CLI::App& app, int& status);      // ps.cpp
void add_wait(CLI::App& app, int& status);    // wait.cpp
void add_stop(CLI::App& app, int& status);    // stop.cpp
void add_sweep(CLI::App& app, int& status);       // sweep.cpp
void add_dump(CLI::App& app, int& status);        // dump.cpp
void add_completion(CLI::App& app, int& status);  // completion.cpp
void add_manual(CLI::App& app, int& status);      // completion.cpp

using Add = void (*)(CLI::App& app, int& status);

// In the order in which the help lists them.
inline constexpr Add all_commands[] = {add_run, add_report, add_gate, add_diff, add_baseline, add_ps,
                                        add_wait, add_dump, add_stop, add_sweep, add_completion, add_manual};

// Exit statuses of the tool's own. What a command means by others is in its help.
inline constexpr int ok = 0;
inline constexpr int trouble = 2;        // bad usage or input, of every command but run
inline constexpr int run_trouble = 125;  // of run: leftover itself failed

}  // namespace leftover::commands
