// Handles SIGSEGV, SIGBUS and SIGFPE, and goes on: by jumping, by mending what was wrong, on another stack,
// and in the middle of hooked calls that were given nonsense.
// leaves: semaphore /hard-goes-on, semaphore /hard-goes-on-child
#include <setjmp.h>

#include "hard.h"

static sigjmp_buf again;
static char* page;
static volatile int mended;

static void jump(int number) { siglongjmp(again, number); }

static void mend(int number, siginfo_t* info, void* context) {
    (void)number;
    (void)context;
    if ((char*)info->si_addr < page || (char*)info->si_addr >= page + (1 << 12)) _exit(90);
    mended++;
    mprotect(page, 1 << 12, PROT_READ | PROT_WRITE);
}

#define CAUGHT(what, action)                                \
    do {                                                    \
        const int number_ = sigsetjmp(again, 1);            \
        if (number_ == 0) {                                 \
            action;                                         \
            SAY("%s: nothing\n", what);                     \
        } else {                                            \
            SAY("%s: signal %d\n", what, number_);          \
        }                                                   \
    } while (0)

int main(void) {
    static char other[1 << 16];
    sigaltstack(&(stack_t){.ss_sp = other, .ss_size = sizeof other}, NULL);
    page = mmap(NULL, 1 << 12, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sigaction action = {.sa_sigaction = mend, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    for (int i = 0; i < 200; i++) {
        mprotect(page, 1 << 12, PROT_NONE);
        page[i] = 'x';
        make_some();
    }
    SAY("mended %d\n", mended);
    action = (struct sigaction){.sa_handler = jump, .sa_flags = SA_ONSTACK};
    for (int number = SIGBUS; number <= SIGSEGV; number++)
        if (number == SIGBUS || number == SIGFPE || number == SIGSEGV) sigaction(number, &action, NULL);
    char* const wild = (char*)(intptr_t)8;
    CAUGHT("write", *(volatile char*)wild = 1);
    CAUGHT("sem_open", sem_open(wild, O_CREAT, 0600, 1));
    CAUGHT("sem_unlink", sem_unlink(wild));
    CAUGHT("shm_open", shm_open(wild, O_CREAT | O_RDWR, 0600));
    CAUGHT("mkstemp", mkstemp(wild));
    CAUGHT("mkdtemp", mkdtemp(wild));
    CAUGHT("pthread_join", pthread_join((pthread_t)(intptr_t)4096, NULL));
    CAUGHT("raise", raise(SIGFPE));
    char file[] = "short-XXXXXX";
    const int handle = mkstemp(file);
    char* mapped = mmap(NULL, 1 << 12, PROT_READ, MAP_SHARED, handle, 0);
    CAUGHT("beyond the file", SAY("%d", mapped[100]));
    CAUGHT("beyond the file, in a call", unlink(mapped));
    unlink(file);
    TELL(leave("/hard-goes-on"));
    const pid_t child = fork();
    if (child == 0) {
        CAUGHT("child", *(volatile char*)wild = 1);
        SAY("%d\n", make_some());
        _exit(leave("/hard-goes-on-child"));
    }
    SAY("%d\n", status_of(child));
    SAY("%d %d\n", make_some(), make_thread());
    return 16;
}
