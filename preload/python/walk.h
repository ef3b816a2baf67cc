// From a PyThreadState to its frames, by its structures alone: nothing is called, changed or
// allocated. Works on this process and on another one; whatever does not look like what it should
// be ends the walk. Any context that `Memory` allows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/python/frames.h"
#include "preload/python/layouts.h"
#include "preload/python/line_table.h"
#include "preload/python/memory.h"
#include "preload/python/text.h"

namespace leftover::python {

template <class Memory>
class Walk {
public:
    Walk(Memory& memory, const Layout& layout, const Types& types) noexcept
        : memory_(memory), layout_(layout), types_(types) {}

    std::size_t operator()(std::uintptr_t thread, FrameSink sink, void* context,
                           std::size_t max) noexcept {
        std::uintptr_t address = innermost(thread);
        std::size_t count = 0;
        // At most every second frame is one of the interpreter's own, but for the innermost few.
        for (std::size_t hidden = 0; address != 0 && count < max && hidden <= count + 16;) {
            Frame frame;
            if (!read(address, frame)) break;
            if (frame.is_hidden) {
                ++hidden;
            } else {
                emit(frame, sink, context);
                ++count;
            }
            address = frame.back;
        }
        return count;
    }

    // The first frame of a thread state; 0 when it runs nothing.
    std::uintptr_t innermost(std::uintptr_t thread) noexcept {
        std::uintptr_t frame = 0;
        if (!load(memory_, thread, layout_.thread_frame, frame) || frame == 0) return 0;
        if (layout_.cframe_frame != Layout::absent) {
            const std::uintptr_t cframe = frame;
            if (!load(memory_, cframe, layout_.cframe_frame, frame)) return 0;
        }
        return frame;
    }

private:
    struct Frame {
        std::uintptr_t code = 0;
        std::uintptr_t back = 0;
        std::int64_t position = -1;  // of the instruction, in bytes; negative: not begun
        bool is_hidden = false;      // Python does not show it either
    };

    bool read(std::uintptr_t address, Frame& frame) noexcept {
        if (layout_.has_frame_objects() && !has_type(memory_, address, types_.frame)) return false;
        if (!load(memory_, address, layout_.frame_code, frame.code) ||
            !load(memory_, address, layout_.frame_back, frame.back)) {
            return false;
        }
        return layout_.has_frame_objects() ? read_object(address, frame)
                                           : read_interpreter_frame(address, frame);
    }

    bool read_object(std::uintptr_t address, Frame& frame) noexcept {
        std::int32_t last = -1;
        if (!has_type(memory_, frame.code, types_.code) ||
            !load(memory_, address, layout_.frame_position, last)) {
            return false;
        }
        // 3.10 counts instructions, the others count bytes.
        const bool in_bytes = layout_.line_table != LineTable::ranges;
        frame.position = in_bytes ? last : std::int64_t{last} * 2;
        return true;
    }

    bool read_interpreter_frame(std::uintptr_t address, Frame& frame) noexcept {
        std::uint8_t owner = 0;
        std::uintptr_t instruction = 0;
        std::int32_t first_traceable = 0;
        if (!load(memory_, address, layout_.frame_owner, owner) ||
            !load(memory_, address, layout_.frame_position, instruction)) {
            return false;
        }
        // The frame a C call of the interpreter begins with. Its code is a stand-in, or None.
        frame.is_hidden = owner == owned_by_c_stack || !has_type(memory_, frame.code, types_.code);
        if (frame.is_hidden) return true;
        frame.position =
            static_cast<std::int64_t>(instruction - (frame.code + layout_.code_instructions));
        // Still being set up (its cell variables, the generator it is to become).
        if (!load(memory_, frame.code, layout_.code_first_traceable, first_traceable)) return false;
        frame.is_hidden =
            owner != owned_by_generator && frame.position < std::int64_t{first_traceable} * 2;
        return true;
    }

    void emit(const Frame& frame, FrameSink sink, void* context) noexcept {
        Name function;
        Name file;
        get(frame.code, layout_.code_name, Keep::start, function);
        get(frame.code, layout_.code_filename, Keep::end, file);
        const int line = line_at(memory_, layout_, types_, frame.code, frame.position);
        sink(context, function.bytes.data(), function.length, file.bytes.data(), file.length, line);
    }

    void get(std::uintptr_t code, std::size_t field, Keep keep, Name& name) noexcept {
        std::uintptr_t object = 0;
        if (!load(memory_, code, field, object) ||
            !read_name(memory_, layout_, types_, object, keep, name)) {
            name.set("?");
        }
    }

    Memory& memory_;
    const Layout& layout_;
    const Types& types_;
};

}  // namespace leftover::python
