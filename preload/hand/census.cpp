#include "preload/hand/census.h"

#include "preload/core/mapping.h"
#include "preload/core/proc_self.h"
#include "preload/core/process.h"
#include "preload/core/sys.h"

namespace leftover::hand {

namespace {

constexpr std::uint64_t no_limit = ~0ULL;

std::uint64_t key_of(int pid, bool foreign) {
    return static_cast<std::uint64_t>(pid) << 1 | (foreign ? 1 : 0);
}

}  // namespace

Census::Census(Evidence& evidence) : evidence_(evidence) {
    struct stat status;
    if (fresh.own != nullptr) own_namespace_ = fresh.own->header->pid_namespace;
    if (own_namespace_ == 0 && sys::stat("/proc/self/ns/pid", &status) == 0) own_namespace_ = status.st_ino;
    for (const Record* record : evidence.records) add_record(*record);
    for (const Record* record : evidence.records) {
        for (const Resource* resource : record->resources) {
            if (resource->kind == Kind::process) add_slot(*resource);
        }
    }
    const std::uint64_t own_ticks =
        evidence.own != nullptr ? evidence.own->start_ticks : own_start_ticks();
    if (Member* self = find(identity.pid, false, own_ticks, own_ticks)) {
        self->is_self = true;
        self_ = self;
    }
    if (Member* root = find(options.root_pid, false, options.root_ticks, options.root_ticks)) {
        root->is_root = true;
        root_ = root;
    }
    for (Member* member : members_) look_up(*member);
    for (Member* member : members_) adopt(*member);
}

bool Census::is_foreign(const Record& record) const {
    return record.pid_namespace != 0 && own_namespace_ != 0 &&
           record.pid_namespace != own_namespace_;
}

Member* Census::find(int pid, bool foreign, std::uint64_t from, std::uint64_t to) const {
    const std::uint32_t* const newest = by_pid_.find(key_of(pid, foreign));
    Member* member = newest != nullptr ? members_[*newest - 1] : nullptr;
    while (member != nullptr && (member->ticks_from > to || from > member->ticks_to)) {
        member = member->next_same_pid;
    }
    return member;
}

Member* Census::enter(int pid, bool foreign, std::uint64_t from, std::uint64_t to) {
    if (Member* known = find(pid, foreign, from, to)) return known;
    Pool& pool = evidence_.pool;
    auto* const member = pool.make<Member>();
    if (member == nullptr || !members_.add(pool, member)) return nullptr;
    member->pid = pid;
    member->foreign = foreign;
    member->ticks_from = from;
    member->ticks_to = to;
    bool is_new = false;
    const auto place = static_cast<std::uint32_t>(members_.size());
    std::uint32_t* const newest = by_pid_.enter(pool, key_of(pid, foreign), place, is_new);
    if (newest != nullptr && !is_new) {
        member->next_same_pid = members_[*newest - 1];
        *newest = place;
    }
    return member;
}

// Records come oldest first.
void Census::add_record(const Record& record) {
    Member* const member =
        enter(record.pid, is_foreign(record), record.start_ticks, record.start_ticks);
    if (member == nullptr) return;
    if (member->first == nullptr) member->first = &record;
    member->last = &record;
    for (std::size_t kind = 0; kind < record::kind_count; ++kind) {
        Counts& all = member->counts[kind];
        const Counts& its = record.counts[kind];
        all.created += its.created;
        all.released += its.released;
        if (its.peak > all.peak) all.peak = its.peak;  // the images came one after the other
    }
}

void Census::add_slot(const Resource& resource) {
    if (resource.a == 0) {
        if (resource.state == record::State::intent) unfinished_.add(evidence_.pool, &resource);
        return;
    }
    if (resource.a > INT32_MAX) return;
    std::uint64_t to = resource.c;
    if (to == 0) to = no_limit;
    if (to < resource.b) to = resource.b;
    Member* const member =
        enter(static_cast<int>(resource.a), is_foreign(*resource.record), resource.b, to);
    if (member == nullptr) return;
    if (member->creation == nullptr || member->creation->created_ns < resource.created_ns) {
        member->creation = &resource;
    }
}

void Census::look_up(Member& member) const {
    const Resource* creation = member.creation;
    if (creation != nullptr &&
        (creation->state == record::State::ended || creation->has(record::fetched) ||
         creation->has(record::zombie))) {
        return;
    }
    if (member.foreign) {
        member.alive = !member.says_ended();
        return;
    }
    member.alive = read_process(member.pid, member.now) && member.now.is_alive() &&
                   member.ticks_from <= member.now.start_ticks &&
                   member.now.start_ticks <= member.ticks_to;
}

// A process killed within fork did not learn its child's number: the child is the one that began
// next and whose record names its creator.
void Census::adopt(Member& member) {
    constexpr std::uint64_t longest_fork = 100;  // ticks
    if (member.creation != nullptr || member.is_root || member.first == nullptr) return;
    const Resource** nearest = nullptr;
    for (const Resource*& slot : unfinished_) {
        if (slot == nullptr || slot->pid != member.first->ppid ||
            is_foreign(*slot->record) != member.foreign || slot->b > member.ticks_from ||
            member.ticks_from - slot->b > longest_fork) {
            continue;
        }
        if (nearest == nullptr || slot->b > (*nearest)->b) nearest = &slot;
    }
    if (nearest == nullptr) return;
    member.creation = *nearest;
    *nearest = nullptr;
}

const Member* Census::writer_of(const Record& record) const {
    return find(record.pid, is_foreign(record), record.start_ticks, record.start_ticks);
}

}  // namespace leftover::hand
