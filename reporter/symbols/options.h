#pragma once

#include <string>
#include <vector>

namespace leftover {

// Where the files are that reports name, when these were made elsewhere.
struct SymbolOptions {
    std::string sysroot;                   // below it the modules lie at their paths; empty: /
    std::vector<std::string> debug_paths;  // searched for debug information, and for the modules
                                           // themselves, by build id and by name
    std::string cache;                     // a folder for what was found, by build id; empty: none
};

// The user's own cache folder, by $XDG_CACHE_HOME or $HOME; empty when there is none.
std::string symbol_cache_folder();

}  // namespace leftover
