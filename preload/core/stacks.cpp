#include "preload/core/stacks.h"

#include <libunwind.h>

#include <cerrno>

#include "preload/core/alternate_stack.h"
#include "preload/core/arena.h"
#include "preload/core/modules.h"
#include "preload/core/process.h"
#include "preload/core/text.h"
#include "preload/core/unwind_lock.h"
#include "preload/core/walks.h"
#include "preload/python/frames.h"

namespace leftover {

namespace {

// Frames of ours that lie between the capture and the hook are left out; there are fewer than this.
constexpr std::uint32_t own_frames = 16;
constexpr std::uint32_t max_python = 64;

// Which stack a hash stands for, so that a stack seen before is neither translated nor compared. The
// two words are written apart; a torn pair does not match, because one is stored xored with the other.
struct Known {
    std::atomic<std::uint64_t> check{0};
    std::atomic<std::uint64_t> id{0};
};
constexpr std::uint32_t known_count = 2048;
constinit Known known[known_count];

thread_local bool tempfile_frame = false;

struct PythonHash {
    std::uint64_t hash = 0;
    std::uint32_t count = 0;
};

void hash_python_frame(void* context, const char* function, std::size_t function_size, const char* file,
                       std::size_t file_size, int line) noexcept {
    auto* state = static_cast<PythonHash*>(context);
    if (state->count++ == 0) {
        const std::string_view name(file, file_size);
        tempfile_frame = name == "tempfile.py" || name.ends_with("/tempfile.py");
    }
    state->hash = hash_bytes(function, function_size, mix(state->hash, static_cast<std::uint64_t>(line)));
    state->hash = hash_bytes(file, file_size, state->hash);
}

struct PythonFrames {
    Mapping* mapping;
    record::PythonFrame* frames;
    std::uint32_t count;
};

void keep_python_frame(void* context, const char* function, std::size_t function_size, const char* file,
                       std::size_t file_size, int line) noexcept {
    auto* state = static_cast<PythonFrames*>(context);
    if (state->count == max_python) return;
    record::PythonFrame& frame = state->frames[state->count++];
    frame.function = intern_string(*state->mapping, std::string_view(function, function_size));
    frame.file = intern_string(*state->mapping, std::string_view(file, file_size));
    frame.line = static_cast<std::uint32_t>(line);
    frame.reserved = 0;
}

// As unw_backtrace, in a handler that interrupted it.
__attribute__((noinline)) std::uint32_t step_by_step(void** frames, std::uint32_t room) {
    unw_context_t context;
    unw_cursor_t cursor;
    std::uint32_t count = 0;
    if (unw_getcontext(&context) != 0 || unw_init_local(&cursor, &context) != 0) return 0;
    while (count < room && unw_step(&cursor) > 0) {
        unw_word_t ip = 0;
        if (unw_get_reg(&cursor, UNW_REG_IP, &ip) != 0) break;
        frames[count++] = reinterpret_cast<void*>(ip);
    }
    return count;
}

// The return addresses of this thread, innermost first, the hook's own frame included and what we put
// in between left out.
std::uint32_t native_frames(void** frames, std::uint32_t room, void**& first) {
    first = frames;
    std::uint32_t count = 0;
    if (begin_unwind()) {
        const int got = unw_backtrace(frames, static_cast<int>(room));
        end_unwind();
        if (got > 0) count = static_cast<std::uint32_t>(got);
    } else if (const StepWithin within; within) {
        count = step_by_step(frames, room);
    }
    while (count > 1 && in_shim(reinterpret_cast<std::uintptr_t>(first[1])) ) {
        ++first;
        --count;
    }
    return count < options.depth ? count : options.depth;
}

// No larger than it must be: a handler on a small stack may be what called.
__attribute__((noinline)) record::ItemId enter(Mapping& mapping, void* const* native, std::uint32_t native_count, bool with_python) {
    static_assert(sizeof(record::PythonFrame) % sizeof(std::uint64_t) == 0);
    const std::size_t room = native_count * sizeof(std::uint64_t) + (with_python ? max_python * sizeof(record::PythonFrame) : 0);
    auto* const stack = static_cast<record::Stack*>(__builtin_alloca(sizeof(record::Stack) + room));
    auto* const words = reinterpret_cast<std::uint64_t*>(stack + 1);
    for (std::uint32_t i = 0; i < native_count; ++i) {
        words[i] = to_frame(mapping, reinterpret_cast<std::uintptr_t>(native[i]));
    }
    PythonFrames frames{&mapping, reinterpret_cast<record::PythonFrame*>(words + native_count), 0};
    if (with_python) python::capture(keep_python_frame, &frames, max_python);
    stack->native_count = static_cast<std::uint16_t>(native_count);
    stack->python_count = static_cast<std::uint16_t>(frames.count);
    stack->reserved = 0;
    return intern(mapping, record::ItemType::stack, stack,
                  static_cast<std::uint32_t>(sizeof *stack + native_count * 8 + frames.count * sizeof(record::PythonFrame)));
}

void remember(const void* frame, void* const* native, std::uint32_t count, std::uint64_t hash) {
    if (!begin_unwind()) return;
    remember_walk(frame, native, count, hash);
    end_unwind();
}

// `frame` is capture_stack's own.
record::ItemId capture(Mapping& mapping, const void* frame, bool with_python) {
    Walk* const walk = find_walk(frame);
    tempfile_frame = false;
    // Python's frames take half as much as unwinding does.
    if ((walk == nullptr || with_python) && is_stack_too_small()) {
        if (walk == nullptr) return 0;
        with_python = false;
    }
    // No larger than it must be: a page of stack written between two forks is a page to copy.
    const std::uint32_t room = walk == nullptr ? options.depth + own_frames : 1;
    auto** frames = static_cast<void**>(__builtin_alloca(room * sizeof(void*)));
    void** unwound = nullptr;
    const std::uint32_t count = walk != nullptr ? walk->frames : native_frames(frames, room, unwound);
    void* const* const native = walk != nullptr ? walk->first_frame() : unwound;
    PythonHash python;
    if (with_python) python::capture(hash_python_frame, &python, max_python);
    if (count == 0 && python.count == 0) return 0;

