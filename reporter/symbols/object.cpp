#include "reporter/symbols/object.h"

#include <algorithm>

#include <fmt/format.h>
#include <gelf.h>
#include <sys/stat.h>

#include "reporter/symbols/demangle.h"

namespace leftover::symbols {

namespace {

int no_elf(Dwfl_Module*, void**, const char*, Dwarf_Addr, char**, Elf**) {
    return -1;  // every file is named to dwfl_report_elf
}

// Opening a pipe would wait for ever.
bool is_regular(const std::string& path) {
    struct stat status{};
    return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

std::string build_id_of(Dwfl_Module* module) {
    const unsigned char* bits = nullptr;
    GElf_Addr address = 0;
    const int size = dwfl_module_build_id(module, &bits, &address);
    std::string hex;
    for (int i = 0; i < size; ++i) hex += fmt::format("{:02x}", bits[i]);
    return hex;
}

// Where files of a build id lie below such a folder: the debug information, then the file itself.
std::vector<std::string> by_build_id(const std::string& folder, const std::string& build_id) {
    if (build_id.size() < 3) return {};
    const std::string stem =
        fmt::format("{}/.build-id/{}/{}", folder, build_id.substr(0, 2), build_id.substr(2));
    return {stem, stem + ".debug"};
}

// All places where the module may be, the likeliest first.
std::vector<std::string> candidates(const std::string& path, const std::string& build_id,
                                    const SymbolOptions& options) {
    std::vector<std::string> files{options.sysroot + path};
    std::vector<std::string> folders = options.debug_paths;
    for (const std::string& folder : options.debug_paths) {
        // By its name alone: only the build id can tell whether it is the right one.
        if (build_id.empty()) continue;
        files.push_back(folder + path);
        files.push_back(folder + "/" + path.substr(path.rfind('/') + 1));
        files.push_back(folder + "/" + path.substr(path.rfind('/') + 1) + ".debug");
    }
    if (!options.sysroot.empty()) folders.push_back(options.sysroot + "/usr/lib/debug");
    folders.emplace_back("/usr/lib/debug");
    for (const std::string& folder : folders) {
        for (std::string& file : by_build_id(folder, build_id)) files.push_back(std::move(file));
    }
    return files;
}

// As libdwfl wants it: the file's own folder, .debug below it, and then folders of debug information.
std::string search_path(const SymbolOptions& options) {
    std::string path = ":.debug";
    for (const std::string& folder : options.debug_paths) path += ":" + folder;
    if (!options.sysroot.empty()) path += ":" + options.sysroot + "/usr/lib/debug";
    return path + ":/usr/lib/debug";
}

}  // namespace

Object::Object(const std::string& path, const std::string& build_id, const SymbolOptions& options)
    : search_path_(search_path(options)), search_path_text_(search_path_.data()) {
    // dwfl_standard_find_debuginfo follows build ids and .gnu_debuglink, and asks debuginfod servers
    // only if DEBUGINFOD_URLS names some.
    callbacks_.find_elf = no_elf;
    callbacks_.find_debuginfo = dwfl_standard_find_debuginfo;
    callbacks_.section_address = dwfl_offline_section_address;
    callbacks_.debuginfo_path = &search_path_text_;
    for (const std::string& file : candidates(path, build_id, options)) {
        if (!open(file, build_id)) continue;
        trouble_.clear();
        return;
    }
}

bool Object::open(const std::string& path, const std::string& build_id) {
    if (!is_regular(path)) return false;
    std::unique_ptr<Dwfl, EndDwfl> dwfl(dwfl_begin(&callbacks_));
    if (dwfl == nullptr) return false;
    dwfl_report_begin(dwfl.get());
    Dwfl_Module* module = dwfl_report_elf(dwfl.get(), path.c_str(), path.c_str(), -1, 0, true);
    dwfl_report_end(dwfl.get(), nullptr, nullptr);
    GElf_Addr bias = 0;
    if (module == nullptr || dwfl_module_getelf(module, &bias) == nullptr) return false;
    const std::string found = build_id_of(module);
    if (!build_id.empty() && found != build_id) {
        if (trouble_.empty()) {
            trouble_ = fmt::format("{}: not the file that ran (its build id is {}, that was {})", path,
                                   found.empty() ? "missing" : found, build_id);
        }
        return false;
    }
    dwfl_ = std::move(dwfl);
    module_ = module;
    bias_ = bias;
    return true;
}

std::vector<Place> Object::find(std::uint64_t address) {
    std::vector<Place> places;
    if (module_ == nullptr) return places;
    if (!dwarf_sought_) {
        dwarf_sought_ = true;
        if (Dwarf* dwarf = dwfl_module_getdwarf(module_, &dwarf_bias_)) dwarf_.emplace(dwarf);
    }
    if (dwarf_) places = dwarf_->find(address + bias_ - dwarf_bias_);
    if (places.empty()) places.emplace_back();
    // Some functions have no name in DWARF but one in the symbol table, and C++ functions of an
    // unnamed namespace have their full name only there (GCC).
    std::string& name = places.back().function;
    if (name.find('(') == name.npos || name.find("(anonymous namespace)::") != name.npos) {
        std::string by_symbol = function(address);
        if (name.empty() || by_symbol.ends_with(')')) name = std::move(by_symbol);
    }
    if (places.back().function.empty() && places.back().file.empty()) places.pop_back();
    return places;
}

std::string Object::function(std::uint64_t address) {
    return symbol(address, false);
}

std::string Object::function_at(std::uint64_t address) {
    return symbol(address, true);
}

void Object::index_symbols() {
    indexed_ = true;
    const int count = dwfl_module_getsymtab(module_);
    for (int i = 1; i < count; ++i) {
        GElf_Sym symbol{};
        GElf_Addr address = 0;
        GElf_Word section = SHN_UNDEF;
        const char* name =
            dwfl_module_getsym_info(module_, i, &symbol, &address, &section, nullptr, nullptr);
        if (name == nullptr || *name == '\0' || section == SHN_UNDEF) continue;
        const int type = GELF_ST_TYPE(symbol.st_info);
        if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE) continue;
        const int binding = GELF_ST_BIND(symbol.st_info);
        // Of aliases the public name comes first: libc's fork is weak, its __fork is not.
        const int underscores = name[0] != '_' ? 0 : name[1] != '_' ? 1 : 2;
        const int rank = (symbol.st_size != 0 ? 32 : 0) + (type == STT_NOTYPE ? 0 : 16) +
                         (2 - underscores) * 4 + (binding == STB_GLOBAL ? 2 : binding == STB_WEAK ? 1 : 0);
        symbols_.push_back({address, symbol.st_size, rank, name});
    }
    // Of those that begin together the best comes last.
    std::stable_sort(symbols_.begin(), symbols_.end(), [](const Symbol& a, const Symbol& b) {
        return a.begin != b.begin ? a.begin < b.begin : a.rank < b.rank;
    });
}

std::string Object::symbol(std::uint64_t address, bool exactly) {
    if (module_ == nullptr) return {};
    if (!indexed_) index_symbols();
    const std::uint64_t wanted = address + bias_;
    auto at = std::upper_bound(symbols_.begin(), symbols_.end(), wanted,
                               [](std::uint64_t value, const Symbol& symbol) { return value < symbol.begin; });
    // A symbol that says how long it is and ends before the address is no answer, nor is a label
    // without a length far away. One inside of a function may hide it: a few steps back.
    constexpr std::uint64_t near = 4096;
    constexpr int most_steps = 16;
    const Symbol* label = nullptr;
    for (int step = 0; at != symbols_.begin() && step < most_steps; ++step) {
        --at;
        const std::uint64_t offset = wanted - at->begin;
        if (exactly && offset != 0) break;
        if (at->size != 0 && offset < at->size) return demangle(at->name);
        if (at->size == 0 && offset < near && label == nullptr) label = &*at;
        // What ends before the address parts it from labels that are farther away.
        if (at->size != 0 && label == nullptr) label = &*at;
    }
    return label != nullptr && label->size == 0 ? demangle(label->name) : std::string();
}

}  // namespace leftover::symbols
