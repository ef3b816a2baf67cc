// leftover: process=1@second_fork
// The classic way out of every process tree: fork, setsid, fork.
#include <assert.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void second_fork(void) {
    pid_t child = fork();
    assert(child >= 0);
    if (child == 0) {
        sleep(600);
    }
    _exit(0);
}

static void first_fork(void) {
    pid_t child = fork();
    assert(child >= 0);
    if (child == 0) {
        setsid();
        second_fork();
    }
    assert(waitpid(child, NULL, 0) == child);
}

int main(void) {
    first_fork();
    puts("one is left");
    return 0;
}
