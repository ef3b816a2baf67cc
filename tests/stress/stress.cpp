// leftover_stress [ROUNDS]: threads that claim, name, publish, find, confirm, retire and release slots,
// make slot tables and arenas grow, capture and intern stacks, while others fork, unwind and lag in the middle of
// that, and a reader goes over the record as the launcher does. Built for ThreadSanitizer and for Helgrind. Says what is wrong, and ends with 1.
//
// The shim initialises itself before main, from our variable: the program executes itself with it set.
#include <libunwind.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "preload/core/arena.h"
#include "preload/core/environment.h"
#include "preload/core/hook.h"
#include "preload/core/mapping.h"
#include "preload/core/process.h"
#include "preload/core/slots.h"
#include "preload/core/stacks.h"
#include "preload/core/unwind_lock.h"
#include "reporter/records/record_file.h"

using namespace leftover;

namespace {

std::atomic<bool> finished{false};
std::atomic<int> failures{0};

void expect(bool condition, const char* what) {
    if (condition) return;
    if (failures.fetch_add(1) < 20) std::fprintf(stderr, "stress: not so: %s\n", what);
}

// Cheap, and each thread's own.
class Chance {
public:
    explicit Chance(std::uint64_t seed) : state_(seed * 2654435761U + 1) {}
    std::uint32_t below(std::uint32_t limit) {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        return static_cast<std::uint32_t>(state_ >> 33) % limit;
    }

private:
    std::uint64_t state_;
};

// A name that tells whether it is whole: "/LENGTH-" and then one letter over and over.
std::string make_name(std::uint32_t length, std::uint32_t number) {
    std::string name = "/" + std::to_string(length) + "-" + std::to_string(number) + "-";
    name.resize(std::max<std::size_t>(name.size() + 1, length), static_cast<char>('a' + number % 26));
    return name;
}

bool is_whole(std::string_view name) {
    const std::uint32_t length = static_cast<std::uint32_t>(std::atoi(std::string(name.substr(1)).c_str()));
    const std::size_t dash = name.find('-');
    if (dash == name.npos) return false;
    return name == make_name(length, static_cast<std::uint32_t>(std::atoi(std::string(name.substr(dash + 1)).c_str())));
}

// Different stacks: of each depth, and of each of two ways down.
__attribute__((noinline)) record::ItemId capture_at(unsigned depth, std::uint32_t way);
__attribute__((noinline)) record::ItemId capture_odd(unsigned depth, std::uint32_t way) {
    const record::ItemId id = capture_at(depth - 1, way >> 1);
    asm volatile("");
    return id;
}
__attribute__((noinline)) record::ItemId capture_at(unsigned depth, std::uint32_t way) {
    if (depth == 0) return capture_stack(*writable_record());
    const record::ItemId id = (way & 1) != 0 ? capture_odd(depth, way) : capture_at(depth - 1, way >> 1);
    asm volatile("");
    return id;
}

// What a hook that creates does.
SlotRef create(record::Kind kind, const std::string& name, record::ItemId stack, bool confirmed) {
    const SlotRef ref = claim_slot(kind);
    if (!ref) return ref;
    name_slot(ref, name);
    ref.slot->stack.store(stack, std::memory_order_relaxed);
    publish_intent(ref, key_of_name(kind, name));
    if (confirmed) confirm_slot(ref);
    return ref;
}

void use_names(Chance& chance) {
    // Few names, so that threads find and release each other's.
    const std::string name = make_name(chance.below(4) == 0 ? 60 + chance.below(400) : 8 + chance.below(30), chance.below(40));
    const record::ItemId stack = capture_at(chance.below(8), chance.below(256));
    const SlotRef ref = create(record::Kind::semaphore, name, stack, true);
    expect(static_cast<bool>(ref), "a slot is there");
    const SlotRef found = find_slot(record::Kind::semaphore, name);
    if (found) release_slot(found, key_of_name(record::Kind::semaphore, name));
    release_slot(ref);
}

void use_numbers(Chance& chance, std::uint64_t thread) {
    const SlotRef ref = claim_slot(record::Kind::timer);
    if (!ref) return expect(false, "a slot is there");
    const std::uint64_t number = thread << 32 | (chance.below(1000) + 1);
    ref.slot->a.store(number, std::memory_order_relaxed);
    publish_slot(ref, record::State::live);
    const SlotRef found = find_slot(record::Kind::timer, number);
    expect(found.slot == ref.slot, "found by its number");
    release_slot(ref);
    expect(!find_slot(record::Kind::timer, number), "gone");
}

void use_children(std::uint64_t thread, std::uint32_t round) {
    const SlotRef ref = claim_slot(record::Kind::process);
    if (!ref) return expect(false, "a slot is there");
    publish_slot(ref, record::State::intent);
    const std::uint64_t pid = (thread + 1) << 32 | (round + 1);
    ref.slot->a.store(pid, std::memory_order_release);
    confirm_slot(ref);
    index_slot_by_number(ref);
    const SlotRef found = find_slot(record::Kind::process, pid);
    expect(found.slot == ref.slot, "a child is found by its pid");
    retire_slot(ref);
}

// More live at once than there is room for: the tables grow.
void hold_many(Chance& chance, std::uint64_t thread) {
    std::vector<std::pair<SlotRef, std::string>> held;
    for (std::uint32_t i = 0; i < 300; ++i) {
        const std::string name = make_name(40, static_cast<std::uint32_t>(thread * 1000 + i));
        held.emplace_back(create(record::Kind::shared_memory, name, 0, chance.below(8) != 0), name);
    }
    for (const auto& [ref, name] : held) {
        expect(static_cast<bool>(ref), "a slot is there");
        expect(find_slot(record::Kind::shared_memory, name).slot == ref.slot, "found by its name");
    }
    for (const auto& [ref, name] : held) release_slot(ref);
}

void intern_some(Chance& chance) {
    Mapping& mapping = *writable_record();
    const std::string text = make_name(10 + chance.below(200), chance.below(3000));
    const record::ItemId once = intern_string(mapping, text);
    expect(once != 0 && intern_string(mapping, text) != 0, "a string is kept");
}

void work(std::uint64_t thread, std::uint32_t rounds) {
    Chance chance(thread);
    for (std::uint32_t round = 0; round < rounds; ++round) {
        Entry entry(record::Kind::semaphore);
        use_names(chance);
        use_numbers(chance, thread);
        use_children(thread, round);
        intern_some(chance);
        if (round % 100 == 50) hold_many(chance, thread);
    }
}

// With all of the unwinder's locks, of which nothing is remembered.
void unwind() {
    if (!begin_unwind()) return;
    void* frames[32];
    unw_flush_cache(unw_local_addr_space, 0, 0);
    unw_backtrace(frames, 32);
    end_unwind();
}

void unwind_often() {
    while (!finished.load()) unwind();
}

// A thread that is stopped, or gets no processor, in the middle of it: longer than a fork waits.
void lag_often() {
    while (!finished.load()) {
        const bool begun = begin_unwind();
        std::this_thread::sleep_for(std::chrono::milliseconds(150));
        if (begun) end_unwind();
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
    }
}

// One that hangs, with all signals blocked as the unwinder does it, is told, and keeps nobody.
bool waited_for(pid_t child, int& status) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (;;) {
        const pid_t got = waitpid(child, &status, WNOHANG);
        if (got != 0) return got == child;
        if (std::chrono::steady_clock::now() > deadline) kill(child, SIGKILL);
        std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
}

// Real forks; each child takes in that it is one, and records.
void fork_often() {
    while (!finished.load()) {
        const pid_t child = fork();
        if (child == 0) {
            Entry entry(record::Kind::semaphore);
            const SlotRef ref = create(record::Kind::semaphore, "/8-1-b", capture_at(3, 1), true);
            const bool good = entry && ref && ref.slot->pid == static_cast<std::uint32_t>(getpid());
            if (good) release_slot(ref);
            unwind();
            _exit(good ? 0 : 1);
        }
        int status = 0;
        expect(child > 0 && waited_for(child, status), "a child is there");
        expect(!WIFSIGNALED(status), "a child ends by itself");
        expect(!WIFEXITED(status) || WEXITSTATUS(status) == 0, "a child records");
    }
}

// As the launcher does it: the file, while it is written to.
void read_often(const std::filesystem::path& file) {
    while (!finished.load()) {
        const records::RecordFile record = records::read_record(file);
        for (const records::Slot& slot : record.slots) {
            if (!slot.name.empty()) expect(is_whole(slot.name), "a name is whole");
        }
        if (!record.complete) std::fprintf(stderr, "stress: %s\n", record.trouble.c_str());
        expect(record.complete, "a record at work is complete");
    }
}

// A child may use the unwinder only when nobody was in the middle of it: also when an earlier fork has given up
// waiting for who is.
void expect_honest_forks() {
    const auto is_quiet = [] {
        const bool quiet = stop_unwinders();
        let_unwinders_go();
        return quiet;
    };
    std::atomic<int> turn{0};
    const auto await = [&turn](int wanted) {
        while (turn.load() != wanted) std::this_thread::yield();
    };
    std::thread slow([&] {
        for (const int begin : {1, 4}) {
            await(begin);
            expect(begin_unwind(), "it may unwind");
            turn.store(begin + 1);
            await(begin + 2);
            end_unwind();
            turn.store(begin + 2 == 6 ? 0 : -1);
        }
    });
    expect(is_quiet(), "nobody unwinds");
    turn.store(1);
    await(2);
    expect(!is_quiet(), "one that does not end is waited for no longer");
    expect(!is_quiet(), "and is still there");
    turn.store(3);
    await(-1);
    expect(is_quiet(), "it has ended");
    turn.store(4);
    await(5);
    expect(!is_quiet(), "the next one is waited for as well");
    turn.store(6);
    await(0);
    slow.join();
    expect(is_quiet(), "all have ended");
}

void expect_empty() {
    std::uint32_t published = 0;
    each_slot(*writable_record(), [&](const SlotRef& ref) {
        const auto state = static_cast<record::State>(ref.slot->state.load() & 0xff);
        if (state != record::State::ended) ++published;
    });
    expect(published == 0, "every slot was released");
    expect(writable_record()->header->lost.load() == 0, "nothing found no room");
    for (const record::Kind kind : {record::Kind::semaphore, record::Kind::timer, record::Kind::process, record::Kind::shared_memory}) {
        const record::Counter& counter = writable_record()->header->counters[static_cast<std::size_t>(kind)];
        expect(counter.created.load() > 0 && counter.created.load() == counter.released.load(), "created is released");
    }
}

int execute_again(char** words) {
    char folder[] = "/tmp/leftover-stress-XXXXXX";
    if (mkdtemp(folder) == nullptr) return 2;
    const std::string value = "1;id=stress;launcher=" + std::to_string(getppid()) +
                              ";depth=16;python=0;kinds=7fff;dir=" + folder;
    setenv(internal_variable, value.c_str(), 1);
    setenv("LEFTOVER_STRESS_FOLDER", folder, 1);
    execv("/proc/self/exe", words);
    return 2;
}

}  // namespace

int main(int count, char** words) {
    const char* folder = std::getenv("LEFTOVER_STRESS_FOLDER");
    if (folder == nullptr) return execute_again(words);
    const auto rounds = static_cast<std::uint32_t>(count > 1 ? std::atoi(words[1]) : 600);
    if (!options.active || writable_record() == nullptr) {
        std::fprintf(stderr, "stress: not initialised\n");
        return 2;
    }
    std::filesystem::path file;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() == ".record") file = entry.path();
    }

    expect_honest_forks();
    std::vector<std::thread> workers;
    for (std::uint64_t thread = 1; thread <= 8; ++thread) workers.emplace_back(work, thread, rounds);
    std::thread forker(fork_often);
    std::thread reader(read_often, file);
    std::vector<std::thread> unwinders;
    for (int i = 0; i < 2; ++i) unwinders.emplace_back(unwind_often);
    std::thread laggard(lag_often);
    for (std::thread& worker : workers) worker.join();
    finished.store(true);
    forker.join();
    reader.join();
    for (std::thread& unwinder : unwinders) unwinder.join();
    laggard.join();
    expect_empty();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    return failures.load() == 0 ? 0 : 1;
}
