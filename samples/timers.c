// leftover: timer=2(note)@make_timers
// POSIX timers die with their process; those that nobody deleted are worth a note. The thread that the
// C library starts for SIGEV_THREAD is its own.
#include <assert.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static atomic_int rang;

static void notify(union sigval value) { atomic_store(&rang, value.sival_int); }

static void make_timers(void) {
    timer_t timer;
    assert(timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = notify, .sigev_value.sival_int = 1};
    assert(timer_create(CLOCK_REALTIME, &event, &timer) == 0);
    const struct itimerspec soon = {.it_value.tv_nsec = 1};
    assert(timer_settime(timer, 0, &soon, NULL) == 0);
    while (atomic_load(&rang) == 0) usleep(100);
}

static void make_and_delete(void) {
    timer_t timer;
    assert(timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0);
    assert(timer_delete(timer) == 0);
}

// Timers are not inherited.
static void in_child(void) {
    const pid_t child = fork();
    if (child == 0) {
        make_and_delete();
        _exit(0);
    }
    int status = 0;
    assert(waitpid(child, &status, 0) == child && status == 0);
}

int main(void) {
    make_and_delete();
    make_timers();
    make_and_delete();
    in_child();
    puts("two are left");
    return 0;
}
