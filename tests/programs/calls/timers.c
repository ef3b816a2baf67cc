// calls: timer_create timer_delete
#include <time.h>

#include "call.h"

static volatile sig_atomic_t fired;
static int rang;

static void handler(int number) { fired = number; }

static void notify(union sigval value) { __atomic_store_n(&rang, value.sival_int, __ATOMIC_SEQ_CST); }

int main(void) {
    const struct itimerspec soon = {.it_value.tv_nsec = 1000000};
    signal(SIGRTMIN, handler);
    timer_t timer;
    TRY("timer_create, default", timer_create(CLOCK_MONOTONIC, NULL, &timer));
    printf("  the first: %d\n", timer == (timer_t)0);
    TRY("timer_delete", timer_delete(timer));
    TRY("timer_delete, again", timer_delete(timer));

    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    TRY("timer_create, a signal", timer_create(CLOCK_REALTIME, &event, &timer));
    TRY("timer_settime", timer_settime(timer, 0, &soon, NULL));
    while (!fired) usleep(100);
    printf("  it fired\n");
    TRY("timer_delete", timer_delete(timer));

    event = (struct sigevent){.sigev_notify = SIGEV_THREAD, .sigev_notify_function = notify, .sigev_value.sival_int = 7};
    TRY("timer_create, a thread", timer_create(CLOCK_MONOTONIC, &event, &timer));
    TRY("timer_settime", timer_settime(timer, 0, &soon, NULL));
    while (__atomic_load_n(&rang, __ATOMIC_SEQ_CST) != 7) usleep(100);
    printf("  it rang\n");
    TRY("timer_delete", timer_delete(timer));

    event.sigev_notify = 4711;
    TRY("timer_create, no such notification", timer_create(CLOCK_MONOTONIC, &event, &timer));
    event = (struct sigevent){.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 4711};
    TRY("timer_create, no such signal", timer_create(CLOCK_MONOTONIC, &event, &timer));
    TRY("timer_create, no such clock", timer_create(4711, NULL, &timer));
    event.sigev_notify = SIGEV_NONE;
    TRY("timer_create, none", timer_create(CLOCK_MONOTONIC, &event, &timer));
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        // Timers are not inherited.
        TRY("timer_delete, the parent's", timer_delete(timer));
        timer_t own;
        TRY("timer_create, the child's", timer_create(CLOCK_MONOTONIC, NULL, &own));
        TRY("timer_delete, the child's", timer_delete(own));
        _exit(0);
    }
    reap("a child", child);
    TRY("timer_delete, none", timer_delete(timer));
    setrlimit(RLIMIT_SIGPENDING, &(struct rlimit){0, 0});
    TRY("timer_create, no more", timer_create(CLOCK_MONOTONIC, NULL, &timer));
    return 0;
}
