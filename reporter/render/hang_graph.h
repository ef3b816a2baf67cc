// Who waits for whom, in a report's hang: chains and cycles.
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "reporter/model/model.h"

namespace leftover::render {

struct HangNode {
    const HangProcess* process = nullptr;
    const HangThread* thread = nullptr;
};

// One after the other, each waits for the next; the last one for nobody in the report, or for the one at
// `cycle`: then none of these can go on, unless somebody outside helps.
struct HangChain {
    std::vector<HangNode> nodes;
    std::optional<std::size_t> cycle;
};

class HangGraph {
public:
    // Of the processes of one session, which are numbered alike.
    explicit HangGraph(const std::vector<const HangProcess*>& processes);
    explicit HangGraph(const Hang& hang);

    // What there is to say first: where the first process's first thread waits; then cycles that this
    // does not tell of; then a chain that has nothing to do with these. At most so many.
    std::vector<HangChain> chains(std::size_t most) const;

    const HangNode* find(const WaitsFor& whom) const;

private:
    HangChain follow(std::size_t start) const;
    std::vector<std::size_t> helpers_of(std::size_t node, bool& has_others) const;
    void find_stuck();

    std::vector<HangNode> nodes_;  // in the report's order
    std::vector<bool> stuck_;      // nobody who could let it go on is able to
    std::map<std::pair<int, int>, std::size_t> by_id_;  // pid and tid; a process is its first thread
};

}  // namespace leftover::render
