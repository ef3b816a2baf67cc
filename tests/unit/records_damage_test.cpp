// Records that were torn, cut off, or were never any.
#include "reporter/records/record_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <random>

#include "tests/support/record_writer.h"
#include "tests/support/temporary_folder.h"

namespace leftover::records {
namespace {

using record::State;
using test::RecordWriter;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class DamagedRecords : public ::testing::Test {
protected:
    RecordFile read(const RecordWriter& writer, std::size_t size = std::string_view::npos) {
        writer.save(file_, size);
        return read_record(file_);
    }

    // The one line for a file that cannot be read.
    std::string objection(std::string_view bytes) {
        test::write_file(file_, bytes);
        try {
            read_record(file_);
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return "none";
    }

    test::TemporaryFolder folder_;
    std::filesystem::path file_ = folder_ / "1-2-0.record";
};

TEST_F(DamagedRecords, SurvivesLoopsInNames) {
    RecordWriter writer;
    record::Slot& first = writer.add_slot(Kind::temporary_file, State::live, std::string(400, 'x'));
    record::Slot& second = writer.add_slot(Kind::temporary_file, State::live, std::string(60, 'y'));
    writer.slot_at(2).next = first.next;  // back to the first piece
    second.next = first.next;             // and somebody else's pieces
    writer.add_slot(Kind::semaphore, State::live, "/fine");

    const RecordFile record = read(writer);
    ASSERT_EQ(record.slots.size(), 3U);
    EXPECT_TRUE(record.slots[0].name_cut);
    EXPECT_TRUE(record.slots[1].name_cut);
    EXPECT_EQ(record.slots[2].name, "/fine");
    EXPECT_FALSE(record.complete);
    EXPECT_THAT(record.trouble, HasSubstr("name"));
}

TEST_F(DamagedRecords, RefusesWhatIsNoRecord) {
    RecordWriter writer;
    const auto with = [&](auto change) {
        RecordWriter copy = writer;
        change(copy.header());
        return objection(copy.bytes());
    };
    EXPECT_THAT(objection(""), HasSubstr("empty"));
    EXPECT_THAT(objection("{\"schema\": \"leftover.report/1\"}"), HasSubstr("not a leftover record"));
    EXPECT_THAT(objection(writer.bytes().substr(0, 200)), HasSubstr("cut off"));
    EXPECT_THAT(with([](auto& h) { h.version = 9; }), HasSubstr("version"));
    EXPECT_THAT(with([](auto& h) { h.byte_order = 0x04030201; }), HasSubstr("byte order"));
    EXPECT_THAT(with([](auto& h) { h.slot_size = 64; }), HasSubstr("layout"));
    EXPECT_THAT(with([](auto& h) { h.header_size = 100; }), HasSubstr("layout"));
    EXPECT_THAT(objection("x"), StartsWith(file_.string() + ": "));

    std::filesystem::remove(file_);
    EXPECT_THROW(read_record(file_), std::runtime_error);
    EXPECT_THROW(read_record(folder_.path()), std::runtime_error);
    ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
    EXPECT_THROW(read_record(file_), std::runtime_error);
}

TEST_F(DamagedRecords, KnowsARecordThatWasNeverBegun) {
    RecordWriter writer;
    std::memset(writer.header().magic, 0, sizeof writer.header().magic);
    writer.save(file_);
    EXPECT_THROW(read_record(file_), NeverBegun);
}

TEST_F(DamagedRecords, ReadsWhatIsThereOfACutOffFile) {
    RecordWriter writer;
    for (int i = 0; i < 100; ++i) writer.add_slot(Kind::semaphore, State::live, "/s");
    const std::size_t slots = record::header_size + writer.slot_chunk().slots_offset;
    const RecordFile record = read(writer, slots + 50 * sizeof(record::Slot) + 7);
    EXPECT_FALSE(record.complete);
    EXPECT_EQ(record.slots.size(), 50U);
    for (std::size_t size = sizeof(record::Header); size < writer.bytes().size(); size += 997) {
        EXPECT_FALSE(read(writer, size).complete) << size;
    }
}

TEST_F(DamagedRecords, DoesNotTrustNumbers) {
    const auto damaged = [&](auto change) {
        RecordWriter writer;
        record::Slot& slot = writer.add_slot(Kind::semaphore, State::live, "/s");
        slot.stack = writer.add_stack({1, 2, 3});
        change(writer, slot);
        return !read(writer).complete;
    };
    EXPECT_FALSE(damaged([](auto&, auto&) {}));
    EXPECT_TRUE(damaged([](auto&, auto& slot) { slot.kind = static_cast<Kind>(200); }));
    EXPECT_TRUE(damaged([](auto&, auto& slot) { slot.stack = 0xffffffff; }));
    EXPECT_TRUE(damaged([](auto&, auto& slot) { slot.name_size = 0xffff; }));
    EXPECT_TRUE(damaged([](auto& w, auto&) { w.slot_chunk().capacity = 0xffffffc0; }));
    EXPECT_TRUE(damaged([](auto& w, auto&) { w.slot_chunk().capacity = 100; }));
    EXPECT_TRUE(damaged([](auto& w, auto&) { w.slot_chunk().bitmap_offset = 0xfffffff0; }));
    EXPECT_TRUE(damaged([](auto& w, auto&) { w.slot_chunk().slots_offset = 0xfffffff0; }));
    EXPECT_TRUE(damaged([](auto& w, auto&) { w.arena_chunk().first_item = 3; }));
    EXPECT_TRUE(damaged([](auto& w, auto&) { w.header().chunks[0].offset = ~0ULL; }));
    EXPECT_TRUE(damaged([](auto& w, auto&) { w.header().chunks[1].size = ~0ULL; }));
    EXPECT_TRUE(damaged([](auto& w, auto&) { w.header().chunks[5].type = 77; }));
    EXPECT_TRUE(damaged([](auto& w, auto& slot) { w.item_at(slot.stack).size = 1 << 30; }));
    EXPECT_TRUE(damaged([](auto& w, auto& slot) { w.item_at(slot.stack).type = 9; }));
}

// Whatever is in the file, reading it ends and does no harm.
TEST_F(DamagedRecords, SurvivesRandomDamage) {
    RecordWriter writer(64, 4096);
    const record::ItemId stack = writer.add_stack({1, 2}, {{writer.add_string("f"), 0, 1, 0}});
    writer.add_slot(Kind::semaphore, State::live, "/s").stack = stack;
    writer.add_slot(Kind::temporary_file, State::live, std::string(300, 'n'));
    writer.add_module(0, "/m", 1);
    std::mt19937 random(1);
    for (int round = 0; round < 500; ++round) {
        std::string bytes(writer.bytes());
        for (int i = 0; i < 30; ++i) {
            bytes[64 + random() % (bytes.size() - 64)] = static_cast<char>(random());
            bytes[record::header_size + random() % 3000] = static_cast<char>(random());
        }
        test::write_file(file_, bytes);
        EXPECT_NO_THROW(read_record(file_));
    }
}

}  // namespace
}  // namespace leftover::records
