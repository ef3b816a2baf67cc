// The stacks and modules of a report: those that leaks use, equal ones once, numbered from 1.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "reporter/model/model.h"
#include "reporter/records/record_file.h"

namespace leftover::judge {

class StackTable {
public:
    // The number of a record's stack in the report; nothing for 0 and for one that was lost.
    std::optional<int> add(const records::RecordFile& record, record::ItemId id);

    // A frame with its module in the report. A number that names no module leaves the frame without
    // one, its address being what can be told.
    NativeFrame frame(const records::RecordFile& record, record::NativeFrame frame);

    void move_to(Report& report);

private:
    int module_id(const records::Module& module);

    std::vector<Stack> stacks_;
    std::vector<Module> modules_;
    std::unordered_map<std::string, int> by_content_;
    std::map<std::tuple<std::string, std::string, std::uint64_t>, int> module_ids_;
    std::map<const records::Module*, int> known_modules_;
    std::map<std::pair<const records::RecordFile*, record::ItemId>, int> known_stacks_;
};

}  // namespace leftover::judge
