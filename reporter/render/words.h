// Numbers, sizes and programs' texts as a person reads them. All results are safe on a terminal.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/model/model.h"

namespace leftover::render {

std::string kind_words(Kind kind, std::uint64_t count);  // "105 semaphores", "1 process"

std::string size_words(std::uint64_t bytes);  // "45.2 MiB"

std::string seconds_words(double seconds);  // "0.042 s", "12.3 s", "3 min 20 s", "2 h 5 min"

std::string state_words(std::string_view state);  // of a process: S is "sleeping"

std::string exit_words(const Session& session);  // "killed by SIGTERM"; empty for success

// The arguments as one would type them, at most that many columns (0: any).
std::string command_words(const std::vector<std::string>& command, std::size_t columns);

// Columns that a printable text takes: its characters.
std::size_t columns_of(std::string_view text);

// The printable text cut to that many columns, "..." at its end; 0: not cut.
std::string shorten(std::string text, std::size_t columns);

// As many of the texts as fit into that many columns (at least one, at most five), then how many
// more there are: "a, b and 97 more". `others`: so many more that are not among the texts.
std::string list_words(const std::vector<std::string>& texts, std::size_t columns,
                       std::size_t others = 0);

// What became of items of that status: "cleaned up".
std::string_view status_words(Status status);

// "all cleaned up", "3 cleaned up, 1 in use by others and left alone"; empty if nothing was tried.
std::string outcome_words(const std::map<Status, std::uint64_t>& counts);

std::string join(const std::vector<std::string>& parts);  // "a, b, c"

// Equal texts once, with how often: "worker (x2)".
std::vector<std::string> distinct(const std::vector<std::string>& texts);

}  // namespace leftover::render
