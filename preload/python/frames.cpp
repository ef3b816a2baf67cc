#include "preload/python/frames.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>

#include <array>
#include <atomic>
#include <cstring>

#include "preload/python/c_api.h"
#include "preload/python/current_thread.h"
#include "preload/python/detected.h"
#include "preload/core/elf_symbols.h"
#include "preload/python/guarded_memory.h"
#include "preload/python/interpreter.h"
#include "preload/python/memory.h"
#include "preload/python/walk.h"

namespace leftover::python {

std::atomic<const Interpreter*> active{nullptr};
int (*each_module)(int (*)(dl_phdr_info*, std::size_t, void*), void*) = dl_iterate_phdr;

namespace {

class KeepErrno {
public:
    KeepErrno() noexcept : saved_(errno) {}
    ~KeepErrno() { errno = saved_; }
    KeepErrno(const KeepErrno&) = delete;
    KeepErrno& operator=(const KeepErrno&) = delete;

private:
    int saved_;
};

// Threads may detect at the same time, and a fork may cut one short: each fills a slot of its own,
// and the first to be done wins. A program whose CPython was of no use this often has no other.
std::array<Interpreter, 8> slots;
std::atomic<unsigned> used_slots{0};

struct Search {
    const char* library_path;  // null: any module
    Interpreter* interpreter;  // null: only look for the module
    ElfSymbols executable;
    bool has_executable = false;
    bool is_found = false;
    std::array<char, PATH_MAX> path;  // of the module; empty: the executable
};

int visit(dl_phdr_info* module, std::size_t, void* data) noexcept {
    auto& search = *static_cast<Search*>(data);
    const ElfSymbols symbols(*module);
    if (!search.has_executable) {  // it comes first
        search.executable = symbols;
        search.has_executable = true;
    }
    const char* name = module->dlpi_name == nullptr ? "" : module->dlpi_name;
    if (search.library_path != nullptr && std::strcmp(name, search.library_path) != 0) return 0;
    const std::size_t length = std::strlen(name);
    if (length >= search.path.size() || !is_python(symbols)) return 0;

    std::memcpy(search.path.data(), name, length + 1);
    search.is_found = search.interpreter == nullptr ||
                      read_interpreter(search.executable, symbols, *search.interpreter);
    return search.is_found ? 1 : 0;
}

bool find_module(const char* library_path, Interpreter* interpreter, Search& search) noexcept {
    search.library_path = library_path;
    search.interpreter = interpreter;
    search.has_executable = search.is_found = false;
    each_module(visit, &search);
    return search.is_found;
}

}  // namespace

bool detect(const char* library_path) noexcept {
    if (active.load(std::memory_order_acquire) != nullptr) return true;
    if (used_slots.load(std::memory_order_relaxed) >= slots.size()) return false;
    const KeepErrno keep_errno;
    Search search;
    if (!find_module(library_path, nullptr, search)) return false;

    // A module that is noticed while another thread still loads it must not be called yet, and one
    // whose functions capture calls must not be unloaded. A reference of our own, which waits for
    // the loader and is never given back, settles both.
    std::array<char, PATH_MAX>& path = search.path;
    void* reference = nullptr;
    if (path[0] != 0) {
        reference = dlopen(path.data(), RTLD_LAZY | RTLD_NOLOAD);
        if (reference == nullptr) return false;
    }
    const unsigned slot = used_slots.fetch_add(1, std::memory_order_relaxed);
    if (slot < slots.size() && find_module(library_path, &slots[slot], search)) {
        const Interpreter* none = nullptr;
        active.compare_exchange_strong(none, &slots[slot], std::memory_order_acq_rel);
        return true;
    }
    if (reference != nullptr) dlclose(reference);
    return false;
}

std::size_t capture(FrameSink sink, void* context, std::size_t max) noexcept {
    const Interpreter* interpreter = detected();
    if (interpreter == nullptr || max == 0) return 0;
    const KeepErrno keep_errno;
    return capture_from(*interpreter, sink, context, max);
}

std::size_t capture_from(const Interpreter& interpreter, FrameSink sink, void* context,
                         std::size_t max) noexcept {
    if (interpreter.is_initialized() == 0) return 0;
    if (interpreter.is_finalizing != nullptr && interpreter.is_finalizing() != 0) return 0;
    const CurrentThread thread = find_current_thread(interpreter);
    if (thread.state == 0) return 0;
    if (interpreter.layout == nullptr) {
        return thread.holds_gil ? capture_by_api(interpreter.api, sink, context, max) : 0;
    }
    // A signal handler may have interrupted the interpreter just before it set one of the pointers
    // that we follow; only the frame objects up to 3.10 are whole before they are linked. A thread
    // that has let go of the GIL runs no code of Python's, so that its frames are whole too; but if
    // it is a daemon thread nothing stops another one from finalising.
    const Layout& layout = *interpreter.layout;
    const bool expect_garbage =
        thread.holds_gil && !layout.has_frame_objects() && may_be_handler();
    if (thread.holds_gil && !expect_garbage) {
        LocalMemory memory;
        return Walk(memory, layout, interpreter.types)(thread.state, sink, context, max);
    }
    GuardedMemory memory({.finalisation = thread.holds_gil ? nullptr : interpreter.is_initialized,
                          .garbage = expect_garbage});
    return Walk(memory, layout, interpreter.types)(thread.state, sink, context, max);
}

}  // namespace leftover::python
