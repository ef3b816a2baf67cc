// One executable or shared library and what it tells about its addresses.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <elfutils/libdwfl.h>

#include "reporter/symbols/dwarf.h"
#include "reporter/symbols/options.h"
#include "reporter/symbols/place.h"

namespace leftover::symbols {

class Object {
public:
    // The file at `path` if it has that build id (hex; empty: any will do), else the file or debug
    // information of that build id where the options and the system keep such.
    Object(const std::string& path, const std::string& build_id, const SymbolOptions& options = {});
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;

    // Why there are no names though the file is there: it is not the one that ran. Empty: all is
    // well, or the file is gone.
    const std::string& trouble() const { return trouble_; }

    // The function at that address (in the object's own terms: not relocated) and the calls inlined
    // into it there, innermost first; empty when nothing is known.
    std::vector<Place> find(std::uint64_t address);

    // The name of the function by the symbol table alone; empty when there is none.
    std::string function(std::uint64_t address);

    // The name of the function that begins at that very address; empty when none does.
    std::string function_at(std::uint64_t address);

private:
    struct EndDwfl {
        void operator()(Dwfl* dwfl) const { dwfl_end(dwfl); }
    };

    bool open(const std::string& path, const std::string& build_id);
    std::string symbol(std::uint64_t address, bool exactly);
    void index_symbols();

    // libdwfl keeps pointers to these.
    std::string search_path_;
    char* search_path_text_ = nullptr;
    Dwfl_Callbacks callbacks_{};

    std::unique_ptr<Dwfl, EndDwfl> dwfl_;
    Dwfl_Module* module_ = nullptr;
    std::uint64_t bias_ = 0;  // from the object's own addresses to libdwfl's
    std::uint64_t dwarf_bias_ = 0;
    bool dwarf_sought_ = false;
    std::optional<DwarfIndex> dwarf_;
    // Functions of the symbol table by address; libdwfl would go through all of them for each one.
    struct Symbol {
        std::uint64_t begin, size;  // 0: not said
        int rank;                   // of those at one address the higher is the better name
        const char* name;
    };
    std::vector<Symbol> symbols_;
    bool indexed_ = false;
    std::string trouble_;
};

}  // namespace leftover::symbols
