// System V objects. In a slot a is the id, b the key, c bytes or semaphores, value permission bits.

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "reporter/judge/census.h"
#include "reporter/judge/checks.h"
#include "reporter/kernel/sysv.h"

namespace leftover::judge {

namespace {

constexpr Time second = 1'000'000'000;

// Whether the slot's process made it, by the number that the kernel kept. It keeps none for semaphores
// and queues.
bool is_creator(const Candidate& candidate, const kernel::SysvObject& object, const Census& census) {
    return object.creator_pid == 0 || object.creator_pid == candidate.slot->pid ||
           !census.in_own_namespace(candidate.record());
}

// An id holds a sequence number and comes back only after thousands of others; times and creator tell
// even then.
bool is_same(const Candidate& candidate, const kernel::SysvObject& object, const Census& census) {
    const records::Slot& slot = *candidate.slot;
    // The change time is in whole seconds and moves on with IPC_SET and SETVAL, never back.
    return object.changed >= slot.created_at / second - 1 && slot.b == object.key &&
           is_creator(candidate, object, census);
}

// Whether the call that this slot was written for, and that did not come back, may have made it.
bool may_own(const Candidate& candidate, const kernel::SysvObject& object, const Census& census) {
    constexpr Time longest_call = 5;  // seconds, on a machine with too much to do
    const records::Slot& slot = *candidate.slot;
    if (!is_same(candidate, object, census) || slot.value != object.mode ||
        candidate.record().owner != object.creator_uid) {
        return false;
    }
    if (object.kind == Kind::sysv_shared_memory && slot.c != object.bytes) return false;
    if (object.kind == Kind::sysv_semaphore && slot.c != object.semaphores) return false;
    // Nobody ever learnt the id of one without a key.
    if (object.key == 0 && object.used) return false;
    return object.changed <= slot.created_at / second + longest_call;
}

class SysvCheck {
public:
    SysvCheck(Kind kind, const Evidence& evidence) : kind_(kind), evidence_(evidence) {}

    void run(Findings& findings);

private:
    void find_owners();
    void find_interrupted();
    const Candidate* take_intent(const kernel::SysvObject& object);

    const Kind kind_;
    const Evidence& evidence_;
    std::unordered_map<std::int64_t, kernel::SysvObject> objects_;  // by id
    std::unordered_map<std::int64_t, Candidate> owners_;
    std::vector<Candidate> intents_;  // of images that are gone
};

void SysvCheck::find_owners() {
    for (const Candidate& candidate : evidence_.of(kind_)) {
        const records::Slot& slot = *candidate.slot;
        if (!candidate.source->session->same_boot) continue;
        if (slot.state == record::State::intent) {
            if (evidence_.census.image_of(candidate) != Image::running) intents_.push_back(candidate);
            continue;
        }
        const auto object = objects_.find(static_cast<std::int64_t>(slot.a));
        if (slot.state != record::State::live || object == objects_.end() ||
            !is_same(candidate, object->second, evidence_.census)) {
            continue;
        }
        const auto [at, is_new] = owners_.try_emplace(object->first, candidate);
        if (!is_new && at->second.slot->created_at < slot.created_at) at->second = candidate;
    }
}

// The intent nearest to the object's making; each can own one only.
const Candidate* SysvCheck::take_intent(const kernel::SysvObject& object) {
    Candidate* nearest = nullptr;
    for (Candidate& intent : intents_) {
        if (!may_own(intent, object, evidence_.census)) continue;
        if (nearest == nullptr || nearest->slot->created_at < intent.slot->created_at) {
            nearest = &intent;
        }
    }
    return nearest;
}

// What a kill between the call and its confirmation left.
void SysvCheck::find_interrupted() {
    if (intents_.empty()) return;
    for (const auto& [id, object] : objects_) {
        if (owners_.contains(id)) continue;
        if (const Candidate* intent = take_intent(object)) {
            owners_.emplace(id, *intent);
            std::erase_if(intents_, [slot = intent->slot](const Candidate& candidate) {
                return candidate.slot == slot;
            });
        }
    }
}

void SysvCheck::run(Findings& findings) {
    if (evidence_.of(kind_).empty()) return;
    for (const auto& object : kernel::list_sysv(kind_, evidence_.options.roots)) {
        objects_.emplace(object.id, object);
    }
    find_owners();
    find_interrupted();
    for (const auto& [id, owner] : owners_) {
        const kernel::SysvObject& object = objects_.at(id);
        Leak leak = make_leak(kind_, "id:" + std::to_string(id));
        MoreDetails& more = leak.details.more.edit();
        more.id = static_cast<std::uint64_t>(id);
        more.key = object.key;
        more.changed = object.changed;
        if (kind_ == Kind::sysv_shared_memory) leak.details.bytes = object.bytes;
        findings.add(std::move(leak), owner);
    }
}

}  // namespace

void check_sysv_shared_memory(const Evidence& evidence, Findings& findings) {
    SysvCheck(Kind::sysv_shared_memory, evidence).run(findings);
}

void check_sysv_semaphores(const Evidence& evidence, Findings& findings) {
    SysvCheck(Kind::sysv_semaphore, evidence).run(findings);
}

void check_sysv_message_queues(const Evidence& evidence, Findings& findings) {
    SysvCheck(Kind::sysv_message_queue, evidence).run(findings);
}

}  // namespace leftover::judge
