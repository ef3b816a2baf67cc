// May not write files beyond a size, which none of them are: it ends as it wants to.
// leaves: semaphore /hard-small-files, semaphore /hard-small-files-child
// by hand: nothing
#include "hard.h"

static void limit(rlim_t bytes) { setrlimit(RLIMIT_FSIZE, &(struct rlimit){bytes, RLIM_INFINITY}); }

int main(void) {
    limit(0);
    // Nothing was recorded before this.
    char file[] = "/tmp/hard-XXXXXX";
    TELL(mkstemp(file));
    TELL(unlink(file));
    TELL(make_thread());
    SAY("%d\n", system("exit 3"));
    limit(512);  // libc's semaphores are files of 32 bytes
    SAY("%d\n", make_some());
    TELL(leave("/hard-small-files"));
    const pid_t child = fork();
    if (child == 0) {
        SAY("%d\n", make_some());
        _exit(leave("/hard-small-files-child"));
    }
    SAY("%d\n", status_of(child));
    sigset_t pending;
    sigpending(&pending);
    SAY("pending: %d\n", sigismember(&pending, SIGXFSZ));
    return 31;
}
