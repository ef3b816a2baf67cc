// Throws C++ exceptions through callbacks of libc's, out of start routines, and out of frames of its own
// while other threads make things; ends threads by pthread_exit through destructors.
// leaves: semaphore /hard-thrown
#include <ftw.h>
#include <link.h>
#include <search.h>

#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "hard.h"

namespace {

struct Tells {
    const char* what;
    ~Tells() { SAY("  %s goes\n", what); }
};

int compares(const void*, const void*) {
    Tells guard{"comparison"};
    make_some();
    throw std::runtime_error("compared");
}

int visits(const char*, const struct stat*, int) { throw std::string("visited"); }

int sees(dl_phdr_info*, std::size_t, void*) { throw 42; }

template <class Action>
void caught(const char* what, Action action) {
    try {
        action();
        SAY("%s: nothing\n", what);
    } catch (const std::exception& error) {
        SAY("%s: %s\n", what, error.what());
    } catch (const std::string& error) {
        SAY("%s: %s\n", what, error.c_str());
    } catch (int error) {
        SAY("%s: %d\n", what, error);
    }
}

void* leaves(void*) {
    Tells guard{"thread"};
    make_some();
    pthread_exit(reinterpret_cast<void*>(3));
}

void* cancelled(void*) {
    Tells guard{"cancelled thread"};
    for (;;) pause();
}

void* throws_out(void*) {
    make_some();
    throw std::runtime_error("out of a start routine");
}

void deep(int depth) {
    Tells* none = nullptr;
    if (depth == 0) throw std::runtime_error("from the depth");
    volatile char room[32] = {};
    deep(depth - 1);
    if (room[0] != 0 || none != nullptr) SAY("never\n");
}

std::once_flag flag;

int ends_badly(void* (*routine)(void*)) {
    const pid_t child = fork();
    if (child == 0) {
        rlimit none{0, 0};
        setrlimit(RLIMIT_CORE, &none);
        pthread_t thread;
        pthread_create(&thread, nullptr, routine, nullptr);
        pthread_join(thread, nullptr);
        _exit(0);
    }
    return status_of(child);
}

}  // namespace

int main() {
    int numbers[8] = {3, 1, 2, 5, 4, 8, 7, 6};
    std::size_t count = 8;
    caught("qsort", [&] { qsort(numbers, 8, sizeof(int), compares); });
    caught("bsearch", [&] { bsearch(numbers, numbers, 8, sizeof(int), compares); });
    caught("lfind", [&] { lfind(numbers, numbers, &count, sizeof(int), compares); });
    caught("ftw", [&] { ftw("/proc/self", visits, 3); });
    caught("dl_iterate_phdr", [&] { dl_iterate_phdr(sees, nullptr); });
    // Had its lock stayed held, this would hang.
    caught("call_once", [&] { std::call_once(flag, [] { throw std::runtime_error("once"); }); });
    caught("deep", [&] { deep(5000); });
    caught("future", [&] { std::async(std::launch::async, []() -> int { make_some(); throw std::string("async"); }).get(); });
    pthread_t thread;
    void* result = nullptr;
    pthread_create(&thread, nullptr, leaves, nullptr);
    pthread_join(thread, &result);
    SAY("pthread_exit: %ld\n", reinterpret_cast<long>(result));
    pthread_create(&thread, nullptr, cancelled, nullptr);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    SAY("cancelled: %d\n", result == PTHREAD_CANCELED);
    std::vector<std::thread> threads;
    int sums[4] = {};
    for (int i = 0; i < 4; i++)
        threads.emplace_back([&sums, i] {
            for (int round = 0; round < 300; round++) {
                try {
                    make_some();
                    deep(50);
                } catch (const std::exception&) {
                    sums[i]++;
                }
            }
        });
    for (auto& one : threads) one.join();
    SAY("%d %d %d %d\n", sums[0], sums[1], sums[2], sums[3]);
    SAY("uncaught: %d\n", ends_badly(throws_out));
    SAY("%d\n", leave("/hard-thrown"));
    return 21;
}
