#include "reporter/records/record_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "reporter/records/file.h"
#include "tests/support/record_writer.h"
#include "tests/support/temporary_folder.h"

namespace leftover::records {
namespace {

using record::State;
using test::RecordWriter;
using ::testing::ElementsAre;

class Records : public ::testing::Test {
protected:
    RecordFile read(const RecordWriter& writer, std::size_t size = std::string_view::npos) {
        writer.save(file_, size);
        return read_record(file_);
    }

    test::TemporaryFolder folder_;
    std::filesystem::path file_ = folder_ / "1-2-0.record";
};

TEST_F(Records, ReadsTheHeader) {
    RecordWriter writer;
    record::Header& header = writer.header();
    header.flags = record::root | record::by_hand;
    header.started_ns = 17;
    header.ending = static_cast<std::uint32_t>(record::Ending::signal);
    header.ending_value = 15;
    header.lost = 2;
    header.counters[static_cast<std::size_t>(Kind::semaphore)].created = 9;
    RecordWriter::set_text(header.session, "nightly");
    RecordWriter::set_text(header.executable, "/usr/bin/python3.11");
    writer.set_command({"python3", "", "train.py"});

    const RecordFile record = read(writer);
    EXPECT_TRUE(record.complete);
    EXPECT_EQ(record.owner, ::getuid());
    EXPECT_EQ(record.header.pid, 100);
    EXPECT_EQ(record.header.ppid, 99);
    EXPECT_EQ(record.header.start_ticks, 5000U);
    EXPECT_EQ(record.header.started_at, 17);
    EXPECT_EQ(record.header.ending, record::Ending::signal);
    EXPECT_EQ(record.header.ending_value, 15);
    EXPECT_EQ(record.header.lost, 2U);
    EXPECT_EQ(record.header.session, "nightly");
    EXPECT_EQ(record.header.executable, "/usr/bin/python3.11");
    EXPECT_THAT(record.header.command, ElementsAre("python3", "", "train.py"));
    EXPECT_EQ(record.header.counters[static_cast<std::size_t>(Kind::semaphore)].created, 9U);
}

TEST_F(Records, ReadsPublishedSlotsOnly) {
    RecordWriter writer;
    for (const State state : {State::free, State::claimed, State::intent, State::live, State::ended}) {
        writer.add_slot(Kind::semaphore, state, "/mp-1");
    }
    record::Slot& slot = writer.slot_at(3);
    slot.a = 77;
    slot.b = 26;
    slot.value = 5;
    slot.created_ns = 1'000;
    slot.flags = record::unmapped;
    RecordWriter::set_text(slot.thread_name, "sixteen-bytes-16");

    const RecordFile record = read(writer);
    ASSERT_EQ(record.slots.size(), 3U);
    EXPECT_EQ(record.slots[0].state, State::intent);
    EXPECT_EQ(record.slots[2].state, State::ended);
    const Slot& live = record.slots[1];
    EXPECT_EQ(live.state, State::live);
    EXPECT_EQ(live.kind, Kind::semaphore);
    EXPECT_EQ(live.pid, 100);
    EXPECT_EQ(live.a, 77U);
    EXPECT_EQ(live.b, 26U);
    EXPECT_EQ(live.value, 5U);
    EXPECT_EQ(live.created_at, 1'000);
    EXPECT_EQ(live.name, "/mp-1");
    EXPECT_EQ(live.thread_name, "sixteen-bytes-16");
    EXPECT_TRUE(live.has(record::unmapped));
    EXPECT_TRUE(record.complete);
}

TEST_F(Records, PutsLongNamesTogether) {
    const std::string name = "/" + std::string(500, 'n') + "!";
    RecordWriter writer;
    writer.add_slot(Kind::temporary_file, State::live, name);
    writer.add_slot(Kind::temporary_file, State::live, "/short");
    const RecordFile record = read(writer);
    ASSERT_EQ(record.slots.size(), 2U);
    EXPECT_EQ(record.slots[0].name, name);
    EXPECT_EQ(record.slots[1].name, "/short");
    EXPECT_TRUE(record.complete);
}

TEST_F(Records, ReadsStacksAndModules) {
    RecordWriter writer;
    writer.add_module(3, "/usr/lib/libc.so.6", 0x7f0000000000, {0x12, 0xef});
    const record::PythonFrame python{writer.add_string("make"), writer.add_string("train.py"), 4, 0};
    const record::ItemId stack =
        writer.add_stack({record::native_frame(3, 0x1234), record::native_frame(9, 1)}, {python});
    writer.add_slot(Kind::semaphore, State::live, "/s").stack = stack;

    const RecordFile record = read(writer);
    EXPECT_TRUE(record.complete);
    ASSERT_TRUE(record.stacks.contains(stack));
    EXPECT_THAT(record.stacks.at(stack).native,
                ElementsAre(record::native_frame(3, 0x1234), record::native_frame(9, 1)));
    ASSERT_EQ(record.stacks.at(stack).python.size(), 1U);
    EXPECT_EQ(record.strings.at(record.stacks.at(stack).python[0].function), "make");
    ASSERT_TRUE(record.modules.contains(3));
    EXPECT_EQ(record.modules.at(3).path, "/usr/lib/libc.so.6");
    EXPECT_EQ(record.modules.at(3).build_id, "12ef");
    EXPECT_EQ(record.modules.at(3).base, 0x7f0000000000U);
}

// A kill between taking the room and writing the size: what follows is reached by its id.
TEST_F(Records, ReadsOnBehindATornItem) {
    RecordWriter writer;
    const record::ItemId torn = writer.add_string("never finished");
    const record::ItemId stack = writer.add_stack({record::native_frame(1, 2)});
    writer.add_module(1, "/bin/x", 0x1000);
    writer.add_slot(Kind::semaphore, State::live, "/s").stack = stack;
    writer.item_at(torn).type = 0;
    writer.item_at(torn).size = 0;
    const RecordFile record = read(writer);
    EXPECT_TRUE(record.complete);
    EXPECT_TRUE(record.stacks.contains(stack));
    EXPECT_TRUE(record.modules.contains(1));
}

TEST_F(Records, PagesGivenBackAreNoDamage) {
    RecordWriter writer;
    record::Slot& slot = writer.add_slot(Kind::process, State::ended, "/bin/true");
    slot.stack = writer.add_stack({1});
    std::string bytes(writer.bytes());
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(writer.arena_offset()), bytes.end(), '\0');
    test::write_file(file_, bytes);
    RecordFile record = read_record(file_);
    EXPECT_TRUE(record.complete);
    EXPECT_EQ(record.slots.size(), 1U);

    std::fill(bytes.begin() + record::header_size, bytes.end(), '\0');
    test::write_file(file_, bytes);
    record = read_record(file_);
    EXPECT_TRUE(record.complete);
    EXPECT_TRUE(record.slots.empty());
}

// A process at work: what is read of a slot is of one moment, long names included.
// Else a chunk that was added after the file was opened would be taken for one that is cut off.
TEST_F(Records, AFileIsAsLargeAsItIsNow) {
    const auto path = folder_ / "growing";
    test::write_file(path, "1234");
    const records::File file(path);
    EXPECT_EQ(file.size(), 4U);
    test::write_file(path, "12345678");
    EXPECT_EQ(file.size(), 8U);
}

TEST_F(Records, ReadsWholeSlotsOfALivingProcess) {
    RecordWriter writer;
    const auto name_of = [](std::uint64_t number) {
        return std::to_string(number) + std::string(100, static_cast<char>('a' + number % 26));
    };
    for (std::uint64_t i = 0; i < 30; ++i) {
        writer.add_slot(Kind::temporary_file, State::live, name_of(i + 100)).a = i + 100;
    }
    writer.save(file_);
    const int fd = ::open(file_.c_str(), O_RDWR);
    void* mapping = ::mmap(nullptr, writer.bytes().size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ASSERT_NE(mapping, MAP_FAILED);
    ::close(fd);
    auto* slots = reinterpret_cast<record::Slot*>(static_cast<char*>(mapping) + record::header_size +
                                                  writer.slot_chunk().slots_offset);
    std::atomic<bool> stop = false;
    std::thread worker([&] {
        for (std::uint64_t number = 200; !stop; number = number < 900 ? number + 1 : 200) {
            record::Slot& slot = slots[number % 30 * 2];
            char* tail = reinterpret_cast<char*>(&slot + 1) + record::tail_offset;
            const std::string name = name_of(number);
            const std::uint32_t generation = (slot.state.load() >> 8) + 1;
            slot.state = generation << 8 | static_cast<std::uint32_t>(State::claimed);
            slot.a = number;
            std::memcpy(slot.name, name.data(), sizeof slot.name);
            std::memcpy(tail, name.data() + sizeof slot.name, name.size() - sizeof slot.name);
            slot.state = generation << 8 | static_cast<std::uint32_t>(State::live);
        }
    });
    for (int round = 0; round < 300; ++round) {
        const RecordFile record = read_record(file_);
        EXPECT_TRUE(record.complete) << record.trouble;
        for (const Slot& slot : record.slots) EXPECT_EQ(slot.name, name_of(slot.a));
    }
    stop = true;
    worker.join();
    ::munmap(mapping, writer.bytes().size());
}

}  // namespace
}  // namespace leftover::records
