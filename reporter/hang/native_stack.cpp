#include "reporter/hang/native_stack.h"

#include <libunwind-ptrace.h>

#include <array>
#include <cstring>

// As perf does: libunwind has this for its own remote unwinders, in no header.
#define dwarf_search_unwind_table UNW_OBJ(dwarf_search_unwind_table)
extern "C" int dwarf_search_unwind_table(unw_addr_space_t space, unw_word_t ip, unw_dyn_info_t* table,
                                         unw_proc_info_t* info, int need_unwind_info, void* argument);

namespace leftover::hang {
namespace {

struct Reading {
    Images& images;
    const Registers& registers;
    Memory& stack;
};

Reading& reading_of(void* argument) { return *static_cast<Reading*>(argument); }

int find_procedure(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t* info, int need_unwind_info,
                   void* argument) {
    Reading& reading = reading_of(argument);
    const Image* image = reading.images.at(ip);
    if (image == nullptr || image->eh_frame_header() == 0) return -UNW_ENOINFO;
    // Version, encodings of .eh_frame's address (4 bytes), of the count and of the table: what every
    // linker writes.
    struct {
        unsigned char version, address, count_encoding, table;
        std::int32_t eh_frame;
        std::uint32_t count;
    } header{};
    constexpr unsigned char four_bytes = 0x03;
    constexpr unsigned char relative_four_bytes = 0x3b;
    if (!reading.images.memory().read(image->eh_frame_header(), &header, sizeof header) || header.version != 1 ||
        header.count_encoding != four_bytes || header.table != relative_four_bytes) {
        return -UNW_ENOINFO;
    }
    constexpr std::size_t entry_size = 8;
    unw_dyn_info_t table{};
    table.format = UNW_INFO_FORMAT_REMOTE_TABLE;
    table.start_ip = image->begin();
    table.end_ip = image->end();
    table.u.rti.segbase = image->eh_frame_header();
    table.u.rti.table_data = image->eh_frame_header() + sizeof header;
    table.u.rti.table_len = header.count * entry_size / sizeof(unw_word_t);
    return dwarf_search_unwind_table(space, ip, &table, info, need_unwind_info, argument);
}

void put_info(unw_addr_space_t, unw_proc_info_t*, void*) {}

int no_list(unw_addr_space_t, unw_word_t*, void*) { return -UNW_ENOINFO; }

int read_memory(unw_addr_space_t, unw_word_t address, unw_word_t* value, int write, void* argument) {
    Reading& reading = reading_of(argument);
    if (write != 0) return -UNW_EREADONLYREG;
    // Tables lie in what does not change, and are read again and again.
    Memory& memory = reading.images.at(address) != nullptr ? reading.images.memory() : reading.stack;
    return memory.read(address, value, sizeof *value) ? 0 : -UNW_EINVAL;
}

int read_register(unw_addr_space_t, unw_regnum_t number, unw_word_t* value, int write, void* argument) {
    if (write != 0) return -UNW_EREADONLYREG;
    std::uint64_t found = 0;
    if (!reading_of(argument).registers.get(number, found)) return -UNW_EBADREG;
    *value = found;
    return 0;
}

int no_floats(unw_addr_space_t, unw_regnum_t, unw_fpreg_t*, int, void*) { return -UNW_EBADREG; }

int no_resume(unw_addr_space_t, unw_cursor_t*, void*) { return -UNW_EINVAL; }

int no_name(unw_addr_space_t, unw_word_t, char*, std::size_t, unw_word_t*, void*) { return -UNW_ENOINFO; }

}  // namespace

struct NativeStacks::Space {
    explicit Space(Images& all) : images(all) {
        accessors.find_proc_info = find_procedure;
        accessors.put_unwind_info = put_info;
        accessors.get_dyn_info_list_addr = no_list;
        accessors.access_mem = read_memory;
        accessors.access_reg = read_register;
        accessors.access_fpreg = no_floats;
        accessors.resume = no_resume;
        accessors.get_proc_name = no_name;
        space = unw_create_addr_space(&accessors, 0);
        if (space != nullptr) unw_set_caching_policy(space, UNW_CACHE_GLOBAL);
    }
    ~Space() {
        if (space != nullptr) unw_destroy_addr_space(space);
    }
    Space(const Space&) = delete;
    Space& operator=(const Space&) = delete;

    Images& images;
    unw_accessors_t accessors{};
    unw_addr_space_t space = nullptr;
};

NativeStacks::NativeStacks(Images& images) : space_(std::make_unique<Space>(images)) {
    images.all();  // before anything is stopped
}

NativeStacks::~NativeStacks() = default;

std::vector<std::uint64_t> NativeStacks::read(const Registers& registers, Memory& stack, std::size_t most) {
    std::vector<std::uint64_t> addresses;
    if (space_->space == nullptr) return addresses;
    Reading reading{space_->images, registers, stack};
    unw_cursor_t cursor;
    if (unw_init_remote(&cursor, space_->space, &reading) != 0) return addresses;
    bool is_exact = registers.call().number < 0;
    unw_word_t last_sp = 0;
    for (;;) {
        unw_word_t ip = 0;
        unw_word_t sp = 0;
        if (unw_get_reg(&cursor, UNW_REG_IP, &ip) != 0 || ip == 0) break;
        addresses.push_back(ip + (is_exact ? 1 : 0));
        is_exact = unw_is_signal_frame(&cursor) > 0;
        if (addresses.size() >= most || unw_step(&cursor) <= 0) break;
        // Garbage goes round in circles.
        if (unw_get_reg(&cursor, UNW_REG_SP, &sp) != 0 || (sp <= last_sp && !is_exact)) break;
        last_sp = is_exact ? 0 : sp;
    }
    return addresses;
}

}  // namespace leftover::hang
