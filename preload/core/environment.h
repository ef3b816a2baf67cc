// The variables that carry us: out of the program's sight, and back in for the programs it executes.
#pragma once

#include <atomic>
#include <cstddef>
#include <string_view>

#include "preload/core/law.h"

namespace leftover {

inline constexpr char internal_variable[] = "LEFTOVER_INTERNAL";
inline constexpr char options_variable[] = "LEFTOVER_OPTIONS";

// What the environment held; each points to static memory or is null.
struct Variables {
    const char* internal;  // value of LEFTOVER_INTERNAL
    const char* options;   // value of LEFTOVER_OPTIONS
};

// `environ`, or what it is going to be while libc has not set it yet; null where there is none.
char** current_environment();
// Copies our variables' values. Before any hook records; changes nothing.
Variables read_variables();
// Takes them, and the shim out of LD_PRELOAD, out of `environ`, in place. `options_too`: also
// LEFTOVER_OPTIONS (by hand it is ours, under a launcher it is the user's own).
void hide_variables(bool options_too);

// Sets what with_shim() puts in: "LEFTOVER_INTERNAL=..." and, by hand, "LEFTOVER_OPTIONS=...".
void set_internal(const char* value);

// An environment for a program about to be executed, in memory of the caller's frame:
//
//   EnvironmentPlan plan(dirfd, path, envp);
//   plan.hold(...);
//   char* const* environment = plan.build(__builtin_alloca(plan.bytes()));
//
// It is `envp` itself when there is nothing to add. Any context, also vforked children.
class EnvironmentPlan {
  public:
    EnvironmentPlan(int dirfd, const char* path, char* const* envp);
    // Tells the program which records hold descriptors that it is handed (handed.h): a list that lasts as long
    // as this.
    void hold(std::string_view records);
    std::size_t bytes() const { return bytes_; }
    char* const* build(void* space) const;
    bool adds() const { return adds_; }
    // A program that the loader only lists, for ldd, runs no code that we could miss.
    bool instrumented() const { return adds_ || listed_; }
    unsigned reason() const { return reason_; }  // record::Reason

  private:
    char* const* envp_;
    bool adds_ = false;
    bool listed_ = false;
    static constexpr std::size_t none = ~std::size_t{0};
    std::size_t count_ = 0;
    std::size_t preload_at_ = none;  // where LD_PRELOAD is; of several the last, which is the one the loader reads
    std::size_t bytes_ = sizeof(void*);
    unsigned reason_ = 0;
    char asan_[64] = {};
    std::string_view held_;
};

// For libc's functions that execute a shell with `environ` as it is (system, popen): our variables are
// in `environ` for as long as one of these lives. What setenv does meanwhile is kept.
class ScopedEnvironment {
  public:
    ScopedEnvironment();
    ~ScopedEnvironment();
    ScopedEnvironment(const ScopedEnvironment&) = delete;
    ScopedEnvironment& operator=(const ScopedEnvironment&) = delete;
};

// Whether there ever was one. Kept where each hook looks anyway: a forked child that reads another page waits for it.
extern std::atomic<bool> has_had_scopes;

// In a forked child, first thing: the threads that call system or popen are its parent's, and `environ` is the
// program's again.
void leave_scopes_of_parent();
inline void leave_parents_scopes() {
    if (has_had_scopes.load(std::memory_order_relaxed)) leave_scopes_of_parent();
}

// execvp's search: the file that would be executed, in `buffer`; `file` itself when it holds a slash or
// nothing is found.
const char* search_path(const char* file, char* buffer, std::size_t size);

}  // namespace leftover
