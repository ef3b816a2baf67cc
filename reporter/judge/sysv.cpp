// System V objects. In a slot a is the id, b the key.

#include <unordered_map>

#include "reporter/judge/census.h"
#include "reporter/judge/checks.h"
#include "reporter/kernel/sysv.h"

namespace leftover::judge {

namespace {

// An id holds a sequence number and comes back only after thousands of others; times and creator tell
// even then.
bool is_same(const Candidate& candidate, const kernel::SysvObject& object, bool same_pids) {
    constexpr Time second = 1'000'000'000;
    const records::Slot& slot = *candidate.slot;
    // The change time is in whole seconds and moves on with IPC_SET and SETVAL, never back.
    if (object.changed < slot.created_at / second - 1) return false;
    if (slot.b != object.key) return false;
    return !same_pids || object.creator_pid == 0 || object.creator_pid == slot.pid;
}

void check(Kind kind, const Evidence& evidence, Findings& findings) {
    const std::vector<Candidate>& candidates = evidence.of(kind);
    if (candidates.empty()) return;
    std::unordered_map<std::int64_t, kernel::SysvObject> objects;
    for (const auto& object : kernel::list_sysv(kind, evidence.options.roots)) {
        objects.emplace(object.id, object);
    }
    std::unordered_map<std::int64_t, Candidate> owners;
    for (const Candidate& candidate : candidates) {
        const records::Slot& slot = *candidate.slot;
        const auto object = objects.find(static_cast<std::int64_t>(slot.a));
        if (slot.state != record::State::live || !candidate.source->session->same_boot ||
            object == objects.end() ||
            !is_same(candidate, object->second,
                     evidence.census.in_own_namespace(candidate.record()))) {
            continue;
        }
        const auto [at, is_new] = owners.try_emplace(object->first, candidate);
        if (!is_new && at->second.slot->created_at < slot.created_at) at->second = candidate;
    }
    for (const auto& [id, owner] : owners) {
        const kernel::SysvObject& object = objects.at(id);
        Leak leak = make_leak(kind, "id:" + std::to_string(id));
        leak.details.id = static_cast<std::uint64_t>(id);
        leak.details.key = object.key;
        if (kind == Kind::sysv_shared_memory) leak.details.bytes = object.bytes;
        findings.add(std::move(leak), owner);
    }
}

}  // namespace

void check_sysv_shared_memory(const Evidence& evidence, Findings& findings) {
    check(Kind::sysv_shared_memory, evidence, findings);
}

void check_sysv_semaphores(const Evidence& evidence, Findings& findings) {
    check(Kind::sysv_semaphore, evidence, findings);
}

void check_sysv_message_queues(const Evidence& evidence, Findings& findings) {
    check(Kind::sysv_message_queue, evidence, findings);
}

}  // namespace leftover::judge