    if (walk != nullptr && python.count == 0) {
        const std::uint64_t stack = walk->stack.load(std::memory_order_relaxed);
        if (stack >> 32 == mapping.serial) return static_cast<record::ItemId>(stack);
    }
    const std::uint64_t native_hash = walk != nullptr ? walk->hash : hash_bytes(native, count * sizeof(void*));
    std::uint64_t hash = mix(native_hash, python.hash);
    hash = mix(hash, static_cast<std::uint64_t>(unload_epoch.load(std::memory_order_relaxed)) << 32 | python.count);
    hash = mix(hash, mapping.serial);
    Known& place = known[hash % known_count];
    const std::uint64_t id = place.id.load(std::memory_order_acquire);
    record::ItemId stack = 0;
    if (id != 0 && (place.check.load(std::memory_order_acquire) ^ id) == hash) {
        stack = static_cast<record::ItemId>(id);
        if (walk == nullptr && count != 0) remember(frame, native, count, native_hash);
    } else {
        if (walk == nullptr && count != 0 && seen_before(native_hash)) remember(frame, native, count, native_hash);
        stack = enter(mapping, native, count, python.count != 0);
        if (stack != 0) {
            place.id.store(stack, std::memory_order_release);
            place.check.store(hash ^ stack, std::memory_order_release);
        }
    }
    if (walk != nullptr && python.count == 0 && stack != 0) {
        walk->stack.store(static_cast<std::uint64_t>(mapping.serial) << 32 | stack, std::memory_order_relaxed);
    }
    return stack;
}

}  // namespace

namespace {

// Runs `call(outermost)` as the capture under way in the caller's frame, `here`. It is not the outermost one in a
// handler that interrupted a capture; one that a handler jumped out of is past.
template <class Call>
std::uint32_t alone(std::uintptr_t here, Call call) {
    ThreadState& self = thread_state;
    std::uintptr_t outer = self.capturing;
    if (outer != 0 && here >= outer) {
        end_unwind();
        outer = 0;
    }
    self.capturing = here;
    self.looks = 0;
    const int saved = errno;
    const bool found_tempfile = tempfile_frame;
    const std::uint32_t result = call(outer == 0);
    if (outer != 0) tempfile_frame = found_tempfile;
    errno = saved;
    self.capturing = outer;
    return result;
}

}  // namespace

record::ItemId capture_stack(Mapping& mapping) {
    const void* const frame = __builtin_frame_address(0);
    return alone(reinterpret_cast<std::uintptr_t>(frame),
                 [&](bool outermost) { return capture(mapping, frame, options.python && outermost); });
}

namespace {

std::uint32_t frames_of(const void* frame, void** frames, std::uint32_t room) {
    if (const Walk* const walk = find_walk(frame)) {
        const std::uint32_t count = walk->frames < room ? walk->frames : room;
        copy_bytes(frames, walk->first_frame(), count * sizeof(void*));
        return count;
    }
    if (is_stack_too_small()) return 0;
    auto** all = static_cast<void**>(__builtin_alloca((options.depth + own_frames) * sizeof(void*)));
    void** native = nullptr;
    const std::uint32_t count = native_frames(all, options.depth + own_frames, native);
    const std::uint64_t hash = hash_bytes(native, count * sizeof(void*));
    if (count != 0 && seen_before(hash)) remember(frame, native, count, hash);
    copy_bytes(frames, native, (count < room ? count : room) * sizeof(void*));
    return count < room ? count : room;
}

}  // namespace

std::uint32_t capture_frames(void** frames, std::uint32_t room) {
    const void* const frame = __builtin_frame_address(0);
    return alone(reinterpret_cast<std::uintptr_t>(frame), [&](bool) { return frames_of(frame, frames, room); });
}

record::ItemId enter_frames(Mapping& mapping, void* const* frames, std::uint32_t count) {
    return count != 0 ? enter(mapping, frames, count, false) : 0;
}

bool innermost_frame_is_tempfile() { return tempfile_frame; }

}  // namespace leftover
