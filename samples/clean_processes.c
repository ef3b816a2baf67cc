// leftover: nothing
#include <assert.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void* work(void* argument) {
    return argument;
}

int main(void) {
    for (int number = 0; number < 20; number++) {
        pid_t child = fork();
        if (child == 0) {
            _exit(number);
        }
        int status = 0;
        assert(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == number);

        pthread_t thread;
        void* result = NULL;
        assert(pthread_create(&thread, NULL, work, &number) == 0);
        assert(pthread_join(thread, &result) == 0 && result == &number);
    }
    char* words[] = {"sh", "-c", "exit 3", NULL};
    pid_t child = 0;
    int status = 0;
    assert(posix_spawnp(&child, "sh", NULL, NULL, words, environ) == 0);
    assert(wait(&status) == child && WEXITSTATUS(status) == 3);
    assert(system("exit 4") == 4 << 8);
    // Still there when the program ends, and gone before the grace window has passed.
    assert(system("sleep 0.1 &") == 0);
    puts("all waited for");
    return 5;
}
