// Every process of a session, from the records that processes wrote, the slots in which their
// creators wrote them down, and those that the caller knows to be alive; and which of them live.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "reporter/judge/evidence.h"
#include "reporter/kernel/process.h"

namespace leftover::judge {

struct Member {
    ProcessInfo info;
    const SessionFacts* session = nullptr;
    std::uint64_t pid_namespace = 0;         // of `pid`; 0: the reader's
    int pid = 0;                             // in that; info.pid is the reader's where known
    std::uint64_t ticks_from = 0, ticks_to = 0;  // it started between these
    std::vector<const Source*> images;       // records, one for each program it exec'd, oldest first
    std::optional<Candidate> creation;       // the slot its creator wrote
    std::optional<kernel::ProcessStat> now;  // alive; numbered as the reader's /proc does
    bool is_program = false;                 // the session's own first process
};

// What has become of the program image that a slot was written by.
enum class Image { running, replaced, ended };  // replaced: by exec

class Census {
public:
    // `fallback` is the session of live processes that nothing else tells of, and of the launcher's
    // program; null: there are none.
    Census(const std::vector<Source>& sources, const SessionFacts* fallback,
           const JudgeOptions& options);

    const std::vector<Member>& members() const { return members_; }
    Image image_of(const Candidate& candidate) const;
    // Whether the process itself is gone, the programs that it executed later included. Of a slot that it wrote
    // into a record of its own.
    bool has_ended(const Candidate& candidate) const;

    // The process that wrote a slot, as the report numbers it: in the reader's pid namespace where
    // that is known.
    int pid_of(const Candidate& candidate) const;

    // Whether pids in this record mean what they mean to the reader.
    bool in_own_namespace(const records::RecordFile& record) const;

private:
    struct Seen {  // a process of the reader's /proc
        kernel::ProcessStat stat;
        std::vector<int> namespace_pids;
    };

    std::uint64_t namespace_of(const records::RecordFile& record) const;
    Member& new_member(const SessionFacts* session, std::uint64_t pid_namespace, int pid,
                       std::uint64_t from, std::uint64_t to);
    Member* find(std::uint64_t pid_namespace, int pid, std::uint64_t from, std::uint64_t to);
    Member* find_inside(const Candidate& candidate, std::uint64_t from, std::uint64_t to);
    const Member* writer_of(const Candidate& candidate) const;
    void add_record(const Source& source);
    void add_slot(const Candidate& candidate);
    void add_program(const SessionFacts& session);
    void add_live(int pid, const SessionFacts* fallback);
    void adopt();
    std::optional<kernel::ProcessStat> look_up(const Member& member);
    const std::vector<Seen>& everything();

    const JudgeOptions& options_;
    std::uint64_t own_namespace_;
    bool several_namespaces_ = false;
    std::vector<Member> members_;
    std::map<std::pair<std::uint64_t, int>, std::vector<std::size_t>> by_pid_;
    std::unordered_map<const Source*, std::size_t> by_source_;
    std::vector<Candidate> unfinished_;  // slots of forks that did not come back
    std::optional<std::vector<Seen>> everything_;
};

// Completes info of a member from all that is known of it.
void describe(Member& member, const kernel::Roots& roots);

}  // namespace leftover::judge
