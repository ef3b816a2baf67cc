// The calls that leftover hooks, alone and mixed, below ten frames of the program's own. Run plain and
// under leftover by bench/run, which compares the two.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int frames = 10;
const std::string name = "/leftover-bench-" + std::to_string(getpid());

// Calls `work` with that many frames of ours on the stack.
template <class Work>
__attribute__((noinline)) void below(int depth, const Work& work) {
    if (depth == 0) {
        work();
    } else {
        below(depth - 1, work);
    }
    benchmark::ClobberMemory();  // no tail call
}

void semaphore() {
    sem_t* made = sem_open(name.c_str(), O_CREAT | O_EXCL, 0600, 1);
    sem_close(made);
    sem_unlink(name.c_str());
}

void shared_memory() {
    close(shm_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600));
    shm_unlink(name.c_str());
}

void thread() {
    pthread_t id;
    pthread_create(&id, nullptr, [](void* argument) { return argument; }, nullptr);
    pthread_join(id, nullptr);
}

void open_close() { close(open("/dev/null", O_RDONLY)); }

void socket_close() { close(socket(AF_UNIX, SOCK_STREAM, 0)); }

void pipe_close() {
    int ends[2];
    if (pipe(ends) != 0) return;
    close(ends[0]);
    close(ends[1]);
}

void dup_close() { close(dup(0)); }

void fopen_fclose() { std::fclose(std::fopen("/dev/null", "r")); }

void fork_wait() {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, nullptr, 0);
}

void vfork_wait() {
    const pid_t child = vfork();
    if (child == 0) _exit(0);
    waitpid(child, nullptr, 0);
}

// A static program, so that the call is measured and not the loader.
const char* child_program() {
    const char* named = std::getenv("LEFTOVER_BENCH_CHILD");
    return named != nullptr ? named : "/bin/true";
}

void spawn_wait() {
    static const char* const program = child_program();
    char* arguments[] = {const_cast<char*>(program), nullptr};
    pid_t child;
    if (posix_spawn(&child, program, nullptr, nullptr, arguments, environ) == 0) waitpid(child, nullptr, 0);
}

void vfork_exec_wait() {
    static const char* const program = child_program();
    char* arguments[] = {const_cast<char*>(program), nullptr};
    const pid_t child = vfork();
    if (child == 0) {
        execve(program, arguments, environ);
        _exit(127);
    }
    waitpid(child, nullptr, 0);
}

// What threads and children of one program cost depends on the processors that they happen to wake on, by more
// than anything here is to tell apart: all on one.
class OnOneProcessor {
  public:
    OnOneProcessor() {
        sched_getaffinity(0, sizeof before_, &before_);
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(sched_getcpu(), &one);
        sched_setaffinity(0, sizeof one, &one);
    }
    ~OnOneProcessor() { sched_setaffinity(0, sizeof before_, &before_); }

  private:
    cpu_set_t before_;
};

template <void (*work)()>
void run(benchmark::State& state) {
    const OnOneProcessor one;
    below(frames, [&] {
        for (auto _ : state) work();
    });
}

void mixed(benchmark::State& state) {
    const OnOneProcessor one;
    below(frames, [&] {
        unsigned round = 0;
        for (auto _ : state) {
            semaphore();
            shared_memory();
            thread();
            for (int i = 0; i < 10; ++i) open_close();
            if (round++ % 10 == 0) fork_wait();
        }
    });
}

// Each thread a name of its own; the time is that of a round of all of them.
void threads_at_once(benchmark::State& state) {
    constexpr int rounds = 200;
    const auto count = static_cast<std::size_t>(state.range(0));
    for (auto _ : state) {
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < count; ++i) {
            threads.emplace_back([i] {
                const std::string own = name + "-t" + std::to_string(i);
                below(frames, [&] {
                    for (int round = 0; round < rounds; ++round) {
                        close(shm_open(own.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600));
                        shm_unlink(own.c_str());
                    }
                });
            });
        }
        for (std::thread& thread : threads) thread.join();
    }
}

// So many live objects at once; the time is one creation's, and one removal's at the end.
void many_live(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0));
    std::vector<int> made(count);
    for (auto _ : state) {
        for (std::size_t i = 0; i < count; ++i) {
            const int fd = shm_open((name + '-' + std::to_string(i)).c_str(), O_CREAT | O_EXCL | O_RDWR, 0600);
            close(fd);
        }
        if (std::getenv("LEFTOVER_BENCH_HOLD") != nullptr) std::system(std::getenv("LEFTOVER_BENCH_HOLD"));
        for (std::size_t i = 0; i < count; ++i) shm_unlink((name + '-' + std::to_string(i)).c_str());
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(count));
}

}  // namespace

BENCHMARK(mixed)->Iterations(300)->Repetitions(5)->UseRealTime();
BENCHMARK(run<semaphore>)->Name("sem_open+sem_close+sem_unlink")->Iterations(2000)->Repetitions(5)->UseRealTime();
BENCHMARK(run<shared_memory>)->Name("shm_open+close+shm_unlink")->Iterations(4000)->Repetitions(5)->UseRealTime();
BENCHMARK(run<thread>)->Name("pthread_create+pthread_join")->Iterations(2000)->Repetitions(5)->UseRealTime();
BENCHMARK(run<open_close>)->Name("open+close")->Iterations(20000)->Repetitions(5)->UseRealTime();
BENCHMARK(run<socket_close>)->Name("socket+close")->Iterations(10000)->Repetitions(5)->UseRealTime();
BENCHMARK(run<pipe_close>)->Name("pipe+close+close")->Iterations(10000)->Repetitions(5)->UseRealTime();
BENCHMARK(run<dup_close>)->Name("dup+close")->Iterations(20000)->Repetitions(5)->UseRealTime();
BENCHMARK(run<fopen_fclose>)->Name("fopen+fclose")->Iterations(10000)->Repetitions(5)->UseRealTime();
BENCHMARK(run<fork_wait>)->Name("fork+waitpid")->Iterations(500)->Repetitions(5)->UseRealTime();
BENCHMARK(run<vfork_wait>)->Name("vfork+waitpid")->Iterations(1000)->Repetitions(5)->UseRealTime();
BENCHMARK(run<spawn_wait>)->Name("posix_spawn+waitpid")->Iterations(300)->Repetitions(5)->UseRealTime();
BENCHMARK(run<vfork_exec_wait>)->Name("vfork+execve+waitpid")->Iterations(300)->Repetitions(5)->UseRealTime();
BENCHMARK(threads_at_once)
    ->Name("64 threads, shm_open+close+shm_unlink")->Arg(64)->Iterations(1)->Repetitions(5)->UseRealTime();
BENCHMARK(many_live)->Arg(1000)->Iterations(1)->Repetitions(3)->UseRealTime();
BENCHMARK(many_live)->Arg(100000)->Iterations(1)->Repetitions(2)->UseRealTime();
BENCHMARK(many_live)->Arg(1000000)->Iterations(1)->UseRealTime();

BENCHMARK_MAIN();
