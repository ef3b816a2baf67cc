#include "reporter/judge/census.h"

#include <algorithm>
#include <limits>

#include "reporter/records/number.h"

namespace leftover::judge {

namespace {

constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

bool is_in(std::uint64_t ticks, const Member& member) {
    return member.ticks_from <= ticks && ticks <= member.ticks_to;
}

}  // namespace

Census::Census(const std::vector<Source>& sources, const SessionFacts* fallback,
               const JudgeOptions& options)
    : options_(options), own_namespace_(kernel::own_pid_namespace(options.roots)) {
    std::vector<const Source*> by_age;
    for (const Source& source : sources) by_age.push_back(&source);
    std::stable_sort(by_age.begin(), by_age.end(), [](const Source* one, const Source* other) {
        return one->record.header.opened_at < other->record.header.opened_at;
    });
    for (const Source* source : by_age) add_record(*source);
    for (const Source* source : by_age) {
        for (const records::Slot& slot : source->record.slots) {
            if (slot.kind == Kind::process) add_slot({source, &slot});
        }
    }
    if (fallback != nullptr && fallback->program.pid != 0) add_program(*fallback);
    for (Member& member : members_) {
        if (member.session->same_boot) member.now = look_up(member);
    }
    for (const int pid : options.live_processes) add_live(pid, fallback);
    adopt();
    for (Member& member : members_) {
        if (member.now) member.info.pid = member.now->pid;
        describe(member, options.roots);
    }
    for (Member& member : members_) {
        if (member.creation) member.info.ppid = pid_of(*member.creation);
    }
}

std::uint64_t Census::namespace_of(const records::RecordFile& record) const {
    return in_own_namespace(record) ? 0 : record.header.pid_namespace;
}

bool Census::in_own_namespace(const records::RecordFile& record) const {
    const std::uint64_t its = record.header.pid_namespace;
    return its == 0 || own_namespace_ == 0 || its == own_namespace_;
}

Member& Census::new_member(const SessionFacts* session, std::uint64_t pid_namespace, int pid,
                           std::uint64_t from, std::uint64_t to) {
    by_pid_[{pid_namespace, pid}].push_back(members_.size());
    Member& member = members_.emplace_back();
    member.session = session;
    member.pid_namespace = pid_namespace;
    member.pid = member.info.pid = pid;
    member.ticks_from = from;
    member.ticks_to = to;
    return member;
}

Member* Census::find(std::uint64_t pid_namespace, int pid, std::uint64_t from, std::uint64_t to) {
    const auto known = by_pid_.find({pid_namespace, pid});
    if (known == by_pid_.end()) return nullptr;
    for (const std::size_t at : known->second) {
        if (members_[at].ticks_from <= to && from <= members_[at].ticks_to) return &members_[at];
    }
    return nullptr;
}

void Census::add_record(const Source& source) {
    const records::Header& header = source.record.header;
    const std::uint64_t pid_namespace = namespace_of(source.record);
    several_namespaces_ = several_namespaces_ || pid_namespace != 0;
    Member* member = find(pid_namespace, header.pid, header.start_ticks, header.start_ticks);
    if (member == nullptr) {
        member = &new_member(source.session, pid_namespace, header.pid, header.start_ticks,
                             header.start_ticks);
    }
    member->images.push_back(&source);
    // The shim takes whoever the launcher is the parent of for the program: an adopted orphan, too.
    const bool launcher_knows = source.session != nullptr && source.session->program.pid != 0;
    const bool says_so = (header.flags & record::root) != 0;
    member->is_program = member->is_program || (says_so && !launcher_knows);
    by_source_[&source] = static_cast<std::size_t>(member - members_.data());
}

// The first process of a new pid namespace: its creator knows another number of it than itself.
Member* Census::find_inside(const Candidate& candidate, std::uint64_t from, std::uint64_t to) {
    if (!several_namespaces_) return nullptr;
    const std::uint64_t outside = namespace_of(candidate.record());
    // As long as it lives the kernel tells all its numbers.
    const auto status = outside == 0
                            ? kernel::read_status(records::to_pid(candidate.slot->a), options_.roots)
                            : std::nullopt;
    for (Member& member : members_) {
        if (member.images.empty() || member.creation || member.pid_namespace == outside) continue;
        if (member.ticks_from < from || member.ticks_to > to) continue;
        if (status && status->namespace_pids.back() != member.pid) continue;
        // After an exec it asked the kernel, which shows it no parent outside.
        const int ppid = member.images.front()->record.header.ppid;
        if (ppid == candidate.slot->pid || ppid == 0) return &member;
    }
    return nullptr;
}

void Census::add_slot(const Candidate& candidate) {
    const records::Slot& slot = *candidate.slot;
    const int pid = records::to_pid(slot.a);
    if (pid == 0) {
        if (slot.state == record::State::intent) unfinished_.push_back(candidate);
        return;
    }
    const std::uint64_t from = slot.b;
    const std::uint64_t to = slot.c == 0 ? no_limit : std::max(slot.b, slot.c);
    const std::uint64_t pid_namespace = namespace_of(candidate.record());
    Member* member = find(pid_namespace, pid, from, to);
    if (member == nullptr) member = find_inside(candidate, from, to);
    if (member == nullptr) {
        member = &new_member(candidate.source->session, pid_namespace, pid, from, to);
    } else if (member->pid_namespace != pid_namespace) {
        by_pid_[{pid_namespace, pid}].push_back(static_cast<std::size_t>(member - members_.data()));
        member->pid_namespace = pid_namespace;
        member->pid = member->info.pid = pid;
    }
    if (!member->creation || member->creation->slot->created_at < slot.created_at) {
        member->creation = candidate;
    }
}

// The launcher knows the program even if no record tells of it. Where it does not know when it began,
// the pid tells only as long as the program keeps it.
void Census::add_program(const SessionFacts& session) {
    const ProcessInfo& program = session.program;
    const bool has_start = program.start_ticks != 0;
    const std::uint64_t from = has_start ? program.start_ticks : 0;
    const std::uint64_t to = has_start ? program.start_ticks : no_limit;
    Member* member = find(0, program.pid, from, to);
    if (!has_start && session.program_ended) return;
    if (member == nullptr) {
        member = &new_member(&session, 0, program.pid, from, to);
        member->info = program;
    }
    member->is_program = true;
}

const std::vector<Census::Seen>& Census::everything() {
    if (everything_) return *everything_;
    everything_.emplace();
    for (const int pid : kernel::list_processes(options_.roots)) {
        const auto stat = kernel::read_stat(pid, options_.roots);
        const auto status = kernel::read_status(pid, options_.roots);
        if (stat && status) everything_->push_back({*stat, status->namespace_pids});
    }
    return *everything_;
}

std::optional<kernel::ProcessStat> Census::look_up(const Member& member) {
    if (member.creation) {
        const records::Slot& slot = *member.creation->slot;
        if (slot.state == record::State::ended || slot.has(record::fetched) || slot.has(record::zombie)) {
            return std::nullopt;
        }
    }
    if (member.pid_namespace == 0) {
        const auto stat = kernel::read_stat(member.pid, options_.roots);
        if (stat && kernel::is_alive(*stat) && is_in(stat->start_ticks, member)) return stat;
        return std::nullopt;
    }
    // Numbered by another namespace: the kernel lists a process's numbers in all that it is in, ours
    // first.
    for (const Seen& seen : everything()) {
        const auto& pids = seen.namespace_pids;
        if (pids.size() < 2 || !is_in(seen.stat.start_ticks, member)) continue;
        if (std::find(pids.begin() + 1, pids.end(), member.pid) != pids.end() &&
            kernel::is_alive(seen.stat)) {
            return seen.stat;
        }
    }
    return std::nullopt;
}

void Census::add_live(int pid, const SessionFacts* fallback) {
    const auto stat = kernel::read_stat(pid, options_.roots);
    if (!stat || !kernel::is_alive(*stat) || fallback == nullptr) return;
    const auto known = std::find_if(members_.begin(), members_.end(), [&](const Member& member) {
        return member.now && member.now->pid == pid;
    });
    if (known != members_.end()) return;
    Member& member = new_member(fallback, 0, pid, stat->start_ticks, stat->start_ticks);
    member.now = *stat;
}

// A process killed within fork did not learn its child's number: the child is the one that began
// next, and has a record that names its creator or lives with a parent that is none of us.
void Census::adopt() {
    constexpr std::uint64_t longest_fork = 100;  // ticks
    for (Member& member : members_) {
        if (member.creation || member.is_program || (member.images.empty() && !member.now)) continue;
        const std::uint64_t began = member.now ? member.now->start_ticks : member.ticks_from;
        auto nearest = unfinished_.end();
        for (auto at = unfinished_.begin(); at != unfinished_.end(); ++at) {
            const records::Slot& slot = *at->slot;
            const bool is_creator =
                member.images.empty() ||
                member.images.front()->record.header.ppid == 0 ||
                slot.pid == member.images.front()->record.header.ppid;
            if (!is_creator || namespace_of(at->record()) != member.pid_namespace ||
                slot.b > began || began - slot.b > longest_fork) {
                continue;
            }
            if (nearest == unfinished_.end() || slot.b > nearest->slot->b) nearest = at;
        }
        if (nearest == unfinished_.end()) continue;
        member.creation = *nearest;
        unfinished_.erase(nearest);
    }
}

const Member* Census::writer_of(const Candidate& candidate) const {
    if (candidate.slot->pid == candidate.record().header.pid) {
        return &members_[by_source_.at(candidate.source)];
    }
    // A forked child that had no record of its own wrote into its parent's.
    const auto known = by_pid_.find({namespace_of(candidate.record()), candidate.slot->pid});
    return known == by_pid_.end() ? nullptr : &members_[known->second.back()];
}

int Census::pid_of(const Candidate& candidate) const {
    const Member* writer = writer_of(candidate);
    return writer == nullptr ? candidate.slot->pid : writer->info.pid;
}

bool Census::has_ended(const Candidate& candidate) const {
    const Member* writer = writer_of(candidate);
    return writer == nullptr || !writer->now;
}

Image Census::image_of(const Candidate& candidate) const {
    const records::Header& header = candidate.record().header;
    const int writer = candidate.slot->pid;
    if (writer == header.pid) {
        const Member& member = *writer_of(candidate);
        if (header.ending == record::Ending::exec) return Image::replaced;
        if (header.ending != record::Ending::running) return Image::ended;
        if (member.images.back() != candidate.source) return Image::replaced;
        return member.now ? Image::running : Image::ended;
    }
    const auto known = by_pid_.find({namespace_of(candidate.record()), writer});
    if (known == by_pid_.end()) return Image::ended;
    Image image = Image::ended;
    for (const std::size_t at : known->second) {
        const Member& member = members_[at];
        const bool execed = member.creation && member.creation->slot->has(record::execed);
        if (execed) image = Image::replaced;
        if (!execed && member.now) return Image::running;
    }
    return image;
}

}  // namespace leftover::judge
