// The exec family: the tree stays instrumented whatever environment a program makes up. All of it may
// run in a vforked child: everything is on the stack, and the real functions called are the `e` forms.
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

#include "preload/core/environment.h"
#include "preload/hooks/child.h"
#include "preload/hooks/quiet.h"

namespace leftover {

namespace {

// Runs `call(arguments, environment)`, which returns only when the exec failed. In a frame of its own,
// for its alloca.
template <class Call>
__attribute__((noinline)) int execute(int dirfd, const char* path, char* const* argv, char* const* envp,
                                      Call call) {
    EnvironmentPlan plan(dirfd, path, envp);
    // From now on there may be such: every hook asks who it runs in.
    if (is_uncounted_sharer()) fresh.memory_sharers.fetch_add(1, std::memory_order_relaxed);
    ExecNote note(path, plan.instrumented(), plan.reason());
    plan.hold(note.held());
    char* const* environment = plan.build(__builtin_alloca(plan.bytes()));
    const QuietPlan quiet(argv);
    char* const* arguments = quiet.build(__builtin_alloca(quiet.bytes()));
    int result = call(arguments, environment);
    int saved = errno;
    note.take_back();
    if (saved == E2BIG && plan.adds()) {
        // What we add may be what is too much.
        ExecNote bare(path, false, static_cast<unsigned>(record::Reason::unknown));
        result = call(argv, envp);
        saved = errno;
        bare.take_back();
    }
    errno = saved;
    return result;
}

bool pass_through(const char* path) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return !options.active || !sys::readable_string(path);
}

}  // namespace

HOOK(int, execve, const char* path, char* const* argv, char* const* envp) {
    if (pass_through(path)) return real_execve(path, argv, envp);
    return execute(AT_FDCWD, path, argv, envp, [&](char* const* arguments, char* const* environment) {
        return real_execve(path, arguments, environment);
    });
}

HOOK(int, execvpe, const char* file, char* const* argv, char* const* envp) {
    if (pass_through(file)) return real_execvpe(file, argv, envp);
    char found[512];
    return execute(AT_FDCWD, search_path(file, found, sizeof found), argv, envp,
                   [&](char* const* arguments, char* const* environment) {
                       return real_execvpe(file, arguments, environment);
                   });
}

HOOK(int, execv, const char* path, char* const* argv) { return hook_execve(path, argv, environ); }

HOOK(int, execvp, const char* file, char* const* argv) { return hook_execvpe(file, argv, environ); }

HOOK(int, fexecve, int fd, char* const* argv, char* const* envp) {
    if (pass_through("")) return real_fexecve(fd, argv, envp);
    return execute(fd, "", argv, envp, [&](char* const* arguments, char* const* environment) {
        return real_fexecve(fd, arguments, environment);
    });
}

HOOK(int, execveat, int dirfd, const char* path, char* const* argv, char* const* envp, int flags) {
    if (pass_through(path)) return real_execveat(dirfd, path, argv, envp, flags);
    return execute(dirfd, path, argv, envp, [&](char* const* arguments, char* const* environment) {
        return real_execveat(dirfd, path, arguments, environment, flags);
    });
}

// The variadic forms: counted first, then copied to the stack of this very frame.
#define COUNT_ARGUMENTS(count, rest, first)                        \
    std::size_t count = 1;                                         \
    if ((first) != nullptr) {                                      \
        va_start(rest, first);                                     \
        while (va_arg(rest, char*) != nullptr) ++count;            \
        va_end(rest);                                              \
    }
#define COPY_ARGUMENTS(argv, count, rest, first)                                           \
    auto** argv = static_cast<char**>(__builtin_alloca((count + 1) * sizeof(char*)));      \
    argv[0] = const_cast<char*>(first);                                                    \
    va_start(rest, first);                                                                 \
    if ((first) != nullptr) {                                                              \
        for (std::size_t i = 1; i <= count; ++i) argv[i] = va_arg(rest, char*);            \
    }

HOOK(int, execl, const char* path, const char* argument, ...) {
    va_list rest;
    COUNT_ARGUMENTS(count, rest, argument)
    COPY_ARGUMENTS(argv, count, rest, argument)
    va_end(rest);
    return hook_execve(path, argv, environ);
}

HOOK(int, execlp, const char* file, const char* argument, ...) {
    va_list rest;
    COUNT_ARGUMENTS(count, rest, argument)
    COPY_ARGUMENTS(argv, count, rest, argument)
    va_end(rest);
    return hook_execvpe(file, argv, environ);
}

HOOK(int, execle, const char* path, const char* argument, ...) {
    va_list rest;
    COUNT_ARGUMENTS(count, rest, argument)
    COPY_ARGUMENTS(argv, count, rest, argument)
    char* const* envp = va_arg(rest, char* const*);
    va_end(rest);
    return hook_execve(path, argv, envp);
}

}  // namespace leftover
