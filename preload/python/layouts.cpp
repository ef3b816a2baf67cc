// One row a version; the numbers hold for 64-bit builds of every release of that version, alpha and
// beta releases excepted. PyThreadState, PyFrameObject and PyCodeObject are part of the ABI that
// extension modules (Cython's, greenlet) are compiled against; tp_basicsize is checked on top of
// that.
#include "preload/python/layouts.h"

namespace leftover::python {
namespace {

constexpr std::uint16_t absent = Layout::absent;

// clang-format off
// The output of tests/python_frames/layouts.py.
constexpr Layout layouts[] = {
{.version = 0x0207,
 .line_table = LineTable::lnotab_unsigned,
 .interpreter_next = 0, .interpreter_threads = 8,
 .thread_next = 0, .thread_id = 144, .thread_frame = 16, .cframe_frame = absent, .thread_end_lock = absent,
 .frame_code = 32, .frame_back = 24, .frame_position = 120, .frame_owner = absent,
 .code_filename = 80, .code_name = 88, .code_firstlineno = 96, .code_lines = 104,
 .code_instructions = absent, .code_first_traceable = absent,
 .bytes_data = 36, .ascii_data = absent, .compact_data = absent,
 .frame_size = 384, .code_size = 128},
{.version = 0x0306,
 .line_table = LineTable::lnotab_signed,
 .interpreter_next = 0, .interpreter_threads = 8,
 .thread_next = 8, .thread_id = 152, .thread_frame = 24, .cframe_frame = absent, .thread_end_lock = 184,
 .frame_code = 32, .frame_back = 24, .frame_position = 120, .frame_owner = absent,
 .code_filename = 96, .code_name = 104, .code_firstlineno = 36, .code_lines = 112,
 .code_instructions = absent, .code_first_traceable = absent,
 .bytes_data = 32, .ascii_data = 48, .compact_data = 72,
 .frame_size = 384, .code_size = 144},
{.version = 0x0307,
 .line_table = LineTable::lnotab_signed,
 .interpreter_next = 0, .interpreter_threads = 8,
 .thread_next = 8, .thread_id = 176, .thread_frame = 24, .cframe_frame = absent, .thread_end_lock = 208,
 .frame_code = 32, .frame_back = 24, .frame_position = 104, .frame_owner = absent,
 .code_filename = 96, .code_name = 104, .code_firstlineno = 36, .code_lines = 112,
 .code_instructions = absent, .code_first_traceable = absent,
 .bytes_data = 32, .ascii_data = 48, .compact_data = 72,
 .frame_size = 368, .code_size = 144},
{.version = 0x0308,
 .line_table = LineTable::lnotab_signed,
 .interpreter_next = 0, .interpreter_threads = 8,
 .thread_next = 8, .thread_id = 176, .thread_frame = 24, .cframe_frame = absent, .thread_end_lock = 208,
 .frame_code = 32, .frame_back = 24, .frame_position = 104, .frame_owner = absent,
 .code_filename = 104, .code_name = 112, .code_firstlineno = 40, .code_lines = 120,
 .code_instructions = absent, .code_first_traceable = absent,
 .bytes_data = 32, .ascii_data = 48, .compact_data = 72,
 .frame_size = 368, .code_size = 176},
{.version = 0x0309,
 .line_table = LineTable::lnotab_signed,
 .interpreter_next = 0, .interpreter_threads = 8,
 .thread_next = 8, .thread_id = 176, .thread_frame = 24, .cframe_frame = absent, .thread_end_lock = 208,
 .frame_code = 32, .frame_back = 24, .frame_position = 104, .frame_owner = absent,
 .code_filename = 104, .code_name = 112, .code_firstlineno = 40, .code_lines = 120,
 .code_instructions = absent, .code_first_traceable = absent,
 .bytes_data = 32, .ascii_data = 48, .compact_data = 72,
 .frame_size = 368, .code_size = 176},
{.version = 0x030a,
 .line_table = LineTable::ranges,
 .interpreter_next = 0, .interpreter_threads = 8,
 .thread_next = 8, .thread_id = 176, .thread_frame = 24, .cframe_frame = absent, .thread_end_lock = 208,
 .frame_code = 32, .frame_back = 24, .frame_position = 96, .frame_owner = absent,
 .code_filename = 104, .code_name = 112, .code_firstlineno = 40, .code_lines = 120,
 .code_instructions = absent, .code_first_traceable = absent,
 .bytes_data = 32, .ascii_data = 48, .compact_data = 72,
 .frame_size = 360, .code_size = 176},
{.version = 0x030b,
 .line_table = LineTable::locations,
 .interpreter_next = 0, .interpreter_threads = 16,
 .thread_next = 8, .thread_id = 152, .thread_frame = 56, .cframe_frame = 8, .thread_end_lock = 192,
 .frame_code = 32, .frame_back = 48, .frame_position = 56, .frame_owner = 69,
 .code_filename = 112, .code_name = 120, .code_firstlineno = 72, .code_lines = 136,
 .code_instructions = 184, .code_first_traceable = 168,
 .bytes_data = 32, .ascii_data = 48, .compact_data = 72,
 .frame_size = 120, .code_size = 184},
{.version = 0x030c,
 .line_table = LineTable::locations,
 .interpreter_next = absent, .interpreter_threads = absent,
 .thread_next = 8, .thread_id = 136, .thread_frame = 56, .cframe_frame = 0, .thread_end_lock = 176,
 .frame_code = 0, .frame_back = 8, .frame_position = 56, .frame_owner = 70,
 .code_filename = 112, .code_name = 120, .code_firstlineno = 68, .code_lines = 136,
 .code_instructions = 192, .code_first_traceable = 176,
 .bytes_data = 32, .ascii_data = 40, .compact_data = 56,
 .frame_size = 120, .code_size = 192},
{.version = 0x030d,
 .line_table = LineTable::locations,
 .interpreter_next = absent, .interpreter_threads = absent,
 .thread_next = 8, .thread_id = 152, .thread_frame = 72, .cframe_frame = absent, .thread_end_lock = absent,
 .frame_code = 0, .frame_back = 8, .frame_position = 56, .frame_owner = 70,
 .code_filename = 112, .code_name = 120, .code_firstlineno = 68, .code_lines = 136,
 .code_instructions = 200, .code_first_traceable = 184,
 .bytes_data = 32, .ascii_data = 40, .compact_data = 56,
 .frame_size = 136, .code_size = 200},
};
// clang-format on

}  // namespace

const Layout* find_layout(unsigned major, unsigned minor) noexcept {
    if (sizeof(void*) != 8) return nullptr;
    for (const Layout& layout : layouts) {
        if (layout.version == (major << 8 | minor)) return &layout;
    }
    return nullptr;
}

}  // namespace leftover::python
