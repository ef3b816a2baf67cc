// One finding as text.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "reporter/findings/findings.h"
#include "reporter/model/model.h"
#include "reporter/render/format.h"
#include "reporter/render/paint.h"
#include "reporter/render/stack_text.h"

namespace leftover::render {

using findings::Finding;

// Columns to fit in: the terminal's, or what reads well where there is none.
std::size_t width_of(const Options& options);

class FindingText {
public:
    // The report must outlive this.
    FindingText(const Report& report, const Options& options, std::ostream& out);

    // What it is, how much of it and what became of it; who made it, and when; where.
    void write(const Finding& finding);

private:
    struct Creator {
        std::string_view session;
        int pid;
        auto operator<=>(const Creator&) const = default;
    };

    void write_names(const Finding& finding, std::size_t used);
    void list_processes(const Finding& finding);
    void list_troubles(const Finding& finding);
    void write_other_places(const Finding& finding);
    void write_creators(const Finding& finding);
    void list_programs(const std::vector<Creator>& creators);
    std::string_view session_key(std::string_view session) const;
    const Session* session_of(const Leak& leak) const;

    const Report& report_;
    const Options& options_;
    Paint paint_;
    std::size_t width_;
    StackText stacks_;
    findings::FrameReader reader_;
    std::unordered_map<int, const Stack*> stack_numbers_;
    std::ostream& out_;
    std::unordered_map<std::string_view, const Session*> sessions_;
    std::map<std::pair<std::string_view, int>, const ProcessInfo*> processes_;
};

}  // namespace leftover::render
