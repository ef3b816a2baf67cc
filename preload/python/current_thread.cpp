// What the versions offer (Python/pystate.c of each):
//
// - PyGILState_GetThisThreadState: this thread's state, with or without the GIL. Since 3.12 the one
//   that was last active here, whatever its interpreter; before, the first that was made here, which
//   belongs to the main interpreter as a rule. In 2.7 it takes a lock that the child of a fork may
//   find taken for ever, so there it is not called at all.
// - _PyThreadState_UncheckedGet (2.7: a variable): who runs. Since 3.12 a variable of each thread;
//   before, one variable of the process, so the state found in it may be another thread's and be
//   freed at any time: it is only read with care.
// - The lists of interpreters and states, likewise only read with care.
#include "preload/python/current_thread.h"

#include <pthread.h>

#include "preload/core/sys.h"
#include "preload/python/memory.h"

namespace leftover::python {
namespace {

std::uintptr_t address_of(const void* pointer) noexcept {
    return reinterpret_cast<std::uintptr_t>(pointer);
}

// Python notes the pthread_t of the thread that makes a state.
template <class Memory>
bool is_ours(Memory& memory, const Layout& layout, std::uintptr_t state) noexcept {
    std::uintptr_t id = 0;
    return load(memory, state, layout.thread_id, id) &&
           id == static_cast<std::uintptr_t>(pthread_self());
}

// For a state that another thread may be freeing.
bool is_ours_carefully(const Layout& layout, std::uintptr_t state) noexcept {
    ProcessMemory careful(sys::getpid());
    if (is_ours(careful, layout, state)) return true;
    if (!careful.is_refused()) return false;
    LocalMemory plain;
    return is_ours(plain, layout, state);
}

bool has_subinterpreters(const Interpreter& interpreter) noexcept {
    const std::uintptr_t newest = address_of(interpreter.interpreters());
    if (interpreter.main_interpreter != nullptr) {
        return newest != address_of(interpreter.main_interpreter());
    }
    ProcessMemory careful(sys::getpid());
    std::uintptr_t next = 0;
    return load(careful, newest, interpreter.layout->interpreter_next, next) && next != 0;
}

// The newest interpreter first: the innermost of those that this thread is in, unless a program makes
// several and then enters them in another order.
std::uintptr_t search(const Interpreter& interpreter) noexcept {
    constexpr int max_interpreters = 256;
    constexpr int max_threads = 65536;
    const Layout& layout = *interpreter.layout;
    ProcessMemory careful(sys::getpid());
    std::uintptr_t idle = 0;
    std::uintptr_t at = address_of(interpreter.interpreters());
    for (int i = 0; i < max_interpreters && at != 0; ++i) {
        std::uintptr_t state = 0;
        if (!load(careful, at, layout.interpreter_threads, state)) break;
        for (int j = 0; j < max_threads && state != 0; ++j) {
            if (is_ours(careful, layout, state)) {
                std::uintptr_t frame = 0;
                if (load(careful, state, layout.thread_frame, frame) && frame != 0) return state;
                idle = state;
            }
            if (!load(careful, state, layout.thread_next, state)) break;
        }
        if (!load(careful, at, layout.interpreter_next, at)) break;
    }
    return idle;
}

CurrentThread find_by_shared_variable(const Interpreter& interpreter) noexcept {
    const Layout& layout = *interpreter.layout;
    const std::uintptr_t current = address_of(interpreter.current_thread());
    std::uintptr_t first = 0;
    if (layout.version >= 0x0300) {
        first = address_of(interpreter.this_thread());
        if (first == 0) return {};
        LocalMemory memory;
        if (first == current && is_ours(memory, layout, first)) return {first, true};
        if (!has_subinterpreters(interpreter)) {
            return {is_ours_carefully(layout, first) ? first : 0, false};
        }
    }
    if (current != 0 && is_ours_carefully(layout, current)) return {current, true};
    const std::uintptr_t found = search(interpreter);
    return {found != 0 ? found : first, false};
}

}  // namespace

CurrentThread find_current_thread(const Interpreter& interpreter) noexcept {
    if (interpreter.layout != nullptr && interpreter.layout->has_shared_current()) {
        return find_by_shared_variable(interpreter);
    }
    const std::uintptr_t state = address_of(interpreter.this_thread());
    return {state, state != 0 && address_of(interpreter.current_thread()) == state};
}

}  // namespace leftover::python
