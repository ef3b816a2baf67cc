// Descriptors in many ways; the first argument says which.
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(const char* how) {
    if (strcmp(how, "kill") == 0) raise(SIGKILL);
    if (strcmp(how, "term") == 0) raise(SIGTERM);
    if (strcmp(how, "_exit") == 0) _exit(0);
    exit(0);
}

static void reap(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
}

// So many that every chunk of the table is there, closed but for each hundredth.
static void many(int count) {
    const struct rlimit all = {(rlim_t)count + 100, (rlim_t)count + 100};
    setrlimit(RLIMIT_NOFILE, &all);
    const int first = open("/dev/null", O_RDONLY);
    for (int i = 1; i < count; ++i) assert(dup(first) == first + i);
    for (int i = 0; i < count; ++i) {
        if (i % 100 != 0) close(first + i);
    }
}

static void* churn(void* path) {
    for (int i = 0; i < 20000; ++i) {
        const int fd = open(path, O_RDONLY);
        if (i % 3 == 0) {
            assert(dup2(0, fd) == fd);
        }
        assert(close(fd) == 0);
    }
    return NULL;
}

static void threads(void) {
    pthread_t all[8];
    for (int i = 0; i < 8; ++i) pthread_create(&all[i], NULL, churn, "/dev/null");
    for (int i = 0; i < 8; ++i) pthread_join(all[i], NULL);
}

// What the shim never sees closed is asked of the kernel.
static void unseen(void) {
    syscall(SYS_close, open("/dev/null", O_RDONLY));
    syscall(SYS_close_range, open("/dev/null", O_RDONLY), 500, 0);
}

static void all_closed(void) {
    for (int i = 0; i < 50; ++i) open("/dev/null", O_RDONLY);
    DIR* folder = opendir("/proc/self/fd");
    int seen = 0;
    for (struct dirent* entry; (entry = readdir(folder)) != NULL;) {
        const int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || fd == dirfd(folder)) continue;
        ++seen;
        if (fd > 2) close(fd);
    }
    closedir(folder);
    printf("%d seen\n", seen);
    open("/dev/null", O_RDONLY);
    closefrom(3);
}

static void exhausted(void) {
    int count = 0;
    while (open("/dev/null", O_RDONLY) >= 0) ++count;
    printf("%d, then %s\n", count, strerror(errno));
    closefrom(3);
    count = 0;
    while (open("/dev/null", O_RDONLY) >= 0) ++count;
    printf("%d, then %s\n", count, strerror(errno));
}

// Each leaves one; the parent's books do not grow with them.
static void children(int count) {
    for (int i = 0; i < count; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            open("/dev/zero", O_RDONLY);
            _exit(0);
        }
        reap(child);
    }
}

static void serve(int last) {
    const int first = open("/dev/null", O_RDONLY);
    open("/dev/zero", O_RDONLY);
    open("/dev/full", O_RDONLY);
    dup2(first, 30);
    dup2(first, 30);
    close(first);
    if (!last) _exit(0);
    // Past what is kept in memory only.
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        usleep(10000);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < 200);
    close_range(30, 30, 0);
    open("/dev/random", O_RDONLY);
    raise(SIGKILL);
}

// Each child leaves three open; the last one is killed.
static void server(int count) {
    for (int i = 0; i < count; ++i) {
        const pid_t child = fork();
        if (child == 0) serve(i + 1 == count);
        reap(child);
    }
}

