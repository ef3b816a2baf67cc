// leftover: process=2@start_workers
// Children that outlive the program.
#include <assert.h>
#include <stdio.h>
#include <unistd.h>

static void start_workers(int count) {
    for (int number = 0; number < count; number++) {
        pid_t child = fork();
        assert(child >= 0);
        if (child == 0) {
            sleep(600);
            _exit(0);
        }
    }
}

int main(void) {
    start_workers(2);
    puts("two are left");
    return 0;
}
