// A program for other machines and other C libraries: says who it is, makes a child and a thread.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void* work(void* argument) { return argument; }

int main(int count, char** words) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, NULL) != 0 || pthread_join(thread, NULL) != 0) return 1;
    printf("%zu bits, %d words, preloaded %s\n", sizeof(void*) * 8, count, getenv("LD_PRELOAD") ? "yes" : "no");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        // Back among the programs of this machine.
        execl("/bin/sh", "sh", "-c", "echo child of \"$0\"; exit 4", words[0], (char*)NULL);
        _exit(1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status) + 30;
}