// Opens one below a path of calls that the bits of `way` tell, with frames of many sizes, and says which.
static void walk(unsigned way, int depth, char* path);
#define STEP(NAME, SIZE)                                                                       \
    static __attribute__((noinline)) void NAME(unsigned way, int depth, char* path) {          \
        char* room = (SIZE) == 0 ? path : __builtin_alloca((SIZE) + way % 3 * 16);             \
        char* end = path + strlen(path);                                                       \
        strcpy(end, " " #NAME);                                                                \
        walk(way, depth, path);                                                                \
        *end = 0;                                                                              \
        __asm__ volatile("" : : "r"(room) : "memory");                                         \
    }
STEP(fixed, 0)
STEP(small, 32)
STEP(large, 4000)
STEP(other, 0)

static __attribute__((noinline)) void walk(unsigned way, int depth, char* path) {
    static void (*const steps[])(unsigned, int, char*) = {fixed, small, large, other};
    if (depth == 0) {
        printf("%d%s\n", open("/dev/null", O_RDONLY), path);
    } else {
        steps[way % 4](way / 4, depth - 1, path);
    }
    __asm__ volatile("" ::: "memory");
}

static void paths(int count) {
    unsigned seed = 1;
    for (int i = 0; i < count; ++i) {
        char path[200] = "";
        // A few of them again and again.
        seed = seed * 1103515245 + 12345;
        const unsigned way = (seed >> 16) % 40;
        walk(way * 2654435761U >> 8, 2 + (int)(way % 6), path);
        // And each at another depth of the stack.
        if (i % 5 == 0) large(way, 1, path);
    }
}

// Hands on three of four descriptors to another program, after an exec that failed.
static void hands_on(char** arguments) {
    open("/dev/zero", O_RDONLY);
    open("/dev/null", O_RDONLY | O_CLOEXEC);
    char closed[16];
    sprintf(closed, "%d", open("/dev/full", O_RDONLY));
    open("/dev/random", O_RDONLY);
    execv("/absent", arguments);
    execl("/proc/self/exe", arguments[0], "executed", arguments[2], closed, NULL);
}

// That program: of what it was handed it closes one, and puts something else in the place of another, unseen.
static void executed(int closed) {
    close(closed);
    assert(syscall(SYS_dup3, 0, closed + 1, 0) == closed + 1);
    open("/dev/null", O_RDONLY);
}

// Executes itself again and again, with one more open each time.
static void again_and_again(int times, char** arguments) {
    open("/dev/zero", O_RDONLY);
    char left[16];
    sprintf(left, "%d", times - 1);
    if (times > 0) execl("/proc/self/exe", arguments[0], arguments[1], arguments[2], left, NULL);
}

// A child that hands on what it opened and what it inherited.
static void inheritor(void) {
    const int inherited = open("/dev/full", O_RDONLY);
    const pid_t child = fork();
    if (child == 0) {
        dup2(open("/dev/zero", O_RDONLY), 700);
        execl("/bin/sh", "sh", "-c", "exec cat /dev/null", NULL);
    }
    reap(child);
    close(inherited);
}

int main(int count, char** arguments) {
    const char* what = arguments[1];
    const int number = count > 3 ? atoi(arguments[3]) : 0;
    if (strcmp(what, "hands_on") == 0) hands_on(arguments);
    if (strcmp(what, "executed") == 0) executed(number);
    if (strcmp(what, "again") == 0) again_and_again(number, arguments);
    if (strcmp(what, "inheritor") == 0) inheritor();
    if (strcmp(what, "execute") == 0) {
        open("/dev/zero", O_RDONLY);
        execl(arguments[3], arguments[3], NULL);
    }
    if (strcmp(what, "many") == 0) many(number);
    if (strcmp(what, "threads") == 0) threads();
    if (strcmp(what, "unseen") == 0) unseen();
    if (strcmp(what, "all_closed") == 0) all_closed();
    if (strcmp(what, "exhausted") == 0) exhausted();
    if (strcmp(what, "children") == 0) children(number);
    if (strcmp(what, "server") == 0) server(number);
    if (strcmp(what, "paths") == 0) paths(number);
    if (strcmp(what, "one") == 0) open("/dev/null", O_RDONLY);
    if (strcmp(what, "relative") == 0) {
        chdir("/dev");
        open("null", O_RDONLY);
    }
    if (strcmp(what, "high") == 0) dup2(open("/dev/null", O_RDONLY), 900);
    fflush(stdout);
    end(count > 2 ? arguments[2] : "exit");
}
