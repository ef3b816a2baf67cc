// ends HOW FILE: leaves a known number of each core kind by every call, then ends in that way.
//
// Each function whose name begins with leave_ says what it leaves: `kind count`. The end of the line
// that makes a leak is marked `here`.
#include <fcntl.h>
#include <pthread.h>
#include <pty.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#define LEAVES __attribute__((noinline)) static void

namespace {

void check(bool good, const char* what) {
    if (good) return;
    std::perror(what);
    std::_Exit(99);
}

[[noreturn]] void rest() {
    for (;;) pause();
}

void* forever(void*) { rest(); }
void* briefly(void* argument) { return argument; }
int briefly_c11(void*) { return 0; }

LEAVES leave_sem_open() {  // semaphore 3
    for (int i = 0; i < 3; ++i) {
        const std::string name = "/ends-" + std::to_string(i);
        check(sem_open(name.c_str(), O_CREAT | O_EXCL, 0600, 0) != SEM_FAILED, "sem_open");  // here
    }
}

LEAVES leave_sem_open_without_excl() {  // semaphore 1
    sem_t* made = sem_open("/ends-plain", O_CREAT, 0600, 0);  // here
    check(made != SEM_FAILED, "sem_open");
    // The second one only opens it.
    check(sem_open("/ends-plain", O_CREAT, 0600, 0) == made, "sem_open again");
}

LEAVES leave_shm_open() {  // shared_memory 2
    for (const char* name : {"/ends-shm-a", "/ends-shm-b"}) {
        check(shm_open(name, O_CREAT | O_RDWR, 0600) >= 0, "shm_open");  // here
    }
}

LEAVES leave_mkstemp() {  // shared_memory 1
    char path[] = "/dev/shm/ends-XXXXXX";
    check(mkstemp(path) >= 0, "mkstemp");  // here
}

LEAVES leave_mkostemp() {  // shared_memory 1
    char path[] = "/dev/shm/ends-XXXXXX";
    check(mkostemp(path, O_CLOEXEC) >= 0, "mkostemp");  // here
}

LEAVES leave_mkstemps() {  // shared_memory 1
    char path[] = "/dev/shm/ends-XXXXXX.ring";
    check(mkstemps(path, 5) >= 0, "mkstemps");  // here
}

void map_shared(int fd) {
    check(fd >= 0 && ftruncate(fd, 4096) == 0, "open");
    check(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED, "mmap");
}

LEAVES leave_open() {  // shared_memory 1
    map_shared(open("/dev/shm/ends-open", O_CREAT | O_RDWR, 0600));  // here
}

LEAVES leave_openat() {  // shared_memory 1
    const int folder = open("/dev/shm", O_PATH | O_DIRECTORY);
    map_shared(openat(folder, "ends-openat", O_CREAT | O_EXCL | O_RDWR, 0600));  // here
}

LEAVES leave_open64() {  // shared_memory 1
    const int fd = open64("/dev/shm/ends-open64", O_CREAT | O_RDWR, 0600);  // here
    check(fd >= 0 && ftruncate(fd, 4096) == 0, "open64");
    check(mmap64(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED, "mmap64");
}

LEAVES leave_by_fork() {  // process 1
    const pid_t child = fork();  // here
    if (child == 0) rest();
    check(child > 0, "fork");
}

LEAVES leave_by__Fork() {  // process 1
    const pid_t child = _Fork();  // here
    if (child == 0) rest();
    check(child > 0, "_Fork");
}

LEAVES leave_by_vfork() {  // process 1
    const pid_t child = vfork();  // here
    if (child == 0) {
        execlp("sleep", "sleep", "600", nullptr);
        _exit(99);
    }
    check(child > 0, "vfork");
}

int cloned(void*) { rest(); }

LEAVES leave_by_clone() {  // process 1
    static char stack[65536] __attribute__((aligned(16)));
    check(clone(cloned, stack + sizeof stack, SIGCHLD, nullptr) > 0, "clone");  // here
}

LEAVES leave_by_posix_spawn() {  // process 1
    const char* words[] = {"sleep", "600", nullptr};
    pid_t child = 0;
    check(posix_spawn(&child, "/bin/sleep", nullptr, nullptr, const_cast<char**>(words), environ) == 0, "spawn");  // here
}

LEAVES leave_by_posix_spawnp() {  // process 1
    const char* words[] = {"sleep", "600", nullptr};
    pid_t child = 0;
    check(posix_spawnp(&child, "sleep", nullptr, nullptr, const_cast<char**>(words), environ) == 0, "spawnp");  // here
}

LEAVES leave_by_popen() {  // process 1
    check(popen("exec sleep 600", "w") != nullptr, "popen");  // here
}

LEAVES leave_by_forkpty() {  // process 1
    int master = -1;
    const pid_t child = forkpty(&master, nullptr, nullptr, nullptr);  // here
    if (child == 0) {
        signal(SIGHUP, SIG_IGN);
        rest();
    }
    check(child > 0, "forkpty");
}

LEAVES leave_by_double_fork() {  // process 1
    const pid_t between = fork();
    if (between == 0) {
        setsid();
        if (fork() == 0) rest();  // here
        _exit(0);
    }
    int status = -1;
    check(waitpid(between, &status, 0) == between && status == 0, "double fork");
}

LEAVES leave_by_daemon() {  // process 1
    const pid_t between = fork();
    if (between == 0) {
        if (daemon(1, 0) == 0) rest();  // here
        _exit(99);
    }
    int status = -1;
    check(waitpid(between, &status, 0) == between && status == 0, "daemon");
}

LEAVES leave_semaphore_of_a_child() {  // semaphore 1
    const pid_t child = fork();
    if (child == 0) {
        _exit(sem_open("/ends-child", O_CREAT, 0600, 0) != SEM_FAILED ? 0 : 99);  // here
    }
    int status = -1;
    check(waitpid(child, &status, 0) == child && status == 0, "child");
}

LEAVES leave_unjoined() {  // finished 2
    for (int i = 0; i < 2; ++i) {
        pthread_t thread;
        check(pthread_create(&thread, nullptr, briefly, nullptr) == 0, "pthread_create");  // here
    }
}

LEAVES leave_unjoined_c11() {  // finished 1
    thrd_t thread;
    check(thrd_create(&thread, briefly_c11, nullptr) == thrd_success, "thrd_create");  // here
}

void wait_for_threads() {
    struct stat tasks;
    while (stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 3) sched_yield();
}

LEAVES leave_running() {  // running 1
    pthread_t thread;
    check(pthread_create(&thread, nullptr, forever, nullptr) == 0, "pthread_create");  // here
}

LEAVES leave_detached() {  // detached 1
    pthread_t thread;
    check(pthread_create(&thread, nullptr, forever, nullptr) == 0, "pthread_create");  // here
    check(pthread_detach(thread) == 0, "pthread_detach");
}

LEAVES leave_nothing() {
    check(sem_open("/ends-gone", O_CREAT, 0600, 0) != SEM_FAILED && sem_unlink("/ends-gone") == 0, "sem");
    check(shm_open("/ends-gone", O_CREAT | O_RDWR, 0600) >= 0 && shm_unlink("/ends-gone") == 0, "shm");
    char path[] = "/dev/shm/ends-XXXXXX";
    check(mkstemp(path) >= 0 && unlink(path) == 0, "mkstemp");
    check(shm_open("/ends-moved", O_CREAT | O_RDWR, 0600) >= 0, "shm");
    check(rename("/dev/shm/ends-moved", "/dev/shm/ends-kept") == 0, "rename");
    check(system("exit 3") == 3 << 8, "system");
    FILE* pipe = popen("exit 4", "r");
    check(pclose(pipe) == 4 << 8, "pclose");
    pthread_t thread;
    check(pthread_create(&thread, nullptr, briefly, nullptr) == 0, "thread");
    check(pthread_join(thread, nullptr) == 0, "join");
}

}  // namespace

int main(int, char** words) {
    const std::string how = words[1];
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);

