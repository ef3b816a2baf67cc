// Functions and inlined calls of one object, by its DWARF.
//
// libdw's own look-ups (dwarf_getscopes, dwarf_addrdie) walk a whole compilation unit for every
// address, and find none at all where the compiler wrote no .debug_aranges (clang does not). Here
// each unit is walked once, when the first address in it is asked for.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include <elfutils/libdw.h>

#include "reporter/symbols/place.h"

namespace leftover::symbols {

class DwarfIndex {
public:
    // Lists the units; `dwarf` must outlive this.
    explicit DwarfIndex(Dwarf* dwarf);

    // The function that holds the address and the calls inlined into it there, innermost first;
    // empty if it is in no unit. The last may lack its function: the symbol table may know it. The
    // address is one of the debug information's own.
    std::vector<Place> find(std::uint64_t address);

private:
    struct Range {
        std::uint64_t begin, end;
        std::size_t index;  // of the unit or function
    };
    // Namespaces and classes around functions, by the offset of their DIEs: "app::Pool::". Those in none
    // are not listed. To ask libdw for each would be to walk its whole unit every time.
    using Scopes = std::unordered_map<Dwarf_Off, std::string>;

    struct Unit {
        Dwarf_Die die;        // with the line table
        Dwarf_Die functions;  // the same, or with split DWARF the one in the .dwo file
        bool walked = false;
        std::vector<Dwarf_Die> dies;  // of its functions
        std::vector<Range> ranges;
        Scopes scopes;
    };

    static const Range* innermost(const std::vector<Range>& sorted, std::uint64_t address);
    static void sort(std::vector<Range>& ranges);
    static void walk(Unit& unit);
    static void walk_children(Unit& unit, Dwarf_Die* parent, const std::string& scope, int depth);
    static std::string name_of(const Unit& unit, Dwarf_Die* function);

    std::vector<Unit> units_;
    std::vector<Range> ranges_;
};

}  // namespace leftover::symbols
