#include "reporter/render/uri.h"

#include <fmt/format.h>

namespace leftover::render {

std::string source_file(const findings::Location& location, std::string_view folder) {
    if (!location.is_source) return {};
    std::string_view file = location.file;
    while (folder.ends_with('/')) folder.remove_suffix(1);
    const bool below = !folder.empty() && file.starts_with(folder) &&
                       file.substr(folder.size()).starts_with('/');
    if (below) file.remove_prefix(folder.size() + 1);
    while (file.starts_with("./")) file.remove_prefix(2);
    return std::string(file);
}

std::string uri_of(std::string_view path) {
    constexpr std::string_view plain = "-._~/";
    std::string uri = path.starts_with('/') ? "file://" : "";
    for (const char c : path) {
        const bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (word || plain.find(c) != plain.npos) {
            uri += c;
        } else {
            uri += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        }
    }
    return uri;
}

}  // namespace leftover::render
