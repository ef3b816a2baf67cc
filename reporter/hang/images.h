// What is mapped into another process: the executable, libraries and the vdso, as their own headers in
// its memory tell; files and named objects. No file is opened: one that was deleted or lies in another
// mount namespace is as good as any.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "preload/python/memory.h"

namespace leftover::hang {

using Memory = python::ProcessMemory;

struct Mapping {
    std::uint64_t begin = 0, end = 0, offset = 0;
    std::string path;  // as maps has it; empty: anonymous
    bool is_executable = false;
    std::string device;  // as maps has it
    std::uint64_t inode = 0;
};

struct Symbol {
    std::uint64_t address = 0, size = 0;
};

// One ELF file in memory.
class Image {
public:
    // Reads the headers. `begin` is where the file's first byte is mapped.
    Image(Memory& memory, std::string path, std::uint64_t begin);

    bool is_elf() const { return is_elf_; }
    const std::string& path() const { return path_; }
    std::uint64_t base() const { return base_; }  // from its own addresses to the process's
    std::uint64_t begin() const { return begin_; }
    std::uint64_t end() const { return end_; }
    std::uint64_t eh_frame_header() const { return eh_frame_header_; }  // 0: none
    const std::string& build_id() const { return build_id_; }           // hex

    // An exported function or variable. Only by the GNU hash table, which everything made in the
    // last fifteen years has.
    std::optional<Symbol> find(Memory& memory, std::string_view name);

    // The exported function that holds this address; empty: none does.
    std::string function_at(Memory& memory, std::uint64_t address);

private:
    struct Function {
        std::uint64_t begin = 0, end = 0;
        std::uint32_t name = 0;
    };

    void read_headers(Memory& memory);
    void read_notes(Memory& memory, std::uint64_t begin, std::uint64_t size);
    void read_dynamic(Memory& memory);
    void list_functions(Memory& memory);
    std::string text_at(Memory& memory, std::uint64_t address, std::size_t most) const;

    std::string path_;
    std::uint64_t begin_ = 0, end_ = 0, base_ = 0;
    bool is_elf_ = false;
    std::uint64_t eh_frame_header_ = 0, dynamic_ = 0, dynamic_size_ = 0;
    std::string build_id_;
    bool dynamic_read_ = false;
    std::uint64_t symbols_ = 0, strings_ = 0, hash_ = 0;
    bool functions_listed_ = false;
    std::vector<Function> functions_;
};

class Images {
public:
    explicit Images(pid_t pid);

    // The image that holds this address; null: none does.
    Image* at(std::uint64_t address);
    const Mapping* mapping_at(std::uint64_t address) const;
    // Whether this mapping's file is mapped, under whatever name.
    bool maps(const Mapping& file) const;

    // In the order of their addresses, the executable first where it is not position-independent.
    const std::vector<std::unique_ptr<Image>>& all();

    Memory& memory() { return memory_; }

private:
    Memory memory_;  // of what does not change
    std::vector<Mapping> mappings_;
    std::vector<std::unique_ptr<Image>> images_;
    bool listed_ = false;
};

}  // namespace leftover::hang
