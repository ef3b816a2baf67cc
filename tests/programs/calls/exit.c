// calls: _exit _Exit quick_exit
#include "call.h"

static void at_end(void) { puts("  exit handler"); fflush(stdout); }
static void at_quick_end(void) { puts("  quick exit handler"); fflush(stdout); }

static void try_exit(const char* what, void (*call)(int), int code) {
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        printf("never written by _exit");
        call(code);
    }
    reap(what, child);
}

static void by_return(int code) { exit(code); }

int main(void) {
    setvbuf(stdout, NULL, _IOFBF, 4096);
    atexit(at_end);
    at_quick_exit(at_quick_end);
    try_exit("_exit", _exit, 3);
    try_exit("_exit, large", _exit, 256 + 4);
    try_exit("_Exit", _Exit, 5);
    try_exit("_Exit, negative", _Exit, -1);
    try_exit("quick_exit", quick_exit, 6);
    try_exit("exit", by_return, 7);
    return 8;
}
