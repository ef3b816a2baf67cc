#include "reporter/help/plain.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "reporter/help/texts.h"

namespace leftover::help {
namespace {

std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns) {
    std::string result;
    const std::string margin(indent, ' ');
    std::size_t column = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        const std::string_view word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (word.empty()) continue;
        if (column == 0) {
            result += margin;
            column = indent;
        } else if (column + 1 + word.size() > columns) {
            result += "\n" + margin;
            column = indent;
        } else {
            result += ' ';
            ++column;
        }
        result += word;
        column += word.size();
    }
    return result + "\n";
}

std::string paragraphs(std::string_view text, std::size_t indent, std::size_t columns) {
    std::string result;
    while (!text.empty()) {
        const auto end = text.find("\n\n");
        result += wrapped(text.substr(0, end), indent, columns) + "\n";
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 2);
    }
    return result;
}

}  // namespace

std::string plain_page(const CommandHelp& command, std::size_t columns) {
    columns = std::clamp<std::size_t>(columns, 40, 100);
    std::string page = fmt::format("leftover {}: {}\n\n", command.name, command.description);
    page += paragraphs(command_text(command.name), 0, columns);
    page += "Options:\n\n";
    for (const OptionHelp& option : command.options) {
        if (option.positional) continue;
        page += fmt::format("  {}{}{}\n", fmt::join(option.names, ", "),
                            option.value.empty() ? "" : " ", option.value);
        std::string line = option.description + ".";
        if (!option.fallback.empty() && option.fallback != "false") {
            line.insert(line.size() - 1, fmt::format(" (default {})", option.fallback));
        }
        page += paragraphs(line, 6, columns);
        page += paragraphs(option_text(command.name, option.names.back()), 6, columns);
    }
    return page + command.footer + (command.footer.empty() ? "" : "\n");
}

}  // namespace leftover::help
