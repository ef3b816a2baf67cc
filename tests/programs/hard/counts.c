// Counts what belongs to it, at the start and after making things: descriptors, threads, mappings it made,
// what signals do, which are blocked, the alternate stack, bytes of the heap, and much that could be set.
// links: -lm
#include <dirent.h>
#include <fenv.h>
#include <locale.h>
#include <malloc.h>
#include <sys/prctl.h>

#include "hard.h"

static int entries(const char* folder) {
    DIR* open = opendir(folder);
    int count = -1;  // the one that reads it, or . and ..
    while (open != NULL && readdir(open) != NULL) count++;
    closedir(open);
    return count;
}

static int lines(const char* path) {
    const int file = open(path, O_RDONLY);
    static char text[1 << 16];
    int count = 0;
    for (ssize_t size; (size = read(file, text, sizeof text)) > 0;)
        for (ssize_t i = 0; i < size; i++) count += text[i] == '\n';
    close(file);
    return count;
}

static void status_lines(void) {
    static const char* const wanted[] = {"Threads", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "CapEff", "CapPrm",
                                         "NoNewPrivs", "Seccomp", "TracerPid", "Umask", "CoreDumping"};
    FILE* file = fopen("/proc/self/status", "r");
    char line[400];
    while (fgets(line, sizeof line, file) != NULL)
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            if (strncmp(line, wanted[i], strlen(wanted[i])) == 0 && line[strlen(wanted[i])] == ':') SAY("  %s", line);
    fclose(file);
}

static int threaded;

static void all(const char* when) {
    // The loader keeps 16 bytes a thread for each library with thread-local variables: ours is one.
    if (!threaded) SAY("heap %zu in use in %zu\n", mallinfo2().uordblks, mallinfo2().ordblks);
    SAY("%s: %d descriptors, %d threads\n", when, entries("/proc/self/fd"), entries("/proc/self/task"));
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) != 0) {
            SAY("  %d: errno %d\n", number, errno);
            continue;
        }
        if (action.sa_handler != SIG_DFL) SAY("  %d: %s\n", number, action.sa_handler == SIG_IGN ? "ignored" : "handled");
        if (action.sa_flags != 0) SAY("  %d: flags %x\n", number, (unsigned)action.sa_flags);
        for (int other = 1; other < NSIG; other++)
            if (sigismember(&action.sa_mask, other) > 0) SAY("  %d: blocks %d\n", number, other);
    }
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    for (int number = 1; number < NSIG; number++)
        if (sigismember(&blocked, number) > 0) SAY("  blocked: %d\n", number);
    stack_t stack;
    sigaltstack(NULL, &stack);
    SAY("  alternate stack: %x, %zu\n", (unsigned)stack.ss_flags, stack.ss_size);
    char name[17] = "";
    prctl(PR_GET_NAME, name);
    int subreaper = -1, death = -1;
    prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
    prctl(PR_GET_PDEATHSIG, &death);
    SAY("  %s, subreaper %d, pdeathsig %d, dumpable %d, keepcaps %d, slack %d, priority %d\n", name, subreaper, death,
        prctl(PR_GET_DUMPABLE), prctl(PR_GET_KEEPCAPS), prctl(PR_GET_TIMERSLACK), getpriority(PRIO_PROCESS, 0));
    for (int limit = 0; limit < RLIM_NLIMITS; limit++) {
        struct rlimit value;
        getrlimit((__rlimit_resource_t)limit, &value);
        SAY("  limit %d: %lx %lx\n", limit, (long)value.rlim_cur, (long)value.rlim_max);
    }
    SAY("  rounding %d, exceptions %d, locale %s, umask %o\n", fegetround(), fegetexcept(), setlocale(LC_ALL, NULL), umask(022));
    struct itimerval timer;
    getitimer(ITIMER_REAL, &timer);
    SAY("  timer %ld, times in the future: %d\n", (long)timer.it_value.tv_sec, time(NULL) < 1000);
    status_lines();
}

static void* in_thread(void* argument) {
    all("thread");
    return argument;
}

int main(void) {
    extern char** environ;
    umask(022);
    all("start");
    int size = 0;
    while (environ[size] != NULL) size++;
    SAY("%d variables\n", size);

    // Mappings: its own come and go, and no other. Each between pages of a reserved range, or the kernel would join them
    // with what happens to lie beside them.
    enum { page = 1 << 12, mappings = 50 };
    const int at_first = lines("/proc/self/maps");
    char* const range = mmap(NULL, (4 * mappings + 1) * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const int before = lines("/proc/self/maps");
    for (int i = 0; i < mappings; i++) {
        char* const made = mmap(range + (4 * i + 1) * page, 3 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        mprotect(made + page, page, PROT_READ | PROT_WRITE);
    }
    const int more = lines("/proc/self/maps");
    munmap(range, (4 * mappings + 1) * page);
    SAY("mappings: %d more, and %d\n", more - before, lines("/proc/self/maps") - at_first);

    SAY("%d\n", make_some());
    const pid_t child = fork();
    if (child == 0) {
        all("child");
        SAY("%d\n", make_some());
        all("child, later");
        _exit(3);
    }
    SAY("%d\n", status_of(child));
    SAY("%d\n", system("exit 4"));
    all("later");
    pthread_t thread;
    threaded = 1;
    pthread_create(&thread, NULL, in_thread, NULL);
    pthread_join(thread, NULL);
    all("end");
    return 5;
}
