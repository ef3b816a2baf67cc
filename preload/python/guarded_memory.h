// Loads of this process's own memory where something may be wrong with it. Any context; errno is
// kept.
#pragma once

#include <errno.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "preload/core/sys.h"
#include "preload/python/memory.h"

namespace leftover::python {

class GuardedMemory {
public:
    struct Against {
        // Another thread may finalise the interpreter at any moment and unmap what is being read.
        // It says so in a variable first, which this function (Py_IsInitialized) reads; it is asked
        // before each load. (process_vm_readv would leave no gap at all and cost 30 times as much.)
        // Null: not needed.
        int (*finalisation)() = nullptr;
        // Pointers may be garbage: each page is tried before it is first read.
        bool garbage = false;
    };

    explicit GuardedMemory(Against against) noexcept : against_(against) {}

    bool read(std::uintptr_t address, void* to, std::size_t size) noexcept {
        if (size == 0) return true;
        if (!is_plausible(address, size)) return false;
        if (against_.garbage && !(is_there(address) && is_there(address + size - 1))) return false;
        if (against_.finalisation != nullptr) {
            if (against_.finalisation() == 0) return false;
            std::atomic_thread_fence(std::memory_order_acquire);
        }
        return LocalMemory().read(address, to, size);
    }

private:
    static constexpr std::uintptr_t page_size = 4096;  // or a part of one

    bool is_there(std::uintptr_t address) noexcept {
        const std::uintptr_t page = address / page_size;
        std::uintptr_t& known = pages_[page % pages_.size()];
        if (known == page) return true;
        // The kernel reads the new mask before it rejects what is to be done with it.
        constexpr int nothing = -1;
        constexpr long mask_size = 8;
        const long result = sys::call(SYS_rt_sigprocmask, nothing, page * page_size, 0L, mask_size);
        if (result != -EINVAL) return false;
        known = page;
        return true;
    }

    Against against_;
    std::array<std::uintptr_t, 32> pages_{};
};

// Whether this may be a signal handler: those that do not ask otherwise block their own signal.
inline bool may_be_handler() noexcept {
    std::uint64_t blocked = 0;
    sys::call(SYS_rt_sigprocmask, SIG_BLOCK, 0L, &blocked, sizeof blocked);
    return blocked != 0;
}

}  // namespace leftover::python
