#include "reporter/symbols/object.h"

#include <fmt/format.h>
#include <gelf.h>
#include <sys/stat.h>

#include "reporter/symbols/demangle.h"

namespace leftover::symbols {

namespace {

int no_elf(Dwfl_Module*, void**, const char*, Dwarf_Addr, char**, Elf**) {
    return -1;  // every file is named to dwfl_report_elf
}

// dwfl_standard_find_debuginfo follows build ids and .gnu_debuglink, and asks debuginfod servers
// only if DEBUGINFOD_URLS names some.
const Dwfl_Callbacks callbacks{
    .find_elf = no_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .section_address = dwfl_offline_section_address,
    .debuginfo_path = nullptr,  // the default: .debug beside the file, /usr/lib/debug
};

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

std::string debug_file(const std::string& build_id) {
    if (build_id.size() < 3) return {};
    return fmt::format("/usr/lib/debug/.build-id/{}/{}.debug", build_id.substr(0, 2),
                       build_id.substr(2));
}

}  // namespace

Object::Object(const std::string& path, const std::string& build_id) {
    if (open(path, build_id)) return;
    const std::string separate = debug_file(build_id);
    if (!separate.empty() && open(separate, build_id)) trouble_.clear();
}

bool Object::open(const std::string& path, const std::string& build_id) {
    if (!is_regular(path)) return false;
    std::unique_ptr<Dwfl, EndDwfl> dwfl(dwfl_begin(&callbacks));
    if (dwfl == nullptr) return false;
    dwfl_report_begin(dwfl.get());
    Dwfl_Module* module = dwfl_report_elf(dwfl.get(), path.c_str(), path.c_str(), -1, 0, true);
    dwfl_report_end(dwfl.get(), nullptr, nullptr);
    GElf_Addr bias = 0;
    if (module == nullptr || dwfl_module_getelf(module, &bias) == nullptr) return false;
    const std::string found = build_id_of(module);
    if (!build_id.empty() && found != build_id) {
        trouble_ = fmt::format("{}: not the file that ran (its build id is {}, that was {})", path,
                               found.empty() ? "missing" : found, build_id);
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

std::string Object::symbol(std::uint64_t address, bool exactly) {
    if (module_ == nullptr) return {};
    GElf_Off offset = 0;
    GElf_Sym symbol{};
    const char* name = dwfl_module_addrinfo(module_, address + bias_, &offset, &symbol, nullptr,
                                            nullptr, nullptr);
    if (name == nullptr || *name == '\0' || (exactly && offset != 0)) return {};
    // libdwfl may settle for the nearest symbol before the address; one that says how long it is
    // and ends before it is no answer, nor is a label without a length far away.
    constexpr GElf_Off near = 4096;
    if (symbol.st_size != 0 ? offset >= symbol.st_size : offset >= near) return {};
    const int type = GELF_ST_TYPE(symbol.st_info);
    if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE) return {};
    return demangle(name);
}

}  // namespace leftover::symbols
