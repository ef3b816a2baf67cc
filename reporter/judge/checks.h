// One check for each kind: which of its slots are leaks. A new kind is a new row in checks.cpp.
#pragma once

#include "reporter/judge/evidence.h"

namespace leftover::judge {

using Check = void (*)(const Evidence&, Findings&);

void check_processes(const Evidence& evidence, Findings& findings);
void check_semaphores(const Evidence& evidence, Findings& findings);
void check_shared_memory(const Evidence& evidence, Findings& findings);
void check_message_queues(const Evidence& evidence, Findings& findings);
void check_temporary_files(const Evidence& evidence, Findings& findings);
void check_temporary_directories(const Evidence& evidence, Findings& findings);
void check_socket_files(const Evidence& evidence, Findings& findings);
void check_sysv_shared_memory(const Evidence& evidence, Findings& findings);
void check_sysv_semaphores(const Evidence& evidence, Findings& findings);
void check_sysv_message_queues(const Evidence& evidence, Findings& findings);
void check_zombies(const Evidence& evidence, Findings& findings);
void check_threads(const Evidence& evidence, Findings& findings);  // detached ones, too
void check_file_descriptors(const Evidence& evidence, Findings& findings);
void check_timers(const Evidence& evidence, Findings& findings);

// Runs the checks of all kinds.
void check_all(const Evidence& evidence, Findings& findings);

}  // namespace leftover::judge
