#include "reporter/symbols/dwarf.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

#include <dwarf.h>

#include "reporter/symbols/demangle.h"

namespace leftover::symbols {

namespace {

// Deeper nesting is no real program's but a damaged file's.
constexpr int deepest = 256;

bool is_function(Dwarf_Die* die) {
    const int tag = dwarf_tag(die);
    return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine || tag == DW_TAG_entry_point;
}

template <class Visit>
void each_range(Dwarf_Die* die, const Visit& visit) {
    Dwarf_Addr base = 0;
    Dwarf_Addr begin = 0;
    Dwarf_Addr end = 0;
    std::ptrdiff_t at = 0;
    while ((at = dwarf_ranges(die, at, &base, &begin, &end)) > 0) {
        // Code that the linker threw away begins at 0.
        if (begin < end && begin != 0) visit(begin, end);
    }
}

template <class Visit>
void each_child(Dwarf_Die* parent, const Visit& visit) {
    Dwarf_Die child;
    if (dwarf_child(parent, &child) != 0) return;
    do {
        visit(&child);
    } while (dwarf_siblingof(&child, &child) == 0);
}

// The declaration that an instance or definition refers to; itself if it refers to none.
Dwarf_Die declaration_of(Dwarf_Die die) {
    Dwarf_Attribute attribute;
    for (int step = 0; step < 8; ++step) {
        Dwarf_Attribute* reference = dwarf_attr(&die, DW_AT_abstract_origin, &attribute);
        if (reference == nullptr) reference = dwarf_attr(&die, DW_AT_specification, &attribute);
        if (reference == nullptr || dwarf_formref_die(reference, &die) == nullptr) break;
    }
    return die;
}

// The name that the compiler gave the linker; empty if it tells none.
std::string linkage_name(Dwarf_Die* die) {
    Dwarf_Attribute attribute;
    for (const unsigned int name : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name}) {
        if (const char* symbol = dwarf_formstring(dwarf_attr_integrate(die, name, &attribute))) {
            return demangle(symbol);
        }
    }
    return {};
}

// What the DIE adds to the scope of what stands in it.
std::string scope_within(Dwarf_Die* die, const std::string& scope) {
    switch (dwarf_tag(die)) {
        case DW_TAG_namespace: {
            const char* name = dwarf_diename(die);
            return scope + (name == nullptr ? "(anonymous namespace)" : name) + "::";
        }
        case DW_TAG_structure_type:
        case DW_TAG_class_type:
        case DW_TAG_union_type:
        case DW_TAG_subprogram: {
            if (dwarf_tag(die) == DW_TAG_subprogram) {
                std::string whole = linkage_name(die);
                if (!whole.empty()) return whole + "::";
            }
            const char* name = dwarf_diename(die);
            return name == nullptr ? scope : scope + name + "::";
        }
        default: return scope;
    }
}

std::string tidy(const char* file) {
    return file == nullptr ? std::string() : std::filesystem::path(file).lexically_normal().string();
}

std::optional<Dwarf_Word> number(Dwarf_Die* die, unsigned int name) {
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    if (dwarf_formudata(dwarf_attr(die, name, &attribute), &value) != 0) return std::nullopt;
    return value;
}

// Where the function that this inlined instance stands for was called.
void call_site(Dwarf_Die* unit, Dwarf_Die* inlined, Place& place) {
    place.line = static_cast<int>(number(inlined, DW_AT_call_line).value_or(0));
    Dwarf_Files* files = nullptr;
    std::size_t count = 0;
    const auto file = number(inlined, DW_AT_call_file);
    if (!file || dwarf_getsrcfiles(unit, &files, &count) != 0 || *file >= count) return;
    place.file = tidy(dwarf_filesrc(files, *file, nullptr, nullptr));
}

// The chain of inlined instances below `die` that hold the address, outermost first.
void inlined_at(Dwarf_Die* die, std::uint64_t address, int depth, std::vector<Dwarf_Die>& chain) {
    if (depth > deepest) return;
    bool found = false;
    each_child(die, [&](Dwarf_Die* child) {
        if (found) return;
        const int tag = dwarf_tag(child);
        if (tag == DW_TAG_inlined_subroutine) {
            if (dwarf_haspc(child, address) != 1) return;
            chain.push_back(*child);
        } else if (tag == DW_TAG_lexical_block || tag == DW_TAG_try_block ||
                   tag == DW_TAG_catch_block) {
            // A block without a range of its own is as wide as what is in it.
            const bool has_range =
                dwarf_hasattr(child, DW_AT_ranges) || dwarf_hasattr(child, DW_AT_low_pc);
            if (has_range && dwarf_haspc(child, address) != 1) return;
        } else {
            return;
        }
        const std::size_t before = chain.size();
        inlined_at(child, address, depth + 1, chain);
        found = tag == DW_TAG_inlined_subroutine || chain.size() > before;
    });
}

}  // namespace

