#include "reporter/help/man.h"

#include <fmt/format.h>

#include <string_view>

#include "reporter/help/texts.h"

namespace leftover::help {
namespace {

// Text as roff takes it: a line that begins with `.` or `'` would be a macro, a `-` a hyphen.
std::string roff(std::string_view text) {
    std::string safe;
    bool at_begin = true;
    for (const char c : text) {
        if (at_begin && (c == '.' || c == '\'')) safe += "\\&";
        if (c == '\\') {
            safe += "\\e";
        } else if (c == '-') {
            safe += "\\-";
        } else {
            safe += c;
        }
        at_begin = c == '\n';
    }
    return safe;
}

std::string paragraphs(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const auto end = text.find("\n\n");
        result += fmt::format(".PP\n{}\n", roff(text.substr(0, end)));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 2);
    }
    return result;
}

std::string title(std::string_view name) {
    std::string upper(name);
    for (char& c : upper) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return fmt::format(".TH {} 1 \"\" \"leftover {}\" \"User Commands\"\n", roff(upper),
                       LEFTOVER_VERSION);
}

std::string option_entry(const CommandHelp& command, const OptionHelp& option) {
    std::string entry = ".TP\n";
    for (std::size_t i = 0; i < option.names.size(); ++i) {
        if (i > 0) entry += ", ";
        entry += fmt::format("\\fB{}\\fR", roff(option.names[i]));
    }
    if (!option.value.empty()) entry += fmt::format(" \\fI{}\\fR", roff(option.value));
    entry += fmt::format("\n{}", roff(option.description));
    if (!option.fallback.empty() && option.fallback != "false") {
        entry += fmt::format(" (default {})", roff(option.fallback));
    }
    entry += option.repeatable ? ". May be given more than once.\n" : ".\n";
    std::string_view more = option_text(command.name, option.names.back());
    while (!more.empty()) {
        const auto end = more.find("\n\n");
        entry += fmt::format(".IP\n{}\n", roff(more.substr(0, end)));
        if (end == std::string_view::npos) break;
        more.remove_prefix(end + 2);
    }
    return entry;
}

std::string synopsis(const CommandHelp& command) {
    std::string line = fmt::format("\\fBleftover {}\\fR [\\fIOPTIONS\\fR]", roff(command.name));
    if (command.name == "run") {
        return line + " [\\-\\-] \\fICOMMAND\\fR [\\fIARG\\fR...]\n";
    }
    for (const OptionHelp& option : command.options) {
        if (!option.positional) continue;
        line += fmt::format(" \\fI{}\\fR{}", roff(option.names.front()),
                            option.repeatable ? "..." : "");
    }
    return line + "\n";
}

// Examples keep their lines.
std::string literal(std::string_view text) {
    return fmt::format(".nf\n{}\n.fi\n", roff(text));
}

}  // namespace

std::string man_page(const CommandHelp& command) {
    const std::string name = "leftover-" + command.name;
    std::string page = title(name);
    page += fmt::format(".SH NAME\n{} \\- {}\n", roff(name), roff(command.description));
    page += fmt::format(".SH SYNOPSIS\n{}", synopsis(command));
    page += fmt::format(".SH DESCRIPTION\n{}", paragraphs(command_text(command.name)));
    page += ".SH OPTIONS\n";
    for (const OptionHelp& option : command.options) {
        if (!option.positional) page += option_entry(command, option);
    }
    if (!command.footer.empty()) page += fmt::format(".SH NOTES\n{}", literal(command.footer));
    page += ".SH SEE ALSO\n.BR leftover (1)\n";
    return page;
}

std::string man_page(const std::vector<CommandHelp>& commands) {
    std::string page = title("leftover");
    page += ".SH NAME\nleftover \\- finds and cleans up what programs leave behind\n";
    page += ".SH SYNOPSIS\n\\fBleftover\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIARG\\fR...]\n";
    page += ".SH DESCRIPTION\n";
    page += paragraphs(
        "Finds what a program and its descendants leave behind: processes, semaphores, shared memory, "
        "message queues, temporary files, sockets, unjoined threads; names the line that made each, native and "
        "Python; and, if asked, cleans up. The program runs as it is, nothing is recompiled.");
    page += ".SH COMMANDS\n";
    for (const CommandHelp& command : commands) {
        page += fmt::format(".TP\n.BR leftover\\-{} (1)\n{}.\n", roff(command.name),
                            roff(command.description));
    }
    for (const Section& section : common_sections) {
        page += fmt::format(".SH {}\n{}", section.title, paragraphs(section.text));
    }
    page += ".SH SEE ALSO\n";
    for (const CommandHelp& command : commands) {
        page += fmt::format(".BR leftover\\-{} (1)\n", roff(command.name));
    }
    return page;
}

}  // namespace leftover::help
