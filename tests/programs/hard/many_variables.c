// Threads with little stack execute and spawn with environments of any size.
#include <spawn.h>

#include "hard.h"

static char** environment(int count) {
    char** made = malloc((count + 1) * sizeof *made);
    for (int i = 0; i < count; i++) asprintf(&made[i], "VARIABLE_%d=", i);
    made[count] = NULL;
    return made;
}

static void* runs(void* variables) {
    char* words[] = {(char*)"sh", (char*)"-c", (char*)"exit 5", NULL};
    pid_t child = vfork();
    if (child == 0) {
        execve("/bin/sh", words, variables);
        _exit(9);
    }
    SAY("executed: %d\n", status_of(child));
    SAY("spawned: %d, ", posix_spawn(&child, "/bin/sh", NULL, NULL, words, variables));
    SAY("%d\n", status_of(child));
    return variables;
}

int main(void) {
    for (int count = 10; count <= 20000; count *= 2) {
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, 64 << 10);
        pthread_t thread;
        const int created = pthread_create(&thread, &attributes, runs, environment(count));
        const int joined = pthread_join(thread, NULL);  // it says what it has to say before we do
        SAY("%d variables: %d, %d\n", count, created, joined);
    }
    return 23;
}
