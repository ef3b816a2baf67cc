// What the versions offer (Python/pystate.c of each):
//
// - PyGILState_GetThisThreadState: this thread's state, with or without the GIL. Since 3.12 the one
//   that was last active here, whatever its interpreter; before, the first that was made here,
//   which belongs to the main interpreter as a rule. In 2.7 it takes a lock that the child of a
//   fork may find taken for ever, so there it is not called at all.
// - _PyThreadState_UncheckedGet (2.7: a variable): who runs. Since 3.12 a variable of each thread;
//   before, one variable of the process, and what it points to may be another thread's. A thread
//   takes its state out of it before it frees that.
// - The lists of interpreters and states. Threads come and go in them meanwhile, and the pointers
//   of a state just freed are malloc's: they are read by process_vm_readv, which does not fault.
#include "preload/python/current_thread.h"

#include <pthread.h>

#include "preload/core/sys.h"
#include "preload/python/memory.h"
#include "preload/python/walk.h"

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

bool has_subinterpreters(const Interpreter& interpreter) noexcept {
    const std::uintptr_t newest = address_of(interpreter.interpreters());
    if (interpreter.main_interpreter != nullptr) {
        return newest != address_of(interpreter.main_interpreter());
    }
    LocalMemory memory;
    std::uintptr_t next = 0;
    return load(memory, newest, interpreter.layout->interpreter_next, next) && next != 0;
}

// This thread's state with frames in the newest interpreter that has one; 0 if none has. That is
// where the thread is, unless a program makes several interpreters and then enters them in another
// order.
std::uintptr_t search(const Interpreter& interpreter) noexcept {
    constexpr int max_interpreters = 256;
    constexpr int max_threads = 65536;
    const Layout& layout = *interpreter.layout;
    ProcessMemory memory(sys::getpid());
    std::uintptr_t at = address_of(interpreter.interpreters());
    for (int i = 0; i < max_interpreters && at != 0; ++i) {
        std::uintptr_t state = 0;
        if (!load(memory, at, layout.interpreter_threads, state)) break;
        for (int j = 0; j < max_threads && state != 0; ++j) {
            if (is_ours(memory, layout, state) &&
                Walk(memory, layout, interpreter.types).innermost(state) != 0) {
                return state;
            }
            if (!load(memory, state, layout.thread_next, state)) break;
        }
        if (!load(memory, at, layout.interpreter_next, at)) break;
    }
    return 0;
}

CurrentThread find_by_shared_variable(const Interpreter& interpreter) noexcept {
    const Layout& layout = *interpreter.layout;
    LocalMemory memory;
    const std::uintptr_t current = address_of(interpreter.current_thread());
    std::uintptr_t first = 0;
    if (layout.version >= 0x0300) {
        first = address_of(interpreter.this_thread());
        if (first == 0) return {};
        if (first != current && !has_subinterpreters(interpreter)) {
            return {is_ours(memory, layout, first) ? first : 0, false};
        }
    }
    if (current != 0 && is_ours(memory, layout, current)) return {current, true};
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
