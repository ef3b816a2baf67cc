// Runs out of address space, and goes on when there is some again.
// leaves: semaphore /hard-space
#include "hard.h"

static long pages_of(void) {
    char text[200] = "";
    const int file = open("/proc/self/statm", O_RDONLY);
    const ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    return size > 0 ? atol(text) : 0;
}

int main(void) {
    SAY("%d\n", make_some());
    const rlim_t limit = (rlim_t)(pages_of() + 4096) << 12;
    setrlimit(RLIMIT_AS, &(struct rlimit){limit, RLIM_INFINITY});
    static void* taken[8192];
    int count = 0;
    while ((taken[count] = mmap(NULL, 1 << 12, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED) count++;
    SAY("many: %d, errno %d\n", count > 3500, errno);
    TELL(sem_open("/hard-none", O_CREAT | O_EXCL, 0600, 1));
    sem_unlink("/hard-none");
    TELL(make_thread());
    TELL(mmap(NULL, 1 << 12, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    char file[] = "/tmp/hard-XXXXXX";
    TELL(mkstemp(file));
    TELL(unlink(file));
    const pid_t child = fork();
    if (child == 0) {
        char mine[] = "/tmp/hard-XXXXXX";
        _exit(mkstemp(mine) >= 0 && unlink(mine) == 0 ? 11 : 12);
    }
    SAY("%d\n", status_of(child));
    for (int i = 0; i < count; i++) munmap(taken[i], 1 << 12);
    SAY("%d\n", make_some());
    setrlimit(RLIMIT_AS, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
    TELL(make_thread());
    TELL(leave("/hard-space"));
    return 11;
}
