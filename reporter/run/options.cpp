#include "reporter/run/options.h"

#include <fmt/format.h>

#include <stdexcept>
#include <string_view>

#include "reporter/model/names.h"

namespace leftover::run {
namespace {

std::string valid_kinds() {
    std::string list;
    for (const record::KindRow& row : record::kind_table) {
        if (!list.empty()) list += ", ";
        list += row.name;
    }
    return list;
}

}  // namespace

std::uint32_t parse_kinds(const std::string& list) {
    std::uint32_t kinds = list.starts_with('-') ? record::all_kinds : 0;
    for (std::string_view rest = list;;) {
        const auto end = rest.find(',');
        std::string_view name = rest.substr(0, end);
        const bool leave_out = name.starts_with('-');
        if (leave_out) name.remove_prefix(1);
        if (name == "all") {
            kinds = leave_out ? 0 : record::all_kinds;
        } else if (const auto kind = kind_by_name(name)) {
            kinds = leave_out ? kinds & ~record::bit(*kind) : kinds | record::bit(*kind);
        } else {
            throw std::runtime_error(
                fmt::format("there is no kind '{}'; valid are: {}", name, valid_kinds()));
        }
        if (end == std::string_view::npos) return kinds;
        rest.remove_prefix(end + 1);
    }
}

}  // namespace leftover::run
