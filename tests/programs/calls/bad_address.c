// calls: open openat creat mkstemp unlink remove rename link execv execve posix_spawn sem_open shm_open
// calls: wait waitpid waitid wait4 system popen sigaction
// Addresses that are none: where the kernel says EFAULT it goes on saying so, and where the C library
// crashes by itself it may go on doing that.
#include <semaphore.h>
#include <spawn.h>
#include <sys/mman.h>

#include "call.h"

#define BAD(type) ((type)8)

#define TRY_BAD(what, call)                                        \
    do {                                                           \
        fflush(stdout);                                            \
        const pid_t child_ = fork();                               \
        if (child_ == 0) {                                         \
            setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});        \
            TRY(what, call);                                       \
            _exit(42);                                             \
        }                                                          \
        reap(what, child_);                                        \
    } while (0)

// In a child that has an ended child of its own.
static pid_t ended_child(void) {
    const pid_t pid = fork();
    if (pid == 0) _exit(0);
    siginfo_t info;
    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
    return pid;
}

int main(void) {
    char* words[] = {"true", NULL};
    TRY_BAD("open", open(BAD(char*), O_CREAT | O_RDWR, 0600));
    TRY_BAD("openat", openat(AT_FDCWD, BAD(char*), O_CREAT | O_RDWR, 0600));
    TRY_BAD("creat", creat(BAD(char*), 0600));
    TRY_BAD("open, null", open(NULL, O_CREAT | O_RDWR, 0600));
    TRY_BAD("mkstemp", mkstemp(BAD(char*)));
    TRY_BAD("mkdtemp", mkdtemp(BAD(char*)));
    TRY_BAD("mktemp", mktemp(BAD(char*)));
    TRY_BAD("mkdir", mkdir(BAD(char*), 0700));
    TRY_BAD("mkdirat", mkdirat(AT_FDCWD, BAD(char*), 0700));
    TRY_BAD("rmdir", rmdir(BAD(char*)));
    TRY_BAD("unlink", unlink(BAD(char*)));
    TRY_BAD("unlink, null", unlink(NULL));
    TRY_BAD("remove", remove(BAD(char*)));
    TRY_BAD("rename, from", rename(BAD(char*), "/dev/shm/to"));
    TRY_BAD("rename, to", rename("/dev/shm/from", BAD(char*)));
    TRY_BAD("link", link(BAD(char*), "/dev/shm/to"));
    // The same where there is something that a name could mean.
    char left[] = "left-XXXXXX";
    close(mkstemp(left));
    TRY_BAD("rmdir, something left", rmdir(BAD(char*)));
    TRY_BAD("unlink, something left", unlink(BAD(char*)));
    TRY_BAD("unlink, null, something left", unlink(NULL));
    TRY_BAD("unlinkat, something left", unlinkat(AT_FDCWD, BAD(char*), 0));
    TRY_BAD("rename, from, something left", rename(BAD(char*), "to"));
    TRY_BAD("rename, to, something left", rename(left, BAD(char*)));
    unlink(left);
    // Strings that go on to where nothing is, and some that just do not.
    char* const pages = mmap(NULL, 2 << 12, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char* const end = pages + (1 << 12);
    munmap(end, 1 << 12);
    close(mkstemp(left));
    for (int size = 1; size <= 40; size += 13) {
        char* const endless = memset(end - size, 'x', size);
        TRY_BAD("open, endless", open(endless, O_CREAT | O_RDWR, 0600));
        TRY_BAD("mkdir, endless", mkdir(endless, 0700));
        TRY_BAD("unlink, endless", unlink(endless));
        TRY_BAD("rename, endless", rename(left, endless));
        TRY_BAD("execv, endless", execv(endless, words));
        TRY_BAD("execve, an endless variable", execve("/bin/true", words, (char*[]){endless, NULL}));
        TRY_BAD("execve, an endless word", execve("/bin/true", (char*[]){endless, NULL}, environ));
        TRY_BAD("posix_spawn, endless", posix_spawn(NULL, endless, NULL, NULL, words, environ));
        TRY_BAD("execve, an endless list", execve("/bin/true", words, (char*[]){strncpy(end - 11, "LD_PRELOAD=", 11), NULL}));
        strcpy(end - 2, "a");
        TRY_BAD("open, at the end", open(end - 2, O_CREAT | O_RDWR, 0600));
        TRY_BAD("unlink, at the end", unlink(end - 2));
    }
    unlink(left);
    TRY_BAD("execv", execv(BAD(char*), words));
    TRY_BAD("execv, null", execv(NULL, words));
    TRY_BAD("execv, words", execv("/bin/true", BAD(char**)));
    TRY_BAD("execve, environment", execve("/bin/true", words, BAD(char**)));
    TRY_BAD("execve, a variable", execve("/bin/true", words, (char*[]){BAD(char*), NULL}));
    TRY_BAD("execve, null words", execve("/no/such/program", NULL, NULL));
    TRY_BAD("posix_spawn", posix_spawn(NULL, BAD(char*), NULL, NULL, words, environ));
    TRY_BAD("posix_spawn, environment", posix_spawn(NULL, "/bin/true", NULL, NULL, words, BAD(char**)));
    TRY_BAD("sem_open", sem_open(BAD(char*), O_CREAT, 0600, 0));
    TRY_BAD("shm_open", shm_open(BAD(char*), O_CREAT | O_RDWR, 0600));
    TRY_BAD("wait", ended_child() < 0 ? -7 : wait(BAD(int*)));
    TRY_BAD("waitpid", waitpid(ended_child(), BAD(int*), 0));
    TRY_BAD("wait4", wait4(ended_child(), NULL, 0, BAD(struct rusage*)));
    TRY_BAD("waitid", waitid(P_PID, (id_t)ended_child(), BAD(siginfo_t*), WEXITED));
    TRY_BAD("system", system(BAD(char*)));
    TRY_BAD("popen", popen(BAD(char*), "r") == NULL);
    TRY_BAD("sigaction", sigaction(SIGTERM, BAD(struct sigaction*), NULL));
    return 0;
}
