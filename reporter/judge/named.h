// Resources that are a name in a file system: the name must still resolve to the file that was made.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/judge/evidence.h"

namespace leftover::judge {

// The clock of file times lags behind CLOCK_REALTIME by up to a tick of the kernel, 10 ms at most.
inline constexpr Time clock_slack = 20'000'000;  // ns

struct Place {
    std::string shown;  // the leak's name
    std::string path;   // where the file is; no filesystem::path, which takes its time with many
};

// A leak found under a name.
struct NamedLeak {
    Candidate origin;
    Place place;
    kernel::FileFacts facts;
};

// How one kind of named resource is found.
struct NamedKind {
    Kind kind{};
    mode_t type = 0;  // S_IFREG...
    // Nothing for a name that can be none of this kind: records may be damaged.
    std::optional<Place> (*place)(const Candidate&, const kernel::Roots&) = nullptr;
    std::optional<kernel::FileFacts> (*look)(const Place&, const kernel::Roots&) = nullptr;
};

// Calls `found` for what is left of this kind, each name once, mostly in the order of the records.
void each_named(const NamedKind& kind, const Evidence& evidence,
                const std::function<void(NamedLeak)>& found);

void add_named(Kind kind, NamedLeak found, Findings& findings);

// `folder`/`name`.
std::string join(const std::filesystem::path& folder, std::string_view name);

// A POSIX object's name without its slash, nothing when it is none.
std::optional<std::string> posix_name(std::string_view name);

std::optional<kernel::FileFacts> look_at_path(const Place& place, const kernel::Roots& roots);

}  // namespace leftover::judge
