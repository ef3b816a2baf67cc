// Native stacks of the threads of one process, by libunwind and the unwind tables in its memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "reporter/hang/images.h"
#include "reporter/hang/registers.h"

namespace leftover::hang {

class NativeStacks {
public:
    // What is learnt of one thread's stack is kept for the next. `images` must outlive this.
    explicit NativeStacks(Images& images);
    ~NativeStacks();
    NativeStacks(const NativeStacks&) = delete;
    NativeStacks& operator=(const NativeStacks&) = delete;

    // Return addresses, innermost first, of a thread that is stopped and has these registers. Where a
    // thread was interrupted, by us or by a signal, the address is one higher: as if a call had
    // brought it there.
    std::vector<std::uint64_t> read(const Registers& registers, Memory& stack, std::size_t most);

private:
    struct Space;

    std::unique_ptr<Space> space_;
};

}  // namespace leftover::hang
