// Cancels threads inside hooked calls that wait, and asynchronously anywhere in their own code.
// leaves: semaphore /hard-cancelled
#include <mqueue.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>

#include "hard.h"

extern char** environ;

static volatile int entered;
static pthread_t sleeper;
static pid_t child;
static char order[64];

static void cleanup(void* text) { strcat(order, text); }

static void* sleeps(void* argument) {
    for (;;) pause();
    return argument;
}

static void* in_join(void* argument) { pthread_join(sleeper, NULL); return argument; }
static void* in_timed_join(void* argument) {
    pthread_timedjoin_np(sleeper, NULL, &(struct timespec){1L << 33, 0});
    return argument;
}
static void* in_waitpid(void* argument) { waitpid(child, NULL, 0); return argument; }
static void* in_wait(void* argument) { wait(NULL); return argument; }
static void* in_waitid(void* argument) { siginfo_t info; waitid(P_PID, (id_t)child, &info, WEXITED); return argument; }
static void* in_wait4(void* argument) { wait4(child, NULL, 0, NULL); return argument; }
static void* in_open(void* argument) { open("fifo", O_RDONLY); return argument; }
static void* in_accept(void* argument) { accept(*(int*)argument, NULL, NULL); return argument; }
static void* in_receive(void* argument) {
    char text[8192];
    mq_receive(*(mqd_t*)argument, text, sizeof text, NULL);
    return argument;
}
static void* in_msgrcv(void* argument) {
    struct { long type; char text[8]; } message;
    msgrcv(*(int*)argument, &message, 8, 0, 0);
    return argument;
}
static void* in_system(void* argument) { system("exec sleep 1000"); return argument; }

struct Task {
    void* (*action)(void*);
    void* argument;
};

static void* run(void* task) {
    pthread_cleanup_push(cleanup, "outer ");
    pthread_cleanup_push(cleanup, "inner ");
    entered = 1;
    ((struct Task*)task)->action(((struct Task*)task)->argument);
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return (void*)5;
}

static void cancel(const char* what, void* (*action)(void*), void* argument) {
    struct Task task = {action, argument};
    pthread_t thread;
    order[0] = 0;
    entered = 0;
    pthread_create(&thread, NULL, run, &task);
    while (!entered) sched_yield();
    // Soon in the call; before it or in it, the same must come of it.
    usleep(20000);
    pthread_cancel(thread);
    void* result = NULL;
    const int error = pthread_join(thread, &result);
    SAY("%s: %d %d %s\n", what, error, result == PTHREAD_CANCELED, order);
}

// Those that another program would be given.
static void tell_variables(void) {
    int count = 0;
    while (environ[count] != NULL) count++;
    SAY("%d variables, %s\n", count, getenv("LD_PRELOAD"));
}

static void* busy(void* argument) {
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    entered = 1;
    for (volatile unsigned i = 0;; i++) {
    }
    return argument;
}

static void* rounds(void* argument) {
    // Calls that are cancellation points, and others: what a cancelled one leaves is its own affair.
    entered = 1;
    for (;;) {
        pthread_testcancel();
        if (getpid() == 0) break;
        unlink("/tmp/hard-not-there");
        int old;
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
        make_some();
        pthread_setcancelstate(old, NULL);
    }
    return argument;
}

int main(void) {
    pthread_create(&sleeper, NULL, sleeps, NULL);
    child = fork();
    if (child == 0) {
        for (;;) pause();
    }
    mkfifo("fifo", 0600);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    listen(listener, 1);
    mqd_t queue = mq_open("/hard-queue", O_CREAT | O_RDWR, 0600, NULL);
    mq_unlink("/hard-queue");
    int messages = msgget(IPC_PRIVATE, 0600);
    cancel("pthread_join", in_join, NULL);
    cancel("pthread_timedjoin_np", in_timed_join, NULL);
    cancel("waitpid", in_waitpid, NULL);
    cancel("wait", in_wait, NULL);
    cancel("waitid", in_waitid, NULL);
    cancel("wait4", in_wait4, NULL);
    cancel("open", in_open, NULL);
    if (listener >= 0) cancel("mq_receive", in_receive, &queue);
    cancel("msgrcv", in_msgrcv, &messages);
    cancel("system", in_system, NULL);
    tell_variables();
    msgctl(messages, IPC_RMID, NULL);
    mq_close(queue);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    listen(listener, 1);
    cancel("accept", in_accept, &listener);
    for (int i = 0; i < 5; i++) cancel("busy", busy, NULL);
    for (int i = 0; i < 10; i++) cancel("rounds", rounds, NULL);
    kill(child, SIGTERM);
    SAY("%d\n", status_of(child));
    pthread_cancel(sleeper);
    SAY("%d\n", pthread_join(sleeper, NULL));
    SAY("%d %d\n", make_some(), make_thread());
    TELL(leave("/hard-cancelled"));
    return 20;
}
