// How --help looks: an option a line, with what it takes and what counts without it.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <string>

namespace leftover::help {

class Formatter : public CLI::Formatter {
public:
    Formatter();
    std::string make_option_opts(const CLI::Option* option) const override;
    std::string make_option_desc(const CLI::Option* option) const override;
};

}  // namespace leftover::help
