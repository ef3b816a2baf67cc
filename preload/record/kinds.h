// The table of resource kinds: one row a kind, from which the shim, the reporter and the JSON schema
// take its name, its severity and how it is cleaned up. A new kind is a new row.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leftover::record {

enum class Severity : std::uint8_t { note, warning, error };

// What ends the resource from outside, after the process that made it is gone.
enum class Cleanup : std::uint8_t {
    none,       // the kernel does it when the process ends
    terminate,  // a process: TERM, then KILL
    unlink,     // a name in a file system
    remove,     // a System V id, or a directory with all below it
};

// clang-format off
//       identifier            severity  cleanup    outlives its process
#define LEFTOVER_KINDS(ROW)                                \
    ROW(process,               error,    terminate, true)  \
    ROW(semaphore,             error,    unlink,    true)  \
    ROW(shared_memory,         error,    unlink,    true)  \
    ROW(message_queue,         error,    unlink,    true)  \
    ROW(sysv_shared_memory,    error,    remove,    true)  \
    ROW(sysv_semaphore,        error,    remove,    true)  \
    ROW(sysv_message_queue,    error,    remove,    true)  \
    ROW(temporary_file,        error,    unlink,    true)  \
    ROW(temporary_directory,   error,    remove,    true)  \
    ROW(socket_file,           error,    unlink,    true)  \
    ROW(zombie,                warning,  none,      false) \
    ROW(thread,                warning,  none,      false) \
    ROW(detached_thread,       note,     none,      false) \
    ROW(file_descriptor,       note,     none,      false) \
    ROW(timer,                 note,     none,      false)
// clang-format on

enum class Kind : std::uint8_t {
#define LEFTOVER_ENUMERATOR(id, severity, cleanup, outlives) id,
    LEFTOVER_KINDS(LEFTOVER_ENUMERATOR)
#undef LEFTOVER_ENUMERATOR
};

struct KindRow {
    std::string_view name;  // as in JSON and in option lists
    Severity severity;      // a running `thread` is a note all the same
    Cleanup cleanup;
    bool outlives_process;
};

inline constexpr std::array kind_table{
#define LEFTOVER_ROW(id, severity, cleanup, outlives) \
    KindRow{#id, Severity::severity, Cleanup::cleanup, outlives},
    LEFTOVER_KINDS(LEFTOVER_ROW)
#undef LEFTOVER_ROW
};

inline constexpr std::size_t kind_count = kind_table.size();

constexpr const KindRow& row(Kind kind) { return kind_table[static_cast<std::size_t>(kind)]; }

constexpr std::uint32_t bit(Kind kind) { return 1U << static_cast<unsigned>(kind); }

inline constexpr std::uint32_t all_kinds = (1U << kind_count) - 1;

}  // namespace leftover::record
