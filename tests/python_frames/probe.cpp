// What the test scripts call through ctypes: the component under test, as text in a buffer of
// theirs. A frame is FUNCTION \x1f FILE \x1f LINE \x1e.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "preload/python/current_thread.h"
#include "preload/python/detected.h"
#include "preload/python/frames.h"
#include "preload/python/memory.h"
#include "preload/python/walk.h"

#define PROBE extern "C" __attribute__((visibility("default")))

namespace {

using namespace leftover::python;

// How to capture.
enum Way {
    by_default = 0,  // as the shim does
    carefully = 1,   // through process_vm_readv
    by_api = 2,      // as if this version were unknown
};

struct Output {
    char* buffer;
    size_t size;
    size_t used = 0;

    void put(const char* text, size_t length) {
        if (length > size - used) length = size - used;
        memcpy(buffer + used, text, length);
        used += length;
    }
};

void print(void* context, const char* function, size_t function_length, const char* file,
           size_t file_length, int line) noexcept {
    auto& output = *static_cast<Output*>(context);
    char number[16];
    const int length = snprintf(number, sizeof number, "%d", line);
    output.put(function, function_length);
    output.put("\x1f", 1);
    output.put(file, file_length);
    output.put("\x1f", 1);
    output.put(number, static_cast<size_t>(length));
    output.put("\x1e", 1);
}

void ignore(void*, const char*, size_t, const char*, size_t, int) noexcept {}

size_t take(int way, FrameSink sink, void* context, size_t max) {
    const Interpreter* interpreter = detected();
    if (way == by_default || interpreter == nullptr) return capture(sink, context, max);
    if (way == by_api) {
        Interpreter unknown = *interpreter;
        unknown.layout = nullptr;
        return capture_from(unknown, sink, context, max);
    }
    const CurrentThread thread = find_current_thread(*interpreter);
    if (interpreter->layout == nullptr || thread.state == 0) return 0;
    ProcessMemory memory(getpid());
    return Walk(memory, *interpreter->layout, interpreter->types)(thread.state, sink, context, max);
}

int take_text(int way, char* buffer, size_t size, size_t max) {
    Output output{buffer, size - 1};
    const size_t count = take(way, print, &output, max);
    buffer[output.used] = 0;
    return static_cast<int>(count);
}

struct Job {
    int way;
    char* buffer;
    size_t size;
    int count;
};

void* run_job(void* argument) {
    auto& job = *static_cast<Job*>(argument);
    job.count = take_text(job.way, job.buffer, job.size, 1000);
    return nullptr;
}

void* call_back(void* argument) {
    reinterpret_cast<void (*)()>(argument)();
    return nullptr;
}

template <class Argument>
int in_thread(void* (*routine)(void*), Argument* argument) {
    pthread_t thread;
    if (pthread_create(&thread, nullptr, routine, reinterpret_cast<void*>(argument)) != 0)
        return -1;
    return pthread_join(thread, nullptr) == 0 ? 0 : -1;
}

Job* signal_job;

void on_signal(int) { run_job(signal_job); }

volatile sig_atomic_t storm_count;
volatile sig_atomic_t storm_cut;

struct Outermost {
    int frames = 0;
    bool is_module = false;
};

// The outermost frame is the script's module.
void on_storm(int) {
    Outermost outermost;
    const size_t count = capture(
        [](void* context, const char* function, size_t length, const char*, size_t, int) noexcept {
            auto& last = *static_cast<Outermost*>(context);
            ++last.frames;
            last.is_module = length == 8 && memcmp(function, "<module>", 8) == 0;
        },
        &outermost, 2000);
    storm_count = storm_count + 1;
    if (count != 0 && !outermost.is_module) storm_cut = storm_cut + 1;
}

const char* watch_for;
Job watch_job;
char watch_buffer[1 << 16];

// Keeps the last stack that has a certain name in it.
void on_watch(int) {
    Job job{by_default, watch_buffer, sizeof watch_buffer, 0};
    run_job(&job);
    if (strstr(watch_buffer, watch_for) == nullptr) return;
    strncpy(watch_job.buffer, watch_buffer, watch_job.size - 1);
}

void set_timer(void (*handler)(int), int microseconds) {
    struct sigaction action = {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, nullptr);
    const struct itimerval timer = {{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_REAL, &timer, nullptr);
}

int64_t now_ns() {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

// As the shim does it: before main, and before Python is initialised.
__attribute__((constructor)) void start() {
    if (getenv("LEFTOVER_PYTHON_PRELOADED") != nullptr) detect(nullptr);
}

}  // namespace

PROBE int probe_detect(const char* path) { return detect(path) ? 1 : 0; }

// The version whose table is used, 0 for the C API, -1 for no Python.
PROBE int probe_version() {
    if (detected() == nullptr) return -1;
    return detected()->layout == nullptr ? 0 : detected()->layout->version;
}

PROBE int probe(char* buffer, size_t size) { return take_text(by_default, buffer, size, 1000); }

PROBE int probe_with(int way, char* buffer, size_t size, size_t max) {
    return take_text(way, buffer, size, max);
}

PROBE int probe_errno(int way) {
    errno = 4711;
    take(way, ignore, nullptr, 1000);
    return errno;
}

// Nanoseconds for one capture.
PROBE int64_t probe_time(int way, int rounds, size_t max) {
    const int64_t begin = now_ns();
    for (int i = 0; i < rounds; ++i) take(way, ignore, nullptr, max);
    return (now_ns() - begin) / rounds;
}

// In a thread that Python does not know.
PROBE int probe_foreign_thread(char* buffer, size_t size) {
    Job job{by_default, buffer, size, 0};
    return in_thread(run_job, &job) == 0 ? job.count : -1;
}

// Calls Python back from a thread of ours.
PROBE int probe_callback_thread(void (*function)()) { return in_thread(call_back, function); }

// In a child of fork (0), _Fork (1) or vfork (2).
PROBE int probe_child(int how, char* buffer, size_t size) {
    int pipes[2];
    if (pipe(pipes) != 0) return -1;
    const pid_t pid = how == 0 ? fork() : how == 1 ? _Fork() : vfork();
    if (pid == 0) {
        const int count = take_text(by_default, buffer, size, 1000);
        if (write(pipes[1], &count, sizeof count) < 0 || write(pipes[1], buffer, 8192) < 0)
            _exit(1);
        _exit(0);
    }
    close(pipes[1]);
    int count = -1;
    if (read(pipes[0], &count, sizeof count) != sizeof count) count = -1;
    for (size_t got = 0; got < 8192;) {
        const ssize_t part = read(pipes[0], buffer + got, 8192 - got);
        if (part <= 0) break;
        got += static_cast<size_t>(part);
    }
    close(pipes[0]);
    waitpid(pid, nullptr, 0);
    return count;
}

// In a handler of this thread.
PROBE int probe_in_handler(char* buffer, size_t size) {
    Job job{by_default, buffer, size, 0};
    signal_job = &job;
    struct sigaction action = {};
    struct sigaction old = {};
    action.sa_handler = on_signal;
    sigaction(SIGURG, &action, &old);
    raise(SIGURG);
    sigaction(SIGURG, &old, nullptr);
    return job.count;
}

// Captures in a handler at moments of the clock's choice, until it is called with 0. Returns how
// many captures there were.
PROBE int probe_storm(int microseconds) {
    if (microseconds != 0) {
        storm_count = 0;
        storm_cut = 0;
    }
    set_timer(microseconds != 0 ? on_storm : SIG_IGN, microseconds);
    return storm_count;
}

// How many of them did not reach the outermost frame.
PROBE int probe_storm_cut() { return storm_cut; }

// Captures in a handler all the time and keeps the last stack in which `name` occurs, until it is
// called with null.
PROBE void probe_watch(const char* name, char* buffer, size_t size) {
    if (name != nullptr) {
        watch_for = name;
        watch_job = Job{by_default, buffer, size, 0};
    }
    set_timer(name != nullptr ? on_watch : SIG_IGN, name != nullptr ? 1000 : 0);
}

// Captures without a pause.
PROBE int probe_spin(int way, int milliseconds) {
    const int64_t end = now_ns() + milliseconds * INT64_C(1000000);
    int count = 0;
    for (; now_ns() < end; ++count) take(way, ignore, nullptr, 100);
    return count;
}

// The line of each instruction of a code object, at offsets 0, step, 2 * step...
PROBE int probe_lines(uintptr_t code, int step, int count, int* lines) {
    if (probe_version() <= 0) return -1;
    LocalMemory memory;
    for (int i = 0; i < count; ++i) {
        lines[i] = line_at(memory, *detected()->layout, detected()->types, code, i * step);
    }
    return count;
}

// The frames of a thread of another process.
PROBE int probe_process(pid_t pid, int version, const uintptr_t* addresses, char* buffer,
                        size_t size) {
    const Layout* layout =
        find_layout(static_cast<unsigned>(version >> 8), static_cast<unsigned>(version & 0xff));
    if (layout == nullptr) return -1;
    const Types types{addresses[1], addresses[2], addresses[3], addresses[4]};
    ProcessMemory memory(pid);
    Output output{buffer, size - 1};
    const size_t count = Walk(memory, *layout, types)(addresses[0], print, &output, 1000);
    buffer[output.used] = 0;
    return static_cast<int>(count);
}
