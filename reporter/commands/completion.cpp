// leftover completion SHELL and leftover manual [COMMAND]: what an installation needs of us.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include "reporter/commands/commands.h"
#include "reporter/help/commands.h"
#include "reporter/help/completion.h"
#include "reporter/help/man.h"

namespace leftover::commands {
namespace {

namespace fs = std::filesystem;

std::string completion_for(const std::string& shell, const CLI::App& app) {
    const auto commands = help::all_commands(app);
    if (shell == "bash") return help::bash_completion(commands);
    if (shell == "zsh") return help::zsh_completion(commands);
    return help::fish_completion(commands);
}

std::string page_of(const std::string& name, const CLI::App& app) {
    const auto commands = help::all_commands(app);
    if (name.empty()) return help::man_page(commands);
    for (const help::CommandHelp& command : commands) {
        if (command.name == name) return help::man_page(command);
    }
    throw CLI::ValidationError(fmt::format("there is no command '{}'", name));
}

void write_file(const fs::path& path, const std::string& text) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    std::ofstream out(path);
    out << text;
    out.close();
    if (!out) throw std::runtime_error(fmt::format("cannot write '{}'", path.string()));
}

// Where man, bash, zsh and fish look below a prefix's share/.
int write_share(const fs::path& share, const CLI::App& app) {
    const auto commands = help::all_commands(app);
    write_file(share / "man/man1/leftover.1", help::man_page(commands));
    for (const help::CommandHelp& command : commands) {
        write_file(share / fmt::format("man/man1/leftover-{}.1", command.name),
                   help::man_page(command));
    }
    write_file(share / "bash-completion/completions/leftover", help::bash_completion(commands));
    for (const char* folder : {"site-functions", "vendor-completions"}) {  // the latter: Debian's
        write_file(share / "zsh" / folder / "_leftover", help::zsh_completion(commands));
    }
    write_file(share / "fish/vendor_completions.d/leftover.fish", help::fish_completion(commands));
    return ok;
}

int print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return std::fflush(stdout) == 0 ? ok : trouble;
}

}  // namespace

void add_completion(CLI::App& app, int& status) {
    CLI::App* command = app.add_subcommand("completion", "Print a shell's completion script");
    const auto shell = std::make_shared<std::string>();
    command->add_option("SHELL", *shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}))
        ->option_text("bash|zsh|fish");
    command->footer(
        "Examples:\n"
        "  . <(leftover completion bash)                 for this shell\n"
        "  leftover completion fish > ~/.config/fish/completions/leftover.fish");
    command->callback([&app, shell, &status] { status = print(completion_for(*shell, app)); });
}

void add_manual(CLI::App& app, int& status) {
    CLI::App* command = app.add_subcommand("manual", "Print a manual page's source");
    const auto name = std::make_shared<std::string>();
    const auto folder = std::make_shared<std::string>();
    command->add_option("COMMAND", *name, "whose; leftover's own without one")->option_text(" ");
    command
        ->add_option("--share", *folder,
                     "Write all pages and completion scripts below this folder, as below /usr/share")
        ->option_text("DIR");
    command->footer("Example:\n  leftover manual run | man -l -");
    command->callback([&app, name, folder, &status] {
        status = folder->empty() ? print(page_of(*name, app)) : write_share(*folder, app);
    });
}

}  // namespace leftover::commands
