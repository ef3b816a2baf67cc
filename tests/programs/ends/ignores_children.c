// A server that ignores SIGCHLD: argv[1] children, a few at a time, which nobody waits for.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char** arguments) {
    signal(SIGCHLD, SIG_IGN);
    for (int left = count > 1 ? atoi(arguments[1]) : 0; left > 0; --left) {
        const pid_t child = fork();
        if (child == 0) _exit(0);
        // With SIGCHLD ignored this waits until no child is left.
        if (left % 16 == 0) waitpid(child, NULL, 0);
    }
    puts("served");
    fflush(stdout);
    getchar();
    return 0;
}
