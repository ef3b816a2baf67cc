// Executes and spawns with as many arguments as the kernel takes, and one more.
#include <spawn.h>

#include "hard.h"

enum { piece = 1000 };

static int runs(int pieces, int rest, int spawned) {
    static char full[piece + 1], last[piece + 1], *words[2000], *variables[] = {NULL};
    memset(full, 'a', piece);
    memset(last, 'b', piece);
    last[rest] = 0;
    int count = 0;
    words[count++] = (char*)"true";
    while (count <= pieces) words[count++] = full;
    words[count++] = last;
    words[count] = NULL;
    pid_t child = -1;
    if (spawned) {
        const int error = posix_spawn(&child, "/bin/true", NULL, NULL, words, variables);
        return error != 0 ? error : status_of(child);
    }
    child = vfork();
    if (child == 0) {
        execve("/bin/true", words, variables);
        _exit(errno);
    }
    return status_of(child);
}

// The most that works, between what does and what does not.
static int most(int works, int fails, int pieces, int spawned) {
    while (fails - works > 1) {
        const int middle = (works + fails) / 2;
        *((pieces < 0 ? runs(middle, 0, spawned) : runs(pieces, middle, spawned)) == 0 ? &works : &fails) = middle;
    }
    return works;
}

int main(void) {
    const struct rlimit small = {1 << 20, 1 << 20};
    SAY("%d\n", setrlimit(RLIMIT_STACK, &small));
    for (int spawned = 0; spawned < 2; spawned++) {
        const int pieces = most(0, 1900, -1, spawned), rest = most(0, piece, pieces, spawned);
        SAY("%d and %d, then %d\n", pieces, rest, runs(pieces, rest + 8, spawned));
    }
    return 4;
}
