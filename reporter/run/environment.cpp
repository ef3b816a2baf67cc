#include "reporter/run/environment.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <string_view>

#include "reporter/kernel/text.h"

namespace leftover::run {
namespace {

namespace fs = std::filesystem;

constexpr const char* shim_name = "libleftover.so";
constexpr std::string_view preload = "LD_PRELOAD=";
constexpr std::string_view internal = "LEFTOVER_INTERNAL=";
constexpr std::string_view separators = ": ";

// Splits off the first entry of a list as LD_PRELOAD holds it, with the separators before it.
std::string_view take_entry(std::string_view& list) {
    const auto begin = list.find_first_not_of(separators);
    const auto end =
        begin == std::string_view::npos ? begin : list.find_first_of(separators, begin);
    const std::string_view entry = list.substr(0, end);
    list.remove_prefix(entry.size());
    return entry;
}

bool is_asan(std::string_view entry) {
    entry.remove_prefix(std::min(entry.find_first_not_of(separators), entry.size()));
    entry.remove_prefix(entry.rfind('/') + 1);  // npos + 1 is 0
    return entry.starts_with("libasan.so") || entry.starts_with("libclang_rt.asan");
}

std::string to_text(const ShimOptions& options) {
    return fmt::format("{}1;id={};launcher={};depth={};python={};clean={};limited={};kinds={:x};dir={}",
                       internal, options.session, options.launcher, options.depth,
                       options.python ? 1 : 0, options.clean ? 1 : 0, options.limited ? 1 : 0,
                       options.kinds, options.folder);
}

}  // namespace

std::string find_shim() {
    std::error_code error;
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    if (error) throw std::runtime_error("cannot read /proc/self/exe: is /proc mounted?");
    const fs::path folder = self.parent_path();
    for (const fs::path& path :
         {folder / shim_name, folder.parent_path() / "lib" / "leftover" / shim_name}) {
        if (::access(path.c_str(), R_OK) == 0) return path.string();
    }
    throw std::runtime_error(fmt::format("{} is missing: it is neither in '{}' nor in '{}'",
                                         shim_name, folder.string(),
                                         (folder.parent_path() / "lib" / "leftover").string()));
}

bool fits_into_preload(const std::string& path) {
    return path.find_first_of(": $") == std::string::npos;
}

std::string preload_list(const std::string& shim, const std::string& asan_runtime,
                         const std::string& users) {
    // By the empty entry the shim knows that the runtime is there for this program alone.
    const std::string own = asan_runtime.empty() ? "" : asan_runtime + "::";
    std::string list;
    std::string_view rest = users;
    for (std::string_view look = rest; is_asan(take_entry(look)); rest = look) {
        list += list.empty() ? "" : ":";
        list += rest.substr(0, rest.size() - look.size());
    }
    list += list.empty() ? "" : ":";
    list += shim;
    if (!rest.empty() && rest.find_first_of(separators) != 0) list += ':';
    return own + list.append(rest);
}

std::vector<std::string> environment_with_shim(const char* const* environment,
                                               const std::string& shim,
                                               const std::string& asan_runtime,
                                               const ShimOptions& options) {
    std::vector<std::string> result = environment_without_shim(environment);
    // Of several the loader reads the last one.
    const auto is_list = [](const std::string& entry) { return entry.starts_with(preload); };
    const auto last = std::find_if(result.rbegin(), result.rend(), is_list);
    if (last == result.rend()) {
        result.push_back(fmt::format("{}{}", preload, preload_list(shim, asan_runtime, "")));
    } else {
        const std::string users = last->substr(preload.size());
        *last = fmt::format("{}{}", preload, preload_list(shim, asan_runtime, users));
        if (users.empty()) *last += ':';  // by this the shim tells an empty list from none
    }
    result.push_back(to_text(options));
    return result;
}

std::vector<std::string> environment_without_shim(const char* const* environment) {
    std::vector<std::string> result;
    for (; environment != nullptr && *environment != nullptr; ++environment) {
        const std::string_view entry = *environment;
        if (!entry.starts_with(internal)) result.emplace_back(entry);
    }
    return result;
}

std::string outer_session_folder() {
    // Not environ: the outer session's shim, in this very process, has hidden it there.
    return outer_session_folder(kernel::read_text("/proc/self/environ"));
}

std::string outer_session_folder(const std::string& initial_environment) {
    constexpr std::string_view key = ";dir=";
    for (std::string_view rest = initial_environment; !rest.empty();) {
        const auto end = rest.find('\0');
        const std::string_view entry = rest.substr(0, end);
        if (entry.starts_with(internal)) {
            const auto at = entry.find(key);
            return at == std::string_view::npos ? "" : std::string(entry.substr(at + key.size()));
        }
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return "";
}

}  // namespace leftover::run
