// The frames of a stack in the order in which they called one another, and whose they are.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "reporter/model/frames.h"
#include "reporter/model/model.h"

namespace leftover::findings {

// Views into the report.
struct Frame {
    std::string_view function;  // empty: not known
    std::string_view file;      // source file; empty: not known
    int line = 0;               // 0: not known
    std::string_view module;    // path; empty for Python and where it is not known
    std::uint64_t offset = 0;   // in the module
    Owner owner = Owner::user;
    bool python = false;
    bool inlined = false;
};

class FrameReader {
public:
    // The report must outlive this; only its modules are kept in mind.
    explicit FrameReader(const Report& report);

    // Innermost first. Where there are Python frames, the native ones down to the interpreter's
    // first come before them; what else the interpreter did natively is the same in every program.
    std::vector<Frame> frames(const Stack& stack) const;

    // Every frame there is, native ones first.
    std::vector<Frame> all_frames(const Stack& stack) const;

private:
    Frame native(const NativeFrame& frame) const;

    struct Known {
        std::string_view path;
        Owner owner;
    };
    std::unordered_map<int, Known> modules_;
};

// Whether the frame is a program's or a library's own: neither of the C library nor of the
// interpreter, and no comprehension, which is part of the function it stands in.
bool is_telling(const Frame& frame);

// The frames that tell where in the user's own code it happened: those of the user's, and when there
// are none those of libraries. May be empty.
std::vector<Frame> telling_frames(const std::vector<Frame>& frames);

// A frame's function as it is compared: without parameters and return type, which depend on how much
// a compiler tells; without a function, the file name of its module.
std::string identity_of(const Frame& frame);

// What a person reads of a frame: "make at train.py:14", "sem_open", "libx.so+0x12". Printable.
std::string words_of(const Frame& frame);

}  // namespace leftover::findings
