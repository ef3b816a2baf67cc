// Runs out of descriptors: the last one is its own, and what fails then fails as it does by itself.
// leaves: semaphore /hard-last, semaphore /hard-after
#include "hard.h"

int main(void) {
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){64, 64});
    int count = 0, last = -1;
    for (int file; (file = open("/dev/null", O_RDONLY)) >= 0; count++) last = file;
    SAY("%d opened, the last is %d, errno %d\n", count, last, errno);
    char file[] = "/tmp/hard-XXXXXX";
    TELL(mkstemp(file));
    TELL(sem_open("/hard-none", O_CREAT | O_EXCL, 0600, 1));
    TELL(shm_open("/hard-none", O_CREAT | O_EXCL | O_RDWR, 0600));
    TELL(socket(1, 1, 0));
    TELL(popen("true", "r"));
    int ends[2];
    TELL(pipe(ends));
    TELL(make_thread());
    TELL(system("exit 3"));
    const pid_t child = fork();
    if (child == 0) {
        TELL(dup(0));
        execl("/bin/sh", "sh", "-c", "exit 3", (char*)0);
        _exit(4);
    }
    SAY("%d\n", status_of(child));
    // One is enough for what libc does.
    close(last);
    TELL(leave("/hard-last"));
    SAY("%d\n", open("/dev/null", O_RDONLY) == last);
    for (int i = 40; i < 64; i++) close(i);
    TELL(leave("/hard-after"));
    return 10;
}
