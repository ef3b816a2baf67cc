// Runs a program that marks what it does by pairs of breakpoints (int3), and sends it SIGUSR1 before a given instruction
// in between, its own and libc's and any library's alike:
//
//   steps at N PROGRAM [ARGUMENT...]      before the N-th, between the first pair
//   steps spread R PROGRAM [ARGUMENT...]  one for each of R pairs, spread evenly over the length of the one before; nothing
//                                         is sent to that, nor to three before it
//
// Only the thread that marks is stepped through. Its exit status is the program's.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ended = -1, mark = -2 };
enum { measured = 3 };

static pid_t program;
static int last_status;

// What stopped it: a mark, a signal (SIGTRAP after a step), or its end.
static int go_on(int how, int signal) {
    siginfo_t info;
    if (ptrace(how, program, NULL, (void*)(long)signal) != 0 && errno != ESRCH) exit(120);
    if (waitpid(program, &last_status, 0) != program) exit(121);
    if (!WIFSTOPPED(last_status)) return ended;
    const int stopped = WSTOPSIG(last_status);
    if (stopped != SIGTRAP) return stopped;
    if (ptrace(PTRACE_GETSIGINFO, program, NULL, &info) != 0) exit(122);
    return info.si_code == SI_KERNEL ? mark : SIGTRAP;
}

// As if nobody had looked, up to a mark or the end.
static int up_to_mark(int signal) {
    for (;;) {
        const int stopped = go_on(PTRACE_CONT, signal);
        if (stopped < 0) return stopped;
        signal = stopped == SIGTRAP ? 0 : stopped;
    }
}

// At most `most` instructions, or up to the closing mark; how many.
static long step(long most, int* stopped) {
    long steps = 0;
    int signal = 0;
    *stopped = SIGTRAP;
    while (steps < most) {
        *stopped = go_on(PTRACE_SINGLESTEP, signal);
        if (*stopped < 0) break;
        signal = *stopped == SIGTRAP ? 0 : *stopped;
        if (signal == 0) steps++;
    }
    return steps;
}

int main(int count, char** words) {
    if (count < 4) return 2;
    const int spread = strcmp(words[1], "spread") == 0;
    const long number = atol(words[2]);
    program = fork();
    if (program == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execv(words[3], words + 3);
        _exit(127);
    }
    if (waitpid(program, &last_status, 0) != program) return 123;
    long length = 0;
    for (long pair = 0; up_to_mark(0) != ended; pair++) {
        int stopped;
        if (spread && pair == measured) {
            length = step(100L << 20, &stopped);
        } else if (spread ? pair < measured : pair > 0) {
            stopped = up_to_mark(0);
        } else {
            step(spread ? (pair - measured - 1) * length / number : number, &stopped);
            if (stopped != ended && stopped != mark) stopped = up_to_mark(SIGUSR1);
        }
        if (stopped == ended) break;
    }
    return WIFEXITED(last_status) ? WEXITSTATUS(last_status) : 128 + WTERMSIG(last_status);
}
