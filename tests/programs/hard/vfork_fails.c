// vfork whose child cannot execute anything, a hundred times, from threads too; then one that can.
#include <spawn.h>

#include "hard.h"

extern char** environ;

static void* fails(void* argument) {
    (void)argument;
    static const char* const programs[] = {"/no/such/program", "/etc/passwd", "/", "/proc/self/mem", ""};
    long good = 0;
    for (int i = 0; i < 100; i++) {
        volatile int error = 0;
        const char* program = programs[i % 5];
        const pid_t child = vfork();
        if (child == 0) {
            char* words[] = {(char*)"x", NULL};
            if (i % 3 == 0) execve(program, words, environ);
            else if (i % 3 == 1) execvp(program, words);
            else execl(program, "x", (char*)0);
            error = errno;
            _exit(127);
        }
        if (status_of(child) == 127 && error != 0) good += error;
        else good += 1000000;
    }
    return (void*)good;
}

int main(void) {
    SAY("alone: %ld\n", (long)fails(NULL));
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, fails, NULL);
    for (int i = 0; i < 4; i++) {
        void* result;
        pthread_join(threads[i], &result);
        SAY("thread: %ld\n", (long)result);
    }
    pid_t pid = -7;
    char* words[] = {(char*)"x", NULL};
    SAY("spawn: %d\n", posix_spawn(&pid, "/no/such/program", NULL, NULL, words, environ));
    SAY("spawn: %d %d\n", posix_spawnp(&pid, "no-such-program", NULL, NULL, words, environ), (int)wait(NULL));
    const pid_t child = vfork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", "echo a shell; exit 9", (char*)0);
        _exit(1);
    }
    SAY("works: %d\n", status_of(child));
    return 9;
}