DwarfIndex::DwarfIndex(Dwarf* dwarf) {
    Dwarf_CU* cu = nullptr;
    Dwarf_Die die;
    Dwarf_Die split;
    std::uint8_t type = 0;
    while (dwarf_get_units(dwarf, cu, &cu, nullptr, &type, &die, &split) == 0) {
        if (type != DW_UT_compile && type != DW_UT_skeleton) continue;
        const std::size_t index = units_.size();
        const bool is_split = type == DW_UT_skeleton && dwarf_tag(&split) != DW_TAG_invalid;
        units_.push_back({die, is_split ? split : die, false, {}, {}, {}});
        each_range(&die, [&](Dwarf_Addr begin, Dwarf_Addr end) {
            ranges_.push_back({begin, end, index});
        });
    }
    sort(ranges_);
}

void DwarfIndex::sort(std::vector<Range>& ranges) {
    // Of two that begin together the inner one comes last.
    std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) {
        return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
    });
}

const DwarfIndex::Range* DwarfIndex::innermost(const std::vector<Range>& sorted,
                                               std::uint64_t address) {
    auto at = std::upper_bound(
        sorted.begin(), sorted.end(), address,
        [](std::uint64_t value, const Range& range) { return value < range.begin; });
    // Ranges seldom nest; a few steps back are enough to find the one around.
    for (int steps = 0; at != sorted.begin() && steps < 16; ++steps) {
        --at;
        if (address < at->end) return &*at;
    }
    return nullptr;
}

void DwarfIndex::walk(Unit& unit) {
    unit.walked = true;
    walk_children(unit, &unit.functions, {}, 0);
    sort(unit.ranges);
}

void DwarfIndex::walk_children(Unit& unit, Dwarf_Die* parent, const std::string& scope, int depth) {
    if (depth > deepest) return;
    each_child(parent, [&](Dwarf_Die* child) {
        const int tag = dwarf_tag(child);
        if (tag == DW_TAG_inlined_subroutine) return;
        if (tag == DW_TAG_subprogram) {
            if (!scope.empty()) unit.scopes.emplace(dwarf_dieoffset(child), scope);
            const std::size_t index = unit.dies.size();
            bool has_code = false;
            each_range(child, [&](Dwarf_Addr begin, Dwarf_Addr end) {
                unit.ranges.push_back({begin, end, index});
                has_code = true;
            });
            if (has_code) unit.dies.push_back(*child);
        }
        if (dwarf_haschildren(child) > 0) {
            walk_children(unit, child, scope_within(child, scope), depth + 1);
        }
    });
}

std::string DwarfIndex::name_of(const Unit& unit, Dwarf_Die* function) {
    std::string name = linkage_name(function);
    if (!name.empty()) return name;
    Dwarf_Attribute attribute;
    const char* plain = dwarf_formstring(dwarf_attr_integrate(function, DW_AT_name, &attribute));
    if (plain == nullptr) return {};
    // C++ functions that are seen nowhere else have no linkage name.
    Dwarf_Die declaration = declaration_of(*function);
    const auto scope = unit.scopes.find(dwarf_dieoffset(&declaration));
    return scope == unit.scopes.end() ? std::string(plain) : scope->second + plain;
}

std::vector<Place> DwarfIndex::find(std::uint64_t address) {
    std::vector<Place> places;
    const Range* in_unit = innermost(ranges_, address);
    if (in_unit == nullptr) return places;
    Unit& unit = units_[in_unit->index];
    if (!unit.walked) walk(unit);

    // The line table says where the address itself lies: in the innermost function.
    Place place;
    if (Dwarf_Line* line = dwarf_getsrc_die(&unit.die, address)) {
        dwarf_lineno(line, &place.line);
        place.file = tidy(dwarf_linesrc(line, nullptr, nullptr));
    }

    const Range* in_function = innermost(unit.ranges, address);
    if (in_function == nullptr) {
        places.push_back(std::move(place));
        return places;
    }
    Dwarf_Die function = unit.dies[in_function->index];
    std::vector<Dwarf_Die> chain{function};
    inlined_at(&function, address, 0, chain);
    for (auto die = chain.rbegin(); die != chain.rend(); ++die) {
        if (!is_function(&*die)) continue;
        place.function = name_of(unit, &*die);
        places.push_back(place);
        if (die + 1 == chain.rend()) break;
        place = {};
        call_site(&unit.functions, &*die, place);
    }
    return places;
}

}  // namespace leftover::symbols
