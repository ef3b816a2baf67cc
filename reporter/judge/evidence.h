// What the checks of the single kinds work on, and where they put what they find.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "reporter/judge/judge.h"
#include "reporter/judge/stacks.h"
#include "reporter/kernel/file.h"
#include "reporter/records/record_file.h"

namespace leftover::judge {

// A session as far as its records and session.json tell.
struct SessionFacts {
    Session session;
    bool same_boot = true;  // else no process, System V object or thread of it can be left
    // The program as the launcher knows it: pid 0 is unknown, start ticks 0 are unknown.
    ProcessInfo program;
    bool program_ended = false;
};

struct Source {
    records::RecordFile record;
    const SessionFacts* session = nullptr;
};

// A slot with the record that it is from.
struct Candidate {
    const Source* source = nullptr;
    const records::Slot* slot = nullptr;

    const records::RecordFile& record() const { return source->record; }
};

class Census;

struct Evidence {
    const JudgeOptions& options;
    const std::vector<Source>& sources;
    const Census& census;
    std::array<std::vector<Candidate>, record::kind_count> slots;  // by Kind
    // Files that a slot is sure to have created: no intent can own them. In order; empty where every slot is sure.
    std::vector<kernel::FileId> confirmed;

    const std::vector<Candidate>& of(Kind kind) const {
        return slots[static_cast<std::size_t>(kind)];
    }
    bool is_confirmed(const kernel::FileId& file) const {
        return std::binary_search(confirmed.begin(), confirmed.end(), file);
    }
};

// Sorts the slots of all records by kind.
Evidence gather(const JudgeOptions& options, const std::vector<Source>& sources,
                const Census& census);

// The leaks found so far, with the stacks and modules that they use.
class Findings {
public:
    Findings(const Census& census, bool include_notes)
        : census_(census), include_notes_(include_notes) {}

    // Room for so many, so that a million are not moved again and again. Costs nothing until used.
    void reserve(std::size_t count) { leaks_.reserve(count); }

    // Adds a leak of which kind, name, severity and details are filled in; creator, time and stack
    // are the slot's.
    void add(Leak leak, const Candidate& origin);
    // Adds a leak that no slot tells of.
    void add(Leak leak, const SessionFacts& session);

    // A frame for the report, its module entered there.
    NativeFrame frame(const records::RecordFile& record, record::NativeFrame frame) {
        return stacks_.frame(record, frame);
    }

    // Moves all to the report, in order of creation.
    void move_to(Report& report);

private:
    const Census& census_;
    bool include_notes_;
    std::vector<Leak> leaks_;
    StackTable stacks_;
};

// A leak with its kind's name, severity and shown name.
Leak make_leak(Kind kind, std::string name);

}  // namespace leftover::judge
