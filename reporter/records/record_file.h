// A record file as plain values: what one process image wrote about the resources it created.
// The layout and its rules are in preload/record/format.h.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "preload/record/format.h"
#include "reporter/model/model.h"

namespace leftover::records {

using record::ItemId;

struct Header {
    std::uint32_t flags = 0;  // record::HeaderFlag
    int pid = 0;              // in its own pid namespace
    int ppid = 0;             // the process that created it
    std::uint64_t start_ticks = 0;
    Time started_at = 0;
    Time opened_at = 0;
    std::uint64_t pid_namespace = 0;  // 0: not known
    std::array<std::uint64_t, 2> boot_id{};
    record::Ending ending = record::Ending::running;
    int ending_value = 0;
    Time ended_at = 0;
    std::uint32_t lost = 0;
    bool reported = false;
    std::string session, executable, cwd;
    std::vector<std::string> command;
    std::array<Counts, record::kind_count> counters{};
};

// One published resource.
struct Slot {
    record::State state{};  // intent, live or ended
    Kind kind{};
    std::uint8_t flags = 0;  // record::SlotFlag; record::DescriptorFlag of one in a chunk of these
    bool name_cut = false;   // the rest of the name could not be read: look nothing up by it
    int pid = 0;             // the creator, in its own pid namespace
    int tid = 0;
    ItemId stack = 0;
    ItemId target = 0;  // file_descriptor: a string, in place of the name; 0 none
    std::uint32_t value = 0;
    Time created_at = 0;
    std::uint64_t a = 0, b = 0, c = 0, d = 0;  // by kind, see record::Slot
    SharedText thread_name;
    std::string name;

    bool has(record::SlotFlag flag) const { return (flags & flag) != 0; }
};

struct PythonFrame {
    ItemId function = 0, file = 0;  // in RecordFile::strings
    std::uint32_t line = 0;
};

// Innermost first.
struct Stack {
    std::vector<record::NativeFrame> native;
    std::vector<PythonFrame> python;
};

struct Module {
    std::string path;
    std::string build_id;  // hex
    std::uint64_t base = 0;
};

struct RecordFile {
    std::filesystem::path path;
    uid_t owner = 0;
    Header header;
    std::vector<Slot> slots;
    std::unordered_map<ItemId, std::string> strings;
    std::unordered_map<ItemId, Stack> stacks;
    std::unordered_map<std::uint32_t, Module> modules;  // by the number that frames hold
    bool complete = true;
    std::string trouble;  // the first reason why it is not complete
};

// A process was killed while it opened its record: nothing was in it yet, so nothing is missing.
class NeverBegun : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Reads a record, also one whose process lives and goes on writing. Throws std::runtime_error (one
// line that begins with the path) when the file cannot be read or its header is not that of a
// record this version knows, NeverBegun when it has no header yet. Damage behind the header is read
// around: `complete` is false then.
RecordFile read_record(const std::filesystem::path& path);

}  // namespace leftover::records
