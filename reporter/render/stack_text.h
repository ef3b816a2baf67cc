// A call stack as text: what a reader needs of it to find the place.
#pragma once

#include <iosfwd>
#include <string>
#include <unordered_map>
#include <vector>

#include "reporter/model/frames.h"
#include "reporter/model/model.h"
#include "reporter/render/format.h"
#include "reporter/render/paint.h"
#include "reporter/render/source.h"

namespace leftover::render {

class StackText {
public:
    StackText(const Report& report, const Options& options);

    // Innermost first, one frame a line: the intercepted call by its name; native frames but those
    // of the C and C++ libraries and the interpreter, down to the first of the user's own if Python
    // frames follow; Python frames but those of the import machinery. Below a frame of the user's
    // own its source line, with the call marked, if the file is as it was then. `folder` is where
    // relative names begin.
    void write(const Stack& stack, const std::string& folder, Time when, std::ostream& out);

private:
    struct Line {
        std::string function;  // may be empty; printable
        std::string place;     // "file:line", "in libx.so" or empty; printable
        bool own = false;      // the user's own code
        std::string file;      // as in the frame, for its source line
        int line = 0;
        std::string callee;  // the function that it calls
    };

    void add_native(const Stack& stack, std::vector<Line>& lines) const;
    void add_python(const Stack& stack, std::vector<Line>& lines) const;
    void write(const Line& line, const std::string& folder, Time when, std::ostream& out);

    const Options& options_;
    Paint paint_;
    Sources sources_;
    struct Known {
        const Module* module;
        Owner owner;
    };
    std::unordered_map<int, Known> modules_;
};

}  // namespace leftover::render
