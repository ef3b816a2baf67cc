// What a manual says beyond the one line that --help has room for.
#pragma once

#include <string_view>

namespace leftover::help {

// Paragraphs, parted by empty lines. Empty where one line says it all.
std::string_view option_text(std::string_view command, std::string_view option);
std::string_view command_text(std::string_view command);

struct Section {
    std::string_view title, text;
};

// Of leftover(1).
extern const Section common_sections[4];

}  // namespace leftover::help
