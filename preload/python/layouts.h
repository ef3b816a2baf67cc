// Where each CPython keeps what a stack trace needs.
//
// Plain data about structures of other programs: usable in any context, for this process
// and for another one alike. layouts.cpp holds the numbers; tests/python_frames/layouts.py
// derives them from the headers of each version and compares.
#pragma once

#include <cstdint>

namespace leftover::python {

// How a code object maps an instruction to its line (its Objects/lnotab_notes.txt or
// locations.md tells, version by version).
enum class LineTable : std::uint8_t {
    lnotab_unsigned,  // 2.7: pairs of increments
    lnotab_signed,    // 3.6 to 3.9: line increments may be negative
    ranges,           // 3.10: pairs of range length and line delta
    locations,        // 3.11 on: variable length entries
};

struct Layout {
    static constexpr std::uint16_t absent = 0xffff;

    std::uint16_t version;  // major << 8 | minor
    LineTable line_table;

    // PyInterpreterState and PyThreadState
    std::uint16_t interpreter_next;
    std::uint16_t interpreter_threads;
    std::uint16_t thread_next;
    std::uint16_t thread_id;     // pthread_t of the thread that made it
    std::uint16_t thread_frame;  // the innermost frame, or the _PyCFrame that points to it
    std::uint16_t cframe_frame;  // _PyCFrame.current_frame: 3.11 and 3.12 only
    // A weak reference to the lock that Thread.join waits for: 3.4 to 3.12
    std::uint16_t thread_end_lock;

    // The frame: a PyFrameObject up to 3.10, then a _PyInterpreterFrame
    std::uint16_t frame_code;
    std::uint16_t frame_back;
    std::uint16_t frame_position;  // f_lasti, or from 3.11 on a pointer to the instruction
    std::uint16_t frame_owner;     // 3.11 on

    // PyCodeObject
    std::uint16_t code_filename;
    std::uint16_t code_name;
    std::uint16_t code_firstlineno;
    std::uint16_t code_lines;            // co_lnotab or co_linetable
    std::uint16_t code_instructions;     // co_code_adaptive: 3.11 on
    std::uint16_t code_first_traceable;  // instructions before it set the frame up: 3.11 on

    // Strings and bytes
    std::uint16_t bytes_data;
    std::uint16_t ascii_data;    // of a compact ASCII str: sizeof(PyASCIIObject)
    std::uint16_t compact_data;  // of any other compact str; of one that is not, the pointer to it

    // tp_basicsize of the two types, which tells a build whose structures differ (debug builds,
    // free threading, forks of CPython) from the one described here
    std::uint16_t frame_size;
    std::uint16_t code_size;

    bool has_frame_objects() const noexcept { return version < 0x030b; }
    // Up to 3.11 one variable names the thread state that runs; since 3.12 each thread has its own.
    bool has_shared_current() const noexcept { return version < 0x030c; }
};

// What has been the same in every version so far.
inline constexpr std::uint16_t object_type = 8;
inline constexpr std::uint16_t variable_size = 16;  // ob_size; of a str: length
inline constexpr std::uint16_t type_name = 24;
inline constexpr std::uint16_t type_basic_size = 32;
inline constexpr std::uint16_t type_flags = 168;
inline constexpr std::uint32_t bytes_subclass_bit = 27;
inline constexpr std::uint32_t text_subclass_bit = 28;
inline constexpr std::uint16_t text_state = 32;
inline constexpr std::uint32_t text_kind_shift = 2;
inline constexpr std::uint32_t text_kind_mask = 7;
inline constexpr std::uint32_t text_compact_bit = 5;
inline constexpr std::uint32_t text_ascii_bit = 6;
inline constexpr std::uint8_t owned_by_generator = 1;
inline constexpr std::uint8_t owned_by_c_stack = 3;

// Null for a version that is not in the table. Any context.
const Layout* find_layout(unsigned major, unsigned minor) noexcept;

}  // namespace leftover::python
