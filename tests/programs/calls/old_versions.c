// The versions of calls that programs of before are linked to. "leave": leaves what they make.
// calls: posix_spawn posix_spawnp quick_exit timer_create timer_delete pthread_create pthread_join pthread_detach
// calls: sem_open sem_unlink shm_open shm_unlink
#include <pthread.h>
#include <semaphore.h>
#include <spawn.h>
#include <sys/mman.h>
#include <time.h>

#include "call.h"

#if defined(__x86_64__)

#define OLD(NAME, VERSION) __asm__(".symver old_" #NAME ", " #NAME "@" VERSION)

OLD(posix_spawn, "GLIBC_2.2.5");
OLD(posix_spawnp, "GLIBC_2.2.5");
OLD(quick_exit, "GLIBC_2.10");
OLD(timer_create, "GLIBC_2.2.5");
OLD(timer_settime, "GLIBC_2.2.5");
OLD(timer_gettime, "GLIBC_2.2.5");
OLD(timer_getoverrun, "GLIBC_2.2.5");
OLD(timer_delete, "GLIBC_2.2.5");
OLD(pthread_create, "GLIBC_2.2.5");
OLD(pthread_join, "GLIBC_2.2.5");
OLD(pthread_detach, "GLIBC_2.2.5");
OLD(sem_open, "GLIBC_2.2.5");
OLD(sem_unlink, "GLIBC_2.2.5");
OLD(shm_open, "GLIBC_2.2.5");
OLD(shm_unlink, "GLIBC_2.2.5");
__asm__(".symver middle_timer_create, timer_create@GLIBC_2.3.3");
__asm__(".symver middle_timer_delete, timer_delete@GLIBC_2.3.3");

extern __typeof__(posix_spawn) old_posix_spawn;
extern __typeof__(posix_spawnp) old_posix_spawnp;
extern __typeof__(quick_exit) old_quick_exit;
extern int old_timer_create(clockid_t clock, struct sigevent* event, int* timer);
extern int old_timer_settime(int timer, int flags, const struct itimerspec* value, struct itimerspec* before);
extern int old_timer_gettime(int timer, struct itimerspec* value);
extern int old_timer_getoverrun(int timer);
extern int old_timer_delete(int timer);
extern __typeof__(timer_create) middle_timer_create;
extern __typeof__(timer_delete) middle_timer_delete;
extern __typeof__(pthread_create) old_pthread_create;
extern __typeof__(pthread_join) old_pthread_join;
extern __typeof__(pthread_detach) old_pthread_detach;
extern __typeof__(sem_open) old_sem_open;
extern __typeof__(sem_unlink) old_sem_unlink;
extern __typeof__(shm_open) old_shm_open;
extern __typeof__(shm_unlink) old_shm_unlink;
extern int __cxa_thread_atexit_impl(void (*function)(void*), void* argument, void* library);
extern void* __dso_handle;
extern char** environ;

static volatile sig_atomic_t fired;
static void handler(int number) { fired = number; }
static void* thread(void* argument) { return argument; }
static void at_quick(void) { (void)!write(1, "  at_quick_exit\n", 16); }
static void of_thread(void* argument) { (void)!write(1, "  a thread's destructor\n", 24); }

// The older ones run it through the shell.
static void spawns(void) {
    FILE* script = fopen("script", "w");
    fputs("test \"$1\" = runs && exit 5\n", script);
    fchmod(fileno(script), 0755);
    fclose(script);
    char* words[] = {"./script", "runs", NULL};
    pid_t pid = 0;
    TRY("posix_spawn, of today", posix_spawn(&pid, "./script", NULL, NULL, words, environ));
    TRY("posix_spawnp, of today", posix_spawnp(&pid, "./script", NULL, NULL, words, environ));
    TRY("posix_spawn, of before", old_posix_spawn(&pid, "./script", NULL, NULL, words, environ));
    reap("  its child", pid);
    TRY("posix_spawnp, of before", old_posix_spawnp(&pid, "./script", NULL, NULL, words, environ));
    reap("  its child", pid);
    char* none[] = {"true", NULL};
    TRY("posix_spawnp, of before, a program", old_posix_spawnp(&pid, "true", NULL, NULL, none, environ));
    reap("  its child", pid);
    TRY("posix_spawn, of before, none", old_posix_spawn(&pid, "/absent", NULL, NULL, none, environ));
}

static void timers(void) {
    const struct itimerspec soon = {.it_value.tv_nsec = 1000000};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    struct itimerspec left;
    int both[2] = {-1, 0x5a5a5a5a};
    signal(SIGRTMIN, handler);
    TRY("timer_create, of before", old_timer_create(CLOCK_MONOTONIC, &event, &both[0]));
    printf("  its number %d, behind it %x\n", both[0], (unsigned)both[1]);
    TRY("timer_settime, of before", old_timer_settime(both[0], 0, &soon, NULL));
    while (!fired) usleep(100);
    TRY("timer_getoverrun, of before", old_timer_getoverrun(both[0]));
    TRY("timer_gettime, of before", old_timer_gettime(both[0], &left));
    TRY("timer_delete, of before", old_timer_delete(both[0]));
    TRY("timer_delete, of before, again", old_timer_delete(both[0]));
    timer_t timer;
    TRY("timer_create, of between", middle_timer_create(CLOCK_MONOTONIC, &event, &timer));
    fired = 0;
    TRY("timer_settime", timer_settime(timer, 0, &soon, NULL));
    while (!fired) usleep(100);
    TRY("timer_delete, of between", middle_timer_delete(timer));
}

static void ends(const char* what, void (*quick)(int)) {
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        at_quick_exit(at_quick);
        __cxa_thread_atexit_impl(of_thread, NULL, &__dso_handle);
        quick(7);
    }
    reap(what, child);
}

int main(int count, char** arguments) {
    const int leaves = count > 1 && strcmp(arguments[1], "leave") == 0;
    pthread_t one;
    void* result = NULL;
    TRY("pthread_create, of before", old_pthread_create(&one, NULL, thread, (void*)5));
    TRY("pthread_join, of before", old_pthread_join(one, &result));
    printf("  %ld\n", (long)result);
    TRY("pthread_create, of before", old_pthread_create(&one, NULL, thread, NULL));
    TRY("pthread_detach, of before", old_pthread_detach(one));
    sem_t* const semaphore = TRY_ANY("sem_open, of before", old_sem_open("/old", O_CREAT | O_EXCL, 0600, 1));
    sem_close(semaphore);
    if (!leaves) TRY("sem_unlink, of before", old_sem_unlink("/old"));
    close(TRY_ANY("shm_open, of before", old_shm_open("/old", O_CREAT | O_EXCL | O_RDWR, 0600)));
    if (!leaves) TRY("shm_unlink, of before", old_shm_unlink("/old"));
    spawns();
    timers();
    ends("quick_exit, of today", quick_exit);
    ends("quick_exit, of before", old_quick_exit);
    return 0;
}

#else
int main(void) { return 0; }
#endif
