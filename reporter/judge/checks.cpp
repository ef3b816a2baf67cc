#include "reporter/judge/checks.h"

#include <array>

namespace leftover::judge {

namespace {

constexpr std::array<Check, record::kind_count> check_of = [] {
    std::array<Check, record::kind_count> table{};
    const auto set = [&table](Kind kind, Check check) {
        table[static_cast<std::size_t>(kind)] = check;
    };
    set(Kind::process, check_processes);
    set(Kind::semaphore, check_semaphores);
    set(Kind::shared_memory, check_shared_memory);
    set(Kind::message_queue, check_message_queues);
    set(Kind::sysv_shared_memory, check_sysv_shared_memory);
    set(Kind::sysv_semaphore, check_sysv_semaphores);
    set(Kind::sysv_message_queue, check_sysv_message_queues);
    set(Kind::temporary_file, check_temporary_files);
    set(Kind::temporary_directory, check_temporary_directories);
    set(Kind::socket_file, check_socket_files);
    set(Kind::zombie, check_zombies);
    set(Kind::thread, check_threads);
    set(Kind::file_descriptor, check_file_descriptors);
    set(Kind::timer, check_timers);
    // Not judged yet: file_descriptor. detached_thread is judged with thread.
    return table;
}();

}  // namespace

void check_all(const Evidence& evidence, Findings& findings) {
    for (const Check check : check_of) {
        if (check != nullptr) check(evidence, findings);
    }
}

}  // namespace leftover::judge
