// Lines of source files, to be shown beside a stack.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/model/model.h"

namespace leftover::render {

class Sources {
public:
    // That line (from 1) of that file, without its end, as it may be shown on a terminal, tabs as
    // spaces. None if there is no such file or line, or it is no ordinary file, or it was changed
    // after `when` (0: whenever): another line may stand there now. A relative name is looked for
    // in `folder`.
    std::optional<std::string> line(const std::string& file, const std::string& folder, int number,
                                    Time when);

private:
    struct File {
        std::vector<std::string> lines;
        Time changed = 0;
    };
    const File& load(const std::string& path);

    std::map<std::string, File> files_;
};

// Where in the line a function of that name is called: its first column and length. For a qualified
// name (a::b(int), A.b) the last part counts. A constructor is not called by its name, nor is a
// function through another variable: then the only call on the line, or none.
struct Mark {
    std::size_t column, length;
};
std::optional<Mark> find_call(std::string_view line, std::string_view function);

}  // namespace leftover::render
