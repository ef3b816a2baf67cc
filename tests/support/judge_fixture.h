// A machine in a folder: /proc, /dev/shm, /dev/mqueue and one session's records.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "reporter/judge/judge.h"
#include "reporter/kernel/file.h"
#include "reporter/kernel/machine.h"
#include "tests/support/fake_proc.h"
#include "tests/support/record_writer.h"
#include "tests/support/temporary_folder.h"

namespace leftover::test {

class JudgeFixture : public ::testing::Test {
protected:
    JudgeFixture() {
        for (const char* name : {"proc", "shm", "mqueue", "session"}) {
            std::filesystem::create_directory(folder / name);
        }
        options.roots = {folder / "proc", folder / "shm", folder / "mqueue"};
    }

    // Makes a file there; its facts.
    kernel::FileFacts make(const std::string& name, const std::string& text = std::string(32, 's')) {
        write_file(folder / name, text);
        return *kernel::file_facts(folder / name);
    }

    // A slot that says it made this file a moment before it was born.
    static record::Slot& add_file(RecordWriter& writer, Kind kind, std::string_view name,
                                  const kernel::FileFacts& facts) {
        record::Slot& slot = writer.add_slot(kind, record::State::live, name);
        slot.a = facts.id.inode;
        slot.b = facts.id.device;
        slot.created_ns = static_cast<std::uint64_t>(facts.born) - 1000;
        return slot;
    }

    static record::Slot& add_intent(RecordWriter& writer, Kind kind, std::string_view name,
                                    Time created_at) {
        record::Slot& slot = writer.add_slot(kind, record::State::intent, name);
        slot.created_ns = static_cast<std::uint64_t>(created_at);
        return slot;
    }

    // A child in the slot of its creator; its start lies between the ticks.
    static record::Slot& add_child(RecordWriter& writer, int pid, std::uint64_t from,
                                   std::uint64_t to) {
        record::Slot& slot = writer.add_slot(Kind::process, record::State::live, "");
        slot.a = static_cast<std::uint64_t>(pid);
        slot.b = from;
        slot.c = to;
        slot.flags = record::instrumented;
        return slot;
    }

    void save(const RecordWriter& writer, const std::string& name = "100-5000-0.record") {
        writer.save(folder / "session" / name);
    }

    Report judge() { return judge_folder(folder / "session", options); }
    Report judge(const RecordWriter& writer) {
        save(writer);
        return judge();
    }

    // The names of all leaks, sorted and with a blank between.
    static std::string names(const Report& report) {
        std::vector<std::string> all;
        for (const Leak& leak : report.leaks) all.push_back(leak.name);
        std::sort(all.begin(), all.end());
        std::string text;
        for (const std::string& name : all) text += (text.empty() ? "" : " ") + name;
        return text;
    }

    static const ProcessInfo* process(const Report& report, int pid) {
        for (const ProcessInfo& info : report.processes) {
            if (info.pid == pid) return &info;
        }
        return nullptr;
    }

    TemporaryFolder folder;
    JudgeOptions options;
};

}  // namespace leftover::test
