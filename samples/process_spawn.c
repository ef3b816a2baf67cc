// leftover: process=1@by_spawn process=1@by_spawnp
#include <assert.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void by_spawn(char* words[]) {
    pid_t child = 0;
    assert(posix_spawn(&child, "/bin/sleep", NULL, NULL, words, environ) == 0);
}

static void by_spawnp(char* words[]) {
    pid_t child = 0;
    assert(posix_spawnp(&child, "sleep", NULL, NULL, words, environ) == 0);
}

int main(void) {
    char* forever[] = {"sleep", "600", NULL};
    char* briefly[] = {"true", NULL};
    pid_t child = 0;
    assert(posix_spawnp(&child, "true", NULL, NULL, briefly, environ) == 0);
    assert(waitpid(child, NULL, 0) == child);
    by_spawn(forever);
    by_spawnp(forever);
    puts("two are left");
    return 0;
}
