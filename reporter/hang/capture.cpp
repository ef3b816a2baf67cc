#include "reporter/hang/capture.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/syscall.h>

#include <algorithm>

#include "reporter/hang/native_stack.h"
#include "reporter/kernel/process.h"
#include "reporter/kernel/text.h"

namespace leftover::hang {
namespace {

using Outcome = StoppedThread::Outcome;

constexpr std::size_t most_native = 256;
constexpr std::size_t most_python = 1000;

std::vector<int> threads_of(int pid) {
    std::vector<int> tids;
    DIR* folder = ::opendir(fmt::format("/proc/{}/task", pid).c_str());
    if (folder == nullptr) return tids;
    while (const dirent* entry = ::readdir(folder)) {
        if (const auto tid = kernel::parse_number<int>(entry->d_name)) tids.push_back(*tid);
    }
    ::closedir(folder);
    // The first one first, the others by age as long as numbers do not begin anew.
    std::sort(tids.begin(), tids.end(), [pid](int one, int other) {
        return std::pair(one != pid, one) < std::pair(other != pid, other);
    });
    return tids;
}

int inner_tid(int pid, int tid) {
    int inner = tid;
    kernel::each_line(kernel::read_text(fmt::format("/proc/{}/task/{}/status", pid, tid)), [&](std::string_view line) {
        const auto words = kernel::split_words(line);
        if (words.size() > 1 && words[0] == "NSpid:") inner = kernel::parse_number<int>(words.back()).value_or(tid);
    });
    return inner;
}

// Where the code does not tell which call it was that the kernel began anew: the three that it does
// this with sleep in places of their own.
long begun_anew(int pid, int tid) {
    const std::string place = kernel::read_text(fmt::format("/proc/{}/task/{}/wchan", pid, tid));
    if (place.find("futex") != place.npos) return SYS_futex;
    if (place.find("nanosleep") != place.npos) return SYS_clock_nanosleep;
#ifdef SYS_poll
    if (place.find("poll") != place.npos) return SYS_poll;
#else
    if (place.find("poll") != place.npos) return SYS_ppoll;
#endif
    return -1;
}

class ProcessCapture {
public:
    explicit ProcessCapture(CapturedProcess& process)
        : process_(process), stacks_(*process.images) {}

    bool add(int tid) {
        const int pid = process_.pid;
        const auto stat = kernel::parse_stat(kernel::read_text(fmt::format("/proc/{}/task/{}/stat", pid, tid)));
        if (!stat || stat->state == 'X') return false;
        CapturedThread thread;
        thread.tid = tid;
        thread.inner_tid = process_.is_inner ? inner_tid(pid, tid) : tid;
        thread.name = stat->comm;
        thread.state = stat->state;
        if (stat->state != 'Z') look(thread);
        process_.threads.push_back(std::move(thread));
        return true;
    }

private:
    void look(CapturedThread& thread) {
        const Call before = read_call(process_.pid, thread.tid);
        const long anew = before.number == SYS_restart_syscall ? begun_anew(process_.pid, thread.tid) : -1;
        const StoppedThread stopped(process_.pid, thread.tid);
        thread.outcome = stopped.outcome();
        Memory memory(process_.pid);
        Registers registers;
        const bool has_registers = stopped.outcome() == Outcome::stopped && read_registers(thread.tid, registers);
        if (!has_registers) {
            if (thread.outcome != Outcome::gone) wait_for(thread, before, memory, anew);
            return;
        }
        Call call = registers.call();
        if (call.number < 0 && before.number >= 0 && is_same_place(before, registers)) call = before;
        std::array<unsigned char, 12> code{};
        long number = memory.read(registers.pc() - code.size(), code.data(), code.size()) ? number_in_code(code) : -1;
        if (number < 0) number = anew;
        wait_for(thread, call, memory, number);
        thread.thread_pointer = registers.thread_pointer;
        thread.sp = registers.sp();
        thread.native = stacks_.read(registers, memory, most_native);
        if (!process_.python) return;
        thread.python_state = process_.python->state_of(memory, thread.thread_pointer);
        if (thread.python_state == 0) return;
        thread.python = process_.python->frames(memory, thread.python_state, most_python);
        thread.end_lock = process_.python->end_lock(memory, thread.python_state);
    }

    // Where the registers do not tell of a call, what was there just before does if nothing moved.
    static bool is_same_place(const Call&, const Registers&) {
#if defined(__x86_64__)
        return false;
#else
        return true;
#endif
    }

    static void wait_for(CapturedThread& thread, const Call& call, Memory& memory, long number) {
        thread.wait = decode(call, memory, number);
        if (thread.wait.what != Wait::What::futex) return;
        Surroundings& around = thread.around;
        around.is_known =
            memory.read(thread.wait.address - Surroundings::before, around.bytes.data(), around.bytes.size());
        // It may be the first of its mapping.
        if (!around.is_known) {
            around.is_known = memory.read(thread.wait.address, around.bytes.data() + Surroundings::before,
                                          around.bytes.size() - Surroundings::before);
        }
    }

    CapturedProcess& process_;
    NativeStacks stacks_;
};

}  // namespace

std::vector<CapturedProcess> capture(const std::vector<int>& pids) {
    std::vector<CapturedProcess> processes;
    const std::uint64_t own_namespace = kernel::own_pid_namespace();
    for (const int pid : pids) {
        const auto stat = kernel::read_stat(pid);
        if (!stat || !kernel::is_alive(*stat)) continue;
        CapturedProcess process;
        process.pid = pid;
        const std::uint64_t space = kernel::read_pid_namespace(pid);
        process.is_inner = space != 0 && space != own_namespace;
        process.command = kernel::read_command(pid);
        if (process.command.empty()) process.command = {stat->comm};
        process.images = std::make_unique<Images>(pid);
        process.python = process.images->all().empty() ? std::nullopt : Python::find(*process.images);
        {
            ProcessCapture capturing(process);
            for (const int tid : threads_of(pid)) capturing.add(tid);
        }
        const auto any = [&](Outcome outcome) {
            return std::any_of(process.threads.begin(), process.threads.end(),
                               [=](const CapturedThread& thread) { return thread.outcome == outcome; });
        };
        if (any(Outcome::traced)) process.tracer = tracer_of(pid);
        process.is_refused = any(Outcome::refused);
        if (!process.threads.empty()) processes.push_back(std::move(process));
    }
    return processes;
}

}  // namespace leftover::hang
