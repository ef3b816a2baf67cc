// Threads with the smallest stacks there are (16 kB), and handlers on alternate stacks of 16 kB and of SIGSTKSZ as it
// always was (8 kB), that make things of every kind, fork and execute, again and again from the same place.
// leaves: semaphore /hard-small, semaphore /hard-small-child
#include <mqueue.h>
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "hard.h"

extern char** environ;

static void more(void) {
    char folder[] = "hard-XXXXXX";
    TELL(mkdtemp(folder));
    TELL(rmdir(folder));
    const mqd_t queue = mq_open("/hard-queue", O_CREAT | O_RDWR, 0600, NULL);
    SAY("%d\n", mq_close(queue) | mq_unlink("/hard-queue"));
    const int memory = shmget(IPC_PRIVATE, 100, 0600), semaphores = semget(IPC_PRIVATE, 1, 0600);
    SAY("%d\n", shmctl(memory, IPC_RMID, NULL) | semctl(semaphores, 0, IPC_RMID));
    struct sockaddr_un address = {AF_UNIX, "socket"};
    const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    TELL(bind(listener, (struct sockaddr*)&address, sizeof address));
    unlink("socket");
    close(listener);
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    SAY("%d\n", timer_create(CLOCK_MONOTONIC, &event, &timer) | timer_delete(timer));
}

static void processes(void) {
    const pid_t child = fork();
    if (child == 0) _exit(make_some());
    SAY("fork: %d\n", status_of(child));
    const pid_t shell = vfork();
    if (shell == 0) {
        execlp("sh", "sh", "-c", "exit 5", (char*)0);
        _exit(1);
    }
    SAY("vfork: %d\n", status_of(shell));
    pid_t spawned = 0;
    char* words[] = {(char*)"sh", (char*)"-c", (char*)"exit 6", NULL};
    SAY("spawn: %d ", posix_spawnp(&spawned, "sh", NULL, NULL, words, environ));
    SAY("%d\n", status_of(spawned));
}

static void* small(void* argument) {
    SAY("%d\n", make_some());
    more();
    processes();
    SAY("%d\n", leave("/hard-small"));
    const pid_t child = fork();
    if (child == 0) _exit(leave("/hard-small-child"));
    SAY("%d\n", status_of(child));
    return argument;
}

static void handler(int number) {
    char here;
    SAY("signal %d on a small stack: %d\n", number, &here != NULL);
    SAY("%d\n", make_some());
    processes();
}

static void often(int number) {
    int made = 0;
    for (int i = 0; i < 4; i++) {
        made += make_some();
        int ends[2];
        if (pipe(ends) == 0 && close(ends[0]) == 0 && close(ends[1]) == 0) made++;
    }
    SAY("signal %d on a smaller stack: %d\n", number, made);
    for (int i = 0; i < 2; i++) processes();
}

// On a stack of that size at whose end something would be overwritten: a guard page lies there.
static void on_stack(size_t size, void (*handle)(int)) {
    char* const room = mmap(NULL, 5 << 12, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(room, 1 << 12, PROT_NONE);
    sigaltstack(&(stack_t){.ss_sp = room + (1 << 12), .ss_size = size}, NULL);
    const struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
}

int main(void) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    SAY("%d\n", pthread_attr_setstacksize(&attributes, 16384));
    pthread_t thread;
    const int error = pthread_create(&thread, &attributes, small, NULL);
    SAY("%d\n", pthread_join(thread, NULL));
    SAY("%d\n", error);
    on_stack(4 << 12, handler);
    on_stack(4 << 12, often);
    // More, where the processor has more to save.
    const size_t saved = getauxval(AT_MINSIGSTKSZ), small = 8192;
    on_stack(saved + 5000 > small ? saved + 5000 : small, often);
    return 22;
}
