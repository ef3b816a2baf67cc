#include "preload/core/environment.h"

#include <unistd.h>

#include "preload/core/loadable.h"
#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/core/undisturbed.h"

extern "C" char** environ;
extern "C" void* __libc_stack_end;  // exported by the loader: where the program's first stack begins

namespace leftover {

// A hook may be called before libc has set `environ`: from a program's .preinit_array, as sanitizers'
// runtimes do. What it is going to point to lies behind argc and argv (System V ABI, process
// initialization).
char** current_environment() {
    if (environ != nullptr || __libc_stack_end == nullptr) return environ;
    auto* const start = static_cast<long*>(__libc_stack_end);
    return reinterpret_cast<char**>(start + 1 + *start + 1);
}

namespace {

constexpr char preload_variable[] = "LD_PRELOAD";
constexpr std::size_t most_on_stack = 2000;
constexpr char list_variable[] = "LD_TRACE_LOADED_OBJECTS";

char internal_text[1536];  // LEFTOVER_INTERNAL=...
constexpr char held_key[] = ";held=";
char options_text[4096];   // LEFTOVER_OPTIONS=...
char preload_text[544];    // LD_PRELOAD=library, for the case that nothing else is there

std::string_view library_name() { return base_name(options.library); }

// The value when `entry` is `name=value`, else null.
char* value_of(char* entry, std::string_view name) {
    if (__builtin_strncmp(entry, name.data(), name.size()) != 0 || entry[name.size()] != '=') return nullptr;
    return entry + name.size() + 1;
}

// As far as names of ours go.
bool begins_readably(const char* entry) {
    constexpr std::uintptr_t page = 4096;
    constexpr std::uintptr_t longest = 64;
    if (!sys::readable(entry)) return false;
    return reinterpret_cast<std::uintptr_t>(entry) % page < page - longest || sys::readable_string(entry);
}

bool is_separator(char c) { return c == ':' || c == ' '; }

// Calls visit(begin, end) for each entry of an LD_PRELOAD value.
template <class Visit>
void each_preload(const char* value, Visit visit) {
    while (*value != 0) {
        while (is_separator(*value)) ++value;
        const char* end = value;
        while (*end != 0 && !is_separator(*end)) ++end;
        if (end != value && visit(value, end)) return;
        value = end;
    }
}

bool is_shim(const char* begin, const char* end) {
    return base_name({begin, static_cast<std::size_t>(end - begin)}) == library_name();
}

bool names_shim(const char* value) {
    bool found = false;
    each_preload(value, [&](const char* begin, const char* end) { return found = is_shim(begin, end); });
    return found;
}

bool is_asan(std::string_view path) {
    const std::string_view name = base_name(path);
    return name.starts_with("libasan.so") || name.starts_with("libclang_rt.asan");
}

// Takes the shim out of an LD_PRELOAD value, in place; what else is there stays as it was written. Out
// goes also AddressSanitizer's runtime that was put before the shim for this program alone: two colons behind
// it tell it from one of the user's own.
void cut_shim(char* value) {
    const char* colons = __builtin_strstr(value, "::");
    if (colons != nullptr && is_asan({value, static_cast<std::size_t>(colons - value)}) &&
        __builtin_memchr(value, ':', static_cast<std::size_t>(colons - value)) == nullptr) {
        __builtin_memmove(value, colons + 2, __builtin_strlen(colons + 2) + 1);
    }
    each_preload(value, [&](const char* begin, const char* end) {
        if (!is_shim(begin, end)) return false;
        if (is_separator(*end)) {
            ++end;
        } else if (begin != value) {
            --begin;
        }
        __builtin_memmove(value + (begin - value), end, __builtin_strlen(end) + 1);
        return true;
    });
}

void remove_entry(char** entry) {
    for (; *entry != nullptr; ++entry) entry[0] = entry[1];
}

}  // namespace

Variables read_variables() {
    Variables found = {nullptr, nullptr};
    char** entry = current_environment();
    if (entry == nullptr) return found;
    static char internal_value[1400];
    static char options_value[4000];
    for (; *entry != nullptr; ++entry) {
        if (const char* value = value_of(*entry, internal_variable)) {
            if (Text text(internal_value, sizeof internal_value); !(text << value).cut()) found.internal = internal_value;
        } else if (const char* given = value_of(*entry, options_variable)) {
            if (Text text(options_value, sizeof options_value); !(text << given).cut()) found.options = options_value;
        }
    }
    if (found.options != nullptr) {
        Text(options_text, sizeof options_text) << options_variable << "=" << found.options;
    }
    return found;
}

void hide_variables(bool options_too) {
    Text(preload_text, sizeof preload_text) << preload_variable << "=" << options.library;
    char** entry = current_environment();
    if (entry == nullptr) return;
    // Who put the shim into an empty list, which the program is to find as it was: the user, or we?
    bool by_us = false;
    for (char** look = entry; *look != nullptr; ++look) by_us = by_us || value_of(*look, internal_variable) != nullptr;
    while (*entry != nullptr) {
        bool gone = value_of(*entry, internal_variable) != nullptr ||
                    (options_too && value_of(*entry, options_variable) != nullptr);
        if (char* value = value_of(*entry, preload_variable); value != nullptr && names_shim(value)) {
            const bool was_empty = by_us && is_separator(value[length(value) - 1]);
            cut_shim(value);
            gone = *value == 0 && !was_empty;
        }
        if (gone) {
            remove_entry(entry);
        } else {
            ++entry;
        }
    }
}

void set_internal(const char* value) {
    Text(internal_text, sizeof internal_text) << internal_variable << "=" << value;
}

EnvironmentPlan::EnvironmentPlan(int dirfd, const char* path, char* const* envp) : envp_(envp) {
    if (!options.active || internal_text[0] == 0 || !sys::readable_string(path)) return;
    const Target target = inspect(dirfd, path, options.library);
    reason_ = static_cast<unsigned>(target.loadable);
    if (target.loadable != Loadable::yes) return;
    if (target.asan) copy_bytes(asan_, target.asan_runtime, sizeof asan_);
    std::size_t preload = 0;
    if (envp != nullptr) {
        for (; sys::readable(envp + count_) && envp[count_] != nullptr; ++count_) {
            if (!begins_readably(envp[count_])) return;  // the exec fails by itself
            // A launcher inside this session has made its own arrangements.
            if (value_of(envp[count_], internal_variable) != nullptr) return;
            listed_ = listed_ || value_of(envp[count_], list_variable) != nullptr;
            if (const char* value = value_of(envp[count_], preload_variable)) {
                if (!sys::readable_string(value)) return;
                preload = length(value) + 1;
                preload_at_ = count_;
            }
        }
    }
    if (envp != nullptr && !sys::readable(envp + count_)) return;
    // Instead of running it the loader says what it would load, and would name us.
    if (listed_) return;
    // More than the stack of a thread may have room for.
    if (count_ > most_on_stack) {
        reason_ = static_cast<unsigned>(record::Reason::unknown);
        return;
    }
    bytes_ = (count_ + 4) * sizeof(char*) + preload + sizeof preload_text + sizeof asan_ + 4;
    adds_ = true;
}

void EnvironmentPlan::hold(std::string_view records) {
    if (!adds_ || records.empty()) return;
    held_ = records;
    bytes_ += sizeof internal_text + sizeof held_key + records.size();
}

char* const* EnvironmentPlan::build(void* space) const {
    if (!adds_) return envp_;
    auto** to = static_cast<char**>(space);
    char* text = reinterpret_cast<char*>(to + count_ + 4);
    Text preload(text, bytes_ - (count_ + 4) * sizeof(char*));
    preload << preload_variable << "=";
    if (asan_[0] != 0) preload << asan_ << "::";
    const bool there = preload_at_ != none;
    bool has_options = false;
    std::size_t used = 0;
    for (std::size_t i = 0; i < count_; ++i) {
        to[used++] = envp_[i];
        has_options = has_options || value_of(envp_[i], options_variable) != nullptr;
        if (i != preload_at_) continue;
        const char* value = value_of(envp_[i], preload_variable);
        if (names_shim(value)) continue;
        // The user's own sanitizer stays where it insists to be: first.
        const char* rest = value;
        each_preload(value, [&](const char* begin, const char* end) {
            const std::string_view entry(begin, static_cast<std::size_t>(end - begin));
            if (!is_asan(entry)) return true;
            preload << entry << ":";
            rest = end;
            return false;
        });
        while (rest != value && is_separator(*rest)) ++rest;
        // By the colon that follows it an empty list is told from none.
        preload << options.library;
        if (*rest != 0 || *value == 0) preload << ":" << rest;
        to[used - 1] = text;
    }
    if (!there) {
        if (asan_[0] == 0) {
            to[used++] = preload_text;
        } else {
            preload << options.library;
            to[used++] = text;
        }
    }
    if (held_.empty()) {
        to[used++] = internal_text;
    } else {
        // "LEFTOVER_INTERNAL=1;held=0.3;id=..."
        constexpr std::size_t version = sizeof internal_variable + 1;
        char* const internal = text + preload.size() + 1;
        const std::string_view own(internal_text);
        Text(internal, bytes_ - static_cast<std::size_t>(internal - static_cast<char*>(space)))
            << own.substr(0, version) << held_key << held_ << behind(own, version);
        to[used++] = internal;
    }
    if (options.by_hand && !has_options && options_text[0] != 0) to[used++] = options_text;
    to[used] = nullptr;
    return to;
}

namespace {

constexpr std::size_t most_variables = 4096;
char* scoped[most_variables];
char scoped_preload[4608];
char** replaced = nullptr;
std::uint32_t scopes = 0;
std::atomic<std::uint32_t> scope_lock{0};

// Held for microseconds, by threads that nothing disturbs meanwhile. A child that was forked by another one finds it
// free again: see leave_scopes_of_parent().
void lock_scope() {
    for (unsigned spins = 0; scope_lock.exchange(1, std::memory_order_acquire) != 0 && spins < 1'000'000; ++spins) {
        sys::yield();
    }
}
void unlock_scope() { scope_lock.store(0, std::memory_order_release); }

// As EnvironmentPlan, but in memory that lasts.
bool fill_scoped() {
    std::size_t count = 0;
    while (environ[count] != nullptr) ++count;
    if (count + 4 > most_variables) return false;
    const EnvironmentPlan plan(AT_FDCWD, "/bin/sh", environ);
    if (!plan.adds()) return false;
    const std::size_t texts = plan.bytes() - (count + 4) * sizeof(char*);
    if (texts > sizeof scoped_preload) return false;
    alignas(char*) char space[4096];
    if (plan.bytes() > sizeof space) return false;
    char* const* built = plan.build(space);
    std::size_t i = 0;
    for (; built[i] != nullptr; ++i) {
        char* entry = built[i];
        if (entry >= space && entry < space + sizeof space) {
            Text(scoped_preload, sizeof scoped_preload) << entry;
            entry = scoped_preload;
        }
        scoped[i] = entry;
    }
    scoped[i] = nullptr;
    return true;
}

// What the program's setenv and unsetenv did to our copy, in the program's own array. May be done again.
void write_back(char** to) {
    for (char** from = scoped; *from != nullptr; ++from) {
        if (*from == internal_text || *from == options_text || *from == preload_text) continue;
        if (*from == scoped_preload) {
            ++to;  // the program's own LD_PRELOAD stands there
            continue;
        }
        *to++ = *from;
    }
    *to = nullptr;
}

// A thread that forks meanwhile must find either all of this done or enough to do it again.
void put_back_environ() {
    if (environ == scoped) {
        write_back(replaced);
        environ = replaced;
    } else {
        hide_variables(options.by_hand);  // setenv has made an array of its own meanwhile
    }
    std::atomic_signal_fence(std::memory_order_seq_cst);
    replaced = nullptr;
}

}  // namespace

ScopedEnvironment::ScopedEnvironment() {
    if (!options.active) return;
    const Undisturbed whole;
    has_had_scopes.store(true, std::memory_order_relaxed);
    lock_scope();
    if (scopes == 0 && environ != nullptr && fill_scoped()) {
        replaced = environ;
        std::atomic_signal_fence(std::memory_order_seq_cst);
        environ = scoped;
    }
    ++scopes;
    unlock_scope();
}

ScopedEnvironment::~ScopedEnvironment() {
    if (!options.active) return;
    const Undisturbed whole;
    lock_scope();
    // None is left in a child that a signal handler forked meanwhile.
    if (scopes != 0 && --scopes == 0 && replaced != nullptr) put_back_environ();
    unlock_scope();
}

void leave_scopes_of_parent() {
    if (scopes == 0 && replaced == nullptr && scope_lock.load(std::memory_order_relaxed) == 0) return;
    if (replaced != nullptr) put_back_environ();
    scopes = 0;
    unlock_scope();
}

const char* search_path(const char* file, char* buffer, std::size_t size) {
    if (file == nullptr || *file == 0 || __builtin_strchr(file, '/') != nullptr) return file;
    const char* path = nullptr;
    if (environ != nullptr) {
        for (char** entry = environ; *entry != nullptr && path == nullptr; ++entry) path = value_of(*entry, "PATH");
    }
    if (path == nullptr) path = "/bin:/usr/bin";
    for (;;) {
        const char* end = path;
        while (*end != 0 && *end != ':') ++end;
        Text text(buffer, size);
        text << std::string_view(path, static_cast<std::size_t>(end - path));
        if (end != path) text << '/';
        text << file;
        struct stat status;
        if (!text.cut() && sys::call(SYS_faccessat, AT_FDCWD, buffer, X_OK) == 0 && sys::stat(buffer, &status) == 0 &&
            S_ISREG(status.st_mode)) {
            return buffer;
        }
        if (*end == 0) return file;
        path = end + 1;
    }
}

}  // namespace leftover