    leave_nothing();
    leave_sem_open();
    leave_sem_open_without_excl();
    leave_shm_open();
    leave_mkstemp();
    leave_mkostemp();
    leave_mkstemps();
    leave_open();
    leave_openat();
    leave_open64();
    leave_by_fork();
    leave_by__Fork();
    leave_by_vfork();
    leave_by_clone();
    leave_by_posix_spawn();
    leave_by_posix_spawnp();
    leave_by_popen();
    leave_by_forkpty();
    leave_by_double_fork();
    leave_by_daemon();
    leave_semaphore_of_a_child();
    leave_unjoined();
    leave_unjoined_c11();
    wait_for_threads();
    leave_running();
    leave_detached();

    FILE* file = std::fopen(words[2], "w");
    std::fprintf(file, "%d\n", static_cast<int>(getpid()));
    std::fclose(file);
    std::puts("ready");
    std::fflush(stdout);

    if (how == "return") return 7;
    if (how == "exit") std::exit(7);
    if (how == "_exit") _exit(7);
    if (how == "quick_exit") std::quick_exit(7);
    if (how == "abort") std::abort();
    if (how == "SEGV") *static_cast<volatile int*>(nullptr) = 1;
    if (how == "TERM") raise(SIGTERM);
    if (how == "KILL") raise(SIGKILL);
    rest();
}
