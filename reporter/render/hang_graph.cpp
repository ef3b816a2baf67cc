#include "reporter/render/hang_graph.h"

#include <algorithm>
#include <set>
#include <string_view>

namespace leftover::render {

namespace {

constexpr std::size_t longest = 12;

bool is_for_end(const HangThread& thread) {
    const std::string_view words = thread.waiting_on;
    return words.starts_with("wait4") || words.starts_with("waitid") || words.starts_with("the end of");
}

// It goes on by itself after a while.
bool has_timeout(const HangThread& thread) {
    const std::string_view words = thread.waiting_on;
    return words.find(", for a limited time") != words.npos || words.find(", at most ") != words.npos;
}

std::vector<const HangProcess*> all_of(const Hang& hang) {
    std::vector<const HangProcess*> all;
    for (const HangProcess& process : hang.processes) all.push_back(&process);
    return all;
}

}  // namespace

HangGraph::HangGraph(const std::vector<const HangProcess*>& processes) {
    for (const HangProcess* process : processes) {
        for (const HangThread& thread : process->threads) {
            by_id_.try_emplace({process->pid, 0}, nodes_.size());
            by_id_.try_emplace({process->pid, thread.tid}, nodes_.size());
            nodes_.push_back({process, &thread});
        }
    }
    find_stuck();
}

HangGraph::HangGraph(const Hang& hang) : HangGraph(all_of(hang)) {}

const HangNode* HangGraph::find(const WaitsFor& whom) const {
    const auto at = by_id_.find({whom.pid, whom.tid});
    return at == by_id_.end() ? nullptr : &nodes_[at->second];
}

// Who could let it go on. A process ends when its first thread does; the end of a pipe is in the hands of
// each of its threads.
std::vector<std::size_t> HangGraph::helpers_of(std::size_t node, bool& has_others) const {
    std::vector<std::size_t> helpers;
    const HangThread& thread = *nodes_[node].thread;
    const auto add_all = [&](std::size_t first) {
        const HangProcess* process = nodes_[first].process;
        for (std::size_t i = first; i < nodes_.size() && nodes_[i].process == process; ++i) helpers.push_back(i);
    };
    for (const WaitsFor& whom : thread.waits_for) {
        const auto at = by_id_.find({whom.pid, whom.tid});
        if (at == by_id_.end()) {
            has_others = true;
        } else if (whom.tid != 0 || is_for_end(thread)) {
            helpers.push_back(at->second);
        } else {
            add_all(at->second);
        }
    }
    // A semaphore of several processes is this one's, too.
    if (thread.waiting_on.starts_with("semaphore /")) {
        if (const auto at = by_id_.find({nodes_[node].process->pid, 0}); at != by_id_.end()) add_all(at->second);
    }
    return helpers;
}

void HangGraph::find_stuck() {
    stuck_.assign(nodes_.size(), false);
    std::vector<std::vector<std::size_t>> helpers(nodes_.size());
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        bool has_others = false;
        helpers[i] = helpers_of(i, has_others);
        stuck_[i] = !nodes_[i].thread->waits_for.empty() && !has_others && !has_timeout(*nodes_[i].thread);
    }
    for (bool again = true; again;) {
        again = false;
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (!stuck_[i]) continue;
            const bool any_moves = std::any_of(helpers[i].begin(), helpers[i].end(),
                                               [&](std::size_t other) { return !stuck_[other]; });
            if (!any_moves) continue;
            stuck_[i] = false;
            again = true;
        }
    }
}

HangChain HangGraph::follow(std::size_t start) const {
    HangChain chain;
    std::vector<std::size_t> path;
    for (std::optional<std::size_t> at = start; at && path.size() < longest;) {
        path.push_back(*at);
        const bool stuck = stuck_[*at];
        std::optional<std::size_t> next, cycle;
        for (const WaitsFor& whom : nodes_[*at].thread->waits_for) {
            const auto found = by_id_.find({whom.pid, whom.tid});
            if (found == by_id_.end()) continue;
            const std::size_t other = found->second;
            if (const auto known = std::find(path.begin(), path.end(), other); known != path.end()) {
                if (!cycle) cycle = static_cast<std::size_t>(known - path.begin());
                continue;
            }
            // Of one that could be helped, the helper tells more than those who wait with it.
            if (!next || (!stuck && stuck_[*next] && !stuck_[other])) next = other;
        }
        if (!next && cycle && stuck) chain.cycle = cycle;
        at = next;
    }
    for (const std::size_t index : path) chain.nodes.push_back(nodes_[index]);
    return chain;
}

std::vector<HangChain> HangGraph::chains(std::size_t most) const {
    std::vector<HangChain> chosen;
    std::set<const HangThread*> told;
    const auto take = [&](HangChain chain) {
        for (const HangNode& node : chain.nodes) told.insert(node.thread);
        chosen.push_back(std::move(chain));
    };
    const auto is_new = [&](const HangChain& chain) {
        return std::none_of(chain.nodes.begin(), chain.nodes.end(),
                            [&](const HangNode& node) { return told.contains(node.thread); });
    };
    if (nodes_.empty()) return chosen;
    take(follow(0));
    std::vector<HangChain> others;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        if (nodes_[i].thread->waits_for.empty()) continue;
        HangChain chain = follow(i);
        if (chain.cycle == std::size_t{0} && chosen.size() < most && is_new(chain)) {
            take(std::move(chain));
        } else if (chain.nodes.size() > 1) {
            others.push_back(std::move(chain));
        }
    }
    std::stable_sort(others.begin(), others.end(), [](const HangChain& one, const HangChain& other) {
        return one.nodes.size() > other.nodes.size();
    });
    for (HangChain& chain : others) {
        if (chosen.size() >= most) break;
        if (is_new(chain)) take(std::move(chain));
    }
    return chosen;
}

}  // namespace leftover::render
