// A small report with a bit of everything, for the tests of what reads, writes and shows reports.
#pragma once

#include "reporter/model/model.h"

namespace leftover::test {

inline constexpr Time start = 1'767'323'045'678'901'000;  // 2026-01-02T03:04:05.678901Z
inline constexpr Time millisecond = 1'000'000;

inline Leak make_leak(Kind kind, const std::string& name, int pid) {
    Leak leak;
    leak.kind = kind;
    leak.severity = record::row(kind).severity;
    leak.name = name;
    leak.pid = pid;
    leak.tid = pid;
    leak.thread_name = "python3";
    leak.created_at = start + 250 * millisecond;
    leak.session = "s1";
    return leak;
}

inline Leak make_semaphore(const std::string& name, int pid, std::uint64_t inode) {
    Leak leak = make_leak(Kind::semaphore, name, pid);
    leak.details.path = "/dev/shm/sem." + name.substr(1);
    leak.details.inode = inode;
    leak.details.bytes = 32;
    return leak;
}

inline Leak make_process(int pid, int creator) {
    Leak leak = make_leak(Kind::process, "python3.11", creator);
    MoreDetails& more = leak.details.more.edit();
    more.pid = pid;
    more.command = {"python3", "-c", "from multiprocessing.spawn import spawn_main"};
    more.state = "S";
    more.resident_bytes = 45 << 20;
    return leak;
}

inline ProcessInfo make_process_info(int pid, int ppid, std::vector<std::string> command) {
    ProcessInfo process;
    process.pid = pid;
    process.ppid = ppid;
    process.started_at = start + pid * millisecond;
    process.executable = "/usr/bin/python3.11";
    process.command = std::move(command);
    process.session = "s1";
    return process;
}

// One session: `python3 train.py`, killed by SIGTERM, pid 12. Stack 1 is a pool made in train.py.
inline Report make_report() {
    Report report;
    Session session;
    session.id = "s1";
    session.command = {"python3", "train.py"};
    session.cwd = "/home/user";
    session.host = {"host", "6.1.0", "x86_64"};
    session.started_at = start;
    session.duration_seconds = 12.5;
    session.exit.signal = 15;
    session.labels = {{"job", "42"}};
    report.sessions.push_back(session);

    ProcessInfo process = make_process_info(12, 11, {"python3", "train.py"});
    process.ended_at = start + 12'000 * millisecond;
    process.exit.signal = 15;
    process.counts[Kind::semaphore] = {3, 0, 3};
    report.processes.push_back(process);

    report.modules = {{1, "/usr/lib/leftover/libleftover.so", "0a1b2c", 0x7f0000000000},
                      {2, "/usr/bin/python3.11", "", 0x400000}};
    Stack stack;
    stack.id = 1;
    stack.python = {{"__init__", "/usr/lib/python3.11/multiprocessing/synchronize.py", 57},
                    {"_find_and_load", "<frozen importlib._bootstrap>", 1176},
                    {"main", "train.py", 14}};
    NativeFrame call;
    call.address = 0x7f0000001234;
    call.module = 1;
    call.offset = 0x1234;
    call.function = "sem_open";
    NativeFrame interpreter;
    interpreter.address = 0x412345;
    interpreter.module = 2;
    interpreter.offset = 0x12345;
    stack.native = {call, interpreter};
    report.stacks.push_back(stack);

    for (int i = 0; i < 3; ++i) {
        Leak leak = make_semaphore("/mp-" + std::to_string(i), 12, 70 + static_cast<unsigned>(i));
        leak.stack = 1;
        report.leaks.push_back(leak);
    }
    report.leaks.push_back(make_process(13, 12));
    return report;
}

}  // namespace leftover::test
