// leftover: process=1@open_pipe
#include <assert.h>
#include <stdio.h>

static FILE* open_pipe(void) {
    FILE* pipe = popen("exec sleep 600", "w");
    assert(pipe != NULL);
    return pipe;
}

int main(void) {
    open_pipe();
    puts("one is left");
    return 0;
}
