// Overflows its stacks: the handler, on another stack just below, opens files again and again, forks, and makes what is
// left.
// leaves: semaphore /hard-overflow-0, semaphore /hard-overflow-1
#include "hard.h"

enum { page = 4096, size = 1 << 16 };

static char* room;
static char name[] = "/hard-overflow-0";

static void handler(int number) {
    int opened = 0;
    for (int i = 0; i < 6; i++) opened += close(open("/dev/null", O_RDONLY)) == 0;
    const pid_t child = fork();
    if (child == 0) _exit(make_some());
    SAY("signal %d, opened %d, made %d, left %d\n", number, opened, status_of(child), leave(name));
    _exit(5);
}

__attribute__((noinline)) static int deeper(int depth) {
    volatile char here[200];
    here[0] = (char)depth;
    return deeper(depth + 1) + here[0];
}

static void* overflow(void* argument) {
    sigaltstack(&(stack_t){.ss_sp = room, .ss_size = size}, NULL);
    const struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    deeper(0);
    return argument;
}

int main(void) {
    // The alternate stack, what nobody may touch, and the thread's.
    room = mmap(NULL, 4 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SAY("%d\n", mprotect(room + size, size, PROT_NONE));
    for (int in_thread = 0; in_thread < 2; in_thread++) {
        name[sizeof name - 2] = (char)('0' + in_thread);
        const pid_t child = fork();
        if (child == 0) {
            pthread_attr_t attributes;
            pthread_attr_init(&attributes);
            pthread_attr_setstack(&attributes, room + 2 * size, 2 * size);
            pthread_t thread;
            if (in_thread) {
                pthread_create(&thread, &attributes, overflow, NULL);
                pthread_join(thread, NULL);
            } else {
                setrlimit(RLIMIT_STACK, &(struct rlimit){256 << 10, 256 << 10});
                overflow(NULL);
            }
            _exit(9);
        }
        SAY("%d\n", status_of(child));
    }
    return 15;
}
