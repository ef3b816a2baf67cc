#pragma once

#include <string>

namespace leftover::symbols {

// Where in the source an address lies; what is not known is empty or 0.
struct Place {
    std::string function, file;
    int line = 0;
};

}  // namespace leftover::symbols
