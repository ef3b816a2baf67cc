// Its signal handler makes things and forks while it interrupts hooked calls, eight hundred times; what it leaves is
// reported as made there. See handlers() in hard.py.
#include "hard.h"

enum { rounds = 800, kept = 200 };
static volatile sig_atomic_t handled, failed;
static pthread_t target;

static void name_of(char* name, const char* what, int number) {
    strcpy(name, what);
    char* end = name + strlen(name);
    for (int place = 1000; place > 0; place /= 10) *end++ = (char)('0' + number / place % 10);
    *end = 0;
}

// For all: one place that makes.
static int make(const char* name) { return shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600); }

static void handler(int number) {
    const int saved = errno, round = handled;
    char name[40], file[] = "/tmp/handled-XXXXXX";
    if (round >= rounds) return;
    const int keep = round % (rounds / kept) == 0;
    name_of(name, keep ? "/hard-kept-" : "/hard-gone-", round);
    const int memory = make(name);
    if (memory < 0 || close(memory) != 0 || (!keep && shm_unlink(name) != 0)) failed++;
    const int handle = mkstemp(file);
    if (handle < 0 || close(handle) != 0 || (!keep && unlink(file) != 0)) failed++;
    if (round % 20 == 0) {
        name_of(name, "/hard-child-", round);
        const pid_t child = fork();
        if (child == 0) _exit(make(name) >= 0 ? 7 : 1);
        if (status_of(child) != 7) failed++;
    }
    handled = round + 1;
    errno = saved;
}

static void* sends(void* argument) {
    while (handled < rounds) {
        const int before = handled;
        pthread_kill(target, SIGUSR1);
        while (handled == before) sched_yield();
        for (volatile int i = 0; i < before % 97 * 300; i++) {
        }
    }
    return argument;
}

// From ever another depth, so that nobody knows the stack beforehand.
static int rounds_at(int depth) {
    int bad = 0;
    if (depth > 0) {
        bad = rounds_at(depth - 1);
        __asm__ volatile("" : "+r"(bad));
        return bad;
    }
    char file[] = "/tmp/main-XXXXXX";
    const int memory = shm_open("/hard-main", O_CREAT | O_EXCL | O_RDWR, 0600);
    if (memory < 0 || close(memory) != 0 || shm_unlink("/hard-main") != 0) bad++;
    const int handle = mkstemp(file);
    if (handle < 0 || unlink(file) != 0 || close(handle) != 0) bad++;
    if (close(open("/dev/null", O_RDONLY)) != 0) bad++;
    return bad;
}

int main(void) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    pthread_t sender;
    target = pthread_self();
    pthread_create(&sender, NULL, sends, NULL);
    int bad = 0, turns = 0;
    while (handled < rounds) {
        bad += rounds_at(turns++ % 60);
    }
    pthread_join(sender, NULL);
    SAY("%d handled, %d failed, %d bad\n", handled, failed, bad);
    return 23;
}
