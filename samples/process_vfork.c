// leftover: process=1@start_helper
// vfork and exec, as shells and old libraries do.
#include <assert.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t start_helper(const char* seconds) {
    pid_t child = vfork();
    if (child == 0) {
        execlp("sleep", "sleep", seconds, (char*)NULL);
        _exit(127);
    }
    assert(child > 0);
    return child;
}

int main(void) {
    pid_t tidy = start_helper("0");
    int status = -1;
    assert(waitpid(tidy, &status, 0) == tidy && status == 0);
    start_helper("600");
    puts("one is left");
    return 0;
}
