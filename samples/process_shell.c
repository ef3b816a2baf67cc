// leftover: process=2 process=1@by_popen
// What a shell puts in the background is created by the shell; what popen started, by the program.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static void by_system(void) {
    assert(system("sleep 600 & sleep 600 &") == 0);
}

static void by_popen(void) {
    FILE* pipe = popen("exec sleep 600", "w");
    assert(pipe != NULL);
}

int main(void) {
    by_system();
    by_popen();
    FILE* tidy = popen("echo done", "r");
    char line[16] = "";
    assert(fgets(line, sizeof line, tidy) != NULL);
    assert(pclose(tidy) == 0);
    printf("%sthree are left\n", line);
    return 0;
}
