// May not write files beyond a size, and dies of it by default; but only when it writes one itself.
// leaves: semaphore /hard-size, semaphore /hard-size-child
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
    TELL(leave("/hard-size"));
    const pid_t child = fork();
    if (child == 0) {
        SAY("%d\n", make_some());
        _exit(leave("/hard-size-child"));
    }
    SAY("%d\n", status_of(child));
    sigset_t pending;
    sigpending(&pending);
    SAY("pending: %d\n", sigismember(&pending, SIGXFSZ));
    char many[1000] = "";
    const int written = open("written", O_WRONLY | O_CREAT, 0600);
    SAY("%zd\n", write(written, many, sizeof many));
    SAY("and now\n");
    SAY("%zd\n", write(written, many, sizeof many));
    return 12;
}
