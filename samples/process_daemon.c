// leftover: process=1@go_away
// A daemon: its parent exits inside of daemon().
#include <stdio.h>
#include <unistd.h>

static int go_away(void) {
    int result = daemon(1, 0);
    sleep(600);
    return result;
}

int main(void) {
    puts("one is left");
    fflush(stdout);
    return go_away();
}
