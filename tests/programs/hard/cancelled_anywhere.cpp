// Cancels threads asynchronously, at any instant of calls that bear it (plain system calls), while others create,
// load libraries and throw: in the middle of an unwinding, in a process's very first moments, and fifteen
// hundred times anywhere.
// leaves: semaphore /hard-anywhere
// library: created_by_library.c
#include <dlfcn.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <atomic>
#include <stdexcept>

#include "hard.h"

namespace {

std::atomic<int> inside, passed, cancelled, ended;
thread_local bool waits_within;
char library[4200];

int asynchronous() { return pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, nullptr); }

// A call that the thread makes once, so that whoever looks at its stack does not know this place yet.
void* once_within(void*) {
    asynchronous();
    waits_within = true;
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    waits_within = false;
    passed = fd;
    for (;;) {
    }
}

// At the first moments of a process, which has made nothing yet.
void* first_call(void* name) {
    asynchronous();
    passed = 1;
    close(shm_open(static_cast<char*>(name), O_CREAT | O_RDWR, 0600));
    for (;;) {
    }
}

void* calls(void* argument) {
    const long number = reinterpret_cast<long>(argument);
    char name[40];
    snprintf(name, sizeof name, "/hard-anywhere-%ld", number);
    asynchronous();
    passed = 1;
    for (int i = 0;; ++i) {
        int ends[2];
        switch ((number + i) % 5) {
        case 0: close(open("/dev/null", O_RDONLY)); break;
        case 1: close(socket(AF_UNIX, SOCK_STREAM, 0)); break;
        case 2: if (pipe(ends) == 0) { close(ends[0]); close(ends[1]); } break;
        case 3: close(shm_open(name, O_CREAT | O_RDWR, 0600)); shm_unlink(name); break;
        default: close(dup(0)); close(eventfd(0, 0)); break;
        }
    }
}

// Nobody waits for a thread that is gone: who creates meanwhile is as fast as ever.
void* creates(void*) {
    long bad = 0;
    while (!ended) {
        if (make_some() != 3 || make_thread() != 0) ++bad;
        sched_yield();
    }
    return reinterpret_cast<void*>(bad);
}

void* throws(void*) {
    long bad = 0;
    while (!ended) {
        try {
            throw std::runtime_error("thrown");
        } catch (const std::exception&) {
            ++bad;
        }
        --bad;
        sched_yield();
    }
    return reinterpret_cast<void*>(bad);
}

void* loads(void*) {
    long bad = 0;
    while (!ended) {
        void* const handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
        if (handle == nullptr || dlclose(handle) != 0) ++bad;
        sched_yield();
    }
    return reinterpret_cast<void*>(bad);
}

// How a thread that is cancelled after `spins` rounds of nothing ends.
bool ends_cancelled(pthread_t thread, unsigned spins) {
    while (!passed && !inside) sched_yield();
    for (volatile unsigned i = 0; i < spins; i = i + 1) {
    }
    pthread_cancel(thread);
    cancelled = 1;
    void* result = nullptr;
    return pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED;
}

unsigned random_spins(unsigned most) {
    static unsigned seed = 1;
    seed = seed * 1103515245U + 12345U;
    return (seed >> 8) % most;
}

}  // namespace

// Where an unwinder asks for a module. A thread that waits within is to be cancelled meanwhile.
extern "C" int _dl_find_object(void* address, dl_find_object* result) noexcept {
    static const auto real = reinterpret_cast<decltype(&_dl_find_object)>(dlsym(RTLD_NEXT, "_dl_find_object"));
    if (waits_within) {
        waits_within = false;
        inside = 1;
        while (!cancelled) sched_yield();
    }
    return real(address, result);
}

namespace {

// Who hangs in the unwinder has all signals blocked.
int watched(pid_t child) {
    for (int i = 0; i < 4000; ++i) {
        int status = 0;
        if (waitpid(child, &status, WNOHANG) == child) return WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
        usleep(10000);
    }
    kill(child, SIGKILL);
    status_of(child);
    return 2000;
}

}  // namespace

int main(int, char** words) {
    if (const pid_t child = fork(); child != 0) return watched(child) == 21 ? 21 : 1;
    // A descriptor that was opened just before its thread went is lost, plainly too.
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max < 8192 ? limit.rlim_max : 8192;
    setrlimit(RLIMIT_NOFILE, &limit);
    snprintf(library, sizeof library, "%s.library.so", words[0]);
    dl_find_object object;
    _dl_find_object(words, &object);

    pthread_t thread;
    pthread_create(&thread, nullptr, once_within, nullptr);
    SAY("within: %d\n", ends_cancelled(thread, 0));
    closefrom(3);
    SAY("others: %d %d\n", make_some(), make_thread());

    int good = 0;
    for (unsigned i = 0; i < 100; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            char name[40];
            snprintf(name, sizeof name, "/hard-first-%d", static_cast<int>(getpid()));
            passed = inside = 0;
            pthread_create(&thread, nullptr, first_call, name);
            const bool ends = ends_cancelled(thread, random_spins(40000));
            shm_unlink(name);
            _exit(ends && make_some() == 3 && make_thread() == 0 ? 7 : 1);
        }
        if (status_of(child) == 7) ++good;
    }
    SAY("first moments: %d\n", good);

    pthread_t others[3];
    void* (*const work[3])(void*) = {creates, throws, loads};
    for (int i = 0; i < 3; ++i) pthread_create(&others[i], nullptr, work[i], nullptr);
    good = 0;
    for (unsigned i = 0; i < 1500; ++i) {
        passed = inside = 0;
        pthread_create(&thread, nullptr, calls, reinterpret_cast<void*>(static_cast<long>(i % 4)));
        if (ends_cancelled(thread, random_spins(60000))) ++good;
    }
    ended = 1;
    long bad = 0;
    for (pthread_t other : others) {
        void* result = nullptr;
        pthread_join(other, &result);
        bad += reinterpret_cast<long>(result);
    }
    SAY("anywhere: %d, bad %ld\n", good, bad);
    for (int i = 0; i < 4; ++i) {
        char name[40];
        snprintf(name, sizeof name, "/hard-anywhere-%d", i);
        shm_unlink(name);
    }
    closefrom(3);
    SAY("%d %d\n", make_some(), make_thread());
    void* const handle = dlopen(library, RTLD_NOW);
    const auto makes = reinterpret_cast<int (*)(const char*)>(dlsym(handle, "library_makes"));
    SAY("left: %d\n", makes("/hard-anywhere"));
    return 21;
}
