#include "reporter/help/formatter.h"

#include <fmt/format.h>

#include "reporter/help/commands.h"

namespace leftover::help {

Formatter::Formatter() { column_width(31); }

std::string Formatter::make_option_opts(const CLI::Option* option) const {
    const OptionHelp help = option_help(*option);
    return help.value.empty() || help.positional ? "" : " " + help.value;
}

std::string Formatter::make_option_desc(const CLI::Option* option) const {
    const OptionHelp help = option_help(*option);
    const bool has_default = !help.fallback.empty() && help.fallback != "false";
    return option->get_description() + (has_default ? fmt::format(" ({})", help.fallback) : "");
}

}  // namespace leftover::help
