#include "reporter/judge/evidence.h"

#include <algorithm>
#include <tuple>

#include "reporter/judge/census.h"

namespace leftover::judge {

namespace {

bool is_file(Kind kind) {
    switch (kind) {
        case Kind::semaphore:
        case Kind::shared_memory:
        case Kind::message_queue:
        case Kind::temporary_file:
        case Kind::temporary_directory:
        case Kind::socket_file: return true;
        default: return false;
    }
}

}  // namespace

Evidence gather(const JudgeOptions& options, const std::vector<Source>& sources,
                const Census& census) {
    Evidence evidence{options, sources, census, {}, {}};
    // Of a million nothing is kept twice.
    std::array<std::size_t, record::kind_count> counts{};
    std::size_t files = 0, unsure = 0;
    const auto is_sure = [](const records::Slot& slot) {
        return is_file(slot.kind) && slot.state == record::State::live && slot.a != 0;
    };
    for (const Source& source : sources) {
        for (const records::Slot& slot : source.record.slots) {
            ++counts[static_cast<std::size_t>(slot.kind)];
            if (is_file(slot.kind)) ++(is_sure(slot) ? files : unsure);
        }
    }
    for (std::size_t kind = 0; kind < record::kind_count; ++kind) evidence.slots[kind].reserve(counts[kind]);
    const bool matters = unsure > 0;
    if (matters) evidence.confirmed.reserve(files);
    for (const Source& source : sources) {
        for (const records::Slot& slot : source.record.slots) {
            evidence.slots[static_cast<std::size_t>(slot.kind)].push_back({&source, &slot});
            if (matters && is_sure(slot)) evidence.confirmed.push_back({slot.b, slot.a});
        }
    }
    std::sort(evidence.confirmed.begin(), evidence.confirmed.end());
    return evidence;
}

Leak make_leak(Kind kind, std::string name) {
    Leak leak;
    leak.kind = kind;
    leak.severity = record::row(kind).severity;
    leak.name = std::move(name);
    return leak;
}

void Findings::add(Leak leak, const Candidate& origin) {
    if (leak.severity == Severity::note && !include_notes_) return;
    const records::Slot& slot = *origin.slot;
    leak.pid = census_.pid_of(origin);
    leak.tid = slot.tid;
    leak.thread_name = slot.thread_name;
    leak.created_at = slot.created_at;
    leak.stack = stacks_.add(origin.record(), slot.stack);
    add(std::move(leak), *origin.source->session);
}

void Findings::add(Leak leak, const SessionFacts& session) {
    if (leak.severity == Severity::note && !include_notes_) return;
    leak.session = session.session.id;
    leaks_.push_back(std::move(leak));
}

void Findings::move_to(Report& report) {
    const auto precedes = [](const Leak& one, const Leak& other) {
        return std::tie(one.created_at, one.kind, one.name) <
               std::tie(other.created_at, other.kind, other.name);
    };
    // One process records in the order of creation.
    if (report.leaks.empty() && std::is_sorted(leaks_.begin(), leaks_.end(), precedes)) {
        report.leaks = std::move(leaks_);
        stacks_.move_to(report);
        return;
    }
    // Leaks are large: their order is found first, then each moves once.
    std::vector<Leak*> order;
    for (Leak& leak : leaks_) order.push_back(&leak);
    std::stable_sort(order.begin(), order.end(),
                     [&precedes](const Leak* one, const Leak* other) { return precedes(*one, *other); });
    report.leaks.reserve(order.size());
    for (Leak* leak : order) report.leaks.push_back(std::move(*leak));
    stacks_.move_to(report);
}

}  // namespace leftover::judge
