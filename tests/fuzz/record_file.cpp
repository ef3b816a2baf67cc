// Record files, as they are read and judged. An input is either a whole record, when it begins with the
// magic, or a list of changes to a good one: two bytes of offset, one of length, the bytes. So inputs
// stay small, and each changes something that is read.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "reporter/findings/fingerprint.h"
#include "reporter/judge/judge.h"
#include "reporter/kernel/file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/record_writer.h"
#include "tests/support/temporary_folder.h"

using namespace leftover;

namespace {

// A machine that holds some of what the record tells of.
class Machine {
public:
    Machine() {
        for (const char* name : {"proc", "shm", "mqueue"}) std::filesystem::create_directory(folder / name);
        for (const char* name : {"shm/sem.one", "shm/two", "long"}) test::write_file(folder / name, "something");
        options.roots = {folder / "proc", folder / "shm", folder / "mqueue"};
    }

    test::TemporaryFolder folder;
    JudgeOptions options;
};

void add_file(test::RecordWriter& writer, Kind kind, record::State state, const std::string& name,
              const std::filesystem::path& file, record::ItemId stack) {
    record::Slot& slot = writer.add_slot(kind, state, name);
    const auto facts = kernel::file_facts(file);
    slot.a = facts->id.inode;
    slot.b = facts->id.device;
    slot.created_ns = static_cast<std::uint64_t>(facts->born);
    slot.d = static_cast<std::uint64_t>(facts->born);
    slot.stack = stack;
}

// A bit of everything: kinds, states, a name in pieces, a stack of both languages, modules.
std::string make_good_record(const Machine& machine) {
    test::RecordWriter writer(64, 2048);
    record::Header& header = writer.header();
    header.flags = record::root;
    header.started_ns = header.opened_ns = 1'700'000'000'000'000'000;
    writer.set_text(header.session, "fuzzed");
    writer.set_text(header.executable, "/usr/bin/program");
    writer.set_text(header.cwd, "/home/user");
    writer.set_command({"program", "--option"});
    const record::ItemId function = writer.add_string("make");
    const record::ItemId file = writer.add_string("train.py");
    writer.add_module(1, "/usr/lib/libleftover.so", 0x7f0000000000);
    writer.add_module(2, "/usr/bin/program", 0);
    const record::ItemId stack = writer.add_stack({record::native_frame(1, 0x100), record::native_frame(2, 0x200)},
                                                  {{function, file, 4, 0}});
    const auto& folder = machine.folder;
    add_file(writer, Kind::semaphore, record::State::live, "/one", folder / "shm/sem.one", stack);
    add_file(writer, Kind::shared_memory, record::State::live, "/two", folder / "shm/two", stack);
    add_file(writer, Kind::temporary_file, record::State::live,
             (folder / std::string(300, '/')).string() + "long", folder / "long", stack);
    writer.add_slot(Kind::semaphore, record::State::intent, "/half");
    writer.add_slot(Kind::socket_file, record::State::intent, "/no/socket");
    for (const Kind kind : {Kind::message_queue, Kind::sysv_shared_memory, Kind::sysv_semaphore, Kind::thread,
                            Kind::detached_thread, Kind::timer, Kind::file_descriptor, Kind::zombie}) {
        record::Slot& slot = writer.add_slot(kind, record::State::live, "/name");
        slot.a = slot.b = 7;
        slot.d = record::native_frame(2, 0x300);
        slot.stack = stack;
    }
    for (const record::State state : {record::State::live, record::State::ended}) {
        record::Slot& child = writer.add_slot(Kind::process, state, "/bin/true");
        child.a = 101;
        child.b = 5000;
        child.c = 6000;
        child.flags = record::execed;
        child.stack = stack;
    }
    header.counters[static_cast<std::size_t>(Kind::semaphore)].created = 2;
    return std::string(writer.bytes());
}

std::string changed(std::string record, std::string_view changes) {
    while (changes.size() >= 3) {
        const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(changes[at]); };
        const std::size_t offset = std::size_t{byte(0)} << 8 | byte(1);
        const std::size_t size = std::min<std::size_t>(byte(2), changes.size() - 3);
        // Nothing to put there: the record is cut off.
        if (size == 0) record.resize(std::min(record.size(), offset));
        for (std::size_t i = 0; i < size && offset + i < record.size(); ++i) record[offset + i] = changes[3 + i];
        changes.remove_prefix(3 + size);
    }
    return record;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Machine machine;
    static const std::string good = make_good_record(machine);
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::string record =
        input.starts_with(std::string_view(record::magic, sizeof record::magic)) ? std::string(input) : changed(good, input);

    const int file = ::memfd_create("record", MFD_CLOEXEC);
    if (file < 0 || ::write(file, record.data(), record.size()) != static_cast<ssize_t>(record.size())) {
        fuzz::fail("no memory for the record", "");
    }
    Report report;
    try {
        report = judge_records({"/proc/self/fd/" + std::to_string(file)}, machine.options);
    } catch (const std::runtime_error&) {
        // the one line for the user
    }
    ::close(file);
    if (report.sessions.empty()) return 0;
    findings::fingerprint(report);
    fuzz::expect_round_trip(report);
    fuzz::render_all(report);
    return 0;
}
